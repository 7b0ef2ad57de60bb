"""The id of a Tron block, recomputed from its header."""

import re
from hashlib import sha256
from typing import Any

# Canonical JSON carries no larger number, and heights are asked for in it.
MAX_NUMBER = 2**53 - 1
_HEXADECIMAL = re.compile(r"(?:[0-9a-f]{2})*")
# Name, field number and whether it is a number, of BlockHeader.raw in java-tron's protocol buffers.
_HEADER_FIELDS = (
    ("timestamp", 1, True),
    ("txTrieRoot", 2, False),
    ("parentHash", 3, False),
    ("number", 7, True),
    ("witness_id", 8, True),
    ("witness_address", 9, False),
    ("version", 10, True),
    ("accountStateRoot", 11, False),
)


def block_id(header: Any) -> str | None:
    """Return the id of a block from its header's `raw_data` as JSON, or None when that is no header we can encode.

    The id is the SHA-256 of the header with the height in the place of the first eight bytes.
    Source: java-tron, BlockCapsule and core/Tron.proto.
    """
    if not isinstance(header, dict) or not header.keys() <= {name for name, _, _ in _HEADER_FIELDS}:
        return None
    encoded = b""
    for name, field, is_number in _HEADER_FIELDS:
        value = header.get(name, 0 if is_number else "")
        if is_number and type(value) is int and 0 <= value <= MAX_NUMBER:
            encoded += _varint(field << 3) + _varint(value) if value else b""
        elif not is_number and isinstance(value, str) and _HEXADECIMAL.fullmatch(value):
            encoded += _varint(field << 3 | 2) + _varint(len(value) // 2) + bytes.fromhex(value) if value else b""
        else:
            return None
    height: int = header.get("number", 0)
    return (height.to_bytes(8) + sha256(encoded).digest()[8:]).hex()


def _varint(number: int) -> bytes:
    encoded = b""
    while number > 127:
        encoded, number = encoded + bytes([number & 127 | 128]), number >> 7
    return encoded + bytes([number])
