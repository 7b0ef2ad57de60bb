"""The fast kernel: the plain one's bytes from compiled code, by the processor's SHA instructions where it has them.

`POR_SHA=portable` in the environment does without those instructions.
"""

import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from verifier.errors import InputError
from verifier.inclusion.sum_tree import HASH_BYTES, UNIT_BYTES, SumError, tag_prefix
from verifier.liabilities.publisher import rows, sha_ni
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Bytes, Ids, id_lengths
from verifier.liabilities.publisher.portable import INITIAL, SCHEDULE_WORDS


class FastKernel(NamedTuple):
    """The kernel on one of its two paths; `native` is the one over the processor's SHA instructions."""

    native: bool

    def leaf_records(self, key: bytes, run_id: str, ids: Ids, units: Bytes, part: int = 0) -> Bytes:
        """Hash accounts into leaf records, as `Kernel` says."""
        count, width = units.shape
        longest = _longest(ids, count)
        prefix = tag_prefix("leaf") + len(run_id.encode()).to_bytes(2, "big") + run_id.encode()
        number = int(np.uint16(part))  # raises OverflowError where two bytes do not hold it
        records = np.empty((count, POSITION_BYTES + HASH_BYTES + width), dtype=np.uint8)
        if count:
            pads = (bytes(byte ^ pad for byte in key.ljust(rows.BLOCK, b"\0")) for pad in (0x36, 0x5C))
            begins = np.concatenate([self._state_after(block) for block in (*pads, prefix)])
            rows.hash_leaves(
                self.native,
                _flat(ids.data),
                np.require(ids.starts, np.int64, ["C", "A"]),
                _flat(units),
                number,
                begins,
                np.frombuffer(prefix, dtype=np.uint8),
                records.reshape(-1),
                np.empty(rows.work_bytes(longest + width), dtype=np.uint8),
                _schedule(),
            )
        return records

    def parents(self, nodes: Bytes) -> Bytes:
        """Join nodes two by two, as `Kernel` says."""
        count, width = nodes.shape
        if count % 2 or width < HASH_BYTES or width % UNIT_BYTES:
            raise InputError(f"{count} nodes of {width} bytes cannot be joined two by two")
        above = np.empty((count // 2, width), dtype=np.uint8)
        start, work = self._state_after(tag_prefix("node")), np.empty(rows.work_bytes(0), dtype=np.uint8)
        if rows.join(self.native, _flat(nodes), width, start, above.reshape(-1), work, _schedule()):
            raise SumError("a sum exceeds 2^128 - 1 base units")
        return above

    def _state_after(self, message: bytes) -> Bytes:
        """Return SHA-256's state after the whole blocks of a message, as 32 bytes."""
        state = np.array(INITIAL, dtype=">u4").view(np.uint8)
        blocks = np.frombuffer(message, dtype=np.uint8, count=len(message) // rows.BLOCK * rows.BLOCK)
        rows.advance(self.native, state, blocks, _schedule())
        return state


def _longest(ids: Ids, count: int) -> int:
    """Return the most bytes an id has. Raises InputError, for compiled code reads wherever it is told to."""
    lengths = id_lengths(ids)
    if len(ids.starts) != count + 1 or ids.starts[0] < 0 or ids.starts[-1] > len(ids.data):
        raise InputError(f"{count} rows of balances do not fit {len(lengths)} ids in {len(ids.data)} bytes")
    return int(lengths.max(initial=0))


def _flat(array: Bytes) -> Bytes:
    return np.ascontiguousarray(array).reshape(-1)


def _schedule() -> NDArray[np.uint32]:
    return np.empty(SCHEDULE_WORDS, dtype=np.uint32)


KERNEL = FastKernel(native=sha_ni.available() and os.environ.get("POR_SHA") != "portable")
leaf_records = KERNEL.leaf_records
parents = KERNEL.parents
