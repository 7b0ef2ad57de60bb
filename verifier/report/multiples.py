"""How many times over the reserve covers a loss: of the largest wallet, of all that is hot, of thefts that happened."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from verifier.case import Case
from verifier.compensation.thefts import thefts
from verifier.policy.amounts import show_value
from verifier.policy.case_amounts import Amounts
from verifier.policy.case_inputs import CaseInputs
from verifier.policy.inputs import Atom, Scope
from verifier.policy.interval import Interval, multiply, plus
from verifier.policy.japanese import in_japanese
from verifier.report.content import MultipleRow
from verifier.report.words import Words

RESERVE = ("reserve_fund_controlled", "guarantee_controlled", "fiat_trust", "insurance_limit", "bank_guarantee")


class Multiple(NamedTuple):
    """The reserve against one loss, in one currency; `low` and `high` bound the multiple, None: no bound is known."""

    loss: str
    currency: str
    reserve: Interval
    amount: Interval
    low: Fraction
    high: Fraction | None

    def to_record(self) -> dict[str, Any]:
        """Return exact fractions as text."""
        return {
            "loss": self.loss,
            "currency": self.currency,
            "low": str(self.low),
            "high": None if self.high is None else str(self.high),
        }

    @property
    def times(self) -> str:
        """How many times over, rounded down for reading."""
        return _times(self.low) if self.low == self.high else f"{_times(self.low)} to {_times(self.high)}"

    def describe(self) -> str:
        """Return the multiple in words, rounded for reading."""
        return f"{self.loss}: {self.times} ({show_value(self.amount.high or Fraction(0), self.currency)} at most)"


def loss_multiples(case: Case) -> list[Multiple]:
    """Return the multiples in every currency the case has prices in; a loss of nothing has none."""
    found: list[Multiple] = []
    amounts = Amounts(case)
    for currency in sorted({quote.currency for quote in case.prices}):
        inputs = CaseInputs(amounts, currency)
        reserve = _value(inputs, RESERVE)
        losses = [
            ("the largest single client wallet", _value(inputs, ("largest_wallet",))),
            ("everything held hot", _value(inputs, ("client_hot_held",))),
            *((f"a theft like {name}", Interval.exactly(amount)) for name, amount in thefts(currency)),
        ]
        found += [_multiple(loss, currency, reserve, amount) for loss, amount in losses if amount.high]
    return found


def multiple_rows(case: Case, say: Words) -> tuple[MultipleRow, ...]:
    """Return the multiples in words of the report's language."""
    return tuple(
        MultipleRow(
            in_japanese(one.loss) if say.japanese else one.loss,
            one.currency,
            _said_times(one, say),
            show_value(one.amount.high or Fraction(0), one.currency),
            str(one.low),
            "" if one.high is None else str(one.high),
        )
        for one in loss_multiples(case)
    )


def _said_times(one: Multiple, say: Words) -> str:
    """Return the multiple in hundredths, rounded down; what is less than one of them says so."""
    low = _hundredths(one.low)
    if one.high is None:
        return say("multiples.from", low=low)
    high = _hundredths(one.high)
    if high == "0.00":
        return say("multiples.hardly")
    return say("multiples.times_over", low=low) if low == high else say("multiples.between", low=low, high=high)


def _multiple(loss: str, currency: str, reserve: Interval, amount: Interval) -> Multiple:
    assert amount.high
    high = None if not amount.low or reserve.high is None else reserve.high / amount.low
    return Multiple(loss, currency, reserve, amount, (reserve.low or Fraction(0)) / amount.high, high)


def _value(inputs: CaseInputs, words: Sequence[str]) -> Interval:
    total = Interval.exactly(0)
    for word in words:
        for atom in inputs.quantity(word, Scope.TOTAL, Scope.TOTAL):
            total = plus(total, _priced(inputs, atom))
    return total


def _priced(inputs: CaseInputs, atom: Atom) -> Interval:
    if not atom.asset:
        return atom.value
    price = inputs.price(atom.asset, 0)
    return multiply(atom.value, price.value if price else Interval(Fraction(0), None))


def _times(multiple: Fraction | None) -> str:
    if multiple is None:
        return "an unknown number of times"
    return f"{_hundredths(multiple)} times"


def _hundredths(multiple: Fraction) -> str:
    hundredths = multiple.numerator * 100 // multiple.denominator
    return f"{hundredths // 100}.{hundredths % 100:02d}"
