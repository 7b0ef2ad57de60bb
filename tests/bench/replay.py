"""Replay time of a bundle with 10,000 wallets, against the share that is only reading and hashing its files."""

import sys
import tempfile
import time
from pathlib import Path

from chains.ids import AssetId
from chains.providers import Providers
from tests.chains.simulated_evm import CHAIN, SimulatedNode
from verifier.attestation.bundle import open_bundle
from verifier.canonical import canonical_json
from verifier.run import collect
from verifier.verification import verify_bundle

ETH = AssetId(f"{CHAIN}/slip44:60")


def declare(wallets: int) -> bytes:
    return canonical_json(
        {
            "format": "reserve-verifier/declaration/1",
            "exchange": {"name": "Benchmark", "id": "benchmark.example"},
            "as_of": "2026-01-02T00:00:00Z",
            "assets": [{"asset": ETH, "symbol": "ETH", "decimals": 18}],
            "wallets": [
                {"account": f"{CHAIN}:0x{number:040x}", "assets": [ETH], "pool": "client-cold"}
                for number in range(1, wallets + 1)
            ],
        }
    )


def main(wallets: int = 10_000) -> None:
    with tempfile.TemporaryDirectory() as name, SimulatedNode().provider("benchmark") as provider:
        folder = Path(name)
        (folder / "declaration.json").write_bytes(declare(wallets))
        started = time.perf_counter()
        collect(folder / "declaration.json", Providers((provider,), 1), folder / "run")
        collected = time.perf_counter() - started
        opened, replayed = [], []
        for _ in range(5):
            started = time.perf_counter()
            with open_bundle(folder / "run"):
                opened.append(time.perf_counter() - started)
            started = time.perf_counter()
            verify_bundle(folder / "run", ("model-basic", "jp-psa-63-11"))
            replayed.append(time.perf_counter() - started)
    base = min(opened)
    sys.stdout.write(
        f"\nReplay of a bundle with {wallets:,} wallets, two packs\n"
        f"  compare every part with the manifest {base * 1000:8.1f} ms   1.0 x\n"
        f"  replay, judge                        {min(replayed) * 1000:8.1f} ms {min(replayed) / base:5.1f} x\n"
        f"  collect (loopback node)              {collected * 1000:8.1f} ms {collected / base:5.1f} x\n"
        f"  wallets replayed and judged per second {wallets / min(replayed):,.0f}\n"
    )


if __name__ == "__main__":
    main()
