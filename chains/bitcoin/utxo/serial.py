"""Compiled writing of one coin as the node's commitments hash it; `plain` writes the same and is its reference."""

from typing import Any, NamedTuple

from chains.compiled import inlined


class Coin(NamedTuple):
    """One coin within the bytes at hand: its script's kind, and where its stored form, payload and end lie."""

    vout: int
    code: int
    units: int
    kind: int
    stored: int
    payload: int
    end: int


@inlined
def _put_number(out: Any, at: int, number: int, width: int) -> int:
    for place in range(width):
        out[at + place] = number >> (8 * place) & 0xFF
    return at + width


@inlined
def _put_compact_size(out: Any, at: int, number: int) -> int:
    if number < 0xFD:
        return _put_number(out, at, number, 1)
    out[at] = 0xFD
    return _put_number(out, at + 1, number, 2)


@inlined
def varint_size(number: int) -> int:
    """Return how many bytes a VARINT takes."""
    size = 1
    while number > 0x7F:
        number = (number >> 7) - 1
        size += 1
    return size


@inlined
def _put_varint(out: Any, at: int, number: int) -> int:
    size, rest, mark = varint_size(number), number, 0
    for place in range(size - 1, -1, -1):
        out[at + place] = rest & 0x7F | mark
        rest, mark = (rest >> 7) - 1, 0x80
    return at + size


@inlined
def _copy(out: Any, at: int, data: Any, start: int, count: int) -> int:
    for place in range(count):
        out[at + place] = data[start + place]
    return at + count


@inlined
def _put_script(out: Any, at: int, data: Any, coin: Coin) -> int:
    """Write length and script; an uncompressed public key's second half stays to be filled in."""
    start, size, kind = coin.payload, coin.end - coin.payload, coin.kind
    if kind == 0:
        out[at], out[at + 1], out[at + 2], out[at + 3] = 25, 0x76, 0xA9, 0x14
        at = _copy(out, at + 4, data, start, 20)
        out[at], out[at + 1] = 0x88, 0xAC
        return at + 2
    if kind == 1:
        out[at], out[at + 1], out[at + 2] = 23, 0xA9, 0x14
        at = _copy(out, at + 3, data, start, 20)
        out[at] = 0x87
        return at + 1
    if kind < 4:
        out[at], out[at + 1], out[at + 2] = 35, 0x21, kind
        at = _copy(out, at + 3, data, start, 32)
        out[at] = 0xAC
        return at + 1
    if kind < 6:
        out[at], out[at + 1], out[at + 2] = 67, 0x41, 0x04
        at = _copy(out, at + 3, data, start, 32) + 32
        out[at] = 0xAC
        return at + 1
    return _copy(out, _put_compact_size(out, at, size), data, start, size)


@inlined
def put_coin(out: Any, at: int, txid: Any, data: Any, coin: Coin) -> int:
    """Write a coin as `hash_serialized_3` and `muhash` take it; return where it ends."""
    at = _copy(out, at, txid, 0, 32)
    at = _put_number(out, at, coin.vout, 4)
    at = _put_number(out, at, coin.code, 4)
    at = _put_number(out, at, coin.units, 8)
    return _put_script(out, at, data, coin)


@inlined
def put_older_coin(out: Any, at: int, data: Any, coin: Coin) -> int:
    """Write a coin as `hash_serialized_2` takes it within its transaction; return where it ends."""
    at = _put_varint(out, at, coin.vout + 1)
    at = _put_script(out, at, data, coin)
    return _put_varint(out, at, coin.units)
