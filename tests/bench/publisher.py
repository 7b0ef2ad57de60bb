"""A large liabilities tree from table to receipts, against what SHA-256 costs on this machine and a published tool.

Run `python -m tests.bench.publisher [USERS] [WORKERS]`, also with 10000000 users; Linux only, for what a whole command
takes is asked of the kernel. A table of 10 million needs 5 GB below the temporary folder.
"""

import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pyarrow.parquet as pq

from tests.bench.bitmex import write_accounts
from tests.bench.kernels import START, bulk_blocks
from verifier.inclusion.check import check_proof
from verifier.inclusion.proof import parse_proof
from verifier.inclusion.result import ProofVerdict
from verifier.liabilities.progress import silent
from verifier.liabilities.publisher.executors import executor_of
from verifier.liabilities.publisher.export import export
from verifier.liabilities.publisher.folder import books_of
from verifier.liabilities.publisher.kernels import Engine
from verifier.liabilities.publisher.opening import open_leaf_list, open_store
from verifier.liabilities.publisher.sample import write_sample
from verifier.liabilities.receipts import write_receipts

POR = str(Path(sys.executable).with_name("por"))
ENGINES: tuple[tuple[Engine, str], ...] = (("plain", "<= 20 T"), ("fast", "<= 9 T"))
ASSETS, BLOCKS_PER_USER = 8, 9
RECEIPTS, COMMANDS, ROUNDS = 300, 5, 3
MOST_RECEIPTS, MOST_PEER_ACCOUNTS, MOST_REPEATED = 100_000, 1_000_000, 1_000_000
FAR = 100_000_000

# A pool's server outlives the command that started it: orphans are handed to this process, which waits for them too.
WAIT_FOR_ALL = """
import ctypes, os, resource, subprocess, sys, time
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
started = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
wall = time.perf_counter() - started
try:
    while True:
        os.wait()
except ChildProcessError:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(wall, used.ru_utime + used.ru_stime)
"""


class Spent(NamedTuple):
    """What a command took: seconds, core-seconds of all its processes, its messages, the most bytes it kept aside."""

    wall: float
    core: float
    told: str
    aside: int = 0


class Row(NamedTuple):
    """One line of the table: a figure, what it is a multiple of, and what is asked."""

    name: str
    figure: str
    multiple: str = ""
    asked: str = ""


class Field(NamedTuple):
    """What is measured: a table of accounts, the folder for all that is made from it, workers, and T in seconds."""

    table: Path
    folder: Path
    users: int
    workers: int
    least: float

    @property
    def tree(self) -> Path:
        return self.folder / "plain"

    @property
    def rounds(self) -> int:
        return ROUNDS if self.users <= MOST_REPEATED else 1


def run(*command: str, aside: Path | None = None) -> Spent:
    """Run a command to its end, and watch the folder where it keeps work in between."""
    waiting = [sys.executable, "-c", WAIT_FOR_ALL, *command]
    most = 0
    with subprocess.Popen(waiting, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            most = max(most, size(aside)) if aside is not None else 0
            time.sleep(0.05)
        told, errors = process.communicate()
    if process.returncode:
        raise SystemExit(errors)
    wall, core = map(float, told.split())
    return Spent(wall, core, errors, most)


def size(path: Path) -> int:
    """Return the bytes of all files below a folder, which may vanish meanwhile."""
    total = 0
    for file in path.rglob("*"):
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            continue
    return total


def best(times: int, action: Callable[[], Spent]) -> Spent:
    """Return the least of several rounds: the machine's noise only ever adds."""
    rounds = [action() for _ in range(times)]
    return rounds[-1]._replace(wall=min(one.wall for one in rounds), core=min(one.core for one in rounds))


def build(table: Path, out: Path, engine: Engine, workers: int) -> Spent:
    shutil.rmtree(out, ignore_errors=True)
    told = ["--assets", str(table.with_suffix(".assets.json")), "--run-id", "bench", "--as-of", "2026-11-22T00:00:00Z"]
    order = ["--accounts", str(table), "--out", str(out), "--engine", engine, "--workers", str(workers)]
    return run(POR, "tree", "build", *told, *order, aside=out / "private")


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def check_text(text: bytes) -> None:
    assert check_proof(parse_proof(text, "receipt")).verdict is ProofVerdict.ACCEPTED


def start_of_kernel() -> float:
    """Return what import and first call of the fast kernel take once its compiled code is on disk."""
    command = [sys.executable, "-c", START]
    return [float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(2)][-1]


def builds(field: Field) -> tuple[list[Row], dict[Engine, Spent]]:
    """Build the tree with each engine, and once more of a single account: what starting up takes."""
    one = field.folder / "one.parquet"
    write_sample(one, 1, ASSETS, 1, silent)
    started = start_of_kernel()
    rows: list[Row] = []
    whole: dict[Engine, Spent] = {}
    for engine, asked in ENGINES:
        out = field.folder / engine
        empty = best(ROUNDS, partial(build, one, field.folder / f"{engine}-one", engine, field.workers))
        spent = whole[engine] = best(field.rounds, partial(build, field.table, out, engine, field.workers))
        found = re.search(r"largest worker ([\d,]+) MiB", spent.told)
        peak = found.group(1) if found else "?"
        rows += [
            Row(f"{engine} build", f"{spent.core:.2f} core-s", f"{spent.core / field.least:.1f} T", asked),
            Row("  wall", f"{spent.wall:.2f} s", f"{field.users / spent.wall:,.0f} users/s"),
            Row("  largest worker", f"{peak} MiB", "", "<= 512 MiB"),
            Row("  of it for a single account", f"{empty.core:.2f} core-s", f"{empty.wall:.2f} s wall"),
        ]
        if spent.wall > 1.5 * empty.wall:  # else it would be noise that is multiplied
            far = empty.wall + (spent.wall - empty.wall) * FAR / field.users
            rows.append(Row("  100 M users, if it stays linear", f"{far:,.0f} s", f"{FAR / far:,.0f} users/s"))
    rows.append(Row("  the kernel's import and first call", f"{started:.2f} s"))
    return rows, whole


def disk(field: Field, aside: int) -> list[Row]:
    rows, together = [], 0.0
    for name, total in (
        ("table", field.table.stat().st_size),
        ("leaf list", size(field.tree / "leaves")),
        ("work in between", aside),
    ):
        each = total / field.users
        together += each
        rows.append(Row(f"disk, {name}", f"{each:.1f} B/user", f"{each * FAR / 1e9:.1f} GB for 100 M"))
    return [*rows, Row("disk, together", f"{together:.1f} B/user", f"{together * FAR / 1e9:.1f} GB for 100 M")]


def peer(field: Field, whole: dict[Engine, Spent]) -> list[Row]:
    """Run BitMEX's algorithm on the first asset of the same users."""
    count = min(field.users, MOST_PEER_ACCOUNTS)
    accounts, out = field.folder / "accounts.csv", field.folder / "tree.csv"
    batches = pq.ParquetFile(field.table).iter_batches(columns=["BTC"])
    held = (int(value.scaleb(8)) for batch in batches for value in batch.column(0).to_pylist())
    write_accounts(accounts, islice(held, count))
    spent = run(sys.executable, "-m", "tests.bench.bitmex", str(accounts), str(out))
    wall = spent.wall * field.users / count
    scaled = "" if count == field.users else f", from {count:,}"
    return [
        Row(f"BitMEX's algorithm, 1 asset{scaled}", f"{wall:.1f} s", f"{field.users / wall:,.0f} users/s"),
        Row("  beside the plain build", "", f"{wall / whole['plain'].wall:.1f} x its wall", ">= 13 x"),
        Row("  beside the fast build", "", f"{wall / whole['fast'].wall:.1f} x its wall", ">= 26 x"),
    ]


def audit(field: Field) -> list[Row]:
    options = ("--workers", str(field.workers))
    empty = best(ROUNDS, partial(run, POR, "tree", "audit", f"{field.tree}-one", *options))
    spent = best(field.rounds, partial(run, POR, "tree", "audit", str(field.tree), *options))
    rate, beyond = field.users / spent.core, field.users / max(spent.core - empty.core, 1e-3)
    return [
        Row("audit of every leaf", f"{spent.core:.2f} core-s", f"{rate:,.0f} users/s/core", ">= 400,000"),
        Row("  of it for a single account", f"{empty.core:.2f} core-s", f"{beyond:,.0f} without"),
    ]


def single_receipts(field: Field) -> list[Row]:
    """Draw random accounts' receipts one by one: in this process, by the whole command, and check them again."""
    first = pq.ParquetFile(field.table).read_row_group(0, columns=["account"]).column(0).to_pylist()
    accounts = random.Random(1).choices(first, k=RECEIPTS)  # leaves lie in order of hashes, wherever the rows are
    rows, texts = [], []
    for engine, _ in ENGINES:
        store = open_store(field.tree, engine)
        store.prove(accounts[0])
        taken = []
        for account in accounts:
            started = time.perf_counter()
            proof = store.prove(account)
            taken.append(time.perf_counter() - started)
            texts.append(proof.to_json())
        rows.append(Row(f"one receipt, {engine}, checked", f"{median(taken) * 1e3:.2f} ms", "", "<= 5 ms"))
    command = [POR, "tree", "prove", str(field.tree), "--account"]
    whole = [
        seconds(partial(subprocess.run, [*command, one], capture_output=True, check=True))
        for one in accounts[:COMMANDS]
    ]
    checks = [seconds(partial(check_text, text)) for text in texts]
    bare = [seconds(partial(check_proof, parse_proof(text, "receipt"))) for text in texts]
    return [
        *rows,
        Row("`por tree prove` as a command", f"{median(whole):.2f} s", "", "< 0.5 s"),
        Row(f"check of a receipt, {len(texts[0]):,} bytes", f"{median(checks) * 1e3:.2f} ms", "", "<= 0.5 ms"),
        Row("  without reading its JSON", f"{median(bare) * 1e3:.2f} ms"),
    ]


def all_receipts(field: Field, out: Path | None) -> Row:
    """Draw receipts in the order of the leaves; finding whose they are is done once, and counted in proportion."""
    with executor_of(None, field.workers, "plain") as executor:
        drawn = export(open_leaf_list(field.tree), books_of(field.tree, str(field.table)), executor, silent)
        listed = seconds(lambda: next(drawn))
        wanted = islice(drawn, min(field.users - 1, MOST_RECEIPTS))
        started = time.perf_counter()
        count = sum(1 for _ in wanted) if out is None else write_receipts(out, wanted)
        taken = time.perf_counter() - started
    rate = field.users / (listed + taken * field.users / count)
    name = "receipts of all, checked" + ("" if out is None else ", to an archive")
    return Row(name, f"{rate:,.0f} /s", f"{count / taken:,.0f} /s after {listed:.1f} s", ">= 10,000 /s")


def main(users: int = 1_000_000, workers: int = 2) -> None:
    blocks = bulk_blocks()
    least = BLOCKS_PER_USER * users / blocks
    with tempfile.TemporaryDirectory(prefix="por-bench-") as name:
        field = Field(Path(name) / "table.parquet", Path(name), users, workers, least)
        write_sample(field.table, users, ASSETS, 1, silent)
        built, whole = builds(field)
        rows = [
            Row("nothing but hashing (T)", f"{least:.2f} core-s", "1.0 T"),
            *built,
            *disk(field, whole["plain"].aside),
            *peer(field, whole),
            *audit(field),
            *single_receipts(field),
            all_receipts(field, None),
            all_receipts(field, field.folder / "receipts.zip"),
        ]
    sys.stdout.write(
        f"\nPublisher, {users:,} users x {ASSETS} assets, {workers} workers (B = {blocks / 1e6:.1f} M blocks/s)\n"
    )
    for row in rows:
        sys.stdout.write(f"  {row.name:45}{row.figure:>16}{row.multiple:>24}   {row.asked}".rstrip() + "\n")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
