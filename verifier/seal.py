"""A signed statement of what a run came to: in-toto, sealed with DSSE, the same bytes from the same inputs."""

import binascii
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm

from chains.decode import parse_json
from chains.errors import ChainError
from verifier.attestation.bundle import MANIFEST, Bundle, open_bundle
from verifier.canonical import canonical_json
from verifier.errors import InputError
from verifier.files import read_file
from verifier.policy.finding import Finding, Level, Reason
from verifier.recheck import SEAL_RULE
from verifier.run import Verification
from verifier.verdict import Verdict

if TYPE_CHECKING:
    from securesystemslib.signer import Key

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:reserve-verifier:attestation:1"
PAYLOAD = "application/vnd.in-toto+json"
FILE_SCHEME = "file2"
MAX_SEAL, MAX_KEY = 4 * 1024 * 1024, 64 * 1024


def statement_of(bundle: Bundle, result: Verification) -> bytes:
    """Return the in-toto statement of a verified bundle as canonical JSON.

    The subject is the bundle's manifest, which names every part by its digest; the predicate names the case that
    follows from them and the verdict of each rulebook, by the rulebook's own digest. Source: in-toto Statement v1.
    """
    declaration = result.case.declaration
    return canonical_json(
        {
            "_type": STATEMENT,
            "subject": [{"name": MANIFEST, "digest": {"sha256": bundle.digest}}],
            "predicateType": PREDICATE,
            "predicate": {
                "exchange": {"id": declaration.exchange.id, "name": declaration.exchange.name},
                "as_of": declaration.as_of,
                "case": result.case.digest,
                "verdict": str(result.verdict),
                "rulebooks": [
                    {
                        "id": judged.pack.id,
                        "version": judged.pack.version,
                        "digest": {"sha256": judged.pack.digest},
                        "day": judged.day,
                        "verdict": str(judged.verdict),
                    }
                    for judged in result.judgements
                ],
                "tool": {"name": "reserve-verifier", "version": version("reserve-verifier")},
            },
        }
    )


def seal(statement: bytes, key: str, public: Path | None = None) -> bytes:
    """Return a statement in a DSSE envelope, as canonical JSON, signed by the key at a URI or in a PEM file.

    URIs are those of securesystemslib (`hsm:`, `awskms:`, `gcpkms:`, `azurekms:` …); all but files need the public half
    in a PEM file. Raises InputError, without a word of the key.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, Signer

    scheme = key.partition(":")[0]
    uri = key if scheme in SIGNER_FOR_URI_SCHEME else f"{FILE_SCHEME}:{key}"
    named = _public_key(public) if public else _public_half(Path(uri.partition(":")[2]), uri)
    envelope = Envelope(statement, PAYLOAD, {})
    try:
        envelope.sign(Signer.from_priv_key_uri(uri, named))
    except Exception as error:  # each kind of signer fails in a way of its own
        raise InputError(f"the key {scheme if ':' in key else 'file'} cannot sign: {type(error).__name__}") from error
    return canonical_json(envelope.to_dict())


def open_seal(content: bytes, signers: Sequence[Path], where: str) -> dict[str, Any]:
    """Return the statement in an envelope that one of the trusted keys signed.

    Raises InputError when the envelope is malformed, nobody trusted signed it, or it holds another kind of statement.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    try:
        record = parse_json(content)
        envelope = Envelope.from_dict(record)
        envelope.verify([_public_key(path) for path in signers], 1)
        if envelope.payload_type != PAYLOAD:
            raise InputError(f"{where}: holds {envelope.payload_type[:80]!r}; expected {PAYLOAD!r}")
        statement = parse_json(envelope.payload)
    except VerificationError as error:
        raise InputError(f"{where}: none of the keys you trust signed it") from error
    except (ChainError, KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
        raise InputError(f"{where}: is no DSSE envelope") from error
    if not isinstance(statement, dict) or statement.get("predicateType") != PREDICATE:
        raise InputError(f"{where}: holds another kind of statement")
    return statement


def check_seal(statement: dict[str, Any], bundle: Bundle, result: Verification) -> Finding:
    """Compare a sealed statement with what was derived from the bundle here; one that differs fails."""
    derived = json.loads(statement_of(bundle, result))
    sealed = statement.get("predicate")
    differing = [] if statement.get("subject") == derived["subject"] else ["it names another bundle"]
    differing += _differences(sealed if isinstance(sealed, dict) else {}, derived["predicate"])
    if not differing:
        names = ", ".join(judged.pack.id for judged in result.judgements)
        text = f"The sealed statement names this bundle, its case, and the verdicts by {names}."
        return Finding(SEAL_RULE, "attestation", Verdict.PASS, Reason.SATISFIED, text)
    text = f"The sealed statement is not what follows from the bundle: {'; '.join(differing)}."
    return Finding(SEAL_RULE, "attestation", Verdict.FAIL, Reason.CONTRADICTION, text, Level.MUST)


def compared(statement: dict[str, Any] | None, bundle: Path, result: Verification) -> Verification:
    """Return a verification with what a sealed statement adds to it; without one as it is."""
    if statement is None:
        return result
    with open_bundle(bundle) as opened:
        return result._replace(rechecked=(*result.rechecked, check_seal(statement, opened, result)))


def sealed_packs(statement: dict[str, Any] | None) -> list[str]:
    """Return the ids of the rulebooks a statement speaks of; none without one."""
    if statement is None:
        return []
    rulebooks = (
        statement.get("predicate", {}).get("rulebooks") if isinstance(statement.get("predicate"), dict) else None
    )
    named = [one.get("id") for one in rulebooks if isinstance(one, dict)] if isinstance(rulebooks, list) else []
    return [name for name in named if isinstance(name, str)]


def _differences(sealed: dict[str, Any], derived: dict[str, Any]) -> Iterator[str]:
    """Yield where a sealed predicate differs; rulebooks are compared one by one, as far as both speak of them."""
    for name in ("exchange", "as_of", "case"):
        if sealed.get(name) != derived[name]:
            yield f"{name} is {_short(sealed.get(name))}, here {_short(derived[name])}"
    listed = sealed.get("rulebooks")
    known = {one.get("id"): one for one in listed if isinstance(one, dict)} if isinstance(listed, list) else {}
    for here in derived["rulebooks"]:
        there = known.get(here["id"])
        if there is None:
            yield f"it says nothing of {here['id']}"
        elif there.get("digest") != here["digest"]:
            yield f"{here['id']} is version {_short(there.get('version'))} there, {_short(here['version'])} here"
        elif there != here:
            yield f"{here['id']} is {_short(there.get('verdict'))} there, {_short(here['verdict'])} here"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:120]


def _public_key(path: Path) -> "Key":
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        return SSlibKey.from_crypto(load_pem_public_key(read_file(path, MAX_KEY)))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: is no public key in PEM") from error


def _public_half(path: Path, uri: str) -> "Key":
    """Return the public half of a private key file. Raises InputError, without showing the file."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import SSlibKey

    if not uri.startswith(f"{FILE_SCHEME}:"):
        raise InputError(f"a key at {uri.partition(':')[0]}: needs its public half, as a PEM file (--public)")
    try:
        private = load_pem_private_key(read_file(path, MAX_KEY), None)
        return SSlibKey.from_crypto(private.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: is no unencrypted private key in PEM") from error
