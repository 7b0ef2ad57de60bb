"""Compiled reading of the numbers a snapshot is made of; `compressed_script` says what they are."""

from typing import Any

import numpy as np

from chains.bitcoin.utxo.snapshot import MAX_OUTPUTS, UNORDERED_FROM
from chains.compiled import inlined

SHORT = -1  # the bytes end within a number


@inlined
def read_varint(data: Any, at: int, limit: int) -> tuple[int, int]:
    """Return a VARINT (`limit` + 1 for any larger one) and where it ends; SHORT when the bytes do."""
    value: Any = np.int64(0)
    while at < len(data):
        byte: Any = np.int64(data[at])
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return min(value, limit + 1), at
        value += 1
        if value > limit >> 7:
            return limit + 1, at
    return 0, SHORT


@inlined
def read_compact_size(data: Any, at: int) -> tuple[int, int]:
    """Return a CompactSize and where it ends; -1 when it is not in its shortest form."""
    if at >= len(data):
        return 0, SHORT
    first: Any = np.int64(data[at])
    if first < 0xFD:
        return first, at + 1
    if first == 0xFF:
        return MAX_OUTPUTS + 1, at + 1
    width = 2 if first == 0xFD else 4
    if at + width >= len(data):
        return 0, SHORT
    value: Any = np.int64(0)
    for place in range(width):
        value |= np.int64(data[at + 1 + place]) << (8 * place)
    if value < (0xFD if width == 2 else 0x1_0000):
        value = np.int64(-1)
    return value, at + 1 + width


@inlined
def key_of(index: int) -> int:
    """Return what sorts like an index's VARINT of up to three bytes."""
    if index < 128:
        return index << 16
    if index < UNORDERED_FROM:
        rest = index - 128
        return (0x80 | rest >> 7) << 16 | (rest & 0x7F) << 8
    rest = index - UNORDERED_FROM
    return (0x80 | rest >> 14) << 16 | (0x80 | rest >> 7 & 0x7F) << 8 | rest & 0x7F


@inlined
def compare(left: Any, data: Any, at: int) -> Any:
    """Return how the transaction id at `at` compares with `left`: positive when it comes after."""
    for place in range(32):
        if data[at + place] != left[place]:
            return np.int64(data[at + place]) - np.int64(left[place])
    return 0


@inlined
def units_of(number: int, most: int) -> int:
    """Return the amount a stored number stands for, `most` + 1 when it is larger than that."""
    if number == 0:
        return 0
    rest, zeros = (number - 1) // 10, (number - 1) % 10
    amount = rest + 1 if zeros == 9 else rest // 9 * 10 + rest % 9 + 1
    for _ in range(zeros):
        if amount > most:
            return most + 1
        amount *= 10
    return min(amount, most + 1)
