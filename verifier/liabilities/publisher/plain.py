"""The plain kernel: hashlib for every hash, numpy for every sum; what a reader can follow line by line."""

from hashlib import sha256

import numpy as np

from verifier.inclusion.sum_tree import (
    HASH_BYTES,
    SALT_BYTES,
    UNIT_BYTES,
    SumError,
    leaf_state,
    node_state,
)
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Bytes, Ids, id_lengths

_BLOCK = 64


def leaf_records(key: bytes, run_id: str, ids: Ids, units: Bytes, part: int = 0) -> Bytes:
    """Hash accounts into leaf records, as `Kernel` says, with every constant prefix hashed once."""
    number = part.to_bytes(2, "big")
    inner_state = sha256(bytes(byte ^ 0x36 for byte in key.ljust(_BLOCK, b"\0")))
    inner_state.update(number)
    inner = inner_state.copy
    outer = sha256(bytes(byte ^ 0x5C for byte in key.ljust(_BLOCK, b"\0"))).copy
    leaf = leaf_state(run_id).copy
    data, starts, amounts, width = ids.data.tobytes(), ids.starts.tolist(), units.tobytes(), units.shape[1]
    id_lengths(ids)
    positions: list[bytes] = []
    leaves: list[bytes] = []
    place_at, leaf_at = positions.append, leaves.append
    begin, row = starts[0], 0
    for end in starts[1:]:
        account = data[begin:end]
        state = inner()
        state.update(account)
        keyed = outer()
        keyed.update(state.digest())
        salted = keyed.digest()
        place_at(salted[SALT_BYTES:])
        state = leaf()
        length = (end - begin).to_bytes(4, "big")
        state.update(b"".join((salted[:SALT_BYTES], number, length, account, amounts[row : row + width])))
        leaf_at(state.digest())
        begin, row = end, row + width
    count = len(units)
    records = np.empty((count, POSITION_BYTES + HASH_BYTES + width), dtype=np.uint8)
    middle = POSITION_BYTES + HASH_BYTES
    records[:, :POSITION_BYTES] = np.frombuffer(b"".join(positions), dtype=np.uint8).reshape(count, POSITION_BYTES)
    records[:, POSITION_BYTES:middle] = np.frombuffer(b"".join(leaves), dtype=np.uint8).reshape(count, HASH_BYTES)
    records[:, middle:] = units
    return records


def parents(nodes: Bytes) -> Bytes:
    """Join nodes two by two; two neighbours lie side by side, so their bytes are the message as it is."""
    count, width = len(nodes) // 2, nodes.shape[1]
    raw, copy = nodes.tobytes(), node_state().copy
    digests = []
    for start in range(0, len(raw), 2 * width):
        state = copy()
        state.update(raw[start : start + 2 * width])
        digests.append(state.digest())
    above = np.empty((count, width), dtype=np.uint8)
    above[:, :HASH_BYTES] = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(count, HASH_BYTES)
    above[:, HASH_BYTES:] = _sums(nodes[:, HASH_BYTES:])
    return above


def _sums(units: Bytes) -> Bytes:
    """Add neighbouring rows of 128-bit numbers as pairs of 64-bit words with carry."""
    words = (
        np.ascontiguousarray(units)
        .view(">u8")
        .reshape(len(units) // 2, 2, units.shape[1] // UNIT_BYTES, 2)
        .astype(np.uint64)
    )
    high, low = words[..., 0], words[..., 1]
    low_sum = low[:, 0] + low[:, 1]
    carry = (low_sum < low[:, 0]).astype(np.uint64)
    partial = high[:, 0] + high[:, 1]
    high_sum = partial + carry
    if np.any(partial < high[:, 0]) or np.any(high_sum < partial):
        raise SumError("a sum exceeds 2^128 - 1 base units")
    out = np.empty((*low_sum.shape, 2), dtype=">u8")
    out[..., 0], out[..., 1] = high_sum, low_sum
    return out.view(np.uint8).reshape(len(out), units.shape[1])
