"""Draw proofs from a published leaf list: one row group is read, one block folded again; the rest is the saved top."""

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.commitment import Commitment
from verifier.inclusion.own_proof import check_proof
from verifier.inclusion.proof import InclusionProof, LeafProof
from verifier.inclusion.result import ProofVerdict
from verifier.inclusion.sum_tree import Node
from verifier.inclusion.wire import show
from verifier.liabilities.publisher.blocks import BLOCK_HEIGHT, BLOCK_LEAVES, levels_of, path_in, to_node
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Bytes, Engine, kernel_of, record_width
from verifier.liabilities.publisher.leaf_files import open_part, read_records
from verifier.liabilities.publisher.leaf_index import TopLevels, load_index
from verifier.liabilities.publisher.place import Place

_OPEN_PARTS = 8


class LeafList:
    """A published leaf list on disk. It needs no secret, and says nothing of whose a leaf is."""

    def __init__(self, commitment: Commitment, leaves: Place) -> None:
        self.commitment, self.leaves = commitment, leaves
        self.index = load_index(leaves, commitment.leaf_count)
        self.top = TopLevels(leaves, commitment.leaf_count, commitment.depth, len(commitment.assets))
        self._begins = [part.begin for part in self.index.parts]
        self._open = lru_cache(maxsize=_OPEN_PARTS)(self._open_part)

    def records(self, block: int) -> Bytes:
        """Return the leaf records of one block of 1,024 leaves, which neighbouring parts may share."""
        start, end = block * BLOCK_LEAVES, min((block + 1) * BLOCK_LEAVES, self.commitment.leaf_count)
        number = bisect_right(self._begins, start) - 1
        found = []
        while number < len(self._begins) and self._begins[number] < end:
            group = block - (self._begins[number] >> BLOCK_HEIGHT)
            found.append(read_records(self._open(number), [group], self.commitment.assets))
            number += 1
        records = np.concatenate(found) if len(found) > 1 else found[0]
        if len(records) != end - start:
            raise InputError(f"{self.leaves.url}: block {block} has {len(records)} leaves; expected {end - start}")
        return records

    def part_records(self, number: int) -> Bytes:
        """Return all leaf records of a part, by its number in the index."""
        file = self._open(number)
        return read_records(file, range(file.metadata.num_row_groups), self.commitment.assets)

    def prefix_records(self, prefix: int) -> Bytes:
        """Return all leaf records under a key prefix; none when no part has it."""
        for number, part in enumerate(self.index.parts):
            if part.prefix == prefix:
                return self.part_records(number)
        return np.empty((0, record_width(len(self.commitment.assets))), dtype=np.uint8)

    def leaf_hash(self, number: int, row: int) -> bytes:
        """Return the hash of one leaf of a part, by its row in it."""
        block = (self.index.parts[number].begin + row) >> BLOCK_HEIGHT
        inside = (self.index.parts[number].begin + row) % BLOCK_LEAVES
        return self.records(block)[inside, POSITION_BYTES : POSITION_BYTES + sum_tree.HASH_BYTES].tobytes()

    def block_of(self, position: bytes) -> int | None:
        """Return the number of the block in which a position would stand, or None when no part has its prefix."""
        bits = self.index.prefix_bits
        prefix = int.from_bytes(position[:2], "big") >> (16 - bits)
        for number, part in enumerate(self.index.parts):
            if part.prefix == prefix:
                metadata = self._open(number).metadata
                lowest = [
                    bytes(metadata.row_group(group).column(0).statistics.min)
                    for group in range(metadata.num_row_groups)
                ]
                return (part.begin >> BLOCK_HEIGHT) + max(bisect_right(lowest, position) - 1, 0)
        return None

    def nodes(self) -> Iterator[Node]:
        """Yield every leaf from left to right."""
        for number in range(len(self.index.parts)):
            for row in self.part_records(number)[:, POSITION_BYTES:]:
                yield to_node(row)

    def path_above(self, block: int) -> Iterator[Node]:
        """Yield the siblings on the way from a block's root to the top."""
        for height in range(BLOCK_HEIGHT, self.commitment.depth):
            beside = (block >> (height - BLOCK_HEIGHT)) ^ 1
            inside = beside < self.top.count(height)
            yield self.top.node(height, beside) if inside else sum_tree.padding(height, len(self.commitment.assets))

    def _open_part(self, number: int) -> Any:
        prefix, begin, rows = self.index.parts[number]
        return open_part(self.leaves, prefix, begin, rows, self.commitment.assets)


class Store:
    """A published leaf list with the run's secret: whoever has both can hand out proofs."""

    def __init__(self, leaf_list: LeafList, secret: bytes, engine: Engine = "plain") -> None:
        self.leaf_list = leaf_list
        self.commitment = leaf_list.commitment
        self._key = sum_tree.salt_key(secret, self.commitment.run_id)
        self._kernel = kernel_of(engine)

    def prove(self, account: str) -> InclusionProof:
        """Draw one account's proof, checked by the code that users run. Raises InputError for an unknown account."""
        name = account.encode()
        leaves = tuple(self._leaf_proof(account, name, part) for part in range(self.commitment.parts))
        proof = InclusionProof(self.commitment, self.commitment.digest, account, leaves)
        result = check_proof(proof)
        if result.verdict is not ProofVerdict.ACCEPTED:
            raise InputError(f"{show(account)}: the leaf list is damaged: {result.findings[0].text}; build it again")
        return proof

    def _leaf_proof(self, account: str, name: bytes, part: int) -> LeafProof:
        salt, position = sum_tree.salt_and_position(self._key, name, part)
        block = self.leaf_list.block_of(position)
        records = self.leaf_list.records(block) if block is not None else np.empty((0, POSITION_BYTES), dtype=np.uint8)
        wanted = np.frombuffer(position, dtype=np.uint8)
        places = np.flatnonzero((records[:, :POSITION_BYTES] == wanted).all(axis=1))
        if block is None or not len(places):
            raise InputError(f"{show(account)}: no such account in run {self.commitment.run_id}")
        inside = int(places[0])
        nodes = np.ascontiguousarray(records[:, POSITION_BYTES:])
        path = (*self._path_inside(nodes, inside), *self.leaf_list.path_above(block))
        return LeafProof(salt, to_node(nodes[inside]).sums, (block << BLOCK_HEIGHT) + inside, path)

    def _path_inside(self, nodes: Bytes, inside: int) -> list[Node]:
        height = min(self.commitment.depth, BLOCK_HEIGHT)
        return path_in(levels_of(self._kernel, nodes, 0, height), inside, 0)
