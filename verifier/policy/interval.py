"""Exact arithmetic with what is only known to lie between two bounds.

A `Form` is Σ price × coefficient × unknown + constant. As long as a rule is linear its truth is decided exactly: every
price and every unknown appears once, at the corner of its own interval, so that a price that stands on both sides does
not count against itself. Where a rule is not linear the bounds are still sound: never too narrow.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

ZERO = Fraction(0)
ONE = ""  # the price of what is already money, a count or a share


class Interval(NamedTuple):
    """At least `low`, at most `high`; None: no bound is known."""

    low: Fraction | None
    high: Fraction | None

    @classmethod
    def exactly(cls, value: Fraction | int) -> "Interval":
        return cls(Fraction(value), Fraction(value))

    @property
    def exact(self) -> Fraction | None:
        """The value, when the bounds meet."""
        return self.low if self.low == self.high else None


UNKNOWN = Interval(None, None)
NOT_NEGATIVE = Interval(ZERO, None)


class Term(NamedTuple):
    """A price (an asset's id, or `ONE`) times an unknown."""

    price: str
    unknown: str


class Form(NamedTuple):
    """A linear form: a constant, and a coefficient per term."""

    constant: Fraction
    terms: Mapping[Term, Fraction]


class Box(NamedTuple):
    """Where every price and every unknown lies; what is not named is not known at all."""

    prices: Mapping[str, Interval]
    unknowns: Mapping[str, Interval]


def constant(value: Fraction | int) -> Form:
    return Form(Fraction(value), {})


def add(left: Form, right: Form, sign: int = 1) -> Form:
    """Return left + sign × right."""
    terms = dict(left.terms)
    for term, coefficient in right.terms.items():
        terms[term] = terms.get(term, ZERO) + sign * coefficient
    return Form(left.constant + sign * right.constant, {term: c for term, c in terms.items() if c})


def scale(form: Form, factor: Fraction) -> Form:
    """Return factor × form."""
    if not factor:
        return constant(0)
    return Form(form.constant * factor, {term: c * factor for term, c in form.terms.items()})


def bounds(form: Form, box: Box) -> Interval:
    """Return the least and the most a form can be, anywhere in the box."""
    by_price: dict[str, Interval] = {}
    for term, coefficient in form.terms.items():
        part = multiply(Interval.exactly(coefficient), box.unknowns.get(term.unknown, UNKNOWN))
        by_price[term.price] = plus(by_price.get(term.price, Interval.exactly(0)), part)
    total = Interval.exactly(form.constant)
    for price, units in by_price.items():
        total = plus(total, units if price == ONE else multiply(box.prices.get(price, NOT_NEGATIVE), units))
    return total


def plus(left: Interval, right: Interval) -> Interval:
    low = None if left.low is None or right.low is None else left.low + right.low
    high = None if left.high is None or right.high is None else left.high + right.high
    return Interval(low, high)


def multiply(left: Interval, right: Interval) -> Interval:
    """Return the bounds of a product of two independent values; zero times anything is zero."""
    if ZERO in (left.exact, right.exact):
        return Interval.exactly(0)
    if None not in (*left, *right):
        corners = [a * b for a in left for b in right if a is not None and b is not None]
        return Interval(min(corners), max(corners))
    return Interval(_least_product(left, right), _most_product(left, right))


def divide(left: Interval, right: Interval) -> Interval:
    """Return the bounds of a quotient; a divisor that may be zero leaves it open."""
    if right.low is None or right.low <= 0:
        return UNKNOWN
    inverse = Interval(ZERO if right.high is None else 1 / right.high, 1 / right.low)
    return multiply(left, inverse)


def lowest(items: Sequence[Interval]) -> Interval:
    """Return the bounds of the least of several values."""
    lows, highs = [item.low for item in items], [item.high for item in items if item.high is not None]
    low = None if None in lows else min(low for low in lows if low is not None)
    return Interval(low, min(highs, default=None))


def highest(items: Sequence[Interval]) -> Interval:
    """Return the bounds of the most of several values."""
    lows, highs = [item.low for item in items if item.low is not None], [item.high for item in items]
    high = None if None in highs else max(high for high in highs if high is not None)
    return Interval(max(lows, default=None), high)


def _least_product(left: Interval, right: Interval) -> Fraction | None:
    if left.low is not None and right.low is not None and left.low >= 0 and right.low >= 0:
        return left.low * right.low
    if left.low is not None and left.low >= 0 and left.high is not None and right.low is not None:
        return left.high * right.low  # right.low is negative: the largest factor makes it least
    if right.low is not None and right.low >= 0 and right.high is not None and left.low is not None:
        return right.high * left.low
    if left.high is not None and right.high is not None and left.high <= 0 and right.high <= 0:
        return left.high * right.high
    return None


def _most_product(left: Interval, right: Interval) -> Fraction | None:
    flipped = _least_product(Interval(_minus(left.high), _minus(left.low)), right)
    return _minus(flipped)


def _minus(value: Fraction | None) -> Fraction | None:
    return None if value is None else -value
