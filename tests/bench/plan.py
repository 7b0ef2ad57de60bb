"""How long a plan takes over a large tree: python -m tests.bench.plan [USERS]."""

import resource
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from chains.ids import AssetId
from chains.model import Balance, BlockRef, Holding, Tier
from tests.verifier.cases import AS_OF, account
from verifier.case import Case, Position
from verifier.compensation.claim_tree import payouts_of, write_claims
from verifier.compensation.document import paid_assets, plan_secret
from verifier.compensation.incident import Incident
from verifier.compensation.leaves import open_columns
from verifier.compensation.plan import Division, basis_of
from verifier.compensation.strategies import STRATEGIES
from verifier.declaration import Declaration, DeclaredAsset, Exchange, Pool, Wallet
from verifier.inclusion.commitment import Commitment
from verifier.liabilities.accounts import load_assets
from verifier.liabilities.check import Liabilities
from verifier.liabilities.progress import silent
from verifier.liabilities.publisher.folder import Terms, publish_folder
from verifier.liabilities.publisher.sample import write_sample
from verifier.ownership.binding import Binding
from verifier.ownership.claims import Control, Ownership
from verifier.reserves import Placement
from verifier.snapshot import PriceQuote

ASSETS = 8
INCIDENT = Incident.model_validate(
    {
        "format": "reserve-verifier/incident/1", "id": "bench", "at": AS_OF, "currency": "JPY",
        "losses": [{"pool": "client-cold", "fraction": "1/3"}], "tiers": ["10000", "1000000"],
    }
)  # fmt: skip


def _case(owed: Commitment) -> Case:
    """Return a case with what is owed in cold wallets, a tenth as guarantee, a twentieth in the reserve fund."""
    assets = [AssetId(one.asset) for one in owed.assets]
    positions = []
    for pool, number, part in ((Pool.CLIENT_COLD, 1, 1), (Pool.GUARANTEE, 2, 10), (Pool.RESERVE_FUND, 3, 20)):
        claim = Ownership(account(number), Control.SIGNED, "eip-191", Binding.NAMED, "", 0)
        for asset, units in zip(assets, owed.totals, strict=True):
            holding = Holding(account(number), asset)
            block = BlockRef(assets[0].partition("/")[0], 1, "0x" + "22" * 32, 1_700_000_000)  # type: ignore[arg-type]
            balance = Balance(holding, units // part, block, Tier.PROVEN, ("operator",), ("evidence",))
            positions.append(Position(Placement(holding, pool, 0), balance, claim))
    declaration = Declaration(
        format="reserve-verifier/declaration/1",
        exchange=Exchange(name="Bench", id="bench.example"),
        as_of=AS_OF,
        assets=[DeclaredAsset(**one._asdict()) for one in owed.assets],
        wallets=[Wallet(account=account(1), assets=[assets[0]], pool=Pool.CLIENT_COLD)],
    )
    quotes = tuple(
        PriceQuote(asset=asset, currency="JPY", low=str(100 + place), high=str(101 + place), source="x", at=AS_OF)
        for place, asset in enumerate(assets)
    )
    totals = dict(zip(assets, owed.totals, strict=True))
    known = Liabilities(owed.digest, owed.run_id, AS_OF, owed.leaf_count, totals, Tier.PROVEN)
    return Case(
        declaration=declaration, positions=tuple(positions), overlaps=(), blocks=(), liabilities=known, prices=quotes,
        transcript="t" * 64,
    )  # fmt: skip


def main(users: int = 1_000_000) -> None:
    with tempfile.TemporaryDirectory(prefix="por-bench-plan-") as temporary:
        folder = Path(temporary)
        table = write_sample(folder / "accounts.parquet", users, ASSETS, 1, silent)
        terms = Terms(load_assets(table), "bench", AS_OF)
        built = publish_folder(str(folder / "accounts.parquet"), terms, folder / "tree")
        case = _case(built.commitment)
        started = perf_counter()
        basis = basis_of(case, INCIDENT, [])
        columns = open_columns(folder / "tree")
        division = Division(basis, columns)
        for strategy in STRATEGIES:
            found = division.by(strategy)
            print(f"  {strategy.name:22}{perf_counter() - started:8.1f} s  {_peak():6,} MiB")
        assert found is not None
        chosen, paid = found
        assets, secret = paid_assets(basis, chosen), plan_secret(case.digest, INCIDENT.to_record(), chosen.strategy)
        payouts = payouts_of(columns.hashes(), paid, assets)
        claims = write_claims(folder / "plan", payouts, users, assets, "plan-bench", AS_OF, secret)
        assert claims is not None
        seconds = perf_counter() - started
    print(f"plan: {users:,} users x {ASSETS} assets in {seconds:.1f} s, {_peak():,} MiB, {claims.leaf_count:,} paid")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
