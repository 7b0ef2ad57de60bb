"""Addresses of TON: a workchain and 32 bytes, in a raw form and in two user-friendly ones."""

import base64
import re
from urllib.parse import quote, unquote

from chains.base_codecs import crc16
from chains.errors import IdentifierError
from chains.network import Network

MASTERCHAIN = -1
BOUNCEABLE, NON_BOUNCEABLE, TEST_ONLY = 0x11, 0x51, 0x80
_RAW = re.compile(r"(0|-1):([0-9a-fA-F]{64})")
_FRIENDLY = re.compile(r"[-_+/a-zA-Z0-9]{48}")


def canonical_address(network: Network, address: str) -> str:
    """Return an address in its raw form, as `0%3A` and 64 small hexadecimal digits.

    Accepts the raw form and both user-friendly forms, with or without percent signs for the letters that CAIP-10 does
    not allow (`:` is %3A, `_` is %5F, `/` is %2F, `+` is %2B). Raises IdentifierError, also for an address that says of
    itself that it is only for test networks, on another network. Source: TEP-2; CAIP-10.
    """
    workchain, account = parts_of(network, address)
    return quote(f"{workchain}:{account.hex()}", safe="")


def parts_of(network: Network, address: str) -> tuple[int, bytes]:
    """Return an address's workchain and its 32 bytes, from any spelling. Raises IdentifierError."""
    text = unquote(address[:200])
    raw = _RAW.fullmatch(text)
    return (int(raw[1]), bytes.fromhex(raw[2])) if raw else _friendly(network, text)


def _friendly(network: Network, text: str) -> tuple[int, bytes]:
    if not _FRIENDLY.fullmatch(text):
        raise IdentifierError(f"{text[:100]!r} is not a TON address (0:… with 64 hexadecimal digits, or 48 letters)")
    data = base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_"))
    if crc16(data[:34]) != int.from_bytes(data[34:], "big"):
        raise IdentifierError(f"{text!r} is not a TON address: its checksum is wrong")
    workchain = int.from_bytes(data[1:2], "big", signed=True)
    if data[0] & ~TEST_ONLY not in (BOUNCEABLE, NON_BOUNCEABLE) or workchain not in (0, MASTERCHAIN):
        raise IdentifierError(f"{text!r} is not a TON address: unknown kind or workchain {workchain}")
    if data[0] & TEST_ONLY and not network.test_network:
        raise IdentifierError(f"{text!r} is an address for test networks only; {network.name} is none")
    return workchain, data[2:34]
