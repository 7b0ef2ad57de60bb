"""The publisher's store: sorted leaves in Parquet, a row group per block, and the blocks' roots; not the whole tree."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.check import check_proof
from verifier.inclusion.commitment import TreeAsset, load_commitment
from verifier.inclusion.proof import InclusionProof
from verifier.inclusion.result import ProofVerdict
from verifier.inclusion.sum_tree import HASH_BYTES, UNIT_BYTES
from verifier.inclusion.wire import show
from verifier.liabilities.blocks import BLOCK_HEIGHT, BLOCK_LEAVES, fold, node_width, path_in, to_node
from verifier.liabilities.places import COMMITMENT, STORE

Bytes = NDArray[np.uint8]

PARTS, TOP = "parts", "blocks.bin"
POSITION, LEAF = "position", "leaf"


def part_name(prefix: int) -> str:
    """Return the file name of one prefix's part; names sort as prefixes do."""
    return f"{prefix:06d}.parquet"


def write_part(path: Path, records: Bytes, begin: int, assets: Sequence[TreeAsset]) -> None:
    """Write sorted leaf records as Parquet, cut into row groups where the tree's blocks are; whole or not at all."""
    schema = pa.schema(
        [(POSITION, pa.binary(HASH_BYTES)), (LEAF, pa.binary(HASH_BYTES))]
        + [(asset.symbol, pa.decimal128(38, 0)) for asset in assets]
    )
    partial = path.with_suffix(".partial")
    with pq.ParquetWriter(
        partial, schema, compression="zstd", use_dictionary=False, write_statistics=[POSITION]
    ) as writer:
        start = 0
        while start < len(records):
            end = min(len(records), start + BLOCK_LEAVES - (begin + start) % BLOCK_LEAVES)
            writer.write_table(_table(records[start:end], schema))
            start = end
    partial.replace(path)


def _table(records: Bytes, schema: pa.Schema) -> pa.Table:
    count = len(records)
    fixed = [
        pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(HASH_BYTES), count, [None, pa.py_buffer(records[:, start : start + HASH_BYTES].tobytes())]
        )
        for start in (0, HASH_BYTES)
    ]
    words = np.ascontiguousarray(records[:, 2 * HASH_BYTES :]).view(">u8").reshape(count, -1, 2)[:, :, ::-1]
    little = words.astype("<u8")
    amounts = [
        pa.Decimal128Array.from_buffers(
            pa.decimal128(38, 0), count, [None, pa.py_buffer(np.ascontiguousarray(little[:, column]).tobytes())]
        )
        for column in range(little.shape[1])
    ]
    return pa.Table.from_arrays([*fixed, *amounts], schema=schema)


def save_top(store: Path, roots: Bytes) -> None:
    """Write the roots of all blocks, in order."""
    roots.tofile(store / TOP)


class Store:
    """A published tree on disk, from which proofs are drawn: one row group read, one block folded again."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        self.commitment = load_commitment(folder / COMMITMENT)
        self._key = sum_tree.salt_key(secret, self.commitment.run_id)
        store = folder / STORE
        self._parts = [pq.ParquetFile(path) for path in sorted((store / PARTS).glob("*.parquet"))]
        self._parts = [part for part in self._parts if part.metadata.num_rows]
        self._groups = [
            (bytes(group.column(0).statistics.min), part, number)
            for part in self._parts
            for number in range(part.metadata.num_row_groups)
            for group in [part.metadata.row_group(number)]
        ]
        self._lowest = [lowest for lowest, _, _ in self._groups]
        self._first = [0]
        for _, part, number in self._groups:
            self._first.append(self._first[-1] + part.metadata.row_group(number).num_rows)
        width = node_width(len(self.commitment.assets))
        levels = [np.fromfile(store / TOP, dtype=np.uint8).reshape(-1, width)]
        for level in range(BLOCK_HEIGHT, self.commitment.depth):
            levels.append(fold(levels[-1], level, 1))
        self._levels = levels

    def prove(self, account: str) -> InclusionProof:
        """Draw one account's proof. Raises InputError for an unknown account."""
        name = account.encode()
        salt = sum_tree.salt_of(self._key, name)
        position = sum_tree.position_of(salt, name)
        group = max(bisect_right(self._lowest, position) - 1, 0)
        block = self._first[group] >> BLOCK_HEIGHT  # a row group lies in one block
        records = self._block(block)
        places = np.flatnonzero((records[:, :HASH_BYTES] == np.frombuffer(position, dtype=np.uint8)).all(axis=1))
        if not len(places):
            raise InputError(f"{show(account)}: no such account in run {self.commitment.run_id}")
        inside = int(places[0])
        nodes = records[:, HASH_BYTES:]
        units = to_node(nodes[inside]).sums
        path = tuple(self._path(nodes, block, inside))
        index = (block << BLOCK_HEIGHT) + inside
        proof = InclusionProof(self.commitment, self.commitment.digest, account, salt, units, index, path)
        result = check_proof(proof)
        if result.verdict is not ProofVerdict.ACCEPTED:
            raise InputError(f"{show(account)}: the store is damaged: {result.findings[0].text}; build it again")
        return proof

    def accounts(self) -> list[str]:
        """Refuse: a store keeps no account ids. Raises InputError."""
        raise InputError("a store keeps no account ids; draw proofs one by one with --account ID")

    def leaves(self) -> Iterator[sum_tree.Node]:
        """Yield every leaf from left to right, without ids and salts."""
        for group in range(len(self._groups)):
            for row in self._read(group)[:, HASH_BYTES:]:
                yield to_node(row)

    def _path(self, nodes: Bytes, block: int, inside: int) -> list[sum_tree.Node]:
        path = path_in(nodes, inside, 0, min(self.commitment.depth, BLOCK_HEIGHT))
        for level, above in enumerate(self._levels[:-1], BLOCK_HEIGHT):
            beside = (block >> (level - BLOCK_HEIGHT)) ^ 1
            if beside < len(above):
                path.append(to_node(above[beside]))
            else:
                path.append(sum_tree.padding(level, len(self.commitment.assets)))
        return path

    def _block(self, block: int) -> Bytes:
        """Return the records of one block, which two neighbouring parts may share."""
        start = block * BLOCK_LEAVES
        group = bisect_right(self._first, start) - 1
        found = [self._read(group)]
        while self._first[group + 1] < min(start + BLOCK_LEAVES, self._first[-1]):
            group += 1
            found.append(self._read(group))
        return np.concatenate(found)

    def _read(self, group: int) -> Bytes:
        _, part, number = self._groups[group]
        table = part.read_row_group(number)
        count = len(table)
        records = np.empty((count, 2 * HASH_BYTES + UNIT_BYTES * len(self.commitment.assets)), dtype=np.uint8)
        for column, start in ((POSITION, 0), (LEAF, HASH_BYTES)):
            raw = table[column].combine_chunks()
            data = np.frombuffer(raw.buffers()[1], dtype=np.uint8)[: (raw.offset + count) * HASH_BYTES]
            records[:, start : start + HASH_BYTES] = data[raw.offset * HASH_BYTES :].reshape(count, HASH_BYTES)
        for number_of_asset, asset in enumerate(self.commitment.assets):
            raw = table[asset.symbol].combine_chunks()
            words = np.frombuffer(raw.buffers()[1], dtype="<u8")[2 * raw.offset : 2 * (raw.offset + count)]
            start = 2 * HASH_BYTES + number_of_asset * UNIT_BYTES
            big = words.reshape(count, 2)[:, ::-1].astype(">u8")
            records[:, start : start + UNIT_BYTES] = big.view(np.uint8).reshape(count, UNIT_BYTES)
        return records
