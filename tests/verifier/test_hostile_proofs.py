"""Hostile files: a clear refusal within a second and 200 MB, and the exit code for bad input."""

import gzip
import io
import json
import os
import resource
import subprocess
import sys
import time
import zipfile

import pytest

from tests.builders.accounts import built, hand_over
from verifier import check_proofs
from verifier.inclusion.fraud import fraud_records
from verifier.inclusion.result import ProofVerdict


def zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("proof.json", b"0" * 50_000_000)
    return packed.getvalue()


def okx(**changes) -> bytes:
    value = json.loads(built("okx-v1", 5, 1).files["p.json"])
    for place, entry in changes.items():
        value[place] = entry
    return json.dumps(value).encode()


def okx_with_amount(amount: str) -> bytes:
    content = built("okx-v1", 5, 1).files["p.json"]
    text = json.loads(content)["self"]["balances"]["BTC"]
    return content.replace(f'"{text}"'.encode(), amount.encode(), 1)


FILES = {
    "a megabyte of brackets": b"[" * 1_000_000,
    "a megabyte of braces": b'{"a":' * 200_000,
    "closed brackets": b"[" * 500_000 + b"]" * 500_000,
    "ten million elements": b'{"self":{},"path":[' + b"0," * 10_000_000 + b"0]}",
    "a path of empty objects": b'{"self":{"nonce":"x"},"path":[' + b"{}," * 1_000_000 + b"{}]}",
    "NaN": okx_with_amount("NaN"),
    "a number without end": okx_with_amount("1e999999"),
    "many digits": okx_with_amount("9" * 100_000),
    "a zip bomb": zip_bomb(),
    "a gzip bomb": gzip.compress(b"0" * 50_000_000),
    "UTF-16": okx().decode().encode("utf-16"),
    "UTF-32": okx().decode().encode("utf-32"),
    "Latin-1": b'{"self": "\xe9\xe8"}',
    "zeros": b"\x00" * 100_000,
    "one endless line": b"a," * 2_000_000,
    "endless lines": b"\n" * 3_000_000,
    "half a character": b"\xc3",
    "a half surrogate": b'{"self":{"nonce":"\\ud800","balances":{}},"path":[]}',
    "a duplicate key": b'{"self":{},"self":{},"path":[]}',
    "an empty file": b"",
    "ends early": okx()[:200],
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused_in_a_second(name, tmp_path):
    path = tmp_path / "hostile.json"
    path.write_bytes(FILES[name])
    start = time.perf_counter()
    report = check_proofs([path])
    assert time.perf_counter() - start < 1.0
    assert report.exit_code == 3, report.results[0].findings
    assert report.results[0].findings[0].text


NO_NUMBERS = (
    *('"NaN"', '"Infinity"', '"1e999999"', '"1e5"', '"-0"', '"+1"', '"01"', '".5"', '"5."', '""', '"٣"'),
    *("null", "true", "[]", "{}", '"' + "9" * 500 + '"'),
)


@pytest.mark.parametrize("amount", NO_NUMBERS)
def test_an_amount_that_is_no_plain_number_is_refused(amount, tmp_path):
    path = tmp_path / "p.json"
    path.write_bytes(okx_with_amount(amount))
    result = check_proofs([path]).results[0]
    assert result.verdict is not ProofVerdict.ACCEPTED
    assert result.findings


@pytest.mark.parametrize(
    ("name", "file", "place"),
    [
        ("okx-v1", "p.json", ("self", "nonce")),
        ("okx-v2", "user.json", ("nonce",)),
        ("swissborg", "roots.json", ("audit", "partitions", 0, "id")),
        ("weex", "metadata", ("userId",)),
    ],
)
def test_half_a_surrogate_pair_in_any_file_is_refused_by_name(name, file, place, tmp_path):
    case = built(name, 5, 2)
    value = target = json.loads(case.files[file])
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] += "\ud800"
    paths = hand_over(tmp_path, case, **{file: json.dumps(value).encode()})
    report = check_proofs(paths, root=case.root, facts=case.facts, expected=case.expected)
    assert report.verdict is not ProofVerdict.ACCEPTED
    assert any("surrogate" in finding.text for result in report.results for finding in result.findings)


def test_a_character_beyond_the_basic_plane_is_text_also_when_it_is_escaped(tmp_path):
    path = tmp_path / "p.json"
    path.write_bytes(okx(remark="\U0001f600"))
    assert b"\\ud83d" in path.read_bytes()
    assert check_proofs([path]).verdict is ProofVerdict.ACCEPTED


def test_symbolic_links_folders_pipes_and_devices_are_refused(tmp_path):
    (tmp_path / "real.json").write_bytes(okx())
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link.json", "loop.json", "gone.json", "pipe", "."):
        report = check_proofs([tmp_path / name])
        assert report.exit_code == 3, name
    assert check_proofs(["/dev/zero"]).exit_code == 3


def test_a_byte_order_mark_and_windows_lines_do_no_harm(tmp_path):
    path = tmp_path / "p.json"
    path.write_bytes(b"\xef\xbb\xbf" + okx().replace(b", ", b",\r\n"))
    assert check_proofs([path]).verdict is ProofVerdict.ACCEPTED


def test_harmless_extra_keys_are_reported_and_refuse_nothing(tmp_path):
    path = tmp_path / "p.json"
    path.write_bytes(okx(remark="see our page", extra={"a": [1]}))
    result = check_proofs([path]).results[0]
    assert result.verdict is ProofVerdict.ACCEPTED
    assert "remark" in next(finding.text for finding in result.findings if finding.code == "unbound-field")


# Of this process alone: what getrusage tells starts with the memory of the process that forked it.
PEAK = "open('/proc/self/status').read().partition('VmHWM:')[2].split()[0]"


def test_a_published_tree_of_many_rows_needs_little_memory(tmp_path):
    case = built("bitmex-file", 20_000, 3)
    paths = hand_over(tmp_path, case)
    code = (
        f"import sys; from verifier import check_proofs; r = check_proofs(sys.argv[1:]); print(r.verdict.value, {PEAK})"
    )
    done = subprocess.run([sys.executable, "-c", code, *map(str, paths)], capture_output=True, text=True, check=True)
    verdict, kilobytes = done.stdout.split()
    assert verdict == "accepted"
    assert int(kilobytes) < 200_000


@pytest.mark.parametrize(
    "name", ["a megabyte of brackets", "ten million elements", "a path of empty objects", "a zip bomb"]
)
def test_a_hostile_file_needs_less_than_200_megabytes(name, tmp_path):
    path = tmp_path / "hostile.json"
    path.write_bytes(FILES[name])
    limit = 400 * 1024 * 1024  # of addresses, not of memory: the interpreter alone maps much
    code = (
        "import sys; from verifier import check_proofs; r = check_proofs(sys.argv[1:]); "
        f"print({PEAK}); sys.exit(r.exit_code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert int(done.stdout) < 200_000


def test_a_stated_total_that_is_no_number_is_a_finding_and_no_error(tmp_path):
    case = built("blocpal", 4, 1)
    (name, content), *_ = case.files.items()
    path = tmp_path / name
    path.write_bytes(content.replace(b"Balance totals: ", b"Balance totals: x", 1))
    result = check_proofs([path]).results[0]
    assert (result.verdict, [finding.code for finding in result.findings]) == (ProofVerdict.REFUSED, ["not-a-number"])


@pytest.mark.parametrize("damage", [{"root": None}, {"scales": {"BTC": 10**6}}, {"scales": {"BTC": "eight"}}])
def test_a_fraud_proof_with_an_absurd_part_shows_nothing_and_is_no_error(damage, tmp_path):
    paths = []
    for number, seed in enumerate((1, 2)):
        (tmp_path / str(number)).mkdir()
        paths += hand_over(tmp_path / str(number), built("bybit", 4, 0, seed))
    record = json.loads(json.dumps(fraud_records(check_proofs(paths).pool.fraud)[0]))
    if "root" in damage:
        del record["root"]
    for partial in record["proofs"]:
        partial["scales"] |= damage.get("scales", {})
    path = tmp_path / "fraud.json"
    path.write_text(json.dumps(record), "utf-8")
    result = check_proofs([path]).results[0]
    codes = [finding.code for finding in result.findings]
    assert (result.verdict, codes) == (ProofVerdict.UNRECOGNISED, ["fraud-proof-does-not-hold"])
