"""Check a chain of block headers by itself: links, proof of work, difficulty and times; no node is asked.

What it cannot know: whether another chain has more work, and whether the last times lie in the future.
"""

import struct
from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import scrypt, sha256
from typing import NamedTuple, Self

from chains.errors import ProofError

HEADER_BYTES = 80
MEDIAN_SPAN = 11  # BIP-113
GENESIS_PARENT = bytes(32)

_FIELDS = struct.Struct("<4x32s32xII4x")


class PowRules(NamedTuple):
    """A network's rules on work: `pow_limit` is the easiest target, times are in seconds.

    `whole_period` marks Litecoin's measuring of a period from the block before its first, and its rounding.
    """

    pow_function: Callable[[bytes], bytes]
    pow_limit: int
    retargets: bool
    interval: int = 2016
    timespan: int = 14 * 86_400
    whole_period: bool = False


class Header(NamedTuple):
    """A checked header and what checking its successors needs.

    `hash` is reversed hex, `chainwork` the sum of expected hashes. `times` are those of the last up to eleven headers;
    `period_time` is the time from which the present difficulty period is measured, None when it lies before the
    start. `unmeasured` counts retargets of which for that reason only the bounds could be checked.
    """

    height: int
    hash: str
    chainwork: int
    bits: int
    times: tuple[int, ...]
    period_time: int | None
    unmeasured: int = 0

    @classmethod
    def genesis(cls, raw: bytes, rules: PowRules) -> Self:
        """Start from a genesis block's header, whose hash the caller compares with the network's."""
        return cls.checkpoint(raw, 0, rules, work_of(_target_of(_fields(raw, 0)[2], 0, rules)))

    @classmethod
    def checkpoint(cls, raw: bytes, height: int, rules: PowRules, chainwork: int = 0) -> Self:
        """Start from a header whose hash and height the caller trusts; `chainwork` counts from it when not given."""
        _, time, bits = _fields(raw, height)
        starts = height == 0 or (height % rules.interval == 0 and not rules.whole_period)
        _target_of(bits, height, rules)
        return cls(height, block_hash(raw)[::-1].hex(), chainwork, bits, (time,), time if starts else None)


def sha256d(raw: bytes) -> bytes:
    """Return the double SHA-256."""
    return sha256(sha256(raw).digest()).digest()


def scrypt_pow(raw: bytes) -> bytes:
    """Return Litecoin's proof-of-work hash of a header. Source: Litecoin Core, src/crypto/scrypt.cpp."""
    return scrypt(raw, salt=raw, n=1024, r=1, p=1, dklen=32)


block_hash = sha256d  # also where another function proves the work

BITCOIN = PowRules(sha256d, (1 << 224) - 1, retargets=True)
LITECOIN = PowRules(scrypt_pow, (1 << 236) - 1, retargets=True, timespan=302_400, whole_period=True)
REGTEST = PowRules(sha256d, (1 << 255) - 1, retargets=False)
LITECOIN_REGTEST = PowRules(scrypt_pow, (1 << 255) - 1, retargets=False)


def check_headers(headers: bytes | Iterable[bytes], rules: PowRules, start: Header) -> Header:
    """Check the headers that follow `start`, 80 bytes each, and return the last.

    Raises ProofError naming the height. Source: Bitcoin Core, src/pow.cpp and ContextualCheckBlockHeader.
    """
    height, parent, work = start.height, bytes.fromhex(start.hash)[::-1], start.chainwork
    bits, period_time, unmeasured = start.bits, start.period_time, start.unmeasured
    times, digest_of_work = deque(start.times, MEDIAN_SPAN), rules.pow_function
    target = _target_of(bits, height, rules)
    gain = work_of(target)
    for raw in _split(headers):
        height += 1
        before, time, claimed = _fields(raw, height)
        if before != parent:
            raise ProofError(f"header {height}: follows {before[::-1].hex()}, not {parent[::-1].hex()}")
        if rules.retargets and height % rules.interval == 0:  # 1. difficulty
            unmeasured += period_time is None
            bits = _next_bits(rules, bits, claimed, height, times[-1], period_time)
            period_time = times[-1] if rules.whole_period else time
            target = _target_of(bits, height, rules)
            gain = work_of(target)
        if claimed != bits:
            raise ProofError(f"header {height}: claims the difficulty {claimed:08x}; the rules ask for {bits:08x}")
        parent = block_hash(raw)  # 2. work
        digest = parent if digest_of_work is block_hash else digest_of_work(raw)
        if int.from_bytes(digest, "little") > target:
            raise ProofError(f"header {height}: {digest[::-1].hex()} does not meet the difficulty {bits:08x}")
        if len(times) >= min(MEDIAN_SPAN, height) and time <= sorted(times)[len(times) // 2]:  # 3. time
            raise ProofError(f"header {height}: its time {time} is not above the median of the {len(times)} before")
        times.append(time)
        work += gain
    return Header(height, parent[::-1].hex(), work, bits, tuple(times), period_time, unmeasured)


def next_target(rules: PowRules, target: int, took: int) -> int:
    """Return the target after a period that took so many seconds, before it is rounded to 24 bits."""
    took = max(rules.timespan // 4, min(rules.timespan * 4, took))
    # Litecoin keeps its product below 256 bits, which costs the last bit
    shift = int(rules.whole_period and target.bit_length() > rules.pow_limit.bit_length() - 1)
    return min((target >> shift) * took // rules.timespan << shift, rules.pow_limit)


@lru_cache(maxsize=4096)
def work_of(target: int) -> int:
    """Return how many hashes a header of this target takes on average."""
    return (1 << 256) // (target + 1)


def bits_of(target: int) -> int:
    """Return a target's compact form: a byte of length and 24 bits, the first of which is a sign."""
    size = (target.bit_length() + 7) // 8
    mantissa = target >> 8 * (size - 3) if size > 3 else target << 8 * (3 - size)
    if mantissa & 0x80_0000:
        mantissa >>= 8
        size += 1
    return size << 24 | mantissa


def target_of(bits: int) -> int:
    """Return the target of a compact form; 0 for one that is negative, too large or nothing."""
    size, mantissa = bits >> 24, bits & 0x7F_FFFF
    if bits & 0x80_0000:
        return 0
    target = mantissa << 8 * (size - 3) if size > 3 else mantissa >> 8 * (3 - size)
    return target if target < 1 << 256 else 0


def _target_of(bits: int, height: int, rules: PowRules) -> int:
    target = target_of(bits)
    if not 0 < target <= rules.pow_limit:
        raise ProofError(f"header {height}: the difficulty {bits:08x} is not one of this network's")
    return target


def _next_bits(rules: PowRules, bits: int, claimed: int, height: int, last: int, first: int | None) -> int:
    """Return the difficulty of a new period; of one that was not seen whole, the claimed one if it is possible."""
    target = target_of(bits)
    if first is not None:
        return bits_of(next_target(rules, target, last - first))
    easiest, hardest = (bits_of(next_target(rules, target, rules.timespan * edge // 4)) for edge in (16, 1))
    if not target_of(hardest) <= target_of(claimed) <= target_of(easiest):
        raise ProofError(f"header {height}: the difficulty {claimed:08x} is more than four times off {bits:08x}")
    return claimed


def _fields(raw: bytes, height: int) -> tuple[bytes, int, int]:
    """Return the parent's hash, time and difficulty."""
    if len(raw) != HEADER_BYTES:
        raise ProofError(f"header {height}: has {len(raw)} bytes; a header has {HEADER_BYTES}")
    parent, time, bits = _FIELDS.unpack(raw)
    return parent, time, bits


def _split(headers: bytes | Iterable[bytes]) -> Iterable[bytes]:
    if not isinstance(headers, bytes):
        return headers
    return (headers[at : at + HEADER_BYTES] for at in range(0, len(headers), HEADER_BYTES))
