"""Run every benchmark of this folder, one after the other."""

from importlib import import_module

for name in ("readings", "proofs", "replay", "kernels", "publisher", "signatures", "utxo", "light_client"):
    import_module(f"tests.bench.{name}").main()
