"""Users' proofs: what holds is accepted and graded, whatever was changed is refused with its reason."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.own_proofs import (
    LEAF,
    NOW,
    PROOF,
    RUN,
    SPLIT,
    SPLIT_TEXT,
    SPLIT_TREE,
    TEXT,
    TREE,
    WHOLE_AND_SPLIT,
    check_bytes,
    codes,
    save,
    tree_of,
    with_header,
    with_leaf,
)
from verifier import check_proofs
from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.amounts import format_amount, parse_amount
from verifier.inclusion.check import Question, check_proof
from verifier.inclusion.commitment import Commitment, commitment_of
from verifier.inclusion.proof import InclusionProof, LeafProof, parse_proof
from verifier.inclusion.result import Grade, ProofVerdict
from verifier.inclusion.sum_tree import MAX_UNITS, Node
from verifier.liabilities.build import prove


@pytest.mark.parametrize("parts", [1, 2, 3, 16])
@pytest.mark.parametrize("count", range(1, 18))
def test_every_account_of_every_tree_has_an_accepted_proof(count, parts):
    tree = tree_of(count, parts=parts)
    assert len(tree.accounts()) == count
    for number in range(count):
        proof = prove(tree, f"user-{number}")
        assert check_proof(proof).verdict is ProofVerdict.ACCEPTED
        assert parse_proof(proof.to_json(), "proof") == proof
        assert (proof.balances, len(proof.leaves)) == ((number + 1, (number + 1) * 10**18), parts)


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


def test_a_split_proof_shows_the_whole_balance_and_the_first_leaf(tmp_path):
    result = check_bytes(tmp_path, SPLIT_TEXT, root=SPLIT_TREE.commitment.digest, now=NOW, expected={"ETH": "4"})
    assert (result.verdict, result.grade) == (ProofVerdict.ACCEPTED, Grade(True, True, True, True, True))
    assert result.own == {"BTC": "0.00000004", "ETH": "4"}
    assert result.totals == {"BTC": "0.00000015", "ETH": "15"}
    assert result.leaf == SPLIT_TREE.levels[0][SPLIT.leaves[0].index].hash.hex()
    assert [(claim.part, claim.leaf_index) for claim in result.claims] == [
        (part, leaf.index) for part, leaf in enumerate(SPLIT.leaves)
    ]
    assert codes(check_bytes(tmp_path, SPLIT_TEXT, expected={"ETH": "3"})) == ["balance-differs"]


@WHOLE_AND_SPLIT
def test_the_report_has_exactly_the_fields_of_the_contract(tmp_path, proof):
    record = check_proofs(save(tmp_path, proof)).to_record()
    assert set(record) == {"verdict", "results", "pool"}
    expected = {"file", "format", "verdict", "root", "leaf", "own", "totals", "grade", "findings"}
    assert set(record["results"][0]) == expected
    assert record["pool"] == {"verdict": "single", "fraud": []}
    assert json.loads(json.dumps(record)) == record


# --- one flipped bit ---
@pytest.mark.parametrize("text", [TEXT, SPLIT_TEXT], ids=["whole", "split"])
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=600, deadline=None)
def test_one_flipped_bit_in_the_text_of_a_proof_is_never_accepted(tmp_path_factory, text, share, bit):
    flipped = bytearray(text)
    flipped[int(share * len(text))] ^= 1 << bit
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
    elif isinstance(value, Commitment | LeafProof):
        for field in fields(value):
            yield from (replace(value, **{field.name: changed}) for changed in flips(getattr(value, field.name)))


@WHOLE_AND_SPLIT
@pytest.mark.parametrize("name", [field.name for field in fields(InclusionProof) if field.name != "leaves"])
def test_one_flipped_bit_in_any_field_of_a_proof_is_refused(name, proof):
    tried = 0
    for changed in flips(getattr(proof, name)):
        assert check_proof(replace(proof, **{name: changed})).verdict is ProofVerdict.REFUSED, (name, changed)
        tried += 1
    assert tried >= 8


@pytest.mark.parametrize(
    ("proof", "part"), [(PROOF, 0), (SPLIT, 0), (SPLIT, 1), (SPLIT, 2)], ids=["whole", "part-0", "part-1", "part-2"]
)
@pytest.mark.parametrize("name", [field.name for field in fields(LeafProof)])
def test_one_flipped_bit_in_any_field_of_any_leaf_is_refused(name, proof, part):
    tried = 0
    for changed in flips(getattr(proof.leaves[part], name)):
        assert check_proof(with_leaf(proof, part, **{name: changed})).verdict is ProofVerdict.REFUSED, (name, changed)
        tried += 1
    assert tried >= 8


@WHOLE_AND_SPLIT
@pytest.mark.parametrize("name", ["root", "totals", "depth", "run_id", "parts"])
def test_a_header_changed_together_with_its_digest_is_still_refused(name, proof):
    for changed in flips(getattr(proof.commitment, name)):
        assert check_proof(with_header(proof, **{name: changed})).verdict is ProofVerdict.REFUSED


@WHOLE_AND_SPLIT
@pytest.mark.parametrize("name", ["as_of", "assets", "leaf_count"])
def test_a_header_changed_together_with_its_digest_never_keeps_the_published_root(name, proof):
    published = Question(root=proof.commitment.digest)
    for changed in flips(getattr(proof.commitment, name)):
        assert check_proof(with_header(proof, **{name: changed}), published).verdict is ProofVerdict.REFUSED


# --- forgeries ---
@pytest.mark.parametrize("parts", [1, 3])
def test_value_hidden_in_padding_is_refused(parts):
    tree = tree_of(3, parts=parts)
    last = tree.leaves[-1]
    proof = prove(tree, last.account)
    leaf = proof.leaves[last.part]
    laden = Node(leaf.path[0].hash, (5, 5))
    top = sum_tree.fold_path(proof.node(last.part), leaf.index, (laden, *leaf.path[1:]))
    forged = with_leaf(with_header(proof, root=top.hash, totals=top.sums), last.part, path=(laden, *leaf.path[1:]))
    found = check_proof(forged).findings
    mine = [finding.code for finding in found if parts == 1 or f"leaf {last.part + 1} of 3" in finding.text]
    assert mine == ["padding-carries-value"]


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
    path = LEAF.path
    assert check_proof(with_leaf(shorter, index=LEAF.index >> 1, path=path[1:])).verdict is ProofVerdict.REFUSED
    assert "path-length" in codes(check_proof(with_leaf(PROOF, path=path[1:])))
    assert "path-length" in codes(check_proof(with_leaf(PROOF, path=(*path, path[0]))))


def test_a_sum_that_would_wrap_is_refused():
    heavy = Node(LEAF.path[0].hash, (MAX_UNITS, 0))
    assert codes(check_proof(with_leaf(PROOF, path=(heavy, *LEAF.path[1:])))) == ["sum-overflow"]


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
        record["leaves"][0]["path"][1]["sums"][0] = text
        result = check_bytes(tmp_path, json.dumps(record).encode())
        assert (result.verdict, codes(result)) == (ProofVerdict.REFUSED, [code])
        assert "leaves.0.path.1.sums.0" in result.findings[0].text


def test_a_damaged_proof_has_no_grade_even_under_the_published_root():
    published = Question(root=TREE.commitment.digest, now=NOW)
    result = check_proof(with_leaf(PROOF, balances=(5, 5)), published)
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


def test_a_commitment_round_trips():
    assert commitment_of(TREE.commitment.to_record()) == TREE.commitment


@given(st.integers(0, 10**40), st.integers(0, 36))
def test_amounts_round_trip(units, decimals):
    assert parse_amount(format_amount(units, decimals), decimals) == units
