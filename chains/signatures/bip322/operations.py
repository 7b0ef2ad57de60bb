"""What the opcodes of Bitcoin's scripts do to the stack, as a table: how many elements go, and what comes back."""

import hashlib
from collections.abc import Callable
from typing import Any

from Crypto.Hash import RIPEMD160

from chains.signatures.bip322.scripts import decode_number, encode_number, is_true
from chains.signatures.bip322.transactions import RefusedError
from chains.signatures.key_addresses import hash160

Stack = list[bytes]


def truth(value: bool) -> bytes:
    return b"\x01" if value else b""


def _hash(algorithm: Callable[[bytes], bytes]) -> tuple[int, Callable[..., tuple[bytes, ...]]]:
    return 1, lambda a: (algorithm(a),)


# opcode: number of elements taken (the last is the top), and what takes their place
_ELEMENTS: dict[int, tuple[int, Callable[..., tuple[bytes, ...]]]] = {
    0x61: (0, lambda: ()),
    0x6D: (2, lambda a, b: ()),
    0x6E: (2, lambda a, b: (a, b, a, b)),
    0x6F: (3, lambda a, b, c: (a, b, c, a, b, c)),
    0x70: (4, lambda a, b, c, d: (a, b, c, d, a, b)),
    0x71: (6, lambda a, b, c, d, e, f: (c, d, e, f, a, b)),
    0x72: (4, lambda a, b, c, d: (c, d, a, b)),
    0x73: (1, lambda a: (a, a) if is_true(a) else (a,)),
    0x75: (1, lambda a: ()),
    0x76: (1, lambda a: (a, a)),
    0x77: (2, lambda a, b: (b,)),
    0x78: (2, lambda a, b: (a, b, a)),
    0x7B: (3, lambda a, b, c: (b, c, a)),
    0x7C: (2, lambda a, b: (b, a)),
    0x7D: (2, lambda a, b: (b, a, b)),
    0x82: (1, lambda a: (a, encode_number(len(a)))),
    0x87: (2, lambda a, b: (truth(a == b),)),
    0xA6: _hash(lambda a: RIPEMD160.new(a).digest()),
    0xA7: _hash(lambda a: hashlib.sha1(a, usedforsecurity=False).digest()),
    0xA8: _hash(lambda a: hashlib.sha256(a).digest()),
    0xA9: _hash(hash160),
    0xAA: _hash(lambda a: hashlib.sha256(hashlib.sha256(a).digest()).digest()),
    0xB1: (1, lambda a: (a,)),  # the engine compares lock times
    0xB2: (1, lambda a: (a,)),
}
_NUMBERS: dict[int, tuple[int, Callable[..., Any]]] = {
    0x8B: (1, lambda a: a + 1),
    0x8C: (1, lambda a: a - 1),
    0x8F: (1, lambda a: -a),
    0x90: (1, abs),
    0x91: (1, lambda a: a == 0),
    0x92: (1, lambda a: a != 0),
    0x93: (2, lambda a, b: a + b),
    0x94: (2, lambda a, b: a - b),
    0x9A: (2, lambda a, b: bool(a and b)),
    0x9B: (2, lambda a, b: bool(a or b)),
    0x9C: (2, lambda a, b: a == b),
    0x9E: (2, lambda a, b: a != b),
    0x9F: (2, lambda a, b: a < b),
    0xA0: (2, lambda a, b: a > b),
    0xA1: (2, lambda a, b: a <= b),
    0xA2: (2, lambda a, b: a >= b),
    0xA3: (2, min),
    0xA4: (2, max),
    0xA5: (3, lambda a, b, c: b <= a < c),
}
AND_VERIFY = {0x88: 0x87, 0x9D: 0x9C, 0xAD: 0xAC, 0xAF: 0xAE}  # the opcode with VERIFY, and the one without


def apply(code: int, stack: Stack, beside: Stack) -> None:
    """Do one operation that neither branches nor checks signatures; `beside` is the alternative stack.

    Raises RefusedError `script-fails` for too few elements and for what is no such operation.
    """
    if code in _ELEMENTS:
        count, change = _ELEMENTS[code]
        stack += change(*take(stack, count))
    elif code in _NUMBERS:
        count, compute = _NUMBERS[code]
        stack.append(encode_number(int(compute(*map(decode_number, take(stack, count))))))
    elif code == 0x6B:
        beside += take(stack, 1)
    elif code == 0x6C:
        stack += take(beside, 1)
    elif code == 0x74:
        stack.append(encode_number(len(stack)))
    elif code in (0x79, 0x7A):
        _reach_down(code, stack)
    else:
        raise RefusedError("script-fails")


def take(stack: Stack, count: int) -> Stack:
    """Take elements off the top, in the order they lay. Raises RefusedError `script-fails` if there are too few."""
    if not 0 <= count <= len(stack):
        raise RefusedError("script-fails")
    taken = stack[len(stack) - count :]
    del stack[len(stack) - count :]
    return taken


def _reach_down(code: int, stack: Stack) -> None:
    (depth,) = map(decode_number, take(stack, 1))
    if not 0 <= depth < len(stack):
        raise RefusedError("script-fails")
    stack.append(stack[-1 - depth] if code == 0x79 else stack.pop(-1 - depth))
