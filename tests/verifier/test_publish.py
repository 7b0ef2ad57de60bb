"""The engine for large tables gives the simple engine's tree, whatever the file, the order, the cut and the workers."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from verifier.errors import InputError
from verifier.inclusion.commitment import Commitment, TreeAsset
from verifier.inclusion.sum_tree import Node, SumError, parent
from verifier.liabilities import ingest
from verifier.liabilities.accounts import Account, write_accounts
from verifier.liabilities.blocks import fold, to_node, to_rows
from verifier.liabilities.build import build, prove
from verifier.liabilities.folder import open_store, publish_folder
from verifier.liabilities.publish import RejectedError, publish
from verifier.liabilities.store import Store

RUN, AS_OF, SECRET = "2026-11", "2026-11-22T00:00:00Z", bytes(range(32))
NOBODY = pa.array([], pa.int64())
ASSETS = (TreeAsset("eip155:1/slip44:60", "ETH", 18), TreeAsset("eip155:1/erc20:0x" + "1" * 40, "USD", 6))


class InThisProcess(Executor):
    """Run every task at once; what a debugger wants."""

    def submit(self, task: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(task(*arguments, **named))
        except InputError as error:
            done.set_exception(error)
        return done


def accounts(count: int) -> list[Account]:
    draw = random.Random(count)
    return [Account(f"user-{number}", (draw.getrandbits(80), draw.getrandbits(40))) for number in range(count)]


def parquet(path: Path, table: Sequence[Account], group: int = 1_000) -> Path:
    columns = [[account.id for account in table]]
    for number, asset in enumerate(ASSETS):
        columns.append([Decimal(account.units[number]).scaleb(-asset.decimals) for account in table])
    types = [pa.string(), *(pa.decimal128(38, asset.decimals) for asset in ASSETS)]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, ["account", "ETH", "USD"]), path, row_group_size=group)
    return path


def run(source: Path, out: Path, executor: Executor | None = None) -> Commitment:
    return publish(source, ASSETS, RUN, AS_OF, SECRET, out, executor or InThisProcess())


@pytest.mark.parametrize("count", [1, 2, 3, 511, 512, 513, 1023, 1024, 1025, 2048, 3000])
def test_the_root_and_every_proof_are_the_simple_engines(tmp_path: Path, count: int) -> None:
    table = accounts(count)
    tree = build(table, ASSETS, RUN, AS_OF, SECRET)
    assert run(parquet(tmp_path / "a.parquet", table), tmp_path / "out") == tree.commitment
    store = Store(tmp_path / "out", SECRET)
    assert all(store.prove(account.id) == prove(tree, account.id) for account in (*table[:5], *table[-5:]))
    assert list(store.leaves()) == tree.levels[0]


def test_file_kind_order_cut_and_workers_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = accounts(4_000)
    shuffled = random.Random(1).sample(table, len(table))
    monkeypatch.setattr("verifier.liabilities.publish.GROUP_ROWS", 300)
    write_accounts(tmp_path / "a.csv", ASSETS, shuffled)
    with ProcessPoolExecutor(3) as pool:
        found = {
            run(parquet(tmp_path / "whole.parquet", table, 4_000), tmp_path / "one"),
            run(parquet(tmp_path / "cut.parquet", shuffled, 170), tmp_path / "two", pool),
            run(tmp_path / "a.csv", tmp_path / "three", pool),
        }
    assert found == {build(table, ASSETS, RUN, AS_OF, SECRET).commitment}


def test_a_part_may_hold_less_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.liabilities.publish.GROUP_ROWS", 20)
    table = accounts(2_500)
    assert (
        run(parquet(tmp_path / "a.parquet", table, 100), tmp_path / "out")
        == (tree := build(table, ASSETS, RUN, AS_OF, SECRET)).commitment
    )
    store = Store(tmp_path / "out", SECRET)
    assert all(store.prove(account.id) == prove(tree, account.id) for account in table[::50])


def reject(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    path = tmp_path / "a.csv"
    path.write_bytes(f"account,ETH,USD\nalice,1,2\n{text}".encode())
    with pytest.raises(RejectedError) as refused:
        run(path, tmp_path / "out")
    return [(row, column) for row, column, _ in refused.value.rejects]


@pytest.mark.parametrize(
    "cell",
    ["1.1234567", "-5", "1e3", "", "NaN", "+1", " 1", "1 ", "0x1", "1.", ".5", "999999999999999999999999999999999"],
)
def test_a_doubtful_amount_is_named_with_its_row_and_column(tmp_path: Path, cell: str) -> None:
    assert reject(tmp_path, f"bob,1,{cell}\ncarol,x,1\n") == [(2, "USD"), (3, "ETH")]


def test_an_empty_id_is_named(tmp_path: Path) -> None:
    assert reject(tmp_path, ",1,1\n") == [(2, "account")]


def test_zeros_beyond_the_assets_decimals_are_exact_and_taken(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("account,ETH,USD\nalice,1,2.50000000\n")
    assert run(tmp_path / "a.csv", tmp_path / "out").totals == (10**18, 2_500_000)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"account": ["a"], "ETH": [1.5], "USD": [Decimal(1)]}, "floating point"),
        ({"account": ["a"], "ETH": [1]}, "missing"),
        ({"account": ["a"], "ETH": [1], "USD": [1], "DOGE": [1]}, "unknown"),
        ({"account": ["a", "a"], "ETH": [1, 2], "USD": [1, 2]}, "listed twice"),
        (
            {"account": pa.array([], pa.string()), "ETH": pa.array([], pa.int64()), "USD": pa.array([], pa.int64())},
            "no account",
        ),
    ],
)
def test_a_table_that_cannot_be_a_ledger_is_refused(tmp_path: Path, columns: dict[str, Any], said: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=said):
        run(tmp_path / "a.parquet", tmp_path / "out")


def test_nulls_and_negative_decimals_in_parquet_are_named(tmp_path: Path) -> None:
    table = pa.table({"account": ["a", "b"], "ETH": [None, Decimal(1)], "USD": [Decimal(1), Decimal(-1)]})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(RejectedError) as refused:
        run(tmp_path / "a.parquet", tmp_path / "out")
    assert [(row, column) for row, column, _ in refused.value.rejects] == [(1, "ETH"), (2, "USD")]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"account,ETH,USD\na,1\n", b"account,ETH,USD\n\xff,1,1\n"])
def test_a_csv_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError):
        run(tmp_path / "a.csv", tmp_path / "out")


def test_folding_arrays_is_folding_nodes_up_to_the_largest_sum() -> None:
    left, right = Node(b"l" * 32, (2**127, 2**64 - 1)), Node(b"r" * 32, (2**127 - 1, 1))
    assert to_node(fold(to_rows([left, right]), 0, 1)[0]) == parent(left, right)
    with pytest.raises(SumError):
        fold(to_rows([left, left]), 0, 1)


def test_the_command_line_builds_and_proves_from_a_store(tmp_path: Path) -> None:
    table = accounts(50)
    commitment = publish_folder(parquet(tmp_path / "a.parquet", table), ASSETS, RUN, AS_OF, tmp_path / "out", None, 2)
    assert open_store(tmp_path / "out").prove("user-7").commitment == commitment
    assert (tmp_path / "out" / "leaves.csv").read_text().count("\n") == 51
    assert ((tmp_path / "out" / "private").stat().st_mode & 0o777) == 0o700
    assert ingest.GROUP_ROWS > 1_000
