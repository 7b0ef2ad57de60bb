"""What a rule may ask, and in which form it is answered: exact bounds, how they are known, and what keeps them open."""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple, Protocol

from chains.model import Tier
from verifier.policy.finding import Reason
from verifier.policy.interval import Interval

SAID = 3  # so many examples are told of anything


class Scope(StrEnum):
    """What a rule judges one by one: each asset, all value together, each wallet, or the attestation as a whole."""

    ASSET = "asset"
    TOTAL = "total"
    ADDRESS = "address"
    ATTESTATION = "attestation"


class Dimension(StrEnum):
    """What a number counts.

    An amount is units of one asset; under the scope `total` it is their value in the pack's currency.
    """

    AMOUNT = "amount"
    MONEY = "money"
    SHARE = "share"
    COUNT = "count"
    DAYS = "days"
    HOURS = "hours"


class Doubt(NamedTuple):
    """Why a bound is open, as a word for programs and in words."""

    reason: Reason
    text: str


class Atom(NamedTuple):
    """One unknown that a quantity is made of: its bounds, how it is known, and what keeps it open.

    `key` is the same for the same unknown wherever it occurs. `asset` names the price to be multiplied with, under
    the scope `total`; it is empty for what is money, a count or a time already. `text` is said beside the result.
    """

    key: str
    value: Interval
    tier: Tier
    evidence: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    asset: str = ""
    remarks: tuple[str, ...] = ()


class Priced(NamedTuple):
    """The price of one base unit of an asset, as an interval, and where it comes from."""

    value: Interval
    source: str


class Inputs(Protocol):
    """What is known to a judgement. The real one reads a case; packs bring small ones with their example cases."""

    def subjects(self, scope: Scope) -> Sequence[str]:
        """Return what a rule of this scope is judged for, in a fixed order."""

    def quantity(self, name: str, scope: Scope, subject: str) -> Sequence[Atom]:
        """Return the atoms whose sum the quantity is; what is not known is an atom without bounds, never nothing."""

    def price(self, asset: str, lookback_days: int) -> Priced | None:
        """Return the price of one base unit in the pack's currency, or None."""

    def override(self, parameter: str) -> Interval | None:
        """Return a value that stands in for a parameter of the pack; None outside of example cases."""


def doubts_of(texts: Sequence[str]) -> tuple[Doubt, ...]:
    """Return a few of the reasons why an amount is not known."""
    return tuple(Doubt(Reason.UNCERTAIN_BALANCE, text) for text in texts[:SAID])


def at_least(key: str, found: int, doubts: Sequence[str], remarks: Sequence[str] = ()) -> Atom:
    """Return what was counted; doubts leave open how much more there is."""
    bounds = Interval(Fraction(found), None) if doubts else Interval.exactly(found)
    return Atom(key, bounds, Tier.PROVEN, doubts=doubts_of(doubts), remarks=tuple(remarks[:SAID]))


def missing(key: str, text: str, asset: str = "") -> Atom:
    """Return the atom of a quantity that nothing is known about but that it is not negative."""
    return Atom(key, Interval(Fraction(0), None), Tier.PROVEN, doubts=(Doubt(Reason.MISSING_INPUT, text),), asset=asset)
