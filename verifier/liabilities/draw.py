"""Draw leaves that neither the exchange nor the auditor can choose: from a public beacon that came after the digest."""

from collections.abc import Iterator
from hashlib import shake_256
from typing import Any, NamedTuple

from verifier.errors import InputError

MAX_DRAWN = 100_000
_DOMAIN = b"reserve-verifier/audit-sample/1\0"
_WORD = 8


class Drawn(NamedTuple):
    """A leaf that was drawn: its number, hash and balances; and where the books are there, whose it is.

    `row` is the account's place in the books, `booked` what they say it is owed, both in base units of the whole
    account, which may stand in several leaves.
    """

    number: int
    leaf: str
    units: tuple[int, ...]
    account: str | None = None
    row: int | None = None
    booked: tuple[int, ...] | None = None

    def to_record(self) -> dict[str, Any]:
        """Return the leaf as JSON values; amounts are base units as decimal texts."""
        booked = None if self.booked is None else [str(units) for units in self.booked]
        return self._asdict() | {"units": [str(units) for units in self.units], "booked": booked}


def draw_leaves(beacon: str, digest: str, leaf_count: int, count: int) -> list[int]:
    """Return `count` different leaf numbers below `leaf_count`, in the order drawn; all of them when there are fewer.

    The stream is SHAKE-256(domain ‖ beacon ‖ 0 ‖ digest), read as 64-bit big-endian words; a word from the incomplete
    last round of `leaf_count` is passed over, so that each leaf is as likely as any other. `beacon` is the text that
    was published after the digest, for instance a block hash. Raises InputError for an empty beacon or a count outside
    1 … 100,000.
    """
    if not beacon.strip():
        raise InputError("the beacon is empty; take a public value that came after the digest, such as a block hash")
    if not 1 <= count <= MAX_DRAWN:
        raise InputError(f"{count:,} leaves to draw; expected 1 to {MAX_DRAWN:,}")
    if count >= leaf_count:
        return list(range(leaf_count))
    drawn: dict[int, None] = {}
    for word in _words(beacon, digest):
        if word < (1 << 64) // leaf_count * leaf_count:
            drawn[word % leaf_count] = None
        if len(drawn) == count:
            break
    return list(drawn)


def _words(beacon: str, digest: str) -> Iterator[int]:
    stream = shake_256(_DOMAIN + beacon.strip().encode() + b"\0" + digest.encode())
    size = 1024
    done = 0
    while True:
        raw = stream.digest(size * _WORD)
        for place in range(done * _WORD, size * _WORD, _WORD):
            yield int.from_bytes(raw[place : place + _WORD], "big")
        done, size = size, 2 * size
