"""Write a key or a hash as the text of an address: Base58, Bech32, CashAddr, Base32 and their checksums."""

import base64
from collections.abc import Iterable
from hashlib import sha256

BITCOIN_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE_ALPHABET = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
BECH32_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_STEPS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CASHADDR_STEPS = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)


def base58(data: bytes, alphabet: str = BITCOIN_ALPHABET) -> str:
    """Return bytes in Base58; each leading zero byte is the alphabet's first letter."""
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = alphabet[digit] + digits
    return alphabet[0] * (len(data) - len(data.lstrip(b"\0"))) + digits


def from_base58(text: str, longest: int = 120, alphabet: str = BITCOIN_ALPHABET) -> bytes | None:
    """Return the bytes of a Base58 text, or None when it is none."""
    if not text or len(text) > longest or any(letter not in alphabet for letter in text):
        return None
    number = 0
    for letter in text:
        number = number * 58 + alphabet.index(letter)
    return bytes(len(text) - len(text.lstrip(alphabet[0]))) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base58_check(data: bytes, alphabet: str = BITCOIN_ALPHABET) -> str:
    """Return bytes in Base58 with four bytes of double SHA-256 behind them."""
    return base58(data + sha256(sha256(data).digest()).digest()[:4], alphabet)


def from_base58_check(text: str, alphabet: str = BITCOIN_ALPHABET) -> bytes | None:
    """Return the payload of a Base58Check text, or None when the form or the checksum is wrong."""
    raw = from_base58(text, alphabet=alphabet)
    if raw is None or len(raw) < 5 or sha256(sha256(raw[:-4]).digest()).digest()[:4] != raw[-4:]:
        return None
    return raw[:-4]


def bech32(prefix: str, data: bytes, version: int | None = None) -> str:
    """Return bytes in Bech32, after a witness version if one is given (Bech32m above 0). Source: BIP-173, BIP-350."""
    digits = ([] if version is None else [version]) + five_bits(data)
    expanded = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    constant = 0x2BC830A3 if version else 1
    check = _polymod([*expanded, *digits, 0, 0, 0, 0, 0, 0], 25, _BECH32_STEPS) ^ constant
    return prefix + "1" + _letters([*digits, *(check >> 5 * (5 - place) & 31 for place in range(6))])


def cashaddr(prefix: str, payload: bytes) -> str:
    """Return a version byte and a hash as CashAddr without its prefix. Source: Bitcoin Cash CashAddr specification."""
    digits = five_bits(payload)
    lead = [ord(letter) & 31 for letter in prefix]
    check = _polymod([*lead, 0, *digits, 0, 0, 0, 0, 0, 0, 0, 0], 35, _CASHADDR_STEPS) ^ 1
    return _letters([*digits, *(check >> 5 * (7 - place) & 31 for place in range(8))])


def conflux(prefix: str, payload: bytes) -> str:
    """Return a version byte and an address in Conflux's Base32. Source: CIP-37."""
    letters = dict(zip(BECH32_ALPHABET, "abcdefghjkmnprstuvwxyz0123456789", strict=True))
    return "".join(letters[letter] for letter in cashaddr(prefix, payload))


def base32(data: bytes) -> str:
    """Return bytes in Base32 without padding. Source: RFC 4648."""
    return base64.b32encode(data).decode("ascii").rstrip("=")


def crc16(data: bytes) -> int:
    """Return the CRC-16 that Stellar and TON addresses end with (XMODEM: polynomial 0x1021, start 0)."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def five_bits(data: bytes) -> list[int]:
    """Return bytes as digits of five bits, filled up with zero bits."""
    padding = -len(data) * 8 % 5
    number = int.from_bytes(data, "big") << padding
    count = (len(data) * 8 + padding) // 5
    return [number >> 5 * place & 31 for place in range(count - 1, -1, -1)]


def from_five_bits(digits: Iterable[int]) -> bytes | None:
    """Return the bytes that digits of five bits stand for, or None when they end in a whole digit or a bit too many."""
    number = count = 0
    for digit in digits:
        number, count = number << 5 | digit, count + 1
    padding = count * 5 % 8
    if padding >= 5 or number & ((1 << padding) - 1):
        return None
    return (number >> padding).to_bytes(count * 5 // 8, "big")


def _polymod(values: Iterable[int], width: int, steps: tuple[int, ...]) -> int:
    check, mask = 1, (1 << width) - 1
    for value in values:
        top = check >> width
        check = (check & mask) << 5 ^ value
        for bit, step in enumerate(steps):
            if top >> bit & 1:
                check ^= step
    return check


def _letters(digits: Iterable[int]) -> str:
    return "".join(BECH32_ALPHABET[digit] for digit in digits)
