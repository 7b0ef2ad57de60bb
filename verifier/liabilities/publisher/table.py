"""Take accounts from rows of a table exactly; every doubtful cell is named with its row, column and reason."""

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from verifier.errors import InputError
from verifier.inclusion.amounts import parse_amount
from verifier.inclusion.commitment import TreeAsset
from verifier.inclusion.sum_tree import MAX_ACCOUNT_BYTES, encode_sums
from verifier.inclusion.wire import show
from verifier.liabilities.publisher.kernels import Bytes, Ids

ACCOUNT = "account"
_LARGEST_DECIMAL = 38
_SUM_BOUND = 10**_LARGEST_DECIMAL
_WIDE = Context(prec=80)


class Reject(NamedTuple):
    """A cell that is not taken: where its row stands in the file, its column, and why."""

    row: int
    column: str
    reason: str


class Batch(NamedTuple):
    """Accounts with their base units (n × 16·A, big-endian), and each asset's total as Arrow adds the column up."""

    ids: Ids
    units: Bytes
    totals: tuple[int, ...]


def read_rows(table: pa.Table, first_row: int, assets: Sequence[TreeAsset]) -> Batch | list[Reject]:
    """Return the accounts of a table with the columns `account` and one per symbol, or every cell that is refused.

    Amounts are decimals, integers or plain decimal texts in units of 10^decimals base units.
    """
    columns, totals = np.empty((len(table), len(assets), 2), dtype=">u8"), []
    try:
        ids = _ids(table[ACCOUNT])
        for number, asset in enumerate(assets):
            exact = _exact(table[asset.symbol], asset)
            _fill(columns[:, number], exact)
            totals.append(_total(exact))
    except _DoubtfulError:
        return _read_slowly(table, first_row, assets)
    return Batch(ids, columns.view(np.uint8).reshape(len(table), -1), tuple(totals))


def id_array(ids: Ids) -> pa.Array:
    """Return ids as an Arrow array of bytes, without copying them."""
    buffers = [None, pa.py_buffer(np.ascontiguousarray(ids.starts)), pa.py_buffer(ids.data)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ids.starts) - 1, buffers)


def check_columns(where: str, schema: pa.Schema, assets: Sequence[TreeAsset]) -> None:
    """Refuse a table whose columns are not exactly the account and the assets. Raises InputError."""
    wanted = [ACCOUNT, *(asset.symbol for asset in assets)]
    missing = [name for name in wanted if name not in schema.names]
    unknown = [show(name) for name in schema.names if name not in wanted]
    doubled = sorted({name for name in wanted if schema.names.count(name) > 1})
    for fault, names in (("missing", missing), ("unknown", unknown), ("doubled", doubled)):
        if names:
            more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
            raise InputError(f"{where}: {fault} columns: {', '.join(names[:5])}{more}; the asset table decides")
    for field in schema:
        if pa.types.is_floating(field.type):
            raise InputError(f"{where}: column {field.name!r} is floating point, which loses coins; write decimals")


class _DoubtfulError(Exception):
    """Some cell of a column is doubtful; the slow path says which."""


def _ids(column: pa.ChunkedArray) -> Ids:
    if column.null_count:
        raise _DoubtfulError
    try:
        if pa.types.is_integer(column.type) or pa.types.is_binary(column.type):
            column = column.cast(pa.string())
        whole = pa.chunked_array(column.cast(pa.large_string()).chunks, pa.large_string()).combine_chunks()
        whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
        whole.validate(full=True)
    except pa.ArrowException as error:
        raise _DoubtfulError from error
    _, offsets, data = whole.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[whole.offset : whole.offset + len(whole) + 1]
    lengths = np.diff(starts)
    if np.any((lengths < 1) | (lengths > MAX_ACCOUNT_BYTES)):
        raise _DoubtfulError
    return Ids(np.frombuffer(data or b"", dtype=np.uint8), starts)


def _exact(column: pa.ChunkedArray, asset: TreeAsset) -> pa.ChunkedArray:
    """Return a column as decimals with the asset's scale: their integers are base units."""
    if column.null_count:
        raise _DoubtfulError
    try:
        if pa.types.is_binary(column.type):
            column = column.cast(pa.string())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            plain = rf"^[0-9]{{1,38}}(\.[0-9]{{1,{max(asset.decimals, 1)}}})?$"
            if not pc.all(pc.match_substring_regex(column, plain), min_count=0).as_py():
                raise _DoubtfulError
        kind = pa.decimal128(_LARGEST_DECIMAL, asset.decimals)
        return column if column.type == kind else column.cast(kind)
    except pa.ArrowException as error:
        raise _DoubtfulError from error


def _fill(target: np.ndarray[Any, np.dtype[Any]], exact: pa.ChunkedArray) -> None:
    """Write decimals as pairs (high, low) of big-endian words; Arrow keeps them as little-endian 128-bit integers."""
    begin = 0
    for chunk in exact.chunks:
        end = begin + len(chunk)
        pairs = np.frombuffer(chunk.buffers()[1], dtype="<u8")[2 * chunk.offset : 2 * (chunk.offset + len(chunk))]
        if np.any(pairs[1::2] >> np.uint64(63)):
            raise _DoubtfulError
        target[begin:end, 0], target[begin:end, 1] = pairs[1::2], pairs[::2]
        begin = end


def _total(exact: pa.ChunkedArray) -> int:
    """Add up a column by Arrow's own sum, which shares nothing with the tree's."""
    scale = exact.type.scale
    largest = to_units(pc.max(exact).as_py() or Decimal(0), scale)
    if largest * len(exact) >= _SUM_BOUND:  # a sum of 128-bit decimals wraps without a word
        exact = exact.cast(pa.decimal256(76, scale))
    total = pc.sum(exact).as_py()
    return to_units(Decimal(total or 0), exact.type.scale)


def to_units(amount: Decimal, decimals: int) -> int:
    """Return the base units of a decimal that has no more decimals than these."""
    return int(amount.scaleb(decimals, _WIDE))


def _read_slowly(table: pa.Table, first_row: int, assets: Sequence[TreeAsset]) -> Batch | list[Reject]:
    """Go through the rows cell by cell, and say what is wrong with each doubtful one."""
    rejects: list[Reject] = []
    accounts: list[bytes] = []
    units = bytearray()
    totals = [0] * len(assets)
    binary = {field.name for field in table.schema if pa.types.is_string(field.type)}
    for name in binary:
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.binary()))
    for row_number, row in enumerate(table.to_pylist(), first_row):
        try:
            accounts.append(_account(row[ACCOUNT]))
        except InputError as error:
            rejects.append(Reject(row_number, ACCOUNT, str(error)))
        for number, asset in enumerate(assets):
            try:
                value = parse_amount(_text(row[asset.symbol]), asset.decimals)
                units += encode_sums((value,))
                totals[number] += value
            except InputError as error:
                rejects.append(Reject(row_number, asset.symbol, str(error)))
    if rejects:
        return rejects
    starts = np.cumsum([0, *map(len, accounts)], dtype=np.int64)
    ids = Ids(np.frombuffer(b"".join(accounts), dtype=np.uint8), starts)
    return Batch(ids, np.frombuffer(units, dtype=np.uint8).reshape(len(table), -1), tuple(totals))


def _account(value: Any) -> bytes:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value).encode()
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes) or not value:
        raise InputError("the id is empty or not a text")
    if len(value) > MAX_ACCOUNT_BYTES:
        raise InputError(f"the id has {len(value):,} bytes; at most {MAX_ACCOUNT_BYTES:,}")
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"the id is not UTF-8 at byte {error.start + 1}") from error
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return str(value) if isinstance(value, (int, str)) else show(value)
