"""Tables of accounts in every shape, and the large engine run on them the way a debugger likes it."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from verifier.errors import InputError
from verifier.inclusion.commitment import Commitment, TreeAsset
from verifier.liabilities.accounts import Account
from verifier.liabilities.commitment import save_commitment
from verifier.liabilities.places import COMMITMENT
from verifier.liabilities.progress import silent
from verifier.liabilities.publisher.kernels import Engine
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.publish import publish
from verifier.liabilities.publisher.store import LeafList, Store
from verifier.liabilities.publisher.tasks import Order

RUN, AS_OF, SECRET = "2026-11", "2026-11-22T00:00:00Z", bytes(range(32))
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


def order(source: Path | str, parts: int = 1, assets: tuple[TreeAsset, ...] = ASSETS, **named: Any) -> Order:
    return Order(str(source), assets, RUN, AS_OF, SECRET, parts, **named)


def run(wanted: Order | Path, out: Path, executor: Executor | None = None, engine: Engine = "plain") -> Commitment:
    """Build into the folder `out` as `publish_folder` does, without its secret and lock."""
    wanted = wanted if isinstance(wanted, Order) else order(wanted)
    spill, leaves = Place(str(out / "spill")), Place(str(out / "leaves"))
    commitment = publish(wanted, spill, leaves, executor or InThisProcess(), silent, engine).commitment
    save_commitment(out / COMMITMENT, commitment)
    return commitment


def leaf_list(commitment: Commitment, out: Path) -> LeafList:
    return LeafList(commitment, Place(str(out / "leaves")))


def store(commitment: Commitment, out: Path) -> Store:
    return Store(leaf_list(commitment, out), SECRET)
