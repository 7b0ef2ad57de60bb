"""Numbers and bytes as Ethereum nodes write them in JSON, read strictly."""

import re
from typing import Any

from chains.errors import InvalidAnswerError

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


def quantity(value: Any, what: str) -> int:
    """Parse an unsigned number below 2^256 written as 0x and hexadecimal digits; `what` names it in the error.

    Raises InvalidAnswerError. Source: Ethereum JSON-RPC specification (leading zeros are tolerated: they cannot
    change the number).
    """
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise InvalidAnswerError(f"{what} is {_shown(value)}; expected 0x and 1 to 64 hexadecimal digits")
    return int(value, 16)


def data(value: Any, what: str, length: int | None = None) -> bytes:
    """Parse bytes written as 0x and digit pairs, `length` bytes exactly when given. Raises InvalidAnswerError."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise InvalidAnswerError(f"{what} is {_shown(value)}; expected 0x and pairs of hexadecimal digits")
    parsed = bytes.fromhex(value[2:])
    if length is not None and len(parsed) != length:
        raise InvalidAnswerError(f"{what} has {len(parsed)} bytes; expected {length}")
    return parsed


def hexadecimal(value: bytes) -> str:
    """Write bytes as 0x and lower-case digit pairs."""
    return "0x" + value.hex()


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
