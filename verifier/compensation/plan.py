"""From a run and an incident to a plan: what was lost, what there is to pay with, and every way to divide it."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from chains.ids import AssetId
from verifier.case import Case
from verifier.compensation.aftermath import after
from verifier.compensation.allot import Allotment, Shared, share_out
from verifier.compensation.funds import (
    BANK_GUARANTEE,
    GUARANTEE,
    INSURANCE,
    OWN,
    RESERVE_FUND,
    Coins,
    Money,
    coins_in,
    money_of,
    off_chain_money,
    order_of,
    stated_money,
)
from verifier.compensation.incident import Incident, Lost, minor_digits, prices_of, resolve
from verifier.compensation.leaves import LeafColumns
from verifier.compensation.losses import AssetLoss, asset_losses
from verifier.compensation.outcome import Draw, Outcome, outcome_of
from verifier.compensation.strategies import STRATEGIES, Strategy, rule_of
from verifier.errors import InputError
from verifier.policy.case_amounts import Amounts
from verifier.policy.pack import Pack
from verifier.reserves import Progress, silent

PARTS = "accounts stand in several leaves each: money by accounts needs leaves that are whole accounts"


class Basis(NamedTuple):
    """What every strategy starts from: the losses, the coins of each pool, the prices, and the order of sources."""

    incident: Incident
    lost: tuple[Lost, ...]
    losses: tuple[AssetLoss, ...]
    coins: Mapping[str, tuple[Coins, ...]]
    prices: Mapping[AssetId, Fraction]
    order: tuple[str, ...]
    remaining: Case


def basis_of(case: Case, incident: Incident, packs: Sequence[Pack]) -> Basis:
    """Return the losses and what is left to pay with. Raises InputError for an incident that does not fit the run."""
    # 1. What was taken, holding by holding, and the run as it stands without it
    lost = resolve(incident, case)
    remaining = after(case, lost)
    # 2. What users are short of
    prices = prices_of(incident, case)
    losses = asset_losses(remaining, lost, prices)
    # 3. What there is to pay with
    amounts = Amounts(remaining)
    coins = {name: tuple(coins_in(amounts, name, amounts.assets)) for name in (GUARANTEE, RESERVE_FUND, OWN)}
    return Basis(incident, lost, tuple(losses), coins, prices, order_of(packs), remaining)


class Division:
    """Divide by several strategies, side by side; what they have in common is worked out once."""

    def __init__(
        self,
        basis: Basis,
        columns: LeafColumns,
        strategies: Sequence[Strategy] = STRATEGIES,
        progress: Progress = silent,
    ) -> None:
        self.basis, self.columns, self._progress = basis, columns, progress
        self._given = {one.in_kind: _in_kind(basis, one) for one in strategies}

    def by(self, strategy: Strategy) -> tuple[Outcome, Allotment] | None:
        """Divide by a strategy; None when the incident names no tiers for it.

        Raises InputError when a rule that looks at whole accounts meets leaves that are parts of accounts.
        """
        rule = rule_of(strategy, self.basis.incident)
        if rule is None:
            return None
        if strategy.by_account and self.columns.commitment.parts > 1:
            raise InputError(f"{strategy.name}: {PARTS}")
        # 1. Coins in kind, in the order of the sources
        draws, _ = self._given[strategy.in_kind]
        shared = self._shared[strategy.in_kind]
        # 2. Money for what is still short
        money = _money(self.basis, draws, sum(shared.owed_money))
        # 3. Divided to the last unit
        paid = rule(sum(one.used for one in money), shared.owed_money)
        allotted = Allotment(shared.in_kind, paid, shared.owed_money)
        return outcome_of(strategy.name, self.basis.losses, [*draws, *money], allotted), allotted

    @cached_property
    def _shared(self) -> dict[tuple[str, ...], Shared]:
        variants = [given for _, given in self._given.values()]
        found = share_out(self.columns, self.basis.losses, variants, self._progress)
        return dict(zip(self._given, found, strict=True))


def draws_of(basis: Basis, strategy: Strategy) -> list[Draw]:
    """Return what a strategy draws on, without dividing it: money for what is left after the coins, each asset up."""
    draws, given = _in_kind(basis, strategy)
    rests = [(loss, loss.short - given.get(loss.asset, 0)) for loss in basis.losses if loss.price is not None]
    need = sum(-(-units * loss.price.numerator // loss.price.denominator) for loss, units in rests if loss.price)
    return [*draws, *_money(basis, draws, need)]


def _in_kind(basis: Basis, strategy: Strategy) -> tuple[list[Draw], dict[AssetId, int]]:
    """Draw on the pools whose coins go to who is short of that asset; return the draws and the units by asset."""
    draws: list[Draw] = []
    given: dict[AssetId, int] = {}
    for name in (one for one in basis.order if one in strategy.in_kind):
        for coins in basis.coins[name]:
            loss = next((one for one in basis.losses if one.asset == coins.asset and one.short), None)
            need = loss.short - given.get(coins.asset, 0) if loss else 0
            used = min(need, coins.units)
            if used:
                given[coins.asset] = given.get(coins.asset, 0) + used
                within = tuple(min(used, one) for one in coins.within)
                draws.append(Draw(name, coins.asset, used, coins.units, within, coins.open))
    return draws, given


def _money(basis: Basis, draws: Sequence[Draw], need: int) -> list[Draw]:
    """Draw on the sources of money in their order, as far as there is need."""
    found: list[Draw] = []
    currency, total = basis.incident.currency, sum(one.value or 0 for one in basis.losses)
    for source in (_source(basis, name, draws) for name in basis.order):
        if source is None:
            continue
        most = min(source.amount, max(0, total - source.deductible)) if source.deductible else source.amount
        used = min(need, most)
        need -= used
        within = tuple(min(used, one) for one in source.within)
        if source.amount or source.open:
            found.append(Draw(source.name, currency, used, source.amount, within, source.open))
    return found


def _source(basis: Basis, name: str, draws: Sequence[Draw]) -> Money | None:
    incident, case = basis.incident, basis.remaining
    digits = minor_digits(incident.currency)
    if name == GUARANTEE:
        return None  # held for the very assets it guarantees
    if name in (RESERVE_FUND, OWN):
        return money_of([_rest(one, draws) for one in basis.coins[name]], basis.prices, name)
    if name in (INSURANCE, BANK_GUARANTEE):
        return off_chain_money(case, name, incident.currency, digits, incident.at)
    return stated_money(case, name, incident.currency, digits)


def _rest(coins: Coins, draws: Sequence[Draw]) -> Coins:
    """Return what a pool still has of an asset after what was given in kind."""
    used = sum(one.used for one in draws if (one.source, one.unit) == (coins.name, coins.asset))
    return coins._replace(units=coins.units - used, within=tuple(max(0, one - used) for one in coins.within))
