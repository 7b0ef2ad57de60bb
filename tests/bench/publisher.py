"""The publisher on a table of a million users and eight assets, against what SHA-256 itself costs on this machine."""

import re
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from verifier.inclusion.commitment import TreeAsset
from verifier.liabilities.publish import publish
from verifier.liabilities.store import Store

DECIMALS = {"BTC": 8, "ETH": 18, "USDT": 6, "XRP": 6, "SOL": 9, "SHIB": 18, "BNB": 18, "JPY": 0}
ASSETS = tuple(
    TreeAsset(f"eip155:{n}/slip44:60", symbol, places) for n, (symbol, places) in enumerate(DECIMALS.items())
)
SECRET = bytes(range(32))
BLOCKS_PER_USER = 9


def table(path: Path, users: int) -> None:
    """Write users with 60 % zero balances; the amounts are drawn as whole base units."""
    draw = np.random.default_rng(1)
    columns = [pa.array([f"user-{number:08d}" for number in range(users)])]
    for asset in ASSETS:
        words = np.zeros((users, 2), dtype="<u8")
        words[:, 0] = draw.integers(0, 2**50, users, dtype=np.uint64) * (draw.integers(0, 10, users) < 4)
        kind = pa.decimal128(38, asset.decimals)
        columns.append(pa.Decimal128Array.from_buffers(kind, users, [None, pa.py_buffer(words.tobytes())]))
    pq.write_table(pa.Table.from_arrays(columns, ["account", *DECIMALS]), path, row_group_size=131_072)


def sha256_blocks_per_second() -> float:
    """Return B: how many 64-byte blocks one core hashes in bulk."""
    command = ["openssl", "speed", "-seconds", "2", "-evp", "sha256", "-bytes", "16384"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"([0-9.]+)k", told)
    return float(found[-1]) * 1000 / 64


def main(users: int = 1_000_000, workers: int = 2) -> None:
    blocks = sha256_blocks_per_second()
    least = BLOCKS_PER_USER * users / blocks
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name) / "table.parquet", Path(name) / "out"
        table(source, users)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = time.process_time()
        started = time.perf_counter()
        with ProcessPoolExecutor(workers) as pool:
            publish(source, ASSETS, "bench", "2026-11-22T00:00:00Z", SECRET, out, pool)
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + time.process_time() - own
        store = Store(out, SECRET)
        started = time.perf_counter()
        for number in range(0, users, users // 500):
            store.prove(f"user-{number:08d}")
        proof = (time.perf_counter() - started) / 500
    sys.stdout.write(
        f"\nPublisher, {users:,} users x {len(ASSETS)} assets, {workers} workers (B = {blocks / 1e6:.1f} M blocks/s)\n"
        f"  nothing but hashing, one core (T)    {least:8.2f} core-s    1.0 x\n"
        f"  whole build to the Parquet store     {cpu:8.2f} core-s  {cpu / least:5.1f} x   {wall:.2f} s wall,"
        f" {users / wall:,.0f} users/s\n"
        f"  worker peak                          {after.ru_maxrss // 1024:8,} MiB\n"
        f"  one proof from the store, checked    {proof * 1000:8.2f} ms\n"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
