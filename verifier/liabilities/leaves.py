"""The leaf list for a regulator: every leaf hash with its balances, without account ids and without salts."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from verifier.errors import InputError, UnavailableError
from verifier.inclusion import sum_tree, wire
from verifier.inclusion.commitment import TreeAsset
from verifier.inclusion.sum_tree import Node
from verifier.inclusion.wire import MalformedError

_LONGEST_UNITS = 39
_HASH_DIGITS = 2 * sum_tree.HASH_BYTES


def write_leaves(path: Path, assets: Sequence[TreeAsset], leaves: Iterable[Node]) -> None:
    """Write a CSV with the header `leaf,<SYMBOL>…` and one row per leaf, left to right; amounts are base units."""
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["leaf", *(asset.symbol for asset in assets)])
        writer.writerows([leaf.hash.hex(), *leaf.sums] for leaf in leaves)


def read_leaves(path: Path, assets: Sequence[TreeAsset]) -> Iterator[Node]:
    """Yield the leaves of a leaf list, one row at a time.

    Raises UnavailableError when it cannot be read, InputError naming file, row and what was expected.
    """
    header = ",".join(["leaf", *(asset.symbol for asset in assets)])
    longest = max(len(header), _HASH_DIGITS + len(assets) * (1 + _LONGEST_UNITS)) + 1
    try:
        with path.open("rb") as file:
            if file.readline(longest + 1) != f"{header}\n".encode("ascii"):
                raise InputError(f"{path}:1: expected the header {header[:200]!r}, as the commitment's assets say")
            row = 1
            while line := file.readline(longest + 1):
                row += 1
                yield _leaf(line, len(assets), f"{path}:{row}")
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error


def _leaf(line: bytes, assets: int, where: str) -> Node:
    if not line.endswith(b"\n") or not line.isascii():
        raise InputError(f"{where}: the row is cut off, too long or not ASCII")
    cells = line[:-1].decode("ascii").split(",")
    if len(cells) != assets + 1:
        raise InputError(f"{where}: {len(cells)} cells; expected {assets + 1}")
    try:
        sums = wire.read_amounts(cells[1:], f"{where}:amounts", assets)
        return Node(wire.read_hex(cells[0], f"{where}:leaf", sum_tree.HASH_BYTES), sums)
    except MalformedError as error:
        raise InputError(str(error)) from error
