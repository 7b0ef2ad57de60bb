"""Two runs of one exchange: what came, what went, what was used again, and how long it took."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from chains.ids import AccountId, AssetId
from verifier.case import Case
from verifier.declaration import CLIENT_POOLS
from verifier.diff.change import Change
from verifier.diff.rulebooks import interval_of, parameter_changes
from verifier.errors import InputError
from verifier.ownership.claims import reused_claims
from verifier.policy.amounts import show_percent, show_units
from verifier.policy.eligibility import pool_amount
from verifier.policy.pack import Pack
from verifier.verdict import Verdict

SAID = 5


class RunDiff(NamedTuple):
    """Everything that differs between an earlier and a later run."""

    exchange: str
    earlier: str
    later: str
    days: int
    changes: tuple[Change, ...]

    @property
    def verdict(self) -> Verdict:
        """Return fail for an interval outside what was asked, indeterminate where something is to be explained."""
        if any(change.code == "interval" for change in self.changes):
            return Verdict.FAIL
        return Verdict.INDETERMINATE if any(change.explain for change in self.changes) else Verdict.PASS

    def with_more(self, changes: Iterable[Change]) -> "RunDiff":
        """Return the same with further changes at the end."""
        return self._replace(changes=(*self.changes, *changes))

    def to_record(self) -> dict[str, Any]:
        """Return plain JSON values."""
        changes = [change._asdict() for change in self.changes]
        return {**self._asdict(), "verdict": str(self.verdict), "changes": changes}


def compare_runs(first: Case, second: Case, shortest: int = 0, longest: int = 0, packs: Sequence[Pack] = ()) -> RunDiff:
    """Compare two runs of one exchange, in the order of their dates.

    `shortest` and `longest` are days between two attestations that a reader asks for, 0 for what the rulebooks ask.
    Raises InputError for runs of different exchanges.
    """
    if first.declaration.exchange.id != second.declaration.exchange.id:
        names = first.declaration.exchange.id, second.declaration.exchange.id
        raise InputError(f"the runs are of different exchanges: {names[0]} and {names[1]}; `por cross` compares those")
    earlier, later = sorted((first, second), key=lambda case: case.declaration.as_of)
    days = (_day(later) - _day(earlier)).days
    fewest, most = interval_of(packs, later.declaration.as_of[:10])
    changes = (
        *_interval(days, shortest or fewest, longest or most),
        *parameter_changes(packs, earlier.declaration.as_of[:10], later.declaration.as_of[:10]),
        *_assets(earlier, later),
        *_wallets(earlier, later),
        *_liabilities(earlier, later),
        *_coverage(earlier, later),
        *_signatures(earlier, later),
    )
    name = later.declaration.exchange.name
    return RunDiff(name, earlier.declaration.as_of, later.declaration.as_of, days, changes)


def _day(case: Case) -> date:
    return date.fromisoformat(case.declaration.as_of[:10])


def _interval(days: int, shortest: int, longest: int) -> Iterator[Change]:
    if days < shortest:
        yield Change("interval", f"{days} days between the runs; at least {shortest} are asked for", True)
    if longest and days > longest:
        missed = (days - 1) // longest
        yield Change("interval", f"{days} days between the runs; at most {longest} are allowed: {missed} missed", True)


def _assets(earlier: Case, later: Case) -> Iterator[Change]:
    before, after = (case.declaration.symbols() for case in (earlier, later))
    gone, new = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    if gone:
        yield Change("assets-dropped", f"no longer declared: {_some([before[one] for one in gone])}", True)
    if new:
        yield Change("assets-added", f"newly declared: {_some([after[one] for one in new])}", False)


def _wallets(earlier: Case, later: Case) -> Iterator[Change]:
    gone = sorted(earlier.accounts.keys() - later.accounts.keys())
    new = later.accounts.keys() - earlier.accounts.keys()
    moved = sorted(
        account for account, pool in later.accounts.items() if earlier.accounts.get(account, pool) is not pool
    )
    if gone:
        held = "; ".join(_held(earlier, gone))
        yield Change(
            "wallets-vanished", f"{len(gone):,} wallets are no longer declared, with {held or 'nothing'}", True
        )
    if new:
        yield Change("wallets-added", f"{len(new):,} wallets are new", False)
    for account in moved[:SAID]:
        text = f"{account} was {earlier.accounts[account]} and is now {later.accounts[account]}"
        yield Change("pool-changed", text, True)
    if len(moved) > SAID:
        yield Change("pool-changed", f"and {len(moved) - SAID:,} wallets more", True)


def _held(case: Case, accounts: list[AccountId]) -> Iterator[str]:
    """Yield what accounts held, asset by asset."""
    wanted = set(accounts)
    for asset, positions in sorted(case.positions_by_asset.items()):
        units = [case.units_of(p.placement.holding) for p in positions if p.placement.holding.account in wanted]
        total = sum(one for one in units if one is not None)
        if total:
            yield show_units(case, asset, total)


def _liabilities(earlier: Case, later: Case) -> Iterator[Change]:
    before, after = earlier.liabilities, later.liabilities
    if before is None or after is None:
        if before is not None:
            yield Change("liabilities-dropped", "no liabilities are committed to any more", True)
        return
    if after.commitment == before.commitment:
        yield Change("liabilities-reused", "the very same liabilities are committed to again", True)
    if after.accounts < before.accounts:
        text = f"{before.accounts:,} client accounts before, {after.accounts:,} now"
        yield Change("accounts-fewer", text, True)
    gone = sorted(asset for asset, units in before.totals.items() if units and not after.totals.get(asset))
    if gone:
        names = [earlier.declaration.symbols().get(asset, asset) for asset in gone]
        yield Change("liabilities-narrower", f"nothing is owed any more in {_some(names)}", True)
    if after.tier < before.tier:
        yield Change(
            "liabilities-weaker", f"the liabilities were {before.tier.label}, they are {after.tier.label}", True
        )


def _coverage(earlier: Case, later: Case) -> Iterator[Change]:
    """Say by how much the part of liabilities under shown control has moved, asset by asset."""
    symbols = later.declaration.symbols()
    for asset in symbols:
        before, after = (_ratio(case, AssetId(asset)) for case in (earlier, later))
        if before is not None and after is not None and before != after:
            text = f"{symbols[asset]}: coverage {show_percent(before)} before, {show_percent(after)} now"
            yield Change("coverage-moved", text, after < 1 <= before)


def _ratio(case: Case, asset: AssetId) -> Fraction | None:
    owed = case.liabilities.totals.get(asset) if case.liabilities else None
    return Fraction(pool_amount(case, asset, CLIENT_POOLS, signed_only=True).low, owed) if owed else None


def _signatures(earlier: Case, later: Case) -> Iterator[Change]:
    again = reused_claims(later.declaration, earlier.declaration)
    if again:
        yield Change(
            "signatures-reused", f"{len(again):,} wallets show the very signature of before: {_some(again)}", True
        )


def _some(names: list[str] | tuple[AccountId, ...]) -> str:
    more = f" and {len(names) - SAID:,} more" if len(names) > SAID else ""
    return ", ".join(names[:SAID]) + more
