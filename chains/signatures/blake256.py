"""BLAKE-256, the hash function of Decred: the finalist of the SHA-3 competition, which is not BLAKE2."""

from struct import pack, unpack

_MASK = 0xFFFFFFFF
_ROUNDS = 14
_START: tuple[int, ...] = (
    *(0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A),
    *(0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19),
)
_CONSTANTS = (
    *(0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0, 0x082EFA98, 0xEC4E6C89),
    *(0x452821E6, 0x38D01377, 0xBE5466CF, 0x34E90C6C, 0xC0AC29B7, 0xC97C50DD, 0x3F84D5B5, 0xB5470917),
)
_ORDER = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
_COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
_DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def blake256(data: bytes) -> bytes:
    """Return 32 bytes. Source: SHA-3 proposal BLAKE, version 1.3 (14 rounds, no salt)."""
    padding = b"\x81" if len(data) % 64 == 55 else b"\x80" + bytes(-(len(data) + 10) % 64) + b"\x01"
    whole = data + padding + pack(">Q", len(data) * 8)
    state = _START
    for end in range(64, len(whole) + 1, 64):
        hashed = min(end, len(data)) if end - 64 < len(data) else 0  # a block of padding alone counts no bits
        state = _compress(state, unpack(">16I", whole[end - 64 : end]), hashed * 8)
    return pack(">8I", *state)


def _compress(state: tuple[int, ...], block: tuple[int, ...], bits: int) -> tuple[int, ...]:
    low, high = bits & _MASK, bits >> 32
    counter = (0, 0, 0, 0, low, low, high, high)
    v = [*state, *(constant ^ part for constant, part in zip(_CONSTANTS[:8], counter, strict=True))]
    for number in range(_ROUNDS):
        order = _ORDER[number % len(_ORDER)]
        for step, places in enumerate(_COLUMNS + _DIAGONALS):
            _mix(v, places, block, order[2 * step], order[2 * step + 1])
    return tuple(start ^ v[place] ^ v[place + 8] for place, start in enumerate(state))


def _mix(v: list[int], places: tuple[int, ...], block: tuple[int, ...], first: int, second: int) -> None:
    a, b, c, d = places
    v[a] = v[a] + v[b] + (block[first] ^ _CONSTANTS[second]) & _MASK
    v[d] = _rotated(v[d] ^ v[a], 16)
    v[c] = v[c] + v[d] & _MASK
    v[b] = _rotated(v[b] ^ v[c], 12)
    v[a] = v[a] + v[b] + (block[second] ^ _CONSTANTS[first]) & _MASK
    v[d] = _rotated(v[d] ^ v[a], 8)
    v[c] = v[c] + v[d] & _MASK
    v[b] = _rotated(v[b] ^ v[c], 7)


def _rotated(word: int, bits: int) -> int:
    return word >> bits | word << 32 - bits & _MASK
