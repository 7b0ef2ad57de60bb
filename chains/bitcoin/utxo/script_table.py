"""A compiled hash table of stored scripts."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chains.compiled import compiled, inlined

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

_MIXER = np.uint64(0x9E37_79B9_7F4A_7C15)
_HALF = np.uint64(32)
_EIGHT = np.uint64(8)


class Wanted(NamedTuple):
    """`slots` hold a key's number + 1 or 0, `starts` bounds each key among `keys`."""

    slots: Integers
    hashes: NDArray[np.uint64]
    starts: Integers
    keys: Bytes
    seed: np.uint64


@inlined
def script_hash(data: Any, start: int, end: int, seed: Any) -> Any:
    """Mix all bytes of a stored script; who does not know the seed cannot aim at collisions."""
    mixed = seed ^ np.uint64(end - start)
    at = start
    while at + 8 <= end:
        word = np.uint64(0)
        for place in range(8):
            word |= np.uint64(data[at + place]) << np.uint64(8 * place)
        mixed = (mixed ^ word) * _MIXER
        mixed ^= mixed >> _HALF
        at += 8
    word = np.uint64(0)
    while at < end:
        word = word << _EIGHT | np.uint64(data[at])
        at += 1
    mixed = (mixed ^ word) * _MIXER
    return mixed ^ mixed >> _HALF


@inlined
def lookup(wanted: Wanted, data: Any, start: int, end: int) -> Any:
    """Return the number of the key that equals these bytes, -1 when there is none."""
    mask = len(wanted.slots) - 1
    mixed = script_hash(data, start, end, wanted.seed)
    slot = np.int64(mixed & np.uint64(mask))
    while wanted.slots[slot]:
        key = wanted.slots[slot] - 1
        first = wanted.starts[key]
        if wanted.hashes[slot] == mixed and wanted.starts[key + 1] - first == end - start:
            same = True
            for place in range(end - start):
                same &= wanted.keys[first + place] == data[start + place]
            if same:
                return key
        slot = (slot + 1) & mask
    return -1


@compiled()
def _fill(wanted: Wanted) -> None:
    mask = len(wanted.slots) - 1
    for key in range(len(wanted.starts) - 1):
        mixed = script_hash(wanted.keys, wanted.starts[key], wanted.starts[key + 1], wanted.seed)
        slot = np.int64(mixed & np.uint64(mask))
        while wanted.slots[slot]:
            slot = (slot + 1) & mask
        wanted.slots[slot] = key + 1
        wanted.hashes[slot] = mixed


def build_table(keys: Sequence[bytes]) -> Wanted:
    """Return the table of different keys, numbered as they come."""
    size = 1 << max(4, (4 * len(keys)).bit_length())
    starts = np.zeros(len(keys) + 1, dtype=np.int64)
    np.cumsum([len(key) for key in keys], out=starts[1:])
    # frombuffer over a bytearray: compiled code knows one type of array, a writable one
    joined = np.frombuffer(bytearray(b"".join(keys)) or bytearray(1), dtype=np.uint8)
    seed = np.uint64(int.from_bytes(os.urandom(8), "little"))
    table = Wanted(np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.uint64), starts, joined, seed)
    _fill(table)
    return table
