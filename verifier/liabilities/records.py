"""From accounts to leaf records: where each leaf stands, its hash, and its balances, as rows of bytes."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from verifier.errors import InputError
from verifier.inclusion.sum_tree import (
    HASH_BYTES,
    MAX_ACCOUNT_BYTES,
    SALT_BYTES,
    UNIT_BYTES,
    leaf_state,
    position_state,
)

Bytes = NDArray[np.uint8]

_BLOCK = 64


def record_width(assets: int) -> int:
    """Return how many bytes a leaf record takes: position, leaf hash, each balance as 16 bytes, big-endian."""
    return 2 * HASH_BYTES + assets * UNIT_BYTES


def leaf_records(key: bytes, run_id: str, accounts: Sequence[bytes], units: bytes, assets: int) -> Bytes:
    """Hash accounts into leaf records (n × record_width), in the order given.

    `key` is the run's salt key, `accounts` the ids' UTF-8 bytes, `units` their balances row by row, each 16 bytes
    big-endian. The same rules as `sum_tree`, with every constant prefix hashed once. Raises InputError for an id that
    is empty or longer than 10,000 bytes.
    """
    inner = sha256(bytes(byte ^ 0x36 for byte in key.ljust(_BLOCK, b"\0"))).copy
    outer = sha256(bytes(byte ^ 0x5C for byte in key.ljust(_BLOCK, b"\0"))).copy
    place, leaf = position_state().copy, leaf_state(run_id).copy
    width = assets * UNIT_BYTES
    digests: list[bytes] = []
    add = digests.append
    start = 0
    for account in accounts:
        if not 0 < len(account) <= MAX_ACCOUNT_BYTES:
            raise InputError(f"an account id has {len(account):,} bytes; expected 1 to {MAX_ACCOUNT_BYTES:,}")
        state = inner()
        state.update(account)
        keyed = outer()
        keyed.update(state.digest())
        salt = keyed.digest()[:SALT_BYTES]
        state = place()
        state.update(salt + account)
        add(state.digest())
        state = leaf()
        state.update(salt + len(account).to_bytes(4, "big") + account + units[start : start + width])
        add(state.digest())
        start += width
    count = len(accounts)
    records = np.empty((count, record_width(assets)), dtype=np.uint8)
    records[:, : 2 * HASH_BYTES] = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(count, 2 * HASH_BYTES)
    records[:, 2 * HASH_BYTES :] = np.frombuffer(units, dtype=np.uint8).reshape(count, width)
    return records


def sort_records(records: Bytes) -> Bytes:
    """Return records in ascending order of position. Raises InputError when two have the same: an account twice."""
    words = np.ascontiguousarray(records[:, :HASH_BYTES]).view(">u8")
    order = np.argsort(words[:, 0], kind="stable")
    first = words[order, 0]
    if len(first) > 1 and np.any(first[1:] == first[:-1]):
        order = np.lexsort(tuple(words[:, column] for column in range(3, -1, -1)))
        ordered = words[order]
        if np.any(np.all(ordered[1:] == ordered[:-1], axis=1)):
            raise InputError("an account is listed twice")
    return records[order]
