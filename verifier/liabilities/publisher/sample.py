"""A synthetic table of accounts with the shape of an exchange's: most balances zero, the rest log-normal, ids long."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from verifier.errors import InputError
from verifier.inclusion.amounts import format_amount
from verifier.inclusion.commitment import TreeAsset
from verifier.liabilities.publisher.table import ACCOUNT, to_units
from verifier.liabilities.publisher.words import Words, plus_word, product

BATCH_ROWS = 131_072
_KEPT_DECIMALS = 4
_LARGEST_SCALE = 18


class Coin(NamedTuple):
    """How one asset is held: the median balance of those who hold any, in 10^-4 coins, and of how many per mille."""

    asset: TreeAsset
    median: int
    holders: int


COINS = (
    Coin(TreeAsset("bip122:000000000019d6689c085ae165831e93/slip44:0", "BTC", 8), 30, 450),
    Coin(TreeAsset("eip155:1/slip44:60", "ETH", 18), 500, 400),
    Coin(TreeAsset("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7", "USDT", 6), 800_000, 600),
    Coin(TreeAsset("xrpl:0/slip44:144", "XRP", 6), 3_000_000, 300),
    Coin(TreeAsset("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501", "SOL", 9), 8_000, 250),
    Coin(TreeAsset("eip155:1/erc20:0x95ad61b0a150d79219dcf64e1e6cc01f0b64c4ce", "SHIB", 18), 10**10, 150),
    Coin(TreeAsset("eip155:56/slip44:714", "BNB", 18), 1_500, 200),
    Coin(TreeAsset("swift:0/iso4217:JPY", "JPY", 0), 200_000_000, 350),
)


def write_sample(path: Path, users: int, assets: int, seed: int, progress: Callable[[str, int, int], None]) -> Path:
    """Write a table of so many users and assets, and beside it the asset table; return the latter's path.

    The same numbers give the same table. Raises InputError for a file name that is neither .csv nor .parquet.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise InputError(f"{path}: expected a name that ends in .parquet or .csv")
    coins = [_coin(number) for number in range(assets)]
    table = path.with_suffix(".assets.json")
    table.write_text(json.dumps([coin.asset._asdict() for coin in coins], indent=2) + "\n", "utf-8")
    draw = np.random.default_rng(seed)
    partial = path.with_name(f"{path.name}.partial")
    with _writer(kind, partial, coins) as writer:
        for start in range(0, users, BATCH_ROWS):
            count = min(BATCH_ROWS, users - start)
            writer.write_table(_batch(draw, start, count, coins))
            progress("accounts made", start + count, users)
    partial.replace(path)
    return table


def _coin(number: int) -> Coin:
    if number < len(COINS):
        return COINS[number]
    asset = TreeAsset(f"eip155:1/erc20:0x{number:040x}", f"TOKEN{number}", (6, 8, 18)[number % 3])
    return Coin(asset, 100_000, max(1, 400 // number))


def _batch(draw: np.random.Generator, start: int, count: int, coins: list[Coin]) -> pa.Table:
    tails = draw.integers(0, 1 << 62, count).tolist()
    columns = [pa.array([f"{number:011d}-{tail:016x}" for number, tail in enumerate(tails, start)])]
    for coin in coins:
        kind = pa.decimal128(38, coin.asset.decimals)
        words = _balances(draw, count, coin)[:, ::-1].astype("<u8")
        columns.append(pa.Decimal128Array.from_buffers(kind, count, [None, pa.py_buffer(np.ascontiguousarray(words))]))
    return pa.Table.from_arrays(columns, [ACCOUNT, *(coin.asset.symbol for coin in coins)])


def _balances(draw: np.random.Generator, count: int, coin: Coin) -> Words:
    """Return base units as pairs: a log-normal number of 10^-4 coins, with random digits below it."""
    leading = np.minimum(draw.lognormal(np.log(coin.median), 2.5, count), 2.0**60).astype(np.uint64)
    scale = 10 ** min(max(coin.asset.decimals - _KEPT_DECIMALS, 0), _LARGEST_SCALE)
    if coin.asset.decimals < _KEPT_DECIMALS:
        leading //= np.uint64(10 ** (_KEPT_DECIMALS - coin.asset.decimals))
    holds = draw.integers(0, 1000, count) < coin.holders
    tails = draw.integers(0, scale, count).astype(np.uint64)
    balances = plus_word(product(leading, np.full(count, scale, dtype=np.uint64)), tails)
    return balances * holds[:, None].astype(np.uint64)


class _CsvWriter:
    """Write a table as text, by moving the point; Arrow would write small amounts with an exponent."""

    def __init__(self, path: Path, coins: list[Coin]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._coins = coins
        self._file.write(",".join([ACCOUNT, *(coin.asset.symbol for coin in coins)]) + "\n")

    def __enter__(self) -> "_CsvWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write_table(self, table: pa.Table) -> None:
        columns = [table[ACCOUNT].to_pylist()]
        for coin in self._coins:
            places = coin.asset.decimals
            units = [to_units(value, places) for value in table[coin.asset.symbol].to_pylist()]
            columns.append([format_amount(value, places) for value in units])
        self._file.writelines(",".join(row) + "\n" for row in zip(*columns, strict=True))


def _writer(kind: str, path: Path, coins: list[Coin]) -> Any:
    if kind == ".csv":
        return _CsvWriter(path, coins)
    fields = [(coin.asset.symbol, pa.decimal128(38, coin.asset.decimals)) for coin in coins]
    return pq.ParquetWriter(path, pa.schema([(ACCOUNT, pa.string()), *fields]), use_dictionary=False)
