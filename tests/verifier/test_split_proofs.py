"""An account in several leaves: none may be missing, told twice or told as another; users compare all of them."""

from dataclasses import replace

import pytest

from tests.verifier.own_proofs import (
    AS_OF,
    ASSETS,
    PROOF,
    RUN,
    SPLIT,
    SPLIT_TREE,
    TREE,
    codes,
    save,
    tree_of,
    with_header,
    with_leaf,
)
from verifier import check_proofs
from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.check import check_proof
from verifier.inclusion.commitment import Commitment
from verifier.inclusion.pool import pool_claims, pool_results
from verifier.inclusion.proof import InclusionProof, LeafProof
from verifier.inclusion.result import Claim, ProofVerdict
from verifier.inclusion.sum_tree import MAX_UNITS, Node, SumError
from verifier.liabilities.build import prove


# --- several leaves of one account ---
def test_a_part_that_is_missing_is_refused():
    for part in range(3):
        leaves = tuple(leaf for number, leaf in enumerate(SPLIT.leaves) if number != part)
        assert "parts-differ" in codes(check_proof(replace(SPLIT, leaves=leaves)))
    assert codes(check_proof(replace(SPLIT, leaves=SPLIT.leaves[:2]))) == ["parts-differ"]
    assert "parts-differ" in codes(check_proof(replace(SPLIT, leaves=())))


def test_a_leaf_that_stands_for_two_parts_is_refused():
    leaves = (SPLIT.leaves[0], SPLIT.leaves[0], SPLIT.leaves[2])
    assert codes(check_proof(replace(SPLIT, leaves=leaves))) == ["leaf-repeated"]
    assert set(codes(check_proof(replace(PROOF, leaves=PROOF.leaves * 2)))) == {"parts-differ", "leaf-repeated"}


def test_parts_cannot_be_told_in_another_order():
    result = check_proof(replace(SPLIT, leaves=(SPLIT.leaves[1], SPLIT.leaves[0], SPLIT.leaves[2])))
    assert codes(result) == ["root-differs", "root-differs"]
    assert ["leaf 1 of 3" in result.findings[0].text, "leaf 2 of 3" in result.findings[1].text] == [True, True]


def test_a_part_of_another_account_is_refused():
    other = prove(SPLIT_TREE, "user-2").leaves[1]
    assert codes(check_proof(replace(SPLIT, leaves=(SPLIT.leaves[0], other, SPLIT.leaves[2])))) == ["root-differs"]


def test_a_header_whose_leaves_cannot_be_whole_accounts_is_refused():
    assert "parts-differ" in codes(check_proof(with_header(SPLIT, leaf_count=14)))
    assert codes(check_proof(with_header(PROOF, parts=2))) == ["parts-differ", "parts-differ"]


def test_a_record_with_too_few_amounts_is_refused():
    assert "malformed" in codes(check_proof(with_header(SPLIT, totals=(15,))))
    assert "malformed" in codes(check_proof(with_leaf(SPLIT, 2, balances=(4,))))


def test_leaves_that_add_up_to_more_than_an_amount_can_be_are_refused():
    half = with_leaf(with_leaf(SPLIT, 0, balances=(2**127, 0)), 1, balances=(2**127, 0))
    result = check_proof(half)
    assert codes(result) == ["sum-overflow"]
    assert "together" in result.findings[0].text
    with pytest.raises(SumError):
        _ = half.balances


def test_a_proof_too_large_for_a_file_is_not_written():
    wide = with_leaf(PROOF, path=(Node(bytes(32), (MAX_UNITS,) * 2_000),) * 53)
    with pytest.raises(InputError, match="fewer leaves per account"):
        wide.to_json()


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


def two_entries(parts):
    """A tree in which one account has two entries of so many leaves each, and a proof of each entry."""
    entries = [
        [(salt * 15 + bytes([part]), part, (units, 0)) for part in range(parts)]
        for salt, units in ((b"a", 1), (b"s", 9))
    ]
    placed = [leaf for entry in entries for leaf in entry]
    level = [Node(sum_tree.leaf_hash(RUN, salt, b"alice", held, part), held) for salt, part, held in placed]
    levels = [level]
    while len(levels[-1]) > 1:
        levels.append(sum_tree.fold_level(levels[-1], len(levels) - 1))
    top, depth = levels[-1][0], len(levels) - 1
    header = Commitment(RUN, AS_OF, ASSETS, parts, 2 * parts, depth, top.hash, top.sums)
    for number, entry in enumerate(entries):
        leaves = []
        for salt, part, held in entry:
            index = number * parts + part
            path = tuple(levels[height][index >> height ^ 1] for height in range(depth))
            leaves.append(LeafProof(salt, held, index, path))
        yield InclusionProof(header, header.digest, "alice", tuple(leaves))


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_an_account_with_two_entries_is_found_when_both_proofs_meet(tmp_path, parts):
    report = check_proofs(save(tmp_path, *two_entries(parts)))
    assert [result.verdict for result in report.results] == [ProofVerdict.ACCEPTED] * 2
    assert [entry.code for entry in report.pool.fraud] == ["account-counted-twice"]


def test_the_leaves_of_one_split_proof_and_the_same_file_twice_are_no_contradiction(tmp_path):
    report = check_proofs(save(tmp_path, SPLIT, SPLIT, *(prove(SPLIT_TREE, f"user-{number}") for number in (0, 4))))
    assert (report.pool.verdict, report.verdict) == ("consistent", ProofVerdict.ACCEPTED)
    assert check_proofs(save(tmp_path, SPLIT)).pool.verdict == "single"


@pytest.mark.parametrize("part", [0, 2])
def test_one_leaf_claimed_by_two_accounts_is_fraud(part):
    claims = [Claim(f"{name}.json", RUN, "ab" * 32, 7, "cd" * 32, name, part) for name in ("alice", "bob")]
    assert [entry.code for entry in pool_claims(claims, 2).fraud] == ["leaf-claimed-twice"]


def test_a_part_at_two_places_is_fraud_and_two_parts_at_two_places_are_not():
    def claim(file, index, part):
        return Claim(file, RUN, "ab" * 32, index, "cd" * 32, "alice", part)

    twice = [claim("a.json", 3, 0), claim("a.json", 4, 1), claim("b.json", 3, 0), claim("b.json", 9, 1)]
    assert [entry.code for entry in pool_claims(twice, 2).fraud] == ["account-counted-twice"]
    assert pool_claims(twice[:3], 2).fraud == ()


def test_a_forged_file_cannot_accuse_an_exchange(tmp_path):
    header = replace(PROOF.commitment, as_of="2026-11-21T00:00:00Z", root=bytes(32))
    forged = replace(PROOF, commitment=header, commitment_digest=header.digest)
    report = check_proofs(save(tmp_path, PROOF, forged))
    assert report.pool.fraud == ()
    assert report.verdict is ProofVerdict.REFUSED


def test_a_contradiction_that_only_a_later_part_shows_is_found():
    first = check_proof(SPLIT, file="a.json")
    elsewhere = [claim._replace(file="b.json") for claim in first.claims]
    elsewhere[2] = elsewhere[2]._replace(leaf_index=elsewhere[2].leaf_index + 1_000)
    again = replace(first, file="b.json", claims=tuple(elsewhere))
    assert [entry.code for entry in pool_results([first, again]).fraud] == ["account-counted-twice"]
    elsewhere = [claim._replace(account="user-9", leaf_index=claim.leaf_index + 1_000) for claim in elsewhere]
    elsewhere[1] = elsewhere[1]._replace(leaf_index=first.claims[2].leaf_index)
    other = replace(first, file="b.json", claims=tuple(elsewhere))
    assert [entry.code for entry in pool_results([first, other]).fraud] == ["leaf-claimed-twice"]
