"""CashAddr, the addresses of Bitcoin Cash: a type and a hash with a checksum that names the network."""

from chains.base_codecs import BECH32_ALPHABET, cashaddr, from_five_bits

_P2PKH, _P2SH = 0, 1
_TOKEN_AWARE = 2  # types 2 and 3 say that the wallet takes tokens; the script is the same
_SIZES = (20, 24, 28, 32, 40, 48, 56, 64)


def to_cashaddr(prefix: str, script: bytes) -> str | None:
    """Return the address of a scriptPubKey without its prefix, or None when it has none.

    Source: Bitcoin Cash, CashAddr specification; CHIP-2022-05 (P2SH32).
    """
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return cashaddr(prefix, bytes([_P2PKH << 3]) + script[3:23])
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return cashaddr(prefix, bytes([_P2SH << 3]) + script[2:22])
    if len(script) == 35 and script[:2] == b"\xaa\x20" and script[34:] == b"\x87":
        return cashaddr(prefix, bytes([_P2SH << 3 | _SIZES.index(32)]) + script[2:34])
    return None


def from_cashaddr(prefix: str, address: str) -> bytes | None:
    """Return the scriptPubKey of an address, with or without its prefix, or None when it is no such address.

    An address in one case is read, in mixed case refused, as the specification says.
    """
    if address not in (address.lower(), address.upper()):
        return None
    body = address.lower().removeprefix(f"{prefix}:")
    if not 34 <= len(body) <= 112 or any(letter not in BECH32_ALPHABET for letter in body):
        return None
    payload = from_five_bits(map(BECH32_ALPHABET.index, body[:-8]))
    if payload is None or cashaddr(prefix, payload) != body:
        return None
    return _script(payload[0], payload[1:])


def _script(version: int, digest: bytes) -> bytes | None:
    kind = version >> 3
    if version & 0x80 or len(digest) != _SIZES[version & 7] or kind >= 2 * _TOKEN_AWARE:
        return None
    is_script = kind % _TOKEN_AWARE == _P2SH
    if len(digest) == 20:
        return b"\xa9\x14" + digest + b"\x87" if is_script else b"\x76\xa9\x14" + digest + b"\x88\xac"
    return b"\xaa\x20" + digest + b"\x87" if is_script and len(digest) == 32 else None
