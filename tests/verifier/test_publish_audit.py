"""A regulator rebuilds a large tree: whatever was added, left out, changed or moved is found and named."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.verifier.published import ASSETS, SECRET, InThisProcess, accounts, leaf_list, order, parquet, run
from verifier.errors import InputError, UnavailableError
from verifier.inclusion.commitment import Commitment
from verifier.inclusion.sum_tree import UNIT_BYTES
from verifier.liabilities.accounts import Account
from verifier.liabilities.draw import draw_leaves
from verifier.liabilities.inspect import BooksFile, Draw, Effort, inspect_folder
from verifier.liabilities.progress import silent
from verifier.liabilities.publisher.audit import audit_list
from verifier.liabilities.publisher.books import Books
from verifier.liabilities.publisher.inspect import inspect
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Bytes
from verifier.liabilities.publisher.leaf_files import write_part
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.reconcile import Reconciliation

TABLE = accounts(3_000)


def built(tmp_path: Path, table: Sequence[Account] = TABLE, parts: int = 1) -> Commitment:
    return run(order(parquet(tmp_path / "tree.parquet", table), parts), tmp_path)


def audited(tmp_path: Path, commitment: Commitment, books: Sequence[Account] | None = None) -> Reconciliation:
    table = None if books is None else Books(str(parquet(tmp_path / "books.parquet", books)), SECRET)
    return inspect(leaf_list(commitment, tmp_path), table, [], InThisProcess(), silent)


def codes(done: Reconciliation) -> list[str]:
    return [finding.code for finding in done.findings]


@pytest.mark.parametrize("count", [1, 2, 1_024, 1_025, 3_000])
@pytest.mark.parametrize("parts", [1, 3])
def test_an_honest_tree_is_rebuilt_and_every_leaf_explained(tmp_path: Path, count: int, parts: int) -> None:
    commitment = built(tmp_path, TABLE[:count], parts)
    done = audited(tmp_path, commitment, TABLE[:count])
    assert (done.findings, done.leaves, done.accounts) == ((), count * parts, count)


def test_parts_are_audited_by_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.liabilities.publisher.publish.rows_per_task", lambda assets, parts: 100)
    commitment = built(tmp_path)
    with ProcessPoolExecutor(2) as executor:
        assert audit_list(leaf_list(commitment, tmp_path), executor, silent).matches


def test_an_account_that_is_left_out_is_named(tmp_path: Path) -> None:
    done = audited(tmp_path, built(tmp_path, TABLE[:-1]), TABLE)
    assert codes(done) == ["account-left-out"]
    assert "'user-2999'" in done.findings[0].text


def test_an_account_that_was_lowered_is_named_whether_its_tree_is_split_or_not(tmp_path: Path) -> None:
    lowered = [Account("user-0", (1, 1)), *TABLE[1:]]
    for parts in (1, 2):
        done = audited(tmp_path, built(tmp_path, lowered, parts), TABLE)
        assert codes(done) == ["balance-differs"]
        assert done.findings[0].text.endswith(": 'user-0'")
        shutil.rmtree(tmp_path / "spill")


def test_dummy_accounts_that_inflate_are_leaves_nobody_explains(tmp_path: Path) -> None:
    dummies = [Account("dummy", (10**24, 10**12)), Account("other dummy", (0, 0))]
    done = audited(tmp_path, built(tmp_path, [*TABLE, *dummies]), TABLE)
    assert codes(done) == ["leaf-unexplained"]
    assert done.findings[0].text.startswith("2 leaves that no account of the books explains")


def test_an_account_twice_in_the_books_is_named(tmp_path: Path) -> None:
    done = audited(tmp_path, built(tmp_path), [*TABLE, TABLE[5]])
    assert codes(done) == ["account-doubled"]
    assert "'user-5'" in done.findings[0].text


def test_a_secret_of_another_run_explains_nothing(tmp_path: Path) -> None:
    table = Books(str(tmp_path / "tree.parquet"), bytes(32))
    done = inspect(leaf_list(built(tmp_path), tmp_path), table, [], InThisProcess(), silent)
    assert codes(done) == ["account-left-out", "leaf-unexplained"]


# --- a leaf list that was changed after the commitment ---


def changed(tmp_path: Path, change: Callable[[Bytes], Bytes]) -> list[str]:
    commitment = built(tmp_path)
    opened = leaf_list(commitment, tmp_path)
    records = change(opened.part_records(0).copy())
    write_part(Place(str(tmp_path / "leaves")), 0, records, 0, ASSETS)
    return codes(audited(tmp_path, commitment))


def raise_first(records: Bytes) -> Bytes:
    records[0, -1] ^= 1
    return records


def cancel_out(records: Bytes) -> Bytes:
    """Move an amount from one leaf to another: the totals stay."""
    moved = slice(-UNIT_BYTES, None)
    records[[0, 1], moved] = records[[1, 0], moved]
    return records


def swap(records: Bytes) -> Bytes:
    return np.ascontiguousarray(records[[1, 0, *range(2, len(records))]])


def repeat(records: Bytes) -> Bytes:
    records[7, POSITION_BYTES:] = records[6, POSITION_BYTES:]
    return records


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (raise_first, ["totals-differ", "root-differs"]),
        (cancel_out, ["root-differs"]),
        (swap, ["leaf-misplaced", "root-differs"]),
        (repeat, ["leaf-repeated", "totals-differ", "root-differs"]),
    ],
)
def test_whatever_was_changed_in_the_list_is_found(
    tmp_path: Path, change: Callable[[Bytes], Bytes], found: list[str]
) -> None:
    assert changed(tmp_path, change) == found


def test_a_list_that_lacks_a_leaf_does_not_join(tmp_path: Path) -> None:
    commitment = built(tmp_path)
    short = replace(commitment, leaf_count=commitment.leaf_count - 1)
    with pytest.raises(InputError, match=r"the parts do not join to the 2,999 leaves"):
        audited(tmp_path, short)


@pytest.mark.parametrize("part", ["index.json", "000000.parquet"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"PAR1garbagePAR1"])
def test_a_damaged_list_is_an_error_of_ours(tmp_path: Path, part: str, content: bytes) -> None:
    commitment = built(tmp_path)
    (tmp_path / "leaves" / part).write_bytes(content)
    with pytest.raises((InputError, UnavailableError)):
        audited(tmp_path, commitment)


# --- drawing ---


def test_what_a_beacon_draws_is_the_same_for_everybody_and_spread_evenly() -> None:
    drawn = draw_leaves("beacon", "ab" * 32, 1_000_003, 2_000)
    assert drawn == draw_leaves(" beacon\n", "ab" * 32, 1_000_003, 2_000)
    assert draw_leaves("beacon", "ab" * 32, 1_000_003, 3) == drawn[:3] == [106_604, 456_704, 195_452]
    assert len(set(drawn)) == 2_000
    assert max(drawn) < 1_000_003
    assert 900 < sum(number < 500_001 for number in drawn) < 1_100
    assert drawn != draw_leaves("other", "ab" * 32, 1_000_003, 2_000)
    assert sorted(draw_leaves("beacon", "ab" * 32, 5, 5)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("beacon", "count"), [("", 1), ("  ", 1), ("b", 0), ("b", 100_001)])
def test_a_draw_that_proves_nothing_is_refused(beacon: str, count: int) -> None:
    with pytest.raises(InputError):
        draw_leaves(beacon, "ab" * 32, 10, count)


@pytest.mark.parametrize("parts", [1, 2])
def test_drawn_leaves_lead_to_accounts_rows_and_booked_balances(tmp_path: Path, parts: int) -> None:
    commitment = built(tmp_path, parts=parts)
    (tmp_path / "secret").write_text(SECRET.hex())
    books = BooksFile(str(tmp_path / "tree.parquet"), tmp_path / "secret")
    done = inspect_folder(tmp_path, books, Draw(20, "beacon"), Effort())
    assert not done.findings
    assert [one.number for one in done.drawn] == draw_leaves("beacon", commitment.digest, 3_000 * parts, 20)
    for one in done.drawn:
        assert one.row is not None
        assert TABLE[one.row - 1] == Account(str(one.account), one.booked or ())
        assert (one.units == one.booked) == (parts == 1)
