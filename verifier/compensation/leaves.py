"""The tree's leaves by columns: hashes, and what each is owed of one asset at a time, so that millions fit."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from chains.ids import AssetId
from verifier.errors import InputError
from verifier.inclusion.commitment import Commitment, load_commitment
from verifier.inclusion.sum_tree import HASH_BYTES, UNIT_BYTES, Node
from verifier.liabilities.inspect import has_leaf_list
from verifier.liabilities.leaves import read_leaves
from verifier.liabilities.places import COMMITMENT, LEAVES


class LeafColumns(Protocol):
    """A leaf list whose root was compared with the commitment elsewhere; leaves stand in the order of the tree."""

    commitment: Commitment

    def hashes(self) -> Iterator[bytes]:
        """Yield the leaves' hashes."""

    def column(self, asset: AssetId) -> Sequence[int]:
        """Return what each leaf is owed of an asset, in base units."""


def open_columns(folder: Path) -> LeafColumns:
    """Open the leaf list of a bundle's `liabilities/`. Raises InputError when there is none."""
    commitment = load_commitment(folder / COMMITMENT)
    if has_leaf_list(folder):
        return _StoredLeaves(folder, commitment)
    if (folder / LEAVES).is_file():
        nodes = list(read_leaves(folder / LEAVES, commitment.assets))
        return ListedLeaves(commitment, nodes)
    raise InputError(f"{folder}: holds no leaf list; payouts are computed leaf by leaf (publish with --leaves)")


class ListedLeaves:
    """A leaf list in memory."""

    def __init__(self, commitment: Commitment, nodes: Sequence[Node]) -> None:
        self.commitment, self._nodes = commitment, nodes

    def hashes(self) -> Iterator[bytes]:
        return (node.hash for node in self._nodes)

    def column(self, asset: AssetId) -> Sequence[int]:
        place = _place(self.commitment, asset)
        return [node.sums[place] for node in self._nodes]


class _StoredLeaves:
    """The leaf list of a large tree, read column by column."""

    def __init__(self, folder: Path, commitment: Commitment) -> None:
        from verifier.liabilities.publisher.opening import open_leaf_list

        self.commitment, self._list = commitment, open_leaf_list(folder)

    def hashes(self) -> Iterator[bytes]:
        return self._cut(0, HASH_BYTES)

    def column(self, asset: AssetId) -> Sequence[int]:
        start = HASH_BYTES + _place(self.commitment, asset) * UNIT_BYTES
        return [int.from_bytes(one) for one in self._cut(start, UNIT_BYTES)]

    def _cut(self, start: int, width: int) -> Iterator[bytes]:
        from verifier.liabilities.publisher.kernels import POSITION_BYTES

        first = POSITION_BYTES + start
        for number in range(len(self._list.index.parts)):
            cells = self._list.part_records(number)[:, first : first + width].tobytes()
            yield from (cells[at : at + width] for at in range(0, len(cells), width))


def _place(commitment: Commitment, asset: AssetId) -> int:
    return next(number for number, one in enumerate(commitment.assets) if one.asset == asset)
