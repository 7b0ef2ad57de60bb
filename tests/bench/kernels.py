"""The publisher's kernels on rows of eight assets and one core, beside what OpenSSL hashes in bulk."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from os import environ
from typing import NamedTuple

import numpy as np

from verifier.liabilities.publisher import fast, plain, sha_ni
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Bytes, Ids, Kernel

ASSETS, RUNS = 8, 5
KEY, RUN = bytes(range(32)), "bench"
# Without the block of the tag, which is hashed once: 320 bytes and their padding; a block each for HMAC's inner and
# outer message, then run id, salt, part number, id and balances in three.
BLOCKS_PER_PARENT, BLOCKS_PER_LEAF = 6, 5

START = """
import time
started = time.perf_counter()
import numpy
from verifier.liabilities.publisher import kernels, plain
before = time.perf_counter()
kernel = kernels.kernel_of("fast")
kernel.parents(numpy.zeros((2, 160), dtype=numpy.uint8))
print(time.perf_counter() - before)
"""


class Measured(NamedTuple):
    """What one kernel does in a second."""

    name: str
    rows: float
    blocks: float


def bulk_blocks() -> float:
    """Return B: how many 64-byte blocks OpenSSL hashes in a second on one core."""
    command = ["openssl", "speed", "-seconds", "2", "-evp", "sha256", "-bytes", "16384"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.findall(r"([0-9.]+)k", told)[-1]) * 1000 / 64


def table(users: int) -> tuple[Ids, Bytes]:
    """Make ids of 13 bytes, and balances below 2^120."""
    names = b"".join(b"user-%08d" % number for number in range(users))
    units = np.random.default_rng(1).integers(0, 256, (users, 16 * ASSETS), dtype=np.uint8)
    units[:, ::16] = 0
    return Ids(np.frombuffer(names, dtype=np.uint8), np.arange(users + 1, dtype=np.int64) * 13), units


def seconds(action: Callable[[], object]) -> float:
    """Return the best of several rounds: the machine's noise only ever adds."""
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return min(taken)


def measure(name: str, kernel: Kernel, users: int) -> list[Measured]:
    ids, units = table(users)
    nodes = np.ascontiguousarray(kernel.leaf_records(KEY, RUN, ids, units)[:, POSITION_BYTES:])
    joined = users // 2 / seconds(lambda: kernel.parents(nodes))
    hashed = users / seconds(lambda: kernel.leaf_records(KEY, RUN, ids, units))
    return [
        Measured(f"{name}, parents", joined, joined * BLOCKS_PER_PARENT),
        Measured(f"{name}, leaves", hashed, hashed * BLOCKS_PER_LEAF),
    ]


def starts() -> tuple[float, float]:
    """Return what import and a first call of the fast kernel take in a new process: compiled, and loaded from disk."""
    with tempfile.TemporaryDirectory() as cache:
        command, settings = [sys.executable, "-c", START], {**environ, "NUMBA_CACHE_DIR": cache}
        cold, *warm = (
            float(subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stdout)
            for _ in range(1 + RUNS)
        )
    return cold, min(warm)


def main(users: int = 1 << 18) -> None:
    bulk = bulk_blocks()
    kernels: list[tuple[str, Kernel, int]] = [
        ("plain", plain, users // 4),
        ("fast, portable", fast.FastKernel(native=False), users // 4),
    ]
    if sha_ni.available():
        kernels.append(("fast, SHA instructions", fast.FastKernel(native=True), users))
    measured = [row for name, kernel, rows in kernels for row in measure(name, kernel, rows)]
    cold, warm = starts()
    sys.stdout.write(
        f"\nKernels of the publisher, {ASSETS} assets, one core, sums included\n"
        f"  OpenSSL in bulk (B)                           {bulk / 1e6:6.2f} M blocks/s\n"
    )
    for name, rows, blocks in measured:
        sys.stdout.write(f"  {name:31}{rows:10,.0f} rows/s{blocks / 1e6:7.2f} M blocks/s{blocks / bulk:7.0%} of B\n")
    sys.stdout.write(f"  start of the fast kernel       {warm:9.2f} s    (when it is first compiled {cold:.1f} s)\n")


if __name__ == "__main__":
    main()
