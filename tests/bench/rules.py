"""A declaration of 100,000 wallets judged by five rulebooks after replay: seconds, and the most memory held."""

import resource
import sys
import time

from chains.ids import AccountId, AssetId
from chains.model import Balance, BlockRef, Holding, Tier
from tests.verifier.cases import AS_OF, BLOCK, CHAIN, case
from verifier.case import Case, Position
from verifier.declaration import DeclaredAsset, Pool
from verifier.liabilities.check import Liabilities
from verifier.ownership.binding import Binding
from verifier.ownership.claims import Control, Ownership
from verifier.policy.evaluate import evaluate_all
from verifier.policy.library import load_pack, pack_names
from verifier.reserves import Placement
from verifier.snapshot import PriceQuote

ASSETS = 50
PACKS = 5
POOLS = (Pool.CLIENT_COLD, Pool.CLIENT_HOT, Pool.GUARANTEE, Pool.RESERVE_FUND, Pool.PROPRIETARY)


def asset(number: int) -> AssetId:
    return AssetId(f"{CHAIN}/erc20:0x{number:040x}")


def positions(count: int, block: BlockRef) -> tuple[Position, ...]:
    """Return wallets over all pools and assets; most claims alike, every seventh missing, as in real declarations."""
    made = []
    for number in range(count):
        account = AccountId(f"{CHAIN}:0x{number:040x}")
        holding = Holding(account, asset(number % ASSETS))
        claim = Ownership(account, Control.SIGNED, "eip-191", Binding.NAMED, "", number % 40) if number % 7 else None
        balance = Balance(holding, number * 10**12, block, Tier.OBSERVED, ("operator",), (f"call-{number // 100}",))
        made.append(Position(Placement(holding, POOLS[number % len(POOLS)], 0), balance, claim))
    return tuple(made)


def large_case(count: int) -> Case:
    base = case()
    assets = [DeclaredAsset(asset=asset(number), symbol=f"T{number}", decimals=18) for number in range(ASSETS)]
    declaration = base.declaration.model_copy(update={"assets": assets})
    owed = {asset(number): count * 10**15 for number in range(ASSETS)}
    prices = tuple(
        PriceQuote(asset=asset(n), currency=c, low="100", high="101", source="bench", at=AS_OF, lookback_days=days)
        for n in range(ASSETS)
        for c in ("JPY", "KRW", "USD", "EUR", "HKD", "TRY", "THB", "SGD", "AED")
        for days in (0, 365)
    )
    liabilities = Liabilities("c" * 64, "run", AS_OF, count, owed, Tier.PROVEN)
    return base.model_copy(
        update={
            "declaration": declaration,
            "positions": positions(count, BLOCK),
            "liabilities": liabilities,
            "prices": prices,
        }
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    made = large_case(count)
    packs = [load_pack(name) for name in sorted(pack_names(), key=lambda name: -len(load_pack(name).rules))[:PACKS]]
    started = time.perf_counter()
    judgements = evaluate_all(made, packs)
    seconds = time.perf_counter() - started
    findings = sum(len(judgement.findings) for judgement in judgements)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    names = ", ".join(pack.id for pack in packs)
    print(f"{count:,} wallets, {ASSETS} assets, {len(packs)} rulebooks ({names}): {findings:,} findings")
    print(f"judged in {seconds:.1f} s; at most {memory:,.0f} MiB in the process, the case included")


if __name__ == "__main__":
    main()
