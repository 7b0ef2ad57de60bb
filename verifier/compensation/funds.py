"""What can pay: coins in kind, funds in money, insurance; each as far as it is shown, and by when it can be had."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from chains.ids import AssetId
from verifier.case import Case
from verifier.declaration import OffChainHolding, OffChainPool, Pool, utc_seconds
from verifier.policy.case_amounts import Amounts
from verifier.policy.pack import Pack

HOURS = (1, 24, 168)
GUARANTEE, RESERVE_FUND, OWN = str(Pool.GUARANTEE), str(Pool.RESERVE_FUND), str(Pool.PROPRIETARY)
INSURANCE, BANK_GUARANTEE = str(OffChainPool.INSURANCE), str(OffChainPool.BANK_GUARANTEE)
DEFAULT_ORDER = (GUARANTEE, RESERVE_FUND, INSURANCE, BANK_GUARANTEE, OWN)
_POOLS = {GUARANTEE: Pool.GUARANTEE, RESERVE_FUND: Pool.RESERVE_FUND, OWN: Pool.PROPRIETARY}
NO_TERMS = "its terms (deductible, delay, when it is valid) are not declared"

Within = tuple[int, ...]


class Coins(NamedTuple):
    """Units of one asset in one pool that are shown to be there, and how many of them within each of HOURS."""

    name: str
    asset: AssetId
    units: int
    within: Within
    open: tuple[str, ...] = ()


class Money(NamedTuple):
    """Money of one source, in smallest units of the currency, and how much of it within each of HOURS.

    `deductible` is what of the loss it never pays. `open` says why there may be more.
    """

    name: str
    amount: int
    within: Within
    deductible: int = 0
    open: tuple[str, ...] = ()

    def to_record(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "amount": str(self.amount),
            "within": [str(one) for one in self.within],
            "deductible": str(self.deductible),
            "open": list(self.open),
        }


def order_of(packs: Iterable[Pack]) -> tuple[str, ...]:
    """Return the order in which sources pay: as the rulebooks say, then those they do not name."""
    named = [one.pool for pack in packs for one in pack.payout]
    return tuple(dict.fromkeys([*named, *DEFAULT_ORDER]))


def coins_in(amounts: Amounts, name: str, assets: Sequence[AssetId]) -> list[Coins]:
    """Return what a pool holds of each asset under shown control, at least."""
    pool, found = _POOLS[name], []
    for asset in assets:
        held = amounts.held(asset, pool, controlled=True)
        units = int(held.value.low or 0)
        by = tuple(int(amounts.liquid(asset, pool, hours).value.low or 0) for hours in HOURS)
        if units or held.doubts:
            why = tuple(doubt.text for doubt in held.doubts)
            found.append(Coins(name, asset, units, tuple(min(units, one) for one in by), why))
    return found


def money_of(coins: Iterable[Coins], prices: Mapping[AssetId, Fraction], name: str) -> Money:
    """Return what coins of a pool are worth, each asset rounded down; one without a price is worth nothing known."""
    amount, within, opened = 0, [0] * len(HOURS), list[str]()
    for one in coins:
        price = prices.get(one.asset)
        opened += one.open
        if price is None:
            opened.append(f"{one.asset} has no price")
            continue
        amount += _value(one.units, price)
        within = [sum_ + _value(units, price) for sum_, units in zip(within, one.within, strict=True)]
    return Money(name, amount, tuple(within), open=tuple(opened))


def off_chain_money(case: Case, name: str, currency: str, digits: int, at: str) -> Money:
    """Return what insurance or a bank's guarantee may pay in a currency, for an incident at a time.

    Cover that was not valid then pays nothing, and that is said; cover whose terms are not declared may pay.
    """
    amount, deductible, within, opened = 0, 0, [0] * len(HOURS), list[str]()
    for one in case.declaration.off_chain:
        if str(one.pool) != name or one.currency != currency:
            continue
        reason = _not_valid(one, at)
        if reason:
            opened.append(f"{name} with the document {one.document[:12]}…: {reason}")
            continue
        assert one.terms is not None
        units = int(one.units) * 10**digits // 10**one.decimals
        amount += units
        deductible += -(-int(one.terms.deductible) * 10**digits // 10**one.decimals)
        by = [units if one.terms.delay_hours <= hours else 0 for hours in HOURS]
        within = [had + more for had, more in zip(within, by, strict=True)]
    return Money(name, amount, tuple(within), deductible, tuple(opened))


def _not_valid(one: OffChainHolding, at: str) -> str:
    if one.terms is None:
        return NO_TERMS
    if not utc_seconds(one.terms.valid_from) <= utc_seconds(at) < utc_seconds(one.terms.valid_until):
        return f"not valid at the incident ({one.terms.valid_from} to {one.terms.valid_until})"
    return ""


def stated_money(case: Case, name: str, currency: str, digits: int) -> Money:
    """Return a fund that only the exchange states, such as `reserve_money_jpy`; when it can be had is not known."""
    for fact in case.declaration.statements or ():
        if fact.name == name and fact.asset is None and name.endswith(f"_{currency.lower()}"):
            return Money(name, int(Fraction(fact.value) * 10**digits), (0,) * len(HOURS))
    return Money(name, 0, (0,) * len(HOURS), open=(f"the declaration states no {name}",))


def _value(units: int, price: Fraction) -> int:
    return units * price.numerator // price.denominator
