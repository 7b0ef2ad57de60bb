"""Ethereum's list encoding (RLP), read strictly: every value has exactly one accepted encoding."""

from collections.abc import Sequence
from typing import NamedTuple

from chains.errors import ProofError


class Item(NamedTuple):
    """One element of a list: its content when it is a byte string, and its whole encoding either way."""

    content: bytes
    encoded: bytes
    is_list: bool


def encode_number(number: int) -> bytes:
    """Write a number with the fewest bytes, big-endian; zero is empty. Source: Yellow Paper, appendix B."""
    return number.to_bytes((number.bit_length() + 7) // 8)


def encode_bytes(content: bytes) -> bytes:
    """Encode one byte string."""
    if len(content) == 1 and content[0] < 0x80:
        return content
    return _prefix(0x80, len(content)) + content


def encode_list(contents: Sequence[bytes]) -> bytes:
    """Encode a flat list of byte strings."""
    payload = b"".join(encode_bytes(content) for content in contents)
    return _prefix(0xC0, len(payload)) + payload


def decode_list(encoded: bytes) -> list[Item]:
    """Split one encoded list into its elements; inner lists stay encoded. Raises ProofError unless canonical."""
    whole, end = _item(encoded, 0)
    if not whole.is_list or end != len(encoded):
        raise ProofError("not one RLP list, whole and alone")
    items, position = [], 0
    while position < len(whole.content):
        item, position = _item(whole.content, position)
        items.append(item)
    return items


def decode_bytes(encoded: bytes) -> bytes:
    """Read one encoded byte string, whole and alone. Raises ProofError unless canonical."""
    item, end = _item(encoded, 0)
    if item.is_list or end != len(encoded):
        raise ProofError("not one RLP byte string, whole and alone")
    return item.content


def decode_number(content: bytes) -> int:
    """Read a number written with the fewest bytes. Raises ProofError for leading zeros."""
    if content[:1] == b"\x00":
        raise ProofError("a number with leading zeros")
    return int.from_bytes(content)


def _prefix(kind: int, length: int) -> bytes:
    if length < 56:
        return bytes([kind + length])
    size = encode_number(length)
    return bytes([kind + 55 + len(size)]) + size


def _item(encoded: bytes, start: int) -> tuple[Item, int]:
    if start >= len(encoded):
        raise ProofError("RLP ends too early")
    first = encoded[start]
    if first < 0x80:
        return Item(encoded[start : start + 1], encoded[start : start + 1], False), start + 1
    kind = 0xC0 if first >= 0xC0 else 0x80
    begin, length = _length(encoded, start + 1, first - kind)
    end = begin + length
    if end > len(encoded):
        raise ProofError("RLP ends too early")
    content = encoded[begin:end]
    if kind == 0x80 and length == 1 and content[0] < 0x80:
        raise ProofError("RLP spells a single byte the long way")
    return Item(content, encoded[start:end], kind == 0xC0), end


def _length(encoded: bytes, begin: int, code: int) -> tuple[int, int]:
    if code < 56:
        return begin, code
    size = encoded[begin : begin + code - 55]
    length = decode_number(size)
    if len(size) != code - 55 or length < 56:
        raise ProofError("RLP spells a length the long way")
    return begin + len(size), length
