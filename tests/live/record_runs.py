"""Record fixtures/runs anew from Bitcoin Knots and anvil: python -m tests.live.record_runs."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chains.ids import AssetId
from tests.live.anvil import harness as anvil_harness
from tests.live.bitcoind import knots_harness
from tests.live.real_sides import AnvilSide, KnotsSide
from verifier.attestation.bundle import open_bundle, seal_manifest
from verifier.demo.chain_side import ChainSide, secret_of
from verifier.demo.exchange import PlayedExchange
from verifier.demo.story import price_records_of
from verifier.run import collect
from verifier.verification import verify_bundle

RUNS = Path(__file__).resolve().parents[2] / "fixtures" / "runs"
AS_OF = "2026-11-22T00:00:00Z"
READMES = {
    "knots-anvil-pass": "An honest exchange of 200 users on Bitcoin Knots (regtest) and anvil: client pools hold"
    " exactly what users own.",
    "knots-anvil-fail": "The same exchange after it spent a quarter of one Bitcoin client wallet: the declaration is"
    " the same, the chain is not.",
}


@contextmanager
def real_exchange(users: int = 200) -> Iterator[PlayedExchange]:
    """Open the played exchange on both real nodes."""
    with knots_harness() as bitcoin, anvil_harness() as ethereum:
        bitcoin.node.mine(10)
        sides: dict[str, ChainSide] = {"bitcoin": KnotsSide(bitcoin), "ethereum": AnvilSide(ethereum)}
        btc, (eth, usd) = sides["bitcoin"].assets()[0], sides["ethereum"].assets()
        symbols: dict[AssetId, tuple[str, int]] = {btc: ("BTC", 8), eth: ("ETH", 18), usd: ("USDD", 6)}
        yield PlayedExchange.open(sides, symbols, users, AS_OF)


def spend_a_quarter(exchange: PlayedExchange) -> None:
    """Move a quarter of a client wallet to somebody else."""
    wallet = exchange.wallet("bitcoin cold 1")
    stranger = wallet.side.address(secret_of("somebody else"))
    wallet.side.send(wallet.secret, stranger, next(iter(wallet.units.values())) // 4)


def record(exchange: PlayedExchange, name: str, verdict: str) -> None:
    """Collect one run into fixtures/runs/NAME, with its README and expected verdict among the sealed parts."""
    with tempfile.TemporaryDirectory() as folder:
        declaration = exchange.publish(Path(folder) / "in", price_records_of(exchange))
        inputs = declaration.parent
        done = collect(
            declaration, exchange.providers(), Path(folder) / "run", inputs / "liabilities", inputs / "prices.json"
        )
        (done.bundle / "README.md").write_text(f"# {name}\n\n{READMES[name]}\n\nVerify it: `por verify .`\n")
        (done.bundle / "expected.json").write_text(json.dumps({"verdict": verdict}) + "\n")
        seal_manifest(done.bundle, done.case.digest)
        assert verify_bundle(done.bundle).verdict == verdict
        with open_bundle(done.bundle):
            shutil.rmtree(RUNS / name, ignore_errors=True)
            shutil.copytree(done.bundle, RUNS / name)


def main() -> None:
    with real_exchange() as exchange:
        record(exchange, "knots-anvil-pass", "pass")
        spend_a_quarter(exchange)
        record(exchange, "knots-anvil-fail", "fail")


if __name__ == "__main__":
    main()
