"""SHA-256's compression function for any processor (FIPS 180-4, section 6.2.2), as compiled code."""

from typing import Any

import numpy as np

from chains.compiled import internal
from verifier.liabilities.publisher.memory import load_32, store_32

# fmt: off
INITIAL = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)
CONSTANTS = (
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
    0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
    0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
    0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
    0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
    0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
)
# fmt: on
_CONSTANTS = np.array(CONSTANTS, dtype=np.uint32)
SCHEDULE_WORDS = len(CONSTANTS)


@internal
def compress(state: int, blocks: int, count: int, schedule: Any) -> None:
    """Absorb blocks into the state, 32 bytes at an address; `schedule` is room for 64 words."""
    for block in range(count):
        _expand(blocks + 64 * block, schedule)
        _absorb(state, schedule)


@internal
def _expand(block: int, schedule: Any) -> None:
    """Write the words of the 64 rounds, each with its round's constant added."""
    for t in range(16):
        schedule[t] = load_32(block + 4 * t)
    for t in range(16, 64):
        early, late = schedule[t - 15], schedule[t - 2]
        early = _rotated(early, 7) ^ _rotated(early, 18) ^ (early >> np.uint32(3))
        late = _rotated(late, 17) ^ _rotated(late, 19) ^ (late >> np.uint32(10))
        schedule[t] = np.uint32(schedule[t - 16] + early + schedule[t - 7] + late)
    for t in range(64):
        schedule[t] = np.uint32(schedule[t] + _CONSTANTS[t])


@internal
def _absorb(state: int, schedule: Any) -> None:
    a, b, c, d = load_32(state), load_32(state + 4), load_32(state + 8), load_32(state + 12)
    e, f, g, h = load_32(state + 16), load_32(state + 20), load_32(state + 24), load_32(state + 28)
    for t in range(0, 64, 8):  # after eight rounds each letter is in its own place again
        d, h = _round(a, b, c, d, e, f, g, h, schedule[t])
        c, g = _round(h, a, b, c, d, e, f, g, schedule[t + 1])
        b, f = _round(g, h, a, b, c, d, e, f, schedule[t + 2])
        a, e = _round(f, g, h, a, b, c, d, e, schedule[t + 3])
        h, d = _round(e, f, g, h, a, b, c, d, schedule[t + 4])
        g, c = _round(d, e, f, g, h, a, b, c, schedule[t + 5])
        f, b = _round(c, d, e, f, g, h, a, b, schedule[t + 6])
        e, a = _round(b, c, d, e, f, g, h, a, schedule[t + 7])
    for place, word in enumerate((a, b, c, d, e, f, g, h)):
        store_32(state + 4 * place, np.uint32(load_32(state + 4 * place) + word))


@internal
def _round(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, word: Any) -> tuple[Any, Any]:
    """Return what one round makes of `d` and `h`; the other letters only move on."""
    chosen = g ^ (e & (f ^ g))
    first = h + (_rotated(e, 6) ^ _rotated(e, 11) ^ _rotated(e, 25)) + chosen + word
    majority = (a & b) | (c & (a | b))
    second = (_rotated(a, 2) ^ _rotated(a, 13) ^ _rotated(a, 22)) + majority
    return np.uint32(d + first), np.uint32(first + second)


@internal
def _rotated(word: Any, bits: int) -> Any:
    return np.uint32(word >> np.uint32(bits)) | np.uint32(word << np.uint32(32 - bits))
