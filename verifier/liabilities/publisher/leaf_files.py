"""The leaf list of a large tree: sorted leaves in Parquet, a row group for each block of 1,024; no ids, no salts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from verifier.errors import InputError
from verifier.inclusion.commitment import TreeAsset
from verifier.inclusion.sum_tree import HASH_BYTES, UNIT_BYTES
from verifier.liabilities.publisher.blocks import BLOCK_LEAVES
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Bytes, record_width
from verifier.liabilities.publisher.place import Place

POSITION, LEAF = "_position", "_leaf"  # no symbol begins like this
_FIXED = ((POSITION, 0, POSITION_BYTES), (LEAF, POSITION_BYTES, HASH_BYTES))
_FIRST_AMOUNT = POSITION_BYTES + HASH_BYTES


def part_name(prefix: int) -> str:
    """Return the file name of one prefix's part; names sort as prefixes do."""
    return f"{prefix:06d}.parquet"


def write_part(folder: Place, prefix: int, records: Bytes, begin: int, assets: Sequence[TreeAsset]) -> None:
    """Write sorted leaf records, cut into row groups where the tree's blocks are; `begin` is the first leaf's index."""
    table = _table(records, assets)
    columns = [asset.symbol for asset in assets]
    compression = dict.fromkeys(columns, "lz4") | dict.fromkeys((POSITION, LEAF), "none")
    with (
        folder.writing(part_name(prefix)) as stream,
        pq.ParquetWriter(
            stream, table.schema, compression=compression, use_dictionary=False, write_statistics=[POSITION]
        ) as writer,
    ):
        cut = min(-begin % BLOCK_LEAVES, len(table))
        for piece in (table[:cut], table[cut:]):
            if len(piece):
                writer.write_table(piece, row_group_size=BLOCK_LEAVES)


def _table(records: Bytes, assets: Sequence[TreeAsset]) -> pa.Table:
    count = len(records)
    arrays = []
    for _, start, size in _FIXED:
        raw = pa.py_buffer(np.ascontiguousarray(records[:, start : start + size]))
        arrays.append(pa.FixedSizeBinaryArray.from_buffers(pa.binary(size), count, [None, raw]))
    for number in range(len(assets)):
        start = _FIRST_AMOUNT + number * UNIT_BYTES
        big = np.ascontiguousarray(records[:, start : start + UNIT_BYTES]).view(">u8")
        little = pa.py_buffer(np.ascontiguousarray(big[:, ::-1].astype("<u8")))
        arrays.append(pa.Decimal128Array.from_buffers(pa.decimal128(38, 0), count, [None, little]))
    return pa.Table.from_arrays(arrays, schema=_schema(assets))


def _schema(assets: Sequence[TreeAsset]) -> pa.Schema:
    amounts = [(asset.symbol, pa.decimal128(38, 0)) for asset in assets]
    return pa.schema([(POSITION, pa.binary(POSITION_BYTES)), (LEAF, pa.binary(HASH_BYTES)), *amounts])


def open_part(folder: Place, prefix: int, begin: int, rows: int, assets: Sequence[TreeAsset]) -> Any:
    """Open one part of a leaf list. Raises InputError unless it has just these rows, cut at blocks, and columns."""
    where = f"{folder.url}/{part_name(prefix)}"
    try:
        file = pq.ParquetFile(folder.open(part_name(prefix)))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{where}: not a part of a leaf list: {error}") from error
    if not file.schema_arrow.equals(_schema(assets)):
        raise InputError(f"{where}: the columns are not those of the commitment's assets")
    groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    first = min(-begin % BLOCK_LEAVES, rows)
    expected = [first] * (first > 0) + [min(BLOCK_LEAVES, rows - start) for start in range(first, rows, BLOCK_LEAVES)]
    if groups != expected:
        raise InputError(f"{where}: {sum(groups):,} leaves in {len(groups):,} groups; the index says {rows:,} leaves")
    return file


def read_records(file: Any, groups: Sequence[int], assets: Sequence[TreeAsset]) -> Bytes:
    """Read row groups of a part back into leaf records. Raises InputError when they are damaged."""
    try:
        table = file.read_row_groups(list(groups), use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"a part of the leaf list is damaged: {error}") from error
    if any(column.null_count for column in table.columns):
        raise InputError("a part of the leaf list has empty cells")
    records = np.empty((len(table), record_width(len(assets))), dtype=np.uint8)
    for name, start, size in _FIXED:
        _fill(records[:, start : start + size], table[name], size)
    words = records[:, _FIRST_AMOUNT:]
    for number, asset in enumerate(assets):
        swapped = np.empty((len(table), UNIT_BYTES), dtype=np.uint8)
        _fill(swapped, table[asset.symbol], UNIT_BYTES)
        words[:, number * UNIT_BYTES : (number + 1) * UNIT_BYTES] = swapped[:, ::-1]
    return records


def _fill(target: Bytes, column: pa.ChunkedArray, size: int) -> None:
    begin = 0
    for chunk in column.chunks:
        raw = np.frombuffer(chunk.buffers()[1], dtype=np.uint8)[
            chunk.offset * size : (chunk.offset + len(chunk)) * size
        ]
        target[begin : begin + len(chunk)] = raw.reshape(-1, size)
        begin += len(chunk)
