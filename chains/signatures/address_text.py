"""Hashes and keys as the text of an address and back, where several rules need the same writing."""

from hashlib import blake2b

from Crypto.Hash import SHA512

from chains import base_codecs as codec

_BECH32_CHECKSUM = 6
_SS58_KEY, _SS58_CHECKSUM = 32, 2
_FILECOIN_CHECKSUM = 4
_CONFLUX_ALPHABET = "abcdefghjkmnprstuvwxyz0123456789"
_CONFLUX_CHECKSUM = 8


def from_bech32(text: str) -> tuple[str, bytes] | None:
    """Return the prefix and the bytes of a Bech32 text in one case, or None when it is none. Source: BIP-173."""
    lowered = text.lower()
    prefix, _, body = lowered.rpartition("1")
    if text not in (lowered, text.upper()) or not prefix or any(one not in codec.BECH32_ALPHABET for one in body):
        return None
    raw = codec.from_five_bits(map(codec.BECH32_ALPHABET.index, body[:-_BECH32_CHECKSUM]))
    return (prefix, raw) if raw is not None and codec.bech32(prefix, raw) == lowered else None


def ss58(number: int, key: bytes) -> str:
    """Return a 32-byte key as the address of network `number`. Source: Substrate documentation, SS58."""
    wide = bytes([(number & 0xFC) >> 2 | 0x40, number >> 8 | (number & 3) << 6])
    body = (bytes([number]) if number < 64 else wide) + key
    return codec.base58(body + blake2b(b"SS58PRE" + body, digest_size=64).digest()[:_SS58_CHECKSUM])


def key_of_ss58(text: str) -> bytes | None:
    """Return the 32 bytes where a key stands in an address of any network; its checksum is not compared here."""
    raw = codec.from_base58(text, 60) or b""
    key = raw[-_SS58_KEY - _SS58_CHECKSUM : -_SS58_CHECKSUM]
    return key if len(key) == _SS58_KEY else None


def conflux(prefix: str, address: bytes) -> str:
    """Return 20 bytes as the address of a network, its prefix included. Source: CIP-37."""
    return f"{prefix}:{codec.conflux(prefix, bytes(1) + address)}"


def from_conflux(prefix: str, text: str) -> bytes | None:
    """Return the 20 bytes of an address of a network in lower case, or None when it is none."""
    body = text.removeprefix(f"{prefix}:")
    if any(one not in _CONFLUX_ALPHABET for one in body):
        return None
    payload = codec.from_five_bits(map(_CONFLUX_ALPHABET.index, body[:-_CONFLUX_CHECKSUM]))
    if payload is None or len(payload) != 21 or conflux(prefix, payload[1:]) != text:
        return None
    return payload[1:]


def filecoin(protocol: int, payload: bytes, namespace: bytes = b"") -> str:
    """Return what stands behind network, protocol and namespace in an address. Source: Filecoin specification."""
    lead = bytes([protocol]) + namespace + payload
    return codec.base32(payload + blake2b(lead, digest_size=_FILECOIN_CHECKSUM).digest()).lower()


def algorand(key: bytes) -> str:
    """Return a 32-byte key as an address. Source: Algorand developer documentation, accounts."""
    return codec.base32(key + SHA512.new(key, truncate="256").digest()[-4:])


def uleb128(number: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first."""
    encoded = b""
    while number > 0x7F:
        encoded, number = encoded + bytes([number & 0x7F | 0x80]), number >> 7
    return encoded + bytes([number])
