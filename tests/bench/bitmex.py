"""The liabilities algorithm that BitMEX publishes, written from its description: what the publisher is compared with.

One asset, one process, plain Python: two leaves per account or more, shuffled over the tree, every node held and
written out.
"""

import csv
import random
import sys
from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import NamedTuple


class Owed(NamedTuple):
    """One account: its number, its secret nonce, and what it is owed in satoshi."""

    account: int
    nonce: bytes
    units: int


class Part(NamedTuple):
    """A share of an account's balance."""

    owner: Owed
    units: int


class Node(NamedTuple):
    """A hash, and the sum of all balances below it."""

    hash: bytes
    units: int


def little(number: int) -> bytes:
    return number.to_bytes(8, "little")


def cut(part: Part, draw: random.Random) -> tuple[Part, Part]:
    """Cut a share in two at a random place; neither is empty."""
    units = draw.randint(1, part.units - 1)
    return Part(part.owner, units), Part(part.owner, part.units - units)


def scatter(accounts: Sequence[Owed], draw: random.Random) -> list[Part]:
    """Return a power of two of shares, two per account or more, in random order; whoever is owed nothing has none.

    The largest shares are cut, round after round; where none can be cut any more, empty ones fill up.
    """
    width = 1 << (2 * len(accounts) - 1).bit_length()
    parts = [Part(owed, owed.units) for owed in accounts if owed.units]
    while len(parts) < width:
        parts.sort(key=lambda part: part.units, reverse=True)
        count = min(width - len(parts), sum(part.units > 1 for part in parts))
        if not count:
            break
        parts = [half for part in parts[:count] for half in cut(part, draw)] + parts[count:]
    parts += (Part(Owed(0, draw.randbytes(32), 0), 0) for _ in range(width - len(parts)))
    draw.shuffle(parts)
    return parts


def leaf(part: Part, height: int, place: int) -> Node:
    owner = part.owner
    key = sha256(owner.nonce + little(height) + little(owner.account)).digest()
    return Node(digest(key, little(part.units) + little(place), "sha256"), part.units)


def parent(left: Node, right: Node) -> Node:
    message = left.hash + little(left.units) + right.hash + little(right.units)
    return Node(sha256(message).digest(), left.units + right.units)


def grow(accounts: Sequence[Owed], height: int, draw: random.Random) -> list[list[Node]]:
    """Return all levels of the tree, the leaves first."""
    levels = [[leaf(part, height, place) for place, part in enumerate(scatter(accounts, draw))]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([parent(below[at], below[at + 1]) for at in range(0, len(below), 2)])
    return levels


def write_tree(path: Path, height: int, levels: list[list[Node]]) -> None:
    """Write the block height, then every node from the root down, a line each."""
    with path.open("w", encoding="ascii") as file:
        file.write(f"block_height:{height}\n")
        for level in reversed(levels):
            file.writelines(f"{node.hash.hex()},{node.units}\n" for node in level)


def read_accounts(path: Path) -> list[Owed]:
    with path.open(encoding="ascii", newline="") as file:
        return [Owed(int(account), bytes.fromhex(nonce), int(units)) for account, nonce, units in csv.reader(file)]


def write_accounts(path: Path, units: Iterable[int]) -> None:
    """Write a table of accounts to be read again: the number, a nonce, the balance."""
    draw = random.Random(1)
    with path.open("w", encoding="ascii", newline="") as file:
        csv.writer(file).writerows((number, draw.randbytes(32).hex(), held) for number, held in enumerate(units))


def main(accounts: Path, out: Path, height: int = 900_000) -> None:
    """Build the tree of a table of accounts."""
    # A guessable split would show whose leaves belong together; so would the order.
    write_tree(out, height, grow(read_accounts(accounts), height, random.SystemRandom()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
