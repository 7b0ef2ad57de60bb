"""What an engine must compute in bulk: leaves from accounts, and parents from nodes, as arrays of bytes."""

from importlib import import_module
from importlib.util import find_spec
from typing import Literal, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from chains.errors import MissingExtraError
from verifier.errors import InputError
from verifier.inclusion.sum_tree import HASH_BYTES, MAX_ACCOUNT_BYTES, SALT_BYTES, UNIT_BYTES

Bytes = NDArray[np.uint8]
Engine = Literal["plain", "fast"]

POSITION_BYTES = 32 - SALT_BYTES


class Ids(NamedTuple):
    """Account ids as UTF-8, back to back: id `n` is `data[starts[n]:starts[n + 1]]`; `starts` are int64."""

    data: Bytes
    starts: NDArray[np.int64]


class Kernel(Protocol):
    """One implementation of the hashing rules of `verifier.inclusion.sum_tree` over many rows at once."""

    def leaf_records(self, key: bytes, run_id: str, ids: Ids, units: Bytes, part: int = 0) -> Bytes:
        """Hash accounts into leaf records (n × record_width), in the order given.

        `key` is the run's salt key; `units` (n × 16·A) holds each account's balances, 16 bytes each, big-endian.
        Raises InputError for an id that is empty or longer than 10,000 bytes.
        """
        ...

    def parents(self, nodes: Bytes) -> Bytes:
        """Join an even number of nodes (n × node_width) two by two. Raises SumError when a sum exceeds 2^128 - 1."""
        ...


def record_width(assets: int) -> int:
    """Return how many bytes a leaf record takes: position, leaf hash, each balance as 16 bytes, big-endian."""
    return POSITION_BYTES + node_width(assets)


def node_width(assets: int) -> int:
    """Return how many bytes a node takes: its hash, then each asset's sum as 16 bytes, big-endian."""
    return HASH_BYTES + assets * UNIT_BYTES


def id_lengths(ids: Ids) -> NDArray[np.int64]:
    """Return how many bytes each id has. Raises InputError for an id that is empty or longer than 10,000 bytes."""
    lengths = np.diff(ids.starts)
    wrong = lengths[(lengths < 1) | (lengths > MAX_ACCOUNT_BYTES)]
    if len(wrong):
        raise InputError(f"an account id has {wrong[0]:,} bytes; expected 1 to {MAX_ACCOUNT_BYTES:,}")
    return lengths


def kernel_of(engine: Engine) -> Kernel:
    """Return an engine's kernel; both give the same bytes. Raises MissingExtraError when `fast` is not installed."""
    if engine == "fast" and find_spec("numba") is None:
        raise MissingExtraError("the fast engine needs 'numba': install reserve-verifier[fast], or take --engine plain")
    return cast(Kernel, import_module(f"verifier.liabilities.publisher.{engine}"))
