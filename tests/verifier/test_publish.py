"""The engine for large tables gives the simple engine's tree, whatever the file, the order, the cut and the workers."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.published import (
    AS_OF,
    ASSETS,
    RUN,
    SECRET,
    InThisProcess,
    accounts,
    leaf_list,
    order,
    parquet,
    run,
    store,
)
from verifier.errors import InputError, UnavailableError
from verifier.inclusion import sum_tree
from verifier.inclusion.commitment import TreeAsset
from verifier.inclusion.sum_tree import Node, SumError, parent
from verifier.liabilities.accounts import Account, write_accounts
from verifier.liabilities.build import build, prove
from verifier.liabilities.publisher import plain
from verifier.liabilities.publisher.blocks import fold, to_node, to_rows
from verifier.liabilities.publisher.executors import executor_of
from verifier.liabilities.publisher.folder import Engines, Terms, publish_folder
from verifier.liabilities.publisher.kernels import Ids
from verifier.liabilities.publisher.opening import open_store
from verifier.liabilities.publisher.rejects import RejectedError
from verifier.liabilities.publisher.split import split_rows

TERMS = Terms(ASSETS, RUN, AS_OF)


@pytest.mark.parametrize("count", [1, 2, 3, 511, 512, 513, 1023, 1024, 1025, 2048, 3000])
def test_the_root_and_every_proof_are_the_simple_engines(tmp_path: Path, count: int) -> None:
    table = accounts(count)
    tree = build(table, ASSETS, RUN, AS_OF, SECRET)
    commitment = run(parquet(tmp_path / "a.parquet", table), tmp_path)
    assert commitment == tree.commitment
    drawn = store(commitment, tmp_path)
    assert all(drawn.prove(account.id) == prove(tree, account.id) for account in (*table[:5], *table[-5:]))
    assert list(leaf_list(commitment, tmp_path).nodes()) == tree.levels[0]


@pytest.mark.parametrize("parts", [2, 3, 16])
def test_split_accounts_give_the_simple_engines_tree(tmp_path: Path, parts: int) -> None:
    table = accounts(700)
    tree = build(table, ASSETS, RUN, AS_OF, SECRET, parts)
    commitment = run(order(parquet(tmp_path / "a.parquet", table), parts), tmp_path)
    assert commitment == tree.commitment
    assert store(commitment, tmp_path).prove("user-3") == prove(tree, "user-3")


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_file_kind_order_cut_engine_and_workers_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Any
) -> None:
    if engine == "fast":
        pytest.importorskip("numba")
    table = accounts(4_000)
    shuffled = random.Random(1).sample(table, len(table))
    monkeypatch.setattr("verifier.liabilities.publisher.publish.rows_per_task", lambda assets, parts: 300)
    write_accounts(tmp_path / "a.csv", ASSETS, shuffled)
    (tmp_path / "folder").mkdir()
    for part in range(3):
        parquet(tmp_path / "folder" / f"part-{part}.parquet", table[part::3])
    with executor_of(None, 7, engine) as seven, executor_of(None, 2, engine) as two, ThreadPoolExecutor(1) as one:
        found = {
            run(parquet(tmp_path / "whole.parquet", table, 4_000), tmp_path / "1", one, engine),
            run(parquet(tmp_path / "cut.parquet", shuffled, 170), tmp_path / "2", two, engine),
            run(tmp_path / "a.csv", tmp_path / "3", seven, engine),
            run(tmp_path / "folder", tmp_path / "4", InThisProcess(), engine),
        }
    assert found == {build(table, ASSETS, RUN, AS_OF, SECRET).commitment}


def test_a_part_may_hold_less_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.liabilities.publisher.publish.rows_per_task", lambda assets, parts: 20)
    table = accounts(2_500)
    tree = build(table, ASSETS, RUN, AS_OF, SECRET)
    commitment = run(parquet(tmp_path / "a.parquet", table, 20), tmp_path)
    assert commitment == tree.commitment
    drawn = store(commitment, tmp_path)
    assert all(drawn.prove(account.id) == prove(tree, account.id) for account in table[::50])


# --- what is refused, and where it stands ---


def rejects(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    path = tmp_path / "a.csv"
    path.write_bytes(f"account,ETH,USD\nalice,1,2\n{text}".encode())
    with pytest.raises(RejectedError) as refused:
        run(path, tmp_path / "out")
    refused.value.write(tmp_path / "rejects.csv")
    with (tmp_path / "rejects.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert [(int(one["row"]), one["column"], one["reason"]) for one in listed] == refused.value.rejects
    return [(row, column) for row, column, _ in refused.value.rejects]


@pytest.mark.parametrize(
    "cell",
    ["1.1234567", "1.123456789", "-5", "1e3", "", "NaN", "null", "+1", " 1", "1 ", "0x1", "1.", ".5", "9" * 34],
)
def test_a_doubtful_amount_is_named_with_its_row_and_column(tmp_path: Path, cell: str) -> None:
    assert rejects(tmp_path, f"bob,1,{cell}\ncarol,x,1\n") == [(3, "USD"), (4, "ETH")]


def test_an_empty_id_and_one_that_is_not_utf_8_are_named(tmp_path: Path) -> None:
    assert rejects(tmp_path, ",1,1\n") == [(3, "account")]
    path = tmp_path / "b.csv"
    path.write_bytes(b"account,ETH,USD\na\xff,1,1\nb,1,1\n")
    with pytest.raises(RejectedError, match=r"b\.csv:2:account: the id is not UTF-8 at byte 2"):
        run(path, tmp_path / "two")


def test_every_account_listed_twice_is_named_with_both_rows(tmp_path: Path) -> None:
    table = [*accounts(3_000), Account("user-7", (1, 1)), Account("user-2999", (0, 0)), Account("user-7", (5, 5))]
    with pytest.raises(RejectedError) as refused:
        run(parquet(tmp_path / "a.parquet", table), tmp_path / "out")
    assert [row for row, _, _ in refused.value.rejects] == [3001, 3002, 3003]
    assert refused.value.rejects[0].reason == "'user-7' is listed twice, first in a.parquet:8"


def test_zeros_beyond_the_assets_decimals_are_exact_and_taken(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("account,ETH,USD\nalice,1,2.50000000\n")
    assert run(tmp_path / "a.csv", tmp_path / "out").totals == (10**18, 2_500_000)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"account": ["a"], "ETH": [1.5], "USD": [Decimal(1)]}, "floating point"),
        ({"account": ["a"], "ETH": [1]}, "missing columns: USD"),
        ({"account": ["a"], "ETH": [1], "USD": [1], "DOGE": [1]}, "unknown columns: 'DOGE'"),
        ({"account": ["a", "a"], "ETH": [1, 2], "USD": [1, 2]}, "listed twice"),
        (
            {"account": pa.array([], pa.string()), "ETH": pa.array([], pa.int64()), "USD": pa.array([], pa.int64())},
            "no account",
        ),
        ({"account": [b"\xff\xfe"], "ETH": [1], "USD": [1]}, "not UTF-8"),
        ({"account": ["a"], "ETH": [True], "USD": [1]}, "not a plain decimal"),
        ({"account": ["x" * 10_001], "ETH": [1], "USD": [1]}, "10,001 bytes"),
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


@pytest.mark.parametrize("name", ["missing.csv", "missing.parquet", "missing", "empty"])
def test_a_table_that_is_not_there_is_said_to_be_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises((InputError, UnavailableError), match=r"there is no such|0 Parquet files"):
        run(tmp_path / name, tmp_path / "out")


# --- adversarial accounts ---


def test_base_units_up_to_the_largest_are_read_exactly(tmp_path: Path) -> None:
    held = [2**127, 2**128 - 1 - 2**127, 0]
    lines = "".join(f"user-{number},{value},0\n" for number, value in enumerate(held))
    (tmp_path / "a.csv").write_text(f"account,ETH,USD\n{lines}")
    commitment = run(order(tmp_path / "a.csv", base_units=True), tmp_path / "out")
    assert commitment.totals == (2**128 - 1, 0)
    assert store(commitment, tmp_path / "out").prove("user-0").balances == (2**127, 0)
    with (tmp_path / "a.csv").open("a") as file:
        file.write("one-more,1,0\n")
    with pytest.raises(InputError, match="ETH adds up to more than"):
        run(order(tmp_path / "a.csv", base_units=True), tmp_path / "out")


def test_base_units_as_integers_and_ids_as_integers_are_taken(tmp_path: Path) -> None:
    columns = {"account": [7, 8], "ETH": pa.array([1, 2**64 - 1], pa.uint64()), "USD": [3, 4]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    commitment = run(order(tmp_path / "a.parquet", base_units=True), tmp_path / "out")
    assert (
        commitment == build([Account("7", (1, 3)), Account("8", (2**64 - 1, 4))], ASSETS, RUN, AS_OF, SECRET).commitment
    )


ODD_IDS = [
    "a,b",
    'a"b',
    "a|b",
    "a\nb",
    "a b ",
    " a b",
    "é",
    "e\u0301",
    "\u202eevil",
    "=cmd()",
    "x" * 10_000,
    "\x7f",
    "0",
]


def test_ids_with_separators_unicode_twins_and_ten_thousand_bytes_stay_apart(tmp_path: Path) -> None:
    table = [Account(name, (number, 1)) for number, name in enumerate(ODD_IDS)]
    write_accounts(tmp_path / "a.csv", ASSETS, table)
    tree = build(table, ASSETS, RUN, AS_OF, SECRET)
    assert run(tmp_path / "a.csv", tmp_path / "1") == tree.commitment
    commitment = run(parquet(tmp_path / "a.parquet", table), tmp_path / "2")
    assert commitment == tree.commitment
    assert all(store(commitment, tmp_path / "2").prove(name).account == name for name in ODD_IDS)


def test_two_thousand_assets_are_one_tree(tmp_path: Path) -> None:
    assets = tuple(TreeAsset(f"eip155:1/erc20:0x{number:040x}", f"T{number}", 6) for number in range(2_000))
    table = [Account(f"user-{number}", tuple(range(number, number + 2_000))) for number in range(5)]
    write_accounts(tmp_path / "a.csv", assets, table)
    tree = build(table, assets, RUN, AS_OF, SECRET)
    commitment = run(order(tmp_path / "a.csv", assets=assets), tmp_path / "out")
    assert commitment == tree.commitment
    assert store(commitment, tmp_path / "out").prove("user-3") == prove(tree, "user-3")


@given(st.integers(0, 2**128 - 1), st.integers(2, 16), st.text(min_size=1, max_size=9))
@settings(deadline=None, max_examples=60)
def test_splitting_many_accounts_at_once_is_splitting_one(units: int, parts: int, account: str) -> None:
    raw = account.encode("utf-8", "ignore") or b"x"
    key = sum_tree.split_key(SECRET, RUN)
    ids = Ids(np.frombuffer(raw, dtype=np.uint8), np.array([0, len(raw)], dtype=np.int64))
    rows = split_rows(key, ids, to_rows([Node(b"", (units, 1))]), parts)
    expected = sum_tree.split_units(key, raw, (units, 1), parts)
    assert [to_node(b"\0" * 32 + row.tobytes()).sums for row in rows] == expected
    assert sum(part[0] for part in expected) == units


def test_folding_arrays_is_folding_nodes_up_to_the_largest_sum() -> None:
    left, right = Node(b"l" * 32, (2**127, 2**64 - 1)), Node(b"r" * 32, (2**127 - 1, 1))
    assert to_node(fold(plain, to_rows([left, right]), 0, 1)[0]) == parent(left, right)
    with pytest.raises(SumError):
        fold(plain, to_rows([left, left]), 0, 1)


# --- killed and gone on with ---


def folder_of(tmp_path: Path, table: Path, **named: Any) -> Any:
    return publish_folder(str(table), TERMS, tmp_path / "out", tmp_path / "secret", Engines(**named))


def test_a_build_that_was_killed_goes_on_and_gives_the_same_root(tmp_path: Path) -> None:
    table = parquet(tmp_path / "a.parquet", accounts(60_000), 1_000)
    (tmp_path / "secret").write_text(SECRET.hex())
    program = (
        "import sys; from pathlib import Path; from tests.verifier.test_publish import folder_of;"
        "folder_of(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    spill = tmp_path / "out" / "private" / "spill"
    kept: set[str] = set()
    for wait_for in ("piece-000003.json", "piece-000020.json", "piece-000040.json"):
        started = subprocess.Popen([sys.executable, "-c", program, tmp_path, table], start_new_session=True)
        while started.poll() is None and not (spill / wait_for).exists():
            time.sleep(0.002)
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        kept = {path.name for path in spill.glob("*.json")}
    times = {name: (spill / name).stat().st_mtime_ns for name in kept if name.startswith("piece-")}
    assert len(times) > 3, "nothing was kept"
    seen: dict[str, int] = {}

    def watch(what: str, done: int, of: int) -> None:
        seen.update({name: (spill / name).stat().st_mtime_ns for name in times})

    done = publish_folder(str(table), TERMS, tmp_path / "out", tmp_path / "secret", progress=watch)
    assert done.commitment == build(accounts(60_000), ASSETS, RUN, AS_OF, SECRET).commitment
    assert seen == times, "finished work was done again"
    assert not spill.exists()
    assert ((tmp_path / "out" / "private").stat().st_mode & 0o777) == 0o700


def test_what_a_killed_run_of_another_table_left_is_not_used(tmp_path: Path) -> None:
    old, new = accounts(500), [*accounts(499), Account("user-499", (1, 1))]
    (tmp_path / "secret").write_text(SECRET.hex())
    run(parquet(tmp_path / "a.parquet", old), tmp_path / "killed")
    (tmp_path / "out" / "private").mkdir(parents=True)
    (tmp_path / "killed" / "spill").rename(tmp_path / "out" / "private" / "spill")
    done = folder_of(tmp_path, parquet(tmp_path / "a.parquet", new))
    assert done.commitment == build(new, ASSETS, RUN, AS_OF, SECRET).commitment


@pytest.mark.parametrize("name", ["piece-000001.records", "prefix-000000.nodes"])
def test_work_that_storage_garbled_is_not_built_on(tmp_path: Path, name: str) -> None:
    table = parquet(tmp_path / "a.parquet", accounts(3_000), 1_000)
    run(table, tmp_path)
    spill = tmp_path / "spill"
    for done in spill.glob("prefix-*.json" if name.startswith("piece") else "none"):
        done.unlink()
    content = bytearray((spill / name).read_bytes())
    content[len(content) // 2] ^= 4
    (spill / name).write_bytes(content)
    with pytest.raises(UnavailableError, match=f"{name}: was changed on its way"):
        run(table, tmp_path)


def test_a_finished_folder_is_not_built_over(tmp_path: Path) -> None:
    folder_of(tmp_path, parquet(tmp_path / "a.parquet", accounts(5)))
    with pytest.raises(InputError, match="not empty"):
        folder_of(tmp_path, tmp_path / "a.parquet")
    assert open_store(tmp_path / "out").prove("user-4").account == "user-4"


def test_two_runs_do_not_build_into_one_folder_at_once(tmp_path: Path) -> None:
    table = parquet(tmp_path / "a.parquet", accounts(5))
    said: list[str] = []

    def build_again(what: str, done: int, of: int) -> None:
        with pytest.raises(InputError, match="another run") as refused:
            folder_of(tmp_path, table)
        said.append(str(refused.value))

    publish_folder(str(table), TERMS, tmp_path / "out", tmp_path / "secret", progress=build_again)
    assert said


def test_workers_that_are_killed_cost_nothing_that_was_finished(tmp_path: Path) -> None:
    table = parquet(tmp_path / "a.parquet", accounts(20_000), 1_000)
    (tmp_path / "secret").write_text(SECRET.hex())
    killed: list[int] = []

    def kill(what: str, done: int, of: int) -> None:
        if not killed:
            killed.extend(_grandchildren(os.getpid()))
            for worker in killed:
                os.kill(worker, signal.SIGKILL)

    done = publish_folder(str(table), TERMS, tmp_path / "out", tmp_path / "secret", progress=kill)
    assert killed
    assert done.commitment == build(accounts(20_000), ASSETS, RUN, AS_OF, SECRET).commitment


def _grandchildren(process: int) -> list[int]:
    """Return the workers: children of the server that this process started to fork them."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    return [child for child, server in parents.items() if parents.get(server) == process]
