"""Users' proofs: what holds is accepted and graded, whatever was changed is refused with its reason."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.test_sum_tree import AS_OF, ASSETS, RUN, SECRET
from verifier import check_proofs
from verifier.errors import InputError, UnavailableError
from verifier.inclusion import sum_tree
from verifier.inclusion.amounts import format_amount, parse_amount
from verifier.inclusion.check import Question, check_proof
from verifier.inclusion.commitment import Commitment, commitment_of
from verifier.inclusion.pool import pool_claims
from verifier.inclusion.proof import InclusionProof, parse_proof
from verifier.inclusion.result import Claim, Grade, ProofVerdict
from verifier.inclusion.sum_tree import MAX_UNITS, Node
from verifier.liabilities.accounts import Account
from verifier.liabilities.build import build, prove

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def tree_of(count, run_id=RUN, owed=lambda number: (number + 1, (number + 1) * 10**18)):
    accounts = [Account(f"user-{number}", owed(number)) for number in range(count)]
    return build(accounts, ASSETS, run_id, AS_OF, SECRET)


TREE = tree_of(11)
PROOF = prove(TREE, "user-3")
TEXT = PROOF.to_json()


def codes(result):
    return [finding.code for finding in result.findings]


def save(folder, *proofs):
    paths = []
    for number, proof in enumerate(proofs):
        paths.append(folder / f"proof-{number}.json")
        paths[-1].write_bytes(proof if isinstance(proof, bytes) else proof.to_json())
    return paths


def check_bytes(tmp_path, content, **asked):
    return check_proofs(save(tmp_path, content), **asked).results[0]


def with_header(proof, **changes):
    """A proof whose header says something else, with the digest made to fit, as a forger would."""
    header = replace(proof.commitment, **changes)
    return replace(proof, commitment=header, commitment_digest=header.digest)


@pytest.mark.parametrize("count", range(1, 18))
def test_every_account_of_every_tree_has_an_accepted_proof(count):
    tree = tree_of(count)
    for account in tree.index_of:
        proof = prove(tree, account)
        assert check_proof(proof).verdict is ProofVerdict.ACCEPTED
        assert parse_proof(proof.to_json(), "proof") == proof


def test_an_anchored_recent_proof_has_every_grade_and_the_right_amounts(tmp_path):
    result = check_bytes(tmp_path, TEXT, root=TREE.commitment.digest, now=NOW)
    assert result.verdict is ProofVerdict.ACCEPTED
    assert result.grade == Grade(True, True, True, True, True)
    assert result.own == {"BTC": "0.00000004", "ETH": "4"}
    assert result.totals == {"BTC": "0.00000066", "ETH": "66"}
    assert (result.root, result.findings) == (TREE.commitment.digest, ())
    assert not any("--root" in sentence for sentence in result.does_not_prove)


def test_without_an_anchor_and_a_clock_those_grades_are_not_given(tmp_path):
    result = check_bytes(tmp_path, TEXT)
    assert result.grade == Grade(True, True, True, False, False)
    assert any("--root" in sentence for sentence in result.does_not_prove)
    assert any("recent" in sentence for sentence in result.does_not_prove)


def test_the_report_has_exactly_the_fields_of_the_contract(tmp_path):
    record = check_proofs(save(tmp_path, PROOF)).to_record()
    assert set(record) == {"verdict", "results", "pool"}
    expected = {"file", "format", "verdict", "root", "leaf", "own", "totals", "grade", "findings"}
    assert set(record["results"][0]) == expected
    assert record["pool"] == {"verdict": "single", "fraud": []}
    assert json.loads(json.dumps(record)) == record


# --- one flipped bit ---
@given(st.integers(0, len(TEXT) - 1), st.integers(0, 7))
@settings(max_examples=600, deadline=None)
def test_one_flipped_bit_in_the_text_of_a_proof_is_never_accepted(tmp_path_factory, position, bit):
    flipped = bytearray(TEXT)
    flipped[position] ^= 1 << bit
    result = check_bytes(tmp_path_factory.mktemp("flip"), bytes(flipped))
    assert result.verdict in (ProofVerdict.REFUSED, ProofVerdict.UNRECOGNISED)
    assert result.findings


def flips(value):
    """Every value that differs from a field's value in one bit."""
    if isinstance(value, int):
        yield from (value ^ (1 << bit) for bit in range(max(8, value.bit_length())))
    elif isinstance(value, bytes):
        for at, bit in product(range(len(value)), range(8)):
            yield value[:at] + bytes([value[at] ^ 1 << bit]) + value[at + 1 :]
    elif isinstance(value, str):
        raw = value.encode()
        for changed in flips(raw):
            if changed.isascii():
                yield changed.decode()
    elif isinstance(value, tuple):
        for at, item in enumerate(value):
            for changed in flips(item):
                entries = (*value[:at], changed, *value[at + 1 :])
                yield type(value)(*entries) if hasattr(value, "_fields") else entries
    elif isinstance(value, Commitment):
        for field in fields(value):
            yield from (replace(value, **{field.name: changed}) for changed in flips(getattr(value, field.name)))


@pytest.mark.parametrize("name", [field.name for field in fields(InclusionProof)])
def test_one_flipped_bit_in_any_field_of_a_proof_is_refused(name):
    tried = 0
    for changed in flips(getattr(PROOF, name)):
        assert check_proof(replace(PROOF, **{name: changed})).verdict is ProofVerdict.REFUSED, (name, changed)
        tried += 1
    assert tried >= 8


@pytest.mark.parametrize("name", ["root", "totals", "depth", "run_id"])
def test_a_header_changed_together_with_its_digest_is_still_refused(name):
    for changed in flips(getattr(PROOF.commitment, name)):
        assert check_proof(with_header(PROOF, **{name: changed})).verdict is ProofVerdict.REFUSED


@pytest.mark.parametrize("name", ["as_of", "assets", "leaf_count"])
def test_a_header_changed_together_with_its_digest_never_keeps_the_published_root(name):
    published = Question(root=TREE.commitment.digest)
    for changed in flips(getattr(PROOF.commitment, name)):
        assert check_proof(with_header(PROOF, **{name: changed}), published).verdict is ProofVerdict.REFUSED


# --- forgeries ---
def test_value_hidden_in_padding_is_refused():
    tree = tree_of(3)
    last = max(tree.index_of.values())
    proof = prove(tree, tree.leaves[last].account)
    laden = Node(proof.path[0].hash, (5, 5))
    top = sum_tree.fold_path(proof.leaf, proof.index, (laden, *proof.path[1:]))
    forged = replace(with_header(proof, root=top.hash, totals=top.sums), path=(laden, *proof.path[1:]))
    assert codes(check_proof(forged)) == ["padding-carries-value"]


def test_a_leaf_beyond_the_leaf_count_is_refused():
    tree = tree_of(5)
    proof = prove(tree, tree.leaves[4].account)
    assert "index-beyond-tree" in codes(check_proof(with_header(proof, leaf_count=4, depth=2)))
    assert codes(check_proof(with_header(prove(TREE, TREE.leaves[10].account), leaf_count=10))) == ["index-beyond-tree"]


def test_more_leaves_than_the_header_counts_are_refused_where_a_path_shows_them():
    proof = prove(TREE, TREE.leaves[8].account)
    assert "padding-carries-value" in codes(check_proof(with_header(proof, leaf_count=9)))


def test_fewer_leaves_than_the_header_counts_are_refused_where_a_path_shows_them():
    proof = prove(TREE, TREE.leaves[10].account)
    assert codes(check_proof(with_header(proof, leaf_count=12))) == ["padding-inside"]


def test_an_inner_node_cannot_stand_for_a_leaf():
    shorter = with_header(PROOF, leaf_count=6, depth=3)
    assert check_proof(replace(shorter, index=PROOF.index >> 1, path=PROOF.path[1:])).verdict is ProofVerdict.REFUSED
    assert "path-length" in codes(check_proof(replace(PROOF, path=PROOF.path[1:])))
    assert "path-length" in codes(check_proof(replace(PROOF, path=(*PROOF.path, PROOF.path[0]))))


def test_a_sum_that_would_wrap_is_refused():
    heavy = Node(PROOF.path[0].hash, (MAX_UNITS, 0))
    assert codes(check_proof(replace(PROOF, path=(heavy, *PROOF.path[1:])))) == ["sum-overflow"]


def test_a_proof_of_another_run_does_not_pass_for_this_one():
    other = prove(tree_of(11, "2026-10"), "user-3")
    assert codes(check_proof(other, Question(root=TREE.commitment.digest))) == ["root-not-published"]
    assert "root-differs" in codes(check_proof(with_header(other, run_id=RUN)))


def test_an_understated_total_is_refused():
    lower = tuple(units - 1 for units in TREE.commitment.totals)
    assert codes(check_proof(with_header(PROOF, totals=lower))) == ["totals-differ"]


def test_a_negative_or_oversized_amount_has_its_own_code(tmp_path):
    for text, code in (("-5", "negative-amount"), (str(MAX_UNITS + 1), "sum-overflow"), ("05", "malformed")):
        record = PROOF.to_record()
        record["path"][1]["sums"][0] = text
        result = check_bytes(tmp_path, json.dumps(record).encode())
        assert (result.verdict, codes(result)) == (ProofVerdict.REFUSED, [code])
        assert "path.1.sums.0" in result.findings[0].text


def test_a_damaged_proof_has_no_grade_even_under_the_published_root():
    published = Question(root=TREE.commitment.digest, now=NOW)
    result = check_proof(replace(PROOF, balances=(5, 5)), published)
    assert result.root == TREE.commitment.digest
    assert (result.grade, result.own, result.totals, result.leaf) == (Grade(), None, None, None)


# --- what the user knows ---
def test_an_understated_balance_is_caught_by_what_the_user_expects(tmp_path):
    for name in ("ETH", "eip155:1/slip44:60"):
        assert check_bytes(tmp_path, TEXT, expected={name: "4.000"}).verdict is ProofVerdict.ACCEPTED
        result = check_bytes(tmp_path, TEXT, expected={name: "4.000000000000000001"})
        assert (result.verdict, codes(result)) == (ProofVerdict.REFUSED, ["balance-differs"])
    assert codes(check_bytes(tmp_path, TEXT, expected={"DOGE": "1"})) == ["balance-differs"]
    assert check_bytes(tmp_path, TEXT, expected={"DOGE": "0"}).verdict is ProofVerdict.ACCEPTED


@pytest.mark.parametrize("amount", ["", "-1", "1e3", "NaN", "1.", ".5", "1,5", "٣"])
def test_an_expectation_that_is_no_plain_amount_is_bad_input(tmp_path, amount):
    with pytest.raises(InputError, match="--expect BTC"):
        check_bytes(tmp_path, TEXT, expected={"BTC": amount})


def test_a_root_that_was_not_published_is_refused_and_the_tree_hash_is_explained(tmp_path):
    assert codes(check_bytes(tmp_path, TEXT, root="ab" * 32)) == ["root-not-published"]
    result = check_bytes(tmp_path, TEXT, root=TREE.commitment.root.hex())
    assert "commitment digest" in result.findings[0].text
    assert check_bytes(tmp_path, TEXT, root=TREE.commitment.digest.upper()).grade.root_anchored


def test_the_anchor_may_be_a_file_or_a_bundle(tmp_path):
    (tmp_path / "run" / "liabilities").mkdir(parents=True)
    published = tmp_path / "run" / "liabilities" / "commitment.json"
    published.write_text(json.dumps(TREE.commitment.to_record()))
    for anchor in (published, tmp_path / "run", published.parent):
        assert check_bytes(tmp_path, TEXT, anchor=anchor).grade.root_anchored
    with pytest.raises(InputError, match="holds neither"):
        check_bytes(tmp_path, TEXT, anchor=tmp_path)
    with pytest.raises(InputError, match="not both"):
        check_bytes(tmp_path, TEXT, anchor=published, root="ab" * 32)


def test_age_is_measured_by_the_clock_that_is_passed_in(tmp_path):
    as_of = datetime(2026, 11, 22, tzinfo=UTC)
    limit = timedelta(days=9)
    for now, fresh, found in (
        (as_of, True, []),
        (as_of + limit, True, []),
        (as_of + limit + timedelta(seconds=1), False, ["stale"]),
        (as_of - timedelta(seconds=1), False, ["as-of-in-future"]),
    ):
        result = check_bytes(tmp_path, TEXT, now=now, max_age=limit)
        assert (result.verdict, result.grade.fresh, codes(result)) == (ProofVerdict.ACCEPTED, fresh, found)
    with pytest.raises(InputError, match="time zone"):
        check_bytes(tmp_path, TEXT, now=datetime(2026, 11, 22))


# --- several users ---
def test_two_users_who_were_shown_different_books_find_out(tmp_path):
    other = tree_of(11, owed=lambda number: (number, number))
    report = check_proofs(save(tmp_path, PROOF, prove(other, "user-4")))
    assert [result.verdict for result in report.results] == [ProofVerdict.ACCEPTED] * 2
    assert report.pool.verdict == "fraud"
    assert report.verdict is ProofVerdict.REFUSED
    assert [entry.code for entry in report.pool.fraud] == ["two-roots"]
    assert len(report.pool.fraud[0].files) == 2


def test_proofs_of_one_tree_and_of_different_runs_are_consistent(tmp_path):
    later = prove(tree_of(11, "2026-12"), "user-3")
    report = check_proofs(save(tmp_path, PROOF, prove(TREE, "user-4"), later))
    assert (report.pool.verdict, report.verdict) == ("consistent", ProofVerdict.ACCEPTED)


def test_an_account_with_two_leaves_is_found_when_both_proofs_meet(tmp_path):
    leaves = [
        Node(sum_tree.leaf_hash(RUN, salt, b"alice", (units, 0)), (units, 0))
        for salt, units in ((bytes(16), 1), (b"s" * 16, 9))
    ]
    top = sum_tree.parent(*leaves)
    header = Commitment(RUN, AS_OF, ASSETS, 2, 1, top.hash, top.sums)
    proofs = [
        InclusionProof(header, header.digest, "alice", salt, leaves[at].sums, at, (leaves[1 - at],))
        for at, salt in enumerate((bytes(16), b"s" * 16))
    ]
    report = check_proofs(save(tmp_path, *proofs))
    assert [entry.code for entry in report.pool.fraud] == ["account-counted-twice"]


def test_one_leaf_claimed_by_two_accounts_is_fraud():
    claims = [Claim(f"{name}.json", RUN, "ab" * 32, 7, "cd" * 32, name) for name in ("alice", "bob")]
    assert [entry.code for entry in pool_claims(claims, 2).fraud] == ["leaf-claimed-twice"]


def test_a_forged_file_cannot_accuse_an_exchange(tmp_path):
    header = replace(PROOF.commitment, as_of="2026-11-21T00:00:00Z", root=bytes(32))
    forged = replace(PROOF, commitment=header, commitment_digest=header.digest)
    report = check_proofs(save(tmp_path, PROOF, forged))
    assert report.pool.fraud == ()
    assert report.verdict is ProofVerdict.REFUSED


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
        (("index",), 3.0),
        (("index",), True),
        (("index",), -1),
        (("index",), "3"),
        (("account",), ""),
        (("account",), "\ud800"),
        (("account",), "x" * 10_001),
        (("account",), None),
        (("salt",), "AB" * 16),
        (("salt",), "ab" * 15),
        (("balances",), []),
        (("balances", 0), 4),
        (("balances", 0), "4.0"),
        (("balances", 0), "٤"),
        (("balances", 0), " 4"),
        (("path",), {}),
        (("path",), [{"hash": "00" * 32, "sums": ["0", "0"]}] * 54),
        (("path", 0, "hash"), 0),
        (("path", 0, "extra"), 0),
        (("extra",), 0),
        (("commitment",), []),
        (("commitment", "format"), "reserve-verifier/liabilities-tree/2"),
        (("commitment", "run_id"), "a b"),
        (("commitment", "run_id"), "a\n"),
        (("commitment", "as_of"), "2026-02-30T00:00:00Z"),
        (("commitment", "as_of"), "2026-11-22"),
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
    assert result.verdict is ProofVerdict.REFUSED
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
    bad = replace(PROOF, index=PROOF.index ^ 1)
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


def test_a_commitment_round_trips():
    assert commitment_of(TREE.commitment.to_record()) == TREE.commitment


@given(st.integers(0, 10**40), st.integers(0, 36))
def test_amounts_round_trip(units, decimals):
    assert parse_amount(format_amount(units, decimals), decimals) == units
