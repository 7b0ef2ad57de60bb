"""The tree that the publisher is measured against is a real one: the checker of that exchange's format accepts it."""

import random

import pytest

from tests.bench.bitmex import grow, read_accounts, write_accounts, write_tree
from verifier import check_proofs
from verifier.inclusion.result import ProofVerdict

BALANCES = [0, 1, 2_100_000_000_000_000, 350_000, 7]
HEIGHT = 800_000


@pytest.fixture
def published(tmp_path):
    accounts, tree = tmp_path / "accounts.csv", tmp_path / "tree.csv"
    write_accounts(accounts, BALANCES)
    owed = read_accounts(accounts)
    write_tree(tree, HEIGHT, grow(owed, HEIGHT, random.Random(3)))
    return tree, owed


def test_the_measured_tree_is_accepted_and_holds_all_that_is_owed(published):
    tree, _ = published
    result = check_proofs([tree], only_format="bitmex-file").results[0]
    assert result.verdict is ProofVerdict.ACCEPTED
    assert result.grade.totals_bound
    assert result.totals == {"sat": str(sum(BALANCES))}
    assert len(tree.read_text("ascii").splitlines()) == 1 + 2 * 16 - 1


@pytest.mark.parametrize("number", range(1, len(BALANCES)))
def test_an_account_finds_all_its_leaves_in_the_measured_tree(published, number):
    tree, owed = published
    facts = {"account": str(number), "account_nonce": owed[number].nonce.hex()}
    result = check_proofs([tree], facts=facts).results[0]
    assert result.verdict is ProofVerdict.ACCEPTED
    assert result.grade.own_balance_bound
    assert result.own == {"sat": str(BALANCES[number])}


def test_a_leaf_of_the_measured_tree_with_one_satoshi_more_is_refused(published):
    tree, _ = published
    lines = tree.read_text("ascii").splitlines()
    hashed, units = lines[-1].split(",")
    lines[-1] = f"{hashed},{int(units) + 1}"
    tree.write_text("\n".join(lines) + "\n", "ascii")
    assert check_proofs([tree]).verdict is ProofVerdict.REFUSED
