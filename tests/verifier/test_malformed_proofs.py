"""Whatever stands in a file of ours gets an answer: refused by the field's name, or not recognised, and no crash."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.own_proofs import (
    ASSETS,
    LEAF,
    PROOF,
    TEXT,
    check_bytes,
    codes,
    save,
    with_leaf,
)
from verifier import check_proofs
from verifier.errors import InputError, UnavailableError
from verifier.inclusion.result import ProofVerdict


# --- files that are no proofs ---
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 1_000_000,
        b'{"format": NaN}',
        b"[]",
        b'"' + b"a" * 5_000_000 + b'"',
        b'{"format": "x/1"}',
        b'{"format": ["reserve-verifier/inclusion-proof/1"]}',
        TEXT[:-1] + b',"format":"reserve-verifier/inclusion-proof/1"}',
        TEXT[: len(TEXT) // 2],
    ],
    ids=range(10),
)
def test_a_file_that_is_no_proof_is_unrecognised_and_says_why(tmp_path, content):
    report = check_proofs(save(tmp_path, content))
    assert report.verdict is ProofVerdict.UNRECOGNISED
    assert report.exit_code == 3
    assert str(tmp_path) in report.results[0].findings[0].text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("leaves",), []),
        (("leaves",), {}),
        (("leaves",), [PROOF.leaves[0].to_record()] * 17),
        (("leaves", 0, "part"), 0),
        (("leaves", 0, "index"), 3.0),
        (("leaves", 0, "index"), True),
        (("leaves", 0, "index"), -1),
        (("leaves", 0, "index"), "3"),
        (("account",), ""),
        (("account",), "\ud800"),
        (("account",), "x" * 10_001),
        (("account",), None),
        (("leaves", 0, "salt"), "AB" * 16),
        (("leaves", 0, "salt"), "ab" * 15),
        (("leaves", 0, "balances"), []),
        (("leaves", 0, "balances", 0), 4),
        (("leaves", 0, "balances", 0), "4.0"),
        (("leaves", 0, "balances", 0), "٤"),
        (("leaves", 0, "balances", 0), " 4"),
        (("leaves", 0, "path"), {}),
        (("leaves", 0, "path"), [{"hash": "00" * 32, "sums": ["0", "0"]}] * 54),
        (("leaves", 0, "path", 0, "hash"), 0),
        (("leaves", 0, "path", 0, "extra"), 0),
        (("extra",), 0),
        (("commitment",), []),
        (("commitment", "format"), "reserve-verifier/liabilities-tree/2"),
        (("commitment", "run_id"), "a b"),
        (("commitment", "run_id"), "a\n"),
        (("commitment", "as_of"), "2026-02-30T00:00:00Z"),
        (("commitment", "as_of"), "2026-11-22"),
        (("commitment", "parts"), 0),
        (("commitment", "parts"), 17),
        (("commitment", "parts"), True),
        (("commitment", "leaf_count"), 0),
        (("commitment", "leaf_count"), 2**53),
        (("commitment", "depth"), 54),
        (("commitment", "assets"), []),
        (("commitment", "assets", 1, "symbol"), "BTC"),
        (("commitment", "assets", 1, "asset"), ASSETS[0].asset),
        (("commitment", "assets", 1, "asset"), "eip155:1/erc20:0xDAC17F958D2EE523A2206206994597C13D831EC7"),
        (("commitment", "assets", 1, "asset"), "ether"),
        (("commitment", "assets", 1, "decimals"), 37),
        (("commitment", "totals"), ["1"]),
    ],
)
def test_a_malformed_field_is_refused_with_its_name(tmp_path, path, value):
    record = PROOF.to_record()
    place = record
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    result = check_bytes(tmp_path, json.dumps(record).encode())
    assert (result.verdict, codes(result)) == (ProofVerdict.REFUSED, ["malformed"])
    assert str(path[-1] if isinstance(path[-1], str) else path[0]) in result.findings[0].text


def test_a_file_that_is_not_there_is_unavailable_and_a_folder_is_no_proof(tmp_path):
    with pytest.raises(UnavailableError, match="cannot be read"):
        check_proofs([tmp_path / "none.json"])
    assert check_proofs([tmp_path]).verdict is ProofVerdict.UNRECOGNISED


def test_nothing_to_check_is_bad_input_and_never_accepted(tmp_path):
    with pytest.raises(InputError, match="no proof"):
        check_proofs([])
    with pytest.raises(InputError, match="--root"):
        check_bytes(tmp_path, TEXT, root="xyz")
    with pytest.raises(InputError, match="unknown format"):
        check_bytes(tmp_path, TEXT, only_format="okx")
    with pytest.raises(InputError, match="one proof"):
        check_proofs(save(tmp_path, PROOF, PROOF), expected={"BTC": "1"})


def test_one_refused_file_decides_over_an_unrecognised_one(tmp_path):
    bad = with_leaf(PROOF, index=LEAF.index ^ 1)
    report = check_proofs(save(tmp_path, PROOF, bad, b"{}"))
    assert report.verdict is ProofVerdict.REFUSED
    assert check_proofs(save(tmp_path, PROOF, b"{}")).verdict is ProofVerdict.UNRECOGNISED


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_get_an_answer_and_no_crash(tmp_path_factory, content):
    assert check_bytes(tmp_path_factory.mktemp("any"), content).verdict is ProofVerdict.UNRECOGNISED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["5", "ab" * 32, "ab" * 16]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(PROOF.to_record())), json_values)
@settings(deadline=None)
def test_any_json_in_any_field_gets_an_answer_and_no_crash(tmp_path_factory, key, value):
    record = PROOF.to_record()
    assume_changed = record[key] != value
    record[key] = value
    result = check_bytes(tmp_path_factory.mktemp("any"), json.dumps(record).encode())
    assert (result.verdict is ProofVerdict.ACCEPTED) is not assume_changed
