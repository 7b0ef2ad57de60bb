"""What a strategy comes to: drawn from each source, paid by when, uncovered, and how users fare."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from verifier.compensation.allot import Allotment
from verifier.compensation.funds import HOURS, Within
from verifier.compensation.losses import AssetLoss


class Draw(NamedTuple):
    """What is taken from one source, in units of an asset or in smallest units of a currency, and by when it is there.

    `held` is what the source has, at least; `open` says why there may be more.
    """

    source: str
    unit: str
    used: int
    held: int
    within: Within
    open: tuple[str, ...] = ()

    def to_record(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "unit": self.unit,
            "used": str(self.used),
            "held": str(self.held),
            "within_hours": {str(hours): str(units) for hours, units in zip(HOURS, self.within, strict=True)},
            "open": list(self.open),
        }


class Outcome(NamedTuple):
    """A strategy in numbers; money in smallest units of the currency.

    `claimed` is what users are short of in money, `in_kind` what of it is given in kind, `paid` in money, `uncovered`
    the rest; the four add up but for rounding each leaf down. `whole`, `part` and `nothing` count leaves with a claim.
    `by` is the value paid within each of HOURS; `unpriced` names assets whose shortage has no price.
    """

    strategy: str
    draws: tuple[Draw, ...]
    claimed: int
    in_kind: int
    paid: int
    uncovered: int
    by: Within
    whole: int
    part: int
    nothing: int
    unpriced: tuple[str, ...]

    @property
    def first_hours(self) -> int | None:
        """The first of HOURS by which anything can be paid; None when nothing is known to be there in time."""
        return next((hours for hours, value in zip(HOURS, self.by, strict=True) if value), None)

    @property
    def open(self) -> tuple[str, ...]:
        """Why more may be there than was counted."""
        return tuple(dict.fromkeys(reason for draw in self.draws for reason in draw.open))

    def to_record(self) -> dict[str, Any]:
        return {
            "strategy": self.strategy,
            "draws": [draw.to_record() for draw in self.draws],
            "claimed": str(self.claimed),
            "in_kind": str(self.in_kind),
            "paid": str(self.paid),
            "uncovered": str(self.uncovered),
            "by_hours": {str(hours): str(value) for hours, value in zip(HOURS, self.by, strict=True)},
            "first_hours": self.first_hours,
            "leaves": {"whole": self.whole, "part": self.part, "nothing": self.nothing},
            "unpriced": list(self.unpriced),
        }


def outcome_of(strategy: str, losses: Sequence[AssetLoss], draws: Sequence[Draw], paid: Allotment) -> Outcome:
    """Add up what a strategy comes to."""
    prices = {str(loss.asset): loss.price for loss in losses if loss.price is not None}
    claimed = sum(loss.value or 0 for loss in losses)
    owed, money = sum(paid.owed_money), sum(paid.money)
    by = [0] * len(HOURS)
    for draw in draws:
        price = prices.get(draw.unit, Fraction(0)) if "/" in draw.unit else Fraction(1)
        by = [had + int(units * price) for had, units in zip(by, draw.within, strict=True)]
    counts = _counts(paid)
    unpriced = tuple(loss.asset for loss in losses if loss.short and loss.price is None)
    return Outcome(
        strategy,
        tuple(draws),
        claimed,
        claimed - owed if claimed > owed else 0,
        money,
        owed - money,
        tuple(by),
        *counts,
        unpriced,
    )


def _counts(paid: Allotment) -> tuple[int, int, int]:
    """Count the leaves whose claim in money is met in full, in part, and not at all."""
    whole = part = nothing = 0
    for owed, got in zip(paid.owed_money, paid.money, strict=True):
        if owed:
            whole += got == owed
            nothing += not got
            part += 0 < got < owed
    return whole, part, nothing
