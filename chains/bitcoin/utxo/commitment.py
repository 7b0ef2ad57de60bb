"""The hashes by which a node vouches for its set of coins, taken beside the reading of a snapshot."""

from array import array
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from types import TracebackType
from typing import Self

from chains.bitcoin.utxo.muhash import MODULUS, digest_of, product_of
from chains.bitcoin.utxo.snapshot import HEADERLESS, Batch, Snapshot
from chains.errors import ProofError


class Commitments:
    """Hash batches of coins in order (`hash_serialized`) or without (`muhash`), in up to `workers` threads.

    Raises ProofError when a muhash is asked for of the older format, whose nodes have none to compare with.
    """

    def __init__(self, snapshot: Snapshot, workers: int, *, ordered: bool, unordered: bool, fast: bool) -> None:
        if unordered and snapshot.version == HEADERLESS:
            raise ProofError(
                f"{snapshot.path.name}: nodes that write this older format offer no muhash to compare with"
            )
        self._older, self._count = snapshot.version == HEADERLESS, snapshot.coin_count
        self._ordered, self._unordered, self._fast = ordered, unordered, fast
        self._hash = sha256(bytes.fromhex(snapshot.base_hash)[::-1] if self._older else b"")
        self._product = 1
        # one thread alone keeps the order
        self._hashers = ThreadPoolExecutor(1) if ordered and workers > 1 else None
        self._multipliers = ThreadPoolExecutor(workers) if unordered and workers > 1 else None
        self._hashing: deque[Future[None]] = deque()
        self._multiplying: deque[Future[int]] = deque()
        self._workers = max(workers, 1)
        self._ahead = 2 * self._workers  # batches in memory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for pool in (self._hashers, self._multipliers):
            if pool:
                pool.shutdown(cancel_futures=True)

    def add(self, batch: Batch) -> None:
        """Take the next coins."""
        if self._ordered and batch.serial:
            if self._hashers:
                self._hashing.append(self._hashers.submit(self._hash.update, batch.serial))
                self._collect(self._ahead)
            else:
                self._hash.update(batch.serial)
        if self._unordered and batch.serial:
            if self._multipliers:
                for part in _parts(batch, self._workers):
                    self._multiplying.append(self._multipliers.submit(self._product_of, part))
                self._collect(self._ahead)
            else:
                self._product = self._product * self._product_of(batch) % MODULUS

    def finish(self) -> tuple[str | None, str | None]:
        """Return both hashes in the node's reversed hex, None for what was not asked for."""
        self._collect(0)
        if self._older and self._count:
            self._hash.update(b"\x00")  # closes the last transaction
        ordered = sha256(self._hash.digest()).digest()[::-1].hex() if self._ordered else None
        return ordered, digest_of(self._product) if self._unordered else None

    def _collect(self, ahead: int) -> None:
        """Wait until at most `ahead` batches are under way."""
        while len(self._hashing) > ahead:
            self._hashing.popleft().result()
        while len(self._multiplying) > ahead:
            self._product = self._product * self._multiplying.popleft().result() % MODULUS

    def _product_of(self, batch: Batch) -> int:
        if self._fast:
            from chains.bitcoin.utxo.muhash_fast import product_of_members

            return product_of_members(batch.serial, batch.ends)
        return product_of(_members(batch))


def _members(batch: Batch) -> Iterator[bytes]:
    start = 0
    for end in batch.ends:
        yield batch.serial[start:end]
        start = end


def _parts(batch: Batch, count: int) -> Iterator[Batch]:
    """Split a batch into `count` of about as many coins."""
    begin = first = 0
    for part in range(1, count + 1):
        last = len(batch.ends) * part // count
        if last > first:
            ends = array("q", (end - begin for end in batch.ends[first:last]))
            yield Batch([], batch.serial[begin : batch.ends[last - 1]], ends)
            first, begin = last, batch.ends[last - 1]
