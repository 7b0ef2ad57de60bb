"""Arithmetic on arrays of 128-bit unsigned integers, kept as pairs (high, low) of 64-bit words on the last axis."""

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def product(left: Words, right: Words) -> Words:
    """Multiply 64-bit words into 128-bit pairs, from the products of their 32-bit halves."""
    a, b, c, d = left >> _HALF, left & _LOW, right >> _HALF, right & _LOW
    low, middle, cross, high = b * d, a * d, b * c, a * c
    carry = (low >> _HALF) + (middle & _LOW) + (cross & _LOW)
    top = high + (middle >> _HALF) + (cross >> _HALF) + (carry >> _HALF)
    return np.stack([top, (carry << _HALF) | (low & _LOW)], axis=-1)


def plus_word(value: Words, word: Words) -> Words:
    """Add a 64-bit word to 128-bit pairs, which must have room for it."""
    low = value[..., 1] + word
    return np.stack([value[..., 0] + (low < word).astype(np.uint64), low], axis=-1)


def difference(upper: Words, lower: Words) -> Words:
    """Subtract pairs from pairs that are not smaller."""
    low = upper[..., 1] - lower[..., 1]
    borrow = (upper[..., 1] < lower[..., 1]).astype(np.uint64)
    return np.stack([upper[..., 0] - lower[..., 0] - borrow, low], axis=-1)


def scaled(value: Words, factor: Words) -> Words:
    """Return floor(value × factor / 2^64)."""
    return plus_word(product(value[..., 0], factor), product(value[..., 1], factor)[..., 0])
