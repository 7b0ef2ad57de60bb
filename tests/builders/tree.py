"""Grow a tree from leaves, whatever the rule for nodes and for an odd last one, and cut out one leaf's path."""

from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple


def h(text: str | bytes, keep: int = 64) -> str:
    return sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()[:keep]


def raw(*texts: str) -> bytes:
    return b"".join(bytes.fromhex(text) for text in texts)


def strip(amount: Decimal) -> str:
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Node(NamedTuple):
    hash: str
    sums: dict[str, Decimal]
    pad: bool = False


Join = Callable[[Node, Node, int], Node]


def add(left: dict[str, Decimal], right: dict[str, Decimal]) -> dict[str, Decimal]:
    return {coin: left.get(coin, Decimal(0)) + right.get(coin, Decimal(0)) for coin in {**left, **right}}


def copy_of(node: Node) -> Node:
    return Node(node.hash, dict.fromkeys(node.sums, Decimal(0)), True)


def grow(leaves: list[Node], join: Join, odd: Callable[[Node], Node | None], first: int = 2) -> list[list[Node]]:
    """Return the levels from the leaves to the root; `odd` makes the neighbour of a last odd node, None promotes it."""
    levels, height = [list(leaves)], first
    while len(levels[-1]) > 1:
        level = levels[-1]
        if len(level) % 2 and (neighbour := odd(level[-1])) is not None:
            level.append(neighbour)
        above = [join(left, right, height) for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) % 2:
            above.append(level[-1])
        levels.append(above)
        height += 1
    return levels


def path(levels: list[list[Node]], index: int) -> list[tuple[Node, bool, int]]:
    """Return (sibling, whether it stands left, its index) from the leaf upwards; promoted places have none."""
    found = []
    for level in levels[:-1]:
        if index ^ 1 < len(level):
            found.append((level[index ^ 1], bool(index & 1), index ^ 1))
        index //= 2
    return found
