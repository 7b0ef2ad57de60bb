"""Numbers, amounts and scripts as a Bitcoin node packs them in its set of unspent coins.

Three encodings that look alike and are not: CompactSize (first byte tells the width), VARINT (7 bits a byte, most
significant first, each continued byte counts one more, so that every number has one form) and the compressed amount
(decimal zeros counted instead of stored). Source: Bitcoin Core, src/serialize.h and src/compressor.cpp.
"""

from chains.errors import IdentifierError

PRIME = 2**256 - 2**32 - 977  # of the field of secp256k1
SPECIAL_KINDS = 6  # kinds 0 to 5 have their own short form; a longer number is the raw length plus this
MAX_SCRIPT = 10_000  # what is longer cannot be spent, and nodes do not keep it


def pack_varint(number: int) -> bytes:
    """Return a VARINT."""
    digits = [number & 0x7F]
    while number > 0x7F:
        number = (number >> 7) - 1
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def pack_compact_size(number: int) -> bytes:
    """Return a CompactSize in its only allowed, shortest form."""
    if number < 0xFD:
        return bytes([number])
    if number <= 0xFFFF:
        return b"\xfd" + number.to_bytes(2, "little")
    if number <= 0xFFFF_FFFF:
        return b"\xfe" + number.to_bytes(4, "little")
    return b"\xff" + number.to_bytes(8, "little")


def compress_amount(units: int) -> int:
    """Return the number a node stores for an amount in base units."""
    if units == 0:
        return 0
    zeros = 0
    while units % 10 == 0 and zeros < 9:
        units //= 10
        zeros += 1
    if zeros == 9:
        return 10 * (units - 1) + 10
    rest, digit = divmod(units, 10)
    return 10 * (9 * rest + digit - 1) + zeros + 1


def expand_amount(number: int) -> int:
    """Return the base units a stored number stands for."""
    if number == 0:
        return 0
    rest, zeros = divmod(number - 1, 10)
    if zeros == 9:
        return int((rest + 1) * 10**9)
    rest, digit = divmod(rest, 9)
    return int((10 * rest + digit + 1) * 10**zeros)


def payload_size(kind: int) -> int:
    """Return how many bytes follow a script's kind."""
    if kind < 2:
        return 20
    return 32 if kind < SPECIAL_KINDS else kind - SPECIAL_KINDS


def compress_script(script: bytes) -> bytes:
    """Return a script's stored form: its kind as VARINT and what follows."""
    kind, payload = _special_form(script)
    return pack_varint(kind) + payload


def raw_form(script: bytes) -> bytes:
    """Return the form that does without compression; for a script with a short form no node writes it."""
    return pack_varint(len(script) + SPECIAL_KINDS) + script


def expand_script(kind: int, payload: bytes) -> bytes:
    """Return the script of a kind and its payload.

    Raises IdentifierError for an uncompressed public key that lies on no curve point.
    """
    if kind >= SPECIAL_KINDS:
        return payload
    if kind == 0:
        return b"\x76\xa9\x14" + payload + b"\x88\xac"
    if kind == 1:
        return b"\xa9\x14" + payload + b"\x87"
    if kind < 4:
        return b"\x21" + bytes([kind]) + payload + b"\xac"
    ordinate = curve_ordinate(int.from_bytes(payload, "big"), odd=kind == 5)
    if ordinate is None:
        raise IdentifierError(f"the public key's abscissa {payload.hex()} belongs to no point of secp256k1")
    return b"\x41\x04" + payload + ordinate.to_bytes(32, "big") + b"\xac"


def curve_ordinate(abscissa: int, *, odd: bool) -> int | None:
    """Return the y of the point with this x and parity, None when there is none. Source: SEC 2, secp256k1."""
    if abscissa >= PRIME:
        return None
    square = (pow(abscissa, 3, PRIME) + 7) % PRIME
    root = pow(square, (PRIME + 1) // 4, PRIME)
    if root * root % PRIME != square:
        return None
    return root if root & 1 == odd else PRIME - root


def _special_form(script: bytes) -> tuple[int, bytes]:
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return 0, script[3:23]
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return 1, script[2:22]
    if len(script) == 35 and script[0] == 0x21 and script[1] in (2, 3) and script[34] == 0xAC:
        return script[1], script[2:34]
    if len(script) == 67 and script[:2] == b"\x41\x04" and script[66] == 0xAC:
        odd = script[65] & 1
        ordinate = curve_ordinate(int.from_bytes(script[2:34], "big"), odd=bool(odd))
        if ordinate is not None and ordinate.to_bytes(32, "big") == script[34:66]:
            return 4 + odd, script[2:34]
    return len(script) + SPECIAL_KINDS, script
