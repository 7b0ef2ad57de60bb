"""MuHash in compiled code (extra `fast`): numbers of 48 words of 64 bits, the same results as `muhash`."""

from array import array
from hashlib import sha256
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from chains.bitcoin.utxo.muhash import MODULUS
from chains.compiled import compiled, inlined

_WORDS = 48
_REST = np.uint64(2**3072 - MODULUS)
_ZERO, _LOW, _HALF = np.uint64(0), np.uint64(0xFFFF_FFFF), np.uint64(32)
_CONSTANTS = np.frombuffer(b"expand 32-byte k", dtype="<u4").astype(np.uint32)  # RFC 8439


def _upper_half(typing: Any, left: Any, right: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(argument, wide) for argument in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), emit


upper_half: Any = intrinsic(_upper_half)


@inlined
def _quarter(state: Any, a: int, b: int, c: int, d: int) -> None:
    """Mix four words. Source: RFC 8439, 2.1."""
    state[a] += state[b]
    mixed = state[d] ^ state[a]
    state[d] = mixed << np.uint32(16) | mixed >> np.uint32(16)
    state[c] += state[d]
    mixed = state[b] ^ state[c]
    state[b] = mixed << np.uint32(12) | mixed >> np.uint32(20)
    state[a] += state[b]
    mixed = state[d] ^ state[a]
    state[d] = mixed << np.uint32(8) | mixed >> np.uint32(24)
    state[c] += state[d]
    mixed = state[b] ^ state[c]
    state[b] = mixed << np.uint32(7) | mixed >> np.uint32(25)


@inlined
def _stream(key: Any, state: Any, number: Any) -> None:
    """Write ChaCha20's first 384 bytes under a key of eight words, as 48 words."""
    for block in range(6):
        for place in range(4):
            state[place] = _CONSTANTS[place]
            state[12 + place] = np.uint32(block if place == 0 else 0)
        for place in range(8):
            state[4 + place] = key[place]
        for _ in range(10):
            for column in range(4):
                _quarter(state, column, column + 4, column + 8, column + 12)
            for column in range(4):
                _quarter(state, column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12)
        for pair in range(8):
            # sums of 32-bit words are 64 bits wide here
            low = np.uint64(state[2 * pair] + _start_word(key, block, 2 * pair)) & _LOW
            high = np.uint64(state[2 * pair + 1] + _start_word(key, block, 2 * pair + 1))
            number[8 * block + pair] = low | high << _HALF


@inlined
def _start_word(key: Any, block: int, place: int) -> Any:
    if place < 4:
        return _CONSTANTS[place]
    if place < 12:
        return key[place - 4]
    return np.uint32(block if place == 12 else 0)


@inlined
def _fold(wide: Any, product: Any, carry: Any) -> Any:
    """Write the lower 48 words plus `_REST` times what lies above; return what lies above that."""
    for place in range(_WORDS):
        low, high = wide[_WORDS + place] * _REST, upper_half(wide[_WORDS + place], _REST)
        low += carry
        high += np.uint64(low < carry)
        low += wide[place]
        high += np.uint64(low < wide[place])
        product[place], carry = low, high
    return carry


@inlined
def _multiply(product: Any, number: Any, wide: Any) -> None:
    """Multiply `product` in place, modulo the prime but for less than one multiple."""
    wide[:] = _ZERO
    for row in range(_WORDS):
        factor, carry = product[row], _ZERO
        for place in range(_WORDS):
            low, high = factor * number[place], upper_half(factor, number[place])
            low += carry
            high += np.uint64(low < carry)
            before = wide[row + place]
            low += before
            wide[row + place], carry = low, high + np.uint64(low < before)
        wide[row + _WORDS] = carry
    carry = _fold(wide, product, _ZERO)
    while carry:
        low, high = carry * _REST, upper_half(carry, _REST)
        carry = _ZERO
        for place in range(_WORDS):
            product[place] += low
            low = high + np.uint64(product[place] < low)
            high = _ZERO
        carry = low


@compiled()
def _product(keys: Any, product: Any) -> None:
    number, wide = np.zeros(_WORDS, dtype=np.uint64), np.zeros(2 * _WORDS, dtype=np.uint64)
    state = np.zeros(16, dtype=np.uint32)
    for row in range(len(keys)):
        _stream(keys[row], state, number)
        _multiply(product, number, wide)


def product_of_members(serial: bytes, ends: "array[int]") -> int:
    """Return the product of the numbers of all members, which lie one after the other up to their `ends`."""
    view, start, digests = memoryview(serial), 0, []
    for end in ends:
        digests.append(sha256(view[start:end]).digest())
        start = end
    keys = np.frombuffer(b"".join(digests), dtype="<u4").astype(np.uint32).reshape(-1, 8)
    product = np.zeros(_WORDS, dtype=np.uint64)
    product[0] = 1
    _product(keys, product)
    return int.from_bytes(product.astype("<u8").tobytes(), "little") % MODULUS
