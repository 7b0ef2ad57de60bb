"""Read a large table of accounts, Parquet or CSV, in a stream and exactly; every doubtful cell is named."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from verifier.errors import InputError
from verifier.inclusion.amounts import parse_amount
from verifier.inclusion.commitment import TreeAsset
from verifier.inclusion.sum_tree import UNIT_BYTES, encode_sums
from verifier.inclusion.wire import show

ACCOUNT = "account"
GROUP_ROWS = 131_072


class Reject(NamedTuple):
    """A cell that is not taken: row (the first account is row 1), column and why."""

    row: int
    column: str
    reason: str


class Batch(NamedTuple):
    """Accounts as ids (UTF-8 bytes) and their base units row by row, 16 bytes each, big-endian."""

    accounts: list[bytes]
    units: bytes


def read_group(path: Path, group: int, first_row: int, assets: Sequence[TreeAsset]) -> Batch | list[Reject]:
    """Read one row group of a Parquet table; return its accounts, or every cell that is refused.

    Columns are `account` and one per symbol, in any order; amounts are whole coins as decimals, integers or plain
    decimal texts. Raises InputError for a missing, unknown or floating-point column.
    """
    table = pq.ParquetFile(path).read_row_group(group)
    _check_columns(path, table.schema, assets)
    try:
        columns = [_base_units(table[asset.symbol], asset) for asset in assets]
        return Batch(_ids(table[ACCOUNT]), _interleave(columns, len(table)))
    except _DoubtfulError:
        return _read_slowly(table, first_row, assets)


def row_groups(path: Path) -> list[int]:
    """Return the number of rows of each row group. Raises InputError when the file is no Parquet table."""
    try:
        metadata = pq.ParquetFile(path).metadata
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a Parquet table: {error}") from error
    return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]


def shard_csv(path: Path, target: Path) -> None:
    """Stream a CSV table into a Parquet file of texts, so that its parts can be read at once; nothing is judged yet.

    Raises InputError naming the fault when the file is not a UTF-8 table with one length of rows.
    """
    try:
        with path.open("rb") as file:
            names = csv.open_csv(file, read_options=csv.ReadOptions(block_size=1 << 20)).schema.names
        convert = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
        reader = csv.open_csv(path, csv.ReadOptions(block_size=1 << 24), convert_options=convert)
        with pq.ParquetWriter(target, reader.schema, compression="none", use_dictionary=False) as writer:
            for batch in reader:
                writer.write_table(pa.Table.from_batches([batch]), row_group_size=GROUP_ROWS)
    except pa.ArrowException as error:
        raise InputError(f"{path}: not a table of UTF-8 rows of one length: {error}") from error


class _DoubtfulError(Exception):
    """Some cell of a column is doubtful; the slow path says which."""


def _check_columns(path: Path, schema: pa.Schema, assets: Sequence[TreeAsset]) -> None:
    wanted = [ACCOUNT, *(asset.symbol for asset in assets)]
    missing = [name for name in wanted if name not in schema.names]
    unknown = [name for name in schema.names if name not in wanted]
    doubled = [name for name in wanted if schema.names.count(name) > 1]
    if missing or unknown or doubled:
        raise InputError(f"{path}: columns: missing {missing}, unknown {unknown}, doubled {doubled}")
    floating = [field.name for field in schema if pa.types.is_floating(field.type)]
    if floating:
        raise InputError(f"{path}: column {floating[0]!r} is floating point, which loses coins; write decimals")


def _ids(column: pa.ChunkedArray) -> list[bytes]:
    if column.null_count or not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise _DoubtfulError
    ids: list[bytes] = column.cast(pa.binary()).to_pylist()
    if b"" in ids:
        raise _DoubtfulError
    return ids


def _base_units(column: pa.ChunkedArray, asset: TreeAsset) -> bytes:
    """Return a column as 16-byte big-endian base units."""
    if column.null_count:
        raise _DoubtfulError
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        plain = rf"^[0-9]{{1,38}}(\.[0-9]{{1,{max(asset.decimals, 1)}}})?$"
        if not pc.all(pc.match_substring_regex(column, plain), min_count=0).as_py():
            raise _DoubtfulError
    try:
        exact = column.cast(pa.decimal128(38, asset.decimals)).combine_chunks()
    except pa.ArrowException as error:
        raise _DoubtfulError from error
    chunks = exact.chunks if isinstance(exact, pa.ChunkedArray) else [exact]
    parts = []
    for chunk in chunks:
        words = np.frombuffer(chunk.buffers()[1], dtype="<u8")[2 * chunk.offset : 2 * (chunk.offset + len(chunk))]
        pairs = words.reshape(-1, 2)
        if np.any(pairs[:, 1] >> np.uint64(63)):
            raise _DoubtfulError
        parts.append(pairs[:, ::-1].astype(">u8").tobytes())
    return b"".join(parts)


def _interleave(columns: list[bytes], rows: int) -> bytes:
    stacked = np.empty((rows, len(columns), UNIT_BYTES), dtype=np.uint8)
    for number, column in enumerate(columns):
        stacked[:, number] = np.frombuffer(column, dtype=np.uint8).reshape(rows, UNIT_BYTES)
    return stacked.tobytes()


def _read_slowly(table: pa.Table, first_row: int, assets: Sequence[TreeAsset]) -> Batch | list[Reject]:
    """Go through a row group cell by cell, and say what is wrong with each doubtful one."""
    rejects: list[Reject] = []
    accounts: list[bytes] = []
    units = bytearray()
    for row_number, row in enumerate(table.to_pylist(), first_row):
        account = row[ACCOUNT]
        if isinstance(account, str) and account:
            accounts.append(account.encode())
        else:
            rejects.append(Reject(row_number, ACCOUNT, "the id is empty or not a text"))
        for asset in assets:
            try:
                units += encode_sums((parse_amount(_text(row[asset.symbol]), asset.decimals),))
            except InputError as error:
                rejects.append(Reject(row_number, asset.symbol, str(error)))
    return rejects or Batch(accounts, bytes(units))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, (int, str)) else show(value)
