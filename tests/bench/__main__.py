"""Run every benchmark of this folder, one after the other."""

from importlib import import_module

BENCHMARKS = "readings collection proofs replay kernels publisher signatures claims utxo light_client rules log plan"

for name in BENCHMARKS.split():
    import_module(f"tests.bench.{name}").main()
