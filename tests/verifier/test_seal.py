"""A sealed statement: the same bytes again, checked by hand and by a library, and every change refused."""

import base64
import json
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from typer.testing import CliRunner, Result

from verifier.attestation.bundle import pack_zip
from verifier.cli.main import app
from verifier.errors import InputError

RUNS = Path(__file__).parents[2] / "fixtures" / "runs"
GOOD, SPENT = RUNS / "knots-anvil-pass", RUNS / "knots-anvil-fail"


def por(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def key(tmp_path: Path) -> Path:
    assert por("log", "key", "auditor.example", "--out", tmp_path / "auditor.pem").exit_code == 0
    return tmp_path / "auditor.pem"


def sealed(key: Path, bundle: Path = GOOD, name: str = "run.dsse.json") -> Path:
    out = key.with_name(name)
    done = por("seal", bundle, "--pack", "jp-psa-63-11", "--pack", "model-basic", "--key", key, "--out", out)
    assert done.exit_code == 0, done.output
    return out


def verified(seal: Path, key: Path, bundle: Path = GOOD, *more: str) -> Result:
    return por("verify", bundle, "--seal", seal, "--signer", f"{key}.pub", *more)


def test_a_seal_is_the_same_bytes_again_and_verifies_with_its_own_rulebooks(key: Path) -> None:
    first, second = sealed(key), sealed(key, name="again.dsse.json")
    assert first.read_bytes() == second.read_bytes()
    done = verified(first, key)
    assert (done.exit_code, "sealed statement names this bundle" in done.output) == (0, True)
    assert "jp-psa-63-11: PASS" in done.output
    assert verified(first, key, GOOD, "--pack", "kr-vaupa").exit_code == 1  # the seal says nothing of it
    zipped = key.with_name("run.zip")
    pack_zip(GOOD, zipped)
    assert verified(first, key, zipped).exit_code == 0


def test_the_signature_is_that_of_the_dsse_specification(key: Path) -> None:
    envelope = json.loads(sealed(key).read_bytes())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    public = load_pem_public_key(Path(f"{key}.pub").read_bytes())
    assert isinstance(public, Ed25519PublicKey)
    (signature,) = envelope["signatures"]
    public.verify(base64.b64decode(signature["sig"]), signed)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature["sig"]), signed + b" ")
    statement = json.loads(payload)
    assert (statement["_type"], statement["subject"][0]["name"]) == ("https://in-toto.io/Statement/v1", "manifest.json")
    assert [one["verdict"] for one in statement["predicate"]["rulebooks"]] == ["pass", "pass"]


def test_a_short_summary_tells_programs_whether_it_passed(key: Path) -> None:
    told = []
    for bundle in (GOOD, SPENT):
        summary = key.with_name("summary.json")
        done = por("seal", bundle, "--key", key, "--out", key.with_name("x.json"), "--summary", summary)
        assert done.exit_code == 0, done.output
        statement = json.loads(base64.b64decode(json.loads(summary.read_bytes())["payload"]))
        assert statement["predicateType"] == "https://slsa.dev/verification_summary/v1"
        predicate = statement["predicate"]
        told.append((predicate["verificationResult"], predicate["verifiedLevels"]))
        assert (
            statement["subject"][0]["digest"]["sha256"] == sha256((bundle / "manifest.json").read_bytes()).hexdigest()
        )
        assert "none of" not in str(verified(summary, key, bundle).exception)
        assert "another kind" in str(verified(summary, key, bundle).exception)
    assert told == [("PASSED", ["RESERVES_PASS"]), ("FAILED", ["RESERVES_FAIL"])]


def test_a_seal_of_another_run_fails(key: Path) -> None:
    done = verified(sealed(key, SPENT), key)
    assert done.exit_code == 1
    assert "it names another bundle" in done.output


def test_a_statement_that_claims_a_better_verdict_fails(key: Path) -> None:
    from verifier.seal import seal

    spent = sealed(key, SPENT)
    payload = base64.b64decode(json.loads(spent.read_bytes())["payload"])
    spent.write_bytes(seal(payload.replace(b'"verdict":"fail"', b'"verdict":"pass"'), str(key)))
    done = verified(spent, key, SPENT)
    assert (done.exit_code, '"pass" there, "fail" here' in done.output) == (1, True)


def test_what_nobody_trusted_has_sealed_is_refused(key: Path, tmp_path: Path) -> None:
    seal = sealed(key)
    stranger = tmp_path / "stranger.pem"
    por("log", "key", "stranger.example", "--out", stranger)
    assert "none of the keys" in str(verified(seal, stranger).exception)
    assert "--signer" in str(por("verify", GOOD, "--seal", seal).exception)
    record = json.loads(seal.read_bytes())
    changes = (
        {**record, "payload": base64.b64encode(b"{}").decode()}, {**record, "payloadType": "text/plain"},
        {**record, "signatures": []}, {"payload": 5}, [], {**record, "signatures": "x"},
    )  # fmt: skip
    for changed in changes:
        seal.write_text(json.dumps(changed))
        assert isinstance(verified(seal, key).exception, InputError), changed
    seal.write_bytes(b"\xff")
    assert isinstance(verified(seal, key).exception, InputError)


def test_a_key_that_cannot_sign_is_an_error_without_its_text(key: Path) -> None:
    key.write_text("-----BEGIN PRIVATE KEY-----\nsecretsecret\n-----END PRIVATE KEY-----\n")
    failed = por("seal", GOOD, "--key", key, "--out", key.with_name("x"))
    assert isinstance(failed.exception, InputError) and "secretsecret" not in str(failed.exception)
    unknown = por("seal", GOOD, "--key", "hsm:", "--out", key.with_name("x"))
    assert "--public" in str(unknown.exception)
