"""The one path: collect over a network, replay without one, resume after a kill, and notice every edit."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chains.errors import TransportError
from chains.http import HttpTransport, Limits
from chains.providers import Provider
from chains.transport import Request, Response
from tests.verifier.played import Inputs, played
from verifier.attestation.bundle import pack_zip
from verifier.errors import InputError, PartitionError, UnavailableError
from verifier.report.limits import limits
from verifier.run import Collected, collect
from verifier.verdict import Verdict
from verifier.verification import verify_bundle

PACKS = ("model-basic", "jp-psa-63-11")


def run(inputs: Inputs, out: Path, transport: HttpTransport | None = None) -> Collected:
    quick = transport or HttpTransport(Limits(tries=1, read=5, connect=5))
    return collect(inputs.declaration, inputs.providers, out, inputs.liabilities, inputs.prices, transport=quick)


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("a verification opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


def test_a_collected_run_replays_to_the_same_case_without_any_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with played(tmp_path / "in") as (inputs, _):
        done = run(inputs, tmp_path / "run")
    elsewhere = tmp_path / "another machine" / "run"
    elsewhere.parent.mkdir()
    shutil.move(tmp_path / "run", elsewhere)
    monkeypatch.setattr(socket, "socket", None)
    monkeypatch.setattr(socket, "create_connection", None)
    result = verify_bundle(elsewhere, PACKS)
    assert result.case.digest == done.case.digest
    assert result.verdict is Verdict.PASS


def test_the_bytes_of_a_bundle_follow_from_its_inputs_alone(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, _):
        run(inputs, tmp_path / "one")
        run(inputs, tmp_path / "two")
    for archive in ("one", "two"):
        pack_zip(tmp_path / archive, tmp_path / f"{archive}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert verify_bundle(tmp_path / "one.zip").verdict is Verdict.PASS


def test_spent_reserves_fail(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, side):
        wallet = inputs.exchange.wallet("ethereum cold 1")
        side.send(wallet.secret, "0x" + "ee" * 20, 1)
        run(inputs, tmp_path / "run")
    result = verify_bundle(tmp_path / "run")
    failed = [finding for finding in result.findings if finding.verdict is Verdict.FAIL]
    assert [(finding.rule, finding.shortfall) for finding in failed] == [("BASIC-COVERAGE", "1")]


def test_one_liar_among_three_turns_a_pass_into_open_and_a_fail_into_no_pass(tmp_path: Path) -> None:
    with played(tmp_path / "in", nodes=3, minimum=2) as (inputs, side):
        cold = inputs.exchange.wallet("ethereum cold 1").address
        run(inputs, tmp_path / "honest")
        side.nodes[2].balances[cold] *= 100
        run(inputs, tmp_path / "liar")
        for node in side.nodes[:2]:
            node.balances[cold] = 0
        run(inputs, tmp_path / "liar hides a hole")
    assert verify_bundle(tmp_path / "honest").verdict is Verdict.PASS
    liar = verify_bundle(tmp_path / "liar")
    assert liar.verdict is Verdict.INDETERMINATE
    assert any("values-differ (operator-0 says" in finding.text for finding in liar.findings)
    assert verify_bundle(tmp_path / "liar hides a hole").verdict is Verdict.INDETERMINATE


def test_the_same_coins_in_two_pools_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, side):
        record = json.loads(inputs.declaration.read_text())
        record["wallets"].append(record["wallets"][-1] | {"pool": "client-cold", "label": "again"})
        inputs.declaration.write_text(json.dumps(record))
        side.nodes[0].asked.clear()
        with pytest.raises(PartitionError, match=r"declared in wallets.6 .*company.* and again in wallets.7 'again'"):
            run(inputs, tmp_path / "run")
        assert side.nodes[0].asked == []


def test_asking_again_finds_answers_that_the_operators_never_gave(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, side):
        run(inputs, tmp_path / "run")
        honest = verify_bundle(tmp_path / "run", recheck_with=inputs.providers)
        side.nodes[0].balances[inputs.exchange.wallet("ethereum cold 1").address] -= 1
        invented = verify_bundle(tmp_path / "run", recheck_with=inputs.providers)
        side.nodes[0].pruned = True
        forgotten = verify_bundle(tmp_path / "run", recheck_with=inputs.providers)
    assert [finding.verdict for finding in honest.rechecked] == [Verdict.PASS]
    assert (invented.verdict, invented.rechecked[0].verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert (forgotten.verdict, forgotten.rechecked[0].verdict) == (Verdict.PASS, Verdict.INDETERMINATE)


def test_a_provider_that_serves_another_chain_is_named_in_the_verdict(tmp_path: Path) -> None:
    with played(tmp_path / "in", nodes=3, minimum=2) as (inputs, side):
        side.nodes[1].chain = "0x1"
        run(inputs, tmp_path / "run")
    result = verify_bundle(tmp_path / "run")
    assert result.verdict is Verdict.PASS
    assert [item.reason for item in result.case.exclusions] == ["serves eip155:1, not eip155:31337"]
    assert "operator-1 was not believed: serves eip155:1, not eip155:31337." in limits(result)


class KilledAfter:
    """A transport that dies like a killed process after so many answers."""

    def __init__(self, answers: int) -> None:
        self.left = answers
        self.inner = HttpTransport()

    def send(self, provider: Provider, request: Request) -> Response:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return self.inner.send(provider, request)


@pytest.mark.parametrize("answers", range(1, 5))
def test_an_interrupted_collection_resumes_and_asks_nothing_twice(tmp_path: Path, answers: int) -> None:
    with played(tmp_path / "in") as (inputs, side):
        complete = run(inputs, tmp_path / "complete")
        with pytest.raises(KeyboardInterrupt):
            run(inputs, tmp_path / "run", KilledAfter(answers))  # type: ignore[arg-type]
        assert not (tmp_path / "run").exists()
        side.nodes[0].asked.clear()
        done = run(inputs, tmp_path / "run")
    assert done.resumed == answers
    assert done.case.digest == complete.case.digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["complete", "in", "run"]


def test_an_unreachable_chain_keeps_what_was_read_and_says_how_to_go_on(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, _):
        pass
    with pytest.raises(UnavailableError, match=r"cannot be reached.*run the same command again"):
        run(inputs, tmp_path / "run")
    assert (tmp_path / "run.journal").exists()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    with played(folder / "in") as (inputs, _):
        run(inputs, folder / "run")
    return folder / "run"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_bit_of_a_bundle_is_refused(
    bundle: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    copy = tmp_path_factory.mktemp("flipped") / "run"
    shutil.copytree(bundle, copy)
    part = data.draw(st.sampled_from(sorted(path for path in copy.rglob("*") if path.is_file())))
    content = bytearray(part.read_bytes())
    position = data.draw(st.integers(0, len(content) * 8 - 1))
    content[position // 8] ^= 1 << position % 8
    part.write_bytes(bytes(content))
    with pytest.raises(InputError):
        verify_bundle(copy)


@pytest.mark.parametrize("part", ["declaration.json", "providers.json", "transcript.jsonl", "liabilities/leaves.csv"])
def test_missing_truncated_and_extra_parts_are_named(bundle: Path, tmp_path: Path, part: str) -> None:
    for change in ("missing", "truncated", "extra"):
        copy = tmp_path / change
        shutil.copytree(bundle, copy)
        if change == "missing":
            (copy / part).unlink()
        elif change == "truncated":
            (copy / part).write_bytes((copy / part).read_bytes()[:-1])
        else:
            (copy / "extra.txt").write_text("surprise")
        with pytest.raises(InputError, match=part if change != "extra" else "extra.txt: not in the manifest"):
            verify_bundle(copy)


def reseal(folder: Path, case: str) -> None:
    from verifier.attestation.bundle import seal_manifest

    seal_manifest(folder, case)


def test_a_resealed_bundle_with_an_edited_answer_does_not_give_its_case(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(bundle, copy)
    case = json.loads((copy / "manifest.json").read_text())["case"]
    transcript = (copy / "transcript.jsonl").read_bytes()
    (copy / "transcript.jsonl").write_bytes(transcript.replace(b'\\"result\\": \\"0x', b'\\"result\\": \\"0x1', 1))
    assert (copy / "transcript.jsonl").read_bytes() != transcript
    reseal(copy, case)
    with pytest.raises(InputError):
        verify_bundle(copy)


def test_calls_that_no_step_asked_for_are_refused(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(bundle, copy)
    lines = (copy / "transcript.jsonl").read_bytes().splitlines(keepends=True)
    extra = lines[-1].replace(b'"ordinal":0', b'"ordinal":7')
    (copy / "transcript.jsonl").write_bytes(b"".join([*lines, extra]))
    reseal(copy, json.loads((copy / "manifest.json").read_text())["case"])
    with pytest.raises(InputError, match=r"no step asked for|canonical"):
        verify_bundle(copy)


@pytest.mark.usefixtures("no_sockets")
def test_no_address_and_no_secret_is_in_a_bundle(bundle: Path) -> None:
    everything = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    assert b"127.0.0.1" not in everything
    assert b"http://" not in everything
    assert verify_bundle(bundle).verdict is Verdict.PASS


def por(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verifier.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_the_command_prints_one_json_object_and_the_documented_exit_code(bundle: Path, tmp_path: Path) -> None:
    done = por("verify", str(bundle), "--json", "--report", str(tmp_path / "report.html"))
    record = json.loads(done.stdout)
    assert (done.returncode, record["verdict"], record["pack"]) == (0, "pass", "model-basic")
    assert record["coverage"][0]["ratio"] == "1.000000"
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["verify", "nowhere"], 4, "no such bundle"),
        (["verify", "{bundle}", "--pack", "no-such-law"], 3, "unknown pack"),
        (["verify", "{bundle}/declaration.json"], 3, "neither a bundle folder nor a readable zip"),
        (["collect", "nowhere.json", "--out", "x", "--providers", "nowhere.toml"], 4, "says whom to ask"),
    ],
)
def test_bad_input_gets_one_line_that_says_where(bundle: Path, arguments: list[str], code: int, said: str) -> None:
    done = por(*[argument.format(bundle=bundle) for argument in arguments])
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_transport_error_message_never_holds_the_address() -> None:
    provider = Provider("operator", "eip155:1", "json-rpc", url="http://127.0.0.1:1/secret-key")  # type: ignore[arg-type]
    with pytest.raises(TransportError) as failure:
        HttpTransport(Limits(tries=1)).send(provider, Request("GET", "/"))
    assert "secret-key" not in str(failure.value)
