"""The fast kernel's compiled loops: two rows at a time, each message hashed where it stands or from one small buffer.

SHA-256 states lie in memory as the 32 bytes of a digest. `work` is room for states and messages, `schedule` for the
portable compression function: nothing is allocated per row.
"""

from typing import Any

import numpy as np
from numba import types

from chains.compiled import compiled, internal
from verifier.inclusion.sum_tree import SALT_BYTES
from verifier.liabilities.publisher import memory, portable, sha_ni
from verifier.liabilities.publisher.memory import address_of, copy, load_64, store_64
from verifier.liabilities.publisher.portable import compress
from verifier.liabilities.publisher.sha_ni import compress_one, compress_two

BLOCK = 64
DIGEST = 32
_SALT = SALT_BYTES
_FIELDS = _SALT + 2 + 4  # salt, part number, length of the id
_FRONT = DIGEST - _SALT + DIGEST  # position, leaf hash
_MESSAGES = 2 * DIGEST  # where messages begin in `work`, after the states of the two rows at hand

_INPUT = types.Array(types.uint8, 1, "C", readonly=True)
_OUTPUT = types.Array(types.uint8, 1, "C")
_OFFSETS = types.Array(types.int64, 1, "C", readonly=True)
_SCHEDULE = types.Array(types.uint32, 1, "C")
_CALLEES = (memory, portable, sha_ni)


def work_bytes(longest: int) -> int:
    """Return how much `work` two rows need, whose ids and balances together have at most so many bytes."""
    # What surrounds them: the prefix's last bytes, the fields, padding, and words of 8 bytes written across the end.
    return _MESSAGES + 2 * (BLOCK + _FIELDS + longest + 2 * BLOCK)


@internal
def _absorb_one(native: bool, state: int, blocks: int, count: int, schedule: Any) -> None:
    if native:
        compress_one(state, blocks, count)
    else:
        compress(state, blocks, count, schedule)


@internal
def _absorb_two(native: bool, states: int, left: int, right: int, count: int, schedule: Any) -> None:
    if native:
        compress_two(states, left, right, count)
    else:
        compress(states, left, count, schedule)
        compress(states + DIGEST, right, count, schedule)


@internal
def _absorb_both(
    native: bool, states: int, left: int, blocks_left: int, right: int, blocks_right: int, schedule: Any
) -> None:
    """Absorb two messages side by side as far as the shorter one goes, then the rest of the longer."""
    common = min(blocks_left, blocks_right)
    _absorb_two(native, states, left, right, common, schedule)
    if blocks_left > common:
        _absorb_one(native, states, left + BLOCK * common, blocks_left - common, schedule)
    if blocks_right > common:
        _absorb_one(native, states + DIGEST, right + BLOCK * common, blocks_right - common, schedule)


@internal
def _restart(states: int, start: int) -> None:
    copy(states, start, DIGEST)
    copy(states + DIGEST, start, DIGEST)


@internal
def _pad(message: int, size: int, before: int) -> int:
    """Close a message of `size` bytes that `before` bytes precede (whole blocks); return its number of blocks."""
    blocks = (size + 72) >> 6
    last = message + BLOCK * blocks - 8
    store_64(message + size, np.uint64(0x80 << 56))
    for at in range(message + size + 8, last, 8):
        store_64(at, np.uint64(0))
    store_64(last, np.uint64(8 * (before + size)))
    return blocks


@internal
def _add(left: int, width: int, out: int) -> bool:
    """Add a node's sums and those of its neighbour, `width` bytes on; return whether one does not fit."""
    overflow = False
    for at in range(0, width - DIGEST, 16):
        low, high = load_64(left + at + 8), load_64(left + at)
        low_sum = low + load_64(left + at + 8 + width)
        partial = high + load_64(left + at + width)
        high_sum = partial + np.uint64(low_sum < low)
        overflow |= (partial < high) | (high_sum < partial)
        store_64(out + at, high_sum)
        store_64(out + at + 8, low_sum)
    return overflow


@compiled(types.void(types.boolean, _OUTPUT, _INPUT, _SCHEDULE), _CALLEES)
def advance(native: bool, state: Any, blocks: Any, schedule: Any) -> None:
    """Absorb whole blocks, at least one, into a state of 32 bytes."""
    _absorb_one(native, address_of(state), address_of(blocks), len(blocks) >> 6, schedule)


@compiled(types.boolean(types.boolean, _INPUT, types.int64, _INPUT, _OUTPUT, _OUTPUT, _SCHEDULE), _CALLEES)
def join(native: bool, nodes: Any, width: int, start: Any, above: Any, work: Any, schedule: Any) -> bool:
    """Write the parents of an even number of nodes; return whether a sum exceeds 2^128 - 1.

    `start` is the state of every node after its prefix of one block.
    """
    below, out, states = address_of(nodes), address_of(above), address_of(work)
    begin, last = address_of(start), states + _MESSAGES
    message, count = 2 * width, len(above) // width
    whole, rest = message >> 6, message & 63
    for lane in range(2):
        _pad(last + BLOCK * lane, rest, BLOCK + message - rest)
    overflow = False
    for row in range(0, count, 2):
        other = min(row + 1, count - 1)  # a last row without a companion is hashed beside itself
        left, right = below + row * message, below + other * message
        _restart(states, begin)
        _absorb_two(native, states, left, right, whole, schedule)
        copy(last, left + BLOCK * whole, rest)
        copy(last + BLOCK, right + BLOCK * whole, rest)
        _absorb_two(native, states, last, last + BLOCK, 1, schedule)
        copy(out + row * width, states, DIGEST)
        copy(out + other * width, states + DIGEST, DIGEST)
        overflow |= _add(left + DIGEST, width, out + row * width + DIGEST)
        overflow |= _add(right + DIGEST, width, out + other * width + DIGEST)
    return overflow


@internal
def _keyed_message(message: int, part: int, account: int, size: int) -> int:
    store_64(message, np.uint64(part << 48))
    copy(message + 2, account, size)
    return _pad(message, 2 + size, BLOCK)


@internal
def _close_keyed(
    native: bool, states: int, begins: int, left: int, blocks_left: int, right: int, blocks_right: int, schedule: Any
) -> None:
    """Leave HMAC's digests of two messages in the states; the messages are overwritten."""
    _restart(states, begins)
    _absorb_both(native, states, left, blocks_left, right, blocks_right, schedule)
    copy(left, states, DIGEST)
    copy(right, states + DIGEST, DIGEST)
    _pad(left, DIGEST, BLOCK)
    _pad(right, DIGEST, BLOCK)
    _restart(states, begins + DIGEST)
    _absorb_two(native, states, left, right, 1, schedule)


@internal
def _leaf_message(
    message: int, prefix: int, fixed: int, salt: int, part: int, account: int, size: int, amounts: int, width: int
) -> int:
    """Write what follows the whole blocks of the prefix of `fixed` bytes; return its number of blocks."""
    rest = fixed & 63
    copy(message, prefix + fixed - rest, rest)
    at = message + rest
    copy(at, salt, _SALT)
    store_64(at + _SALT, np.uint64(part << 48 | size << 16))
    copy(at + _FIELDS, account, size)
    copy(at + _FIELDS + size, amounts, width)
    return _pad(message, rest + _FIELDS + size + width, fixed - rest)


@internal
def _open_record(record: int, keyed: int, amounts: int, width: int) -> None:
    copy(record, keyed + _SALT, DIGEST - _SALT)
    copy(record + _FRONT, amounts, width)


@compiled(
    types.void(types.boolean, _INPUT, _OFFSETS, _INPUT, types.int64, _INPUT, _INPUT, _OUTPUT, _OUTPUT, _SCHEDULE),
    _CALLEES,
)
def hash_leaves(
    native: bool,
    ids: Any,
    starts: Any,
    units: Any,
    part: int,
    begins: Any,
    prefix: Any,
    records: Any,
    work: Any,
    schedule: Any,
) -> None:
    """Write a record (position, leaf hash, balances) for each of one or more accounts.

    `prefix` is what every leaf's message begins with. `begins` are three states: HMAC's after its inner and after its
    outer block, and that after the whole blocks of `prefix`.
    """
    count, fixed, states, begin = len(starts) - 1, len(prefix), address_of(work), address_of(begins)
    width, left = len(units) // count, states + _MESSAGES
    right = left + ((len(work) - _MESSAGES) >> 1)
    names, amounts, out, head = address_of(ids), address_of(units), address_of(records), address_of(prefix)
    for row in range(0, count, 2):
        other = min(row + 1, count - 1)  # a last row without a companion is hashed beside itself
        id_left, size_left = names + starts[row], starts[row + 1] - starts[row]
        id_right, size_right = names + starts[other], starts[other + 1] - starts[other]
        units_left, units_right = amounts + row * width, amounts + other * width
        record_left, record_right = out + row * (_FRONT + width), out + other * (_FRONT + width)
        blocks_left = _keyed_message(left, part, id_left, size_left)
        blocks_right = _keyed_message(right, part, id_right, size_right)
        _close_keyed(native, states, begin, left, blocks_left, right, blocks_right, schedule)
        _open_record(record_left, states, units_left, width)
        _open_record(record_right, states + DIGEST, units_right, width)
        blocks_left = _leaf_message(left, head, fixed, states, part, id_left, size_left, units_left, width)
        blocks_right = _leaf_message(
            right, head, fixed, states + DIGEST, part, id_right, size_right, units_right, width
        )
        _restart(states, begin + 2 * DIGEST)
        _absorb_both(native, states, left, blocks_left, right, blocks_right, schedule)
        copy(record_left + DIGEST - _SALT, states, DIGEST)
        copy(record_right + DIGEST - _SALT, states + DIGEST, DIGEST)
