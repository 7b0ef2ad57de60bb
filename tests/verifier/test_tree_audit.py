"""An audit with the books finds who was left out, who was invented, and whose balance was changed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from verifier.inclusion.commitment import TreeAsset
from verifier.liabilities.folder import build_folder
from verifier.liabilities.reconcile import audit_folder

ASSETS = (TreeAsset("eip155:1/slip44:60", "ETH", 2),)
TRUTH = {f"user-{number}": f"{number}.25" for number in range(1, 40)}


def table(path: Path, balances: dict[str, str]) -> Path:
    path.write_text("account,ETH\n" + "".join(f"{name},{amount}\n" for name, amount in balances.items()))
    return path


PARTS = pytest.mark.parametrize("parts", [1, 4])


def codes(tmp_path: Path, published: dict[str, str], books: dict[str, str], parts: int = 1) -> list[str]:
    accounts = table(tmp_path / "published.csv", published)
    build_folder(accounts, ASSETS, "run", "2026-11-22T00:00:00Z", tmp_path / "tree", parts=parts)
    secret = tmp_path / "tree" / "private" / "secret"
    done = audit_folder(tmp_path / "tree", (table(tmp_path / "books.csv", books), secret))
    assert (done.leaves, done.accounts) == (len(published) * parts, len(books))
    return [finding.code for finding in done.findings]


@PARTS
def test_a_tree_of_the_books_has_nothing_to_explain(tmp_path: Path, parts: int) -> None:
    assert codes(tmp_path, TRUTH, dict(reversed(TRUTH.items())), parts) == []


@PARTS
def test_an_account_that_was_left_out_is_named(tmp_path: Path, parts: int) -> None:
    published = {name: amount for name, amount in TRUTH.items() if name != "user-7"}
    assert codes(tmp_path, published, TRUTH, parts) == ["account-left-out"]


@PARTS
def test_a_dummy_account_is_a_leaf_that_nobody_explains(tmp_path: Path, parts: int) -> None:
    assert codes(tmp_path, TRUTH | {"dummy": "1000000"}, TRUTH, parts) == ["leaf-unexplained"]


@PARTS
def test_a_changed_balance_shows_on_both_sides(tmp_path: Path, parts: int) -> None:
    assert codes(tmp_path, TRUTH | {"user-7": "0"}, TRUTH, parts) == ["account-left-out", "leaf-unexplained"]


def test_one_part_that_is_missing_from_the_list_names_its_account(tmp_path: Path) -> None:
    assert codes(tmp_path, TRUTH, TRUTH, 4) == []
    leaves = tmp_path / "tree" / "leaves.csv"
    leaves.write_text("".join(leaves.read_text().splitlines(keepends=True)[:-1]))
    done = audit_folder(tmp_path / "tree", (tmp_path / "books.csv", tmp_path / "tree" / "private" / "secret"))
    left_out = next(finding.text for finding in done.findings if finding.code == "account-left-out")
    assert left_out.startswith("1 accounts without the leaves that the books ask for")


@pytest.mark.parametrize("honest", [True, False])
def test_the_command_says_what_was_covered(tmp_path: Path, honest: bool) -> None:
    codes(tmp_path, TRUTH, TRUTH)
    if not honest:
        leaves = tmp_path / "tree" / "leaves.csv"
        leaves.write_text("".join(leaves.read_text().splitlines(keepends=True)[:-1]))
    command = [sys.executable, "-m", "verifier.cli.main", "tree", "audit", str(tmp_path / "tree"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"]) == ((0, "pass") if honest else (1, "fail"))
    assert told["accounts"] is None
