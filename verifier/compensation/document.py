"""The plan as a document: everything it follows from, every strategy side by side, and the one that was chosen."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from chains.ids import AssetId
from verifier.canonical import canonical_json
from verifier.compensation.incident import minor_digits, show_money
from verifier.compensation.outcome import Outcome
from verifier.compensation.plan import Basis
from verifier.compensation.release import Release, releases
from verifier.inclusion.commitment import Commitment, TreeAsset
from verifier.policy.amounts import show_units
from verifier.policy.pack import Pack
from verifier.verdict import Verdict

PLAN_FORMAT = "reserve-verifier/plan/1"


class Plan(NamedTuple):
    """A plan: its basis, every strategy, the chosen one, the tree of claims (None: nobody is paid), the releases."""

    basis: Basis
    packs: tuple[Pack, ...]
    outcomes: tuple[Outcome, ...]
    left_out: tuple[tuple[str, str], ...]
    chosen: Outcome
    claims: Commitment | None
    releases: tuple[Release, ...]

    @property
    def verdict(self) -> Verdict:
        """Pass when the chosen strategy covers every claim; open where more may be there, or a price is missing."""
        if self.chosen.unpriced or (self.chosen.uncovered and self.chosen.open):
            return Verdict.INDETERMINATE
        open_losses = any(loss.open for loss in self.basis.losses)
        if self.chosen.uncovered:
            return Verdict.INDETERMINATE if open_losses else Verdict.FAIL
        return Verdict.PASS

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is open: what may be more, and what has no price; nothing where it is decided."""
        if self.verdict is not Verdict.INDETERMINATE:
            return ()
        said = [reason for loss in self.basis.losses for reason in loss.open]
        said += [f"{asset} has no price in {self.basis.incident.currency}" for asset in self.chosen.unpriced]
        return tuple(dict.fromkeys([*said, *self.chosen.open]))

    def money(self, amount: int | None) -> str:
        """Return smallest units of the currency in words a reader knows."""
        return "not known" if amount is None else show_money(amount, self.basis.incident.currency)

    def units(self, unit: str, amount: int) -> str:
        """Return an amount of an asset, or of the currency, in words a reader knows."""
        if unit == self.basis.incident.currency:
            return self.money(amount)
        return show_units(self.basis.remaining, AssetId(unit), amount)

    def to_record(self) -> dict[str, Any]:
        """Return the document as JSON values; amounts are decimal texts of smallest units."""
        case, incident = self.basis.remaining, self.basis.incident
        owed = case.liabilities
        return {
            "format": PLAN_FORMAT,
            "incident": incident.to_record(),
            "exchange": {"id": case.declaration.exchange.id, "name": case.declaration.exchange.name},
            "as_of": case.declaration.as_of,
            "liabilities": owed.commitment if owed else None,
            "packs": [{"id": pack.id, "version": pack.version, "digest": pack.digest} for pack in self.packs],
            "order": list(self.basis.order),
            "currency": {"code": incident.currency, "decimals": minor_digits(incident.currency)},
            "lost": [
                {"account": one.holding.account, "asset": one.holding.asset, "pool": one.pool,
                 "units": str(one.units), "held": str(one.held)}
                for one in self.basis.lost
            ],
            "losses": [loss.to_record() for loss in self.basis.losses],
            "strategies": [outcome.to_record() for outcome in self.outcomes],
            "left_out": [{"strategy": name, "reason": reason} for name, reason in self.left_out],
            "chosen": self.chosen.strategy,
            "verdict": str(self.verdict),
            "open": list(self.reasons),
            "claims": self.claims.digest if self.claims else None,
            "release": [one.to_record() for one in self.releases],
        }  # fmt: skip

    def to_json(self, case_digest: str) -> bytes:
        """Return the canonical JSON (RFC 8785) of the document, which names the run's case."""
        return canonical_json({**self.to_record(), "case": case_digest})


def plan_secret(case: str, incident: Any, strategy: str) -> bytes:
    """Return the key that orders the tree of claims: public, it follows from the case's digest, incident and strategy.

    `incident` are the JSON values as they stand in the document.
    """
    return sha256(canonical_json([PLAN_FORMAT, case, incident, strategy])).digest()


def paid_assets(basis: Basis, outcome: Outcome) -> tuple[TreeAsset, ...]:
    """Return the columns of the tree of claims: the assets given in kind, and the money."""
    declared = {asset.asset: asset for asset in basis.remaining.declaration.assets}
    given = sorted({draw.unit for draw in outcome.draws if draw.unit in declared and draw.used})
    coins = [TreeAsset(name, declared[name].symbol, declared[name].decimals) for name in given]
    currency = basis.incident.currency
    taken = {coin.symbol for coin in coins}
    symbol = f"{currency}-cash" if currency in taken else currency
    return (*coins, TreeAsset(f"iso4217:{currency}/fiat:{currency}", symbol, minor_digits(currency)))


def make_document(
    basis: Basis,
    packs: Sequence[Pack],
    outcomes: Sequence[Outcome],
    left_out: Sequence[tuple[str, str]],
    chosen: Outcome,
    claims: Commitment | None,
) -> Plan:
    """Put a plan together."""
    conditions = releases(packs, basis.incident, chosen.draws)
    return Plan(basis, tuple(packs), tuple(outcomes), tuple(left_out), chosen, claims, tuple(conditions))
