"""A rule's text is parsed, never run; its truth under bounds is exactly that of every value inside them."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.errors import InputError
from verifier.policy import interval
from verifier.policy.dimension import DimensionCheck
from verifier.policy.expression import names_of, parse_statement, write
from verifier.policy.inputs import Dimension, Scope
from verifier.policy.interval import Box, Form, Interval, Term

REFUSED = {
    "owed": "one comparison",
    "owed >= 2": "only 0 and 1",
    "owed >= 0.05": "only 0 and 1",
    "owed >= True": "only 0 and 1",
    "owed >= 'x'": "only 0 and 1",
    "0 <= owed <= 1": "one comparison",
    "__import__('os') >= 0": "only 0 and 1",
    "owed.real >= 0": "expected names",
    "owed ** owed >= 0": "expected names",
    "-owed >= 0": "expected names",
    "(lambda: 1)() >= 0": "expected min",
    "max(owed, key=owed) >= 0": "expected min",
    "max() >= 0": "expected min",
    "band(owed, owed) >= 0": "one amount",
    "owed >=": "no expression",
    "owed >= 0 # \x00": "no expression",
    "(" * 500 + "owed" + ")" * 500 + " >= 0": "at most 1000",
    "owed" + " + owed" * 100 + " >= 0": "more than 200 parts",
    "owed" + " + owed" * 300 + " >= 0": "at most 1000",
    "not owed >= 0": "one comparison",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_rule_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(InputError, match=REFUSED[text]):
        parse_statement(text)


@pytest.mark.parametrize(
    "text",
    [
        "client_held >= ratio * owed",
        "a - (b - c) <= max(a, b / c) and (a > 0 or band(a + b) == 1)",
        "min(a, b, c) * (a + b) < a",
    ],
)
def test_a_rule_is_written_as_it_was_read(text: str) -> None:
    assert write(parse_statement(text)) == text
    assert parse_statement(write(parse_statement(text))) == parse_statement(text)
    assert list(names_of(parse_statement("a * b >= a"))) == ["a", "b", "a"]


NAMES = {"owed": Dimension.AMOUNT, "ratio": Dimension.SHARE, "age": Dimension.DAYS, "fund": Dimension.MONEY}


@pytest.mark.parametrize(
    "text", ["owed >= age", "owed * owed >= 0", "owed + ratio >= 0", "age / owed >= 0", "new >= 0"]
)
def test_a_rule_whose_sides_count_different_things_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        DimensionCheck(NAMES, {}, Scope.ASSET).check(parse_statement(text))


def test_units_are_money_only_when_all_assets_are_judged_together() -> None:
    statement = parse_statement("fund >= ratio * owed")
    DimensionCheck(NAMES, {}, Scope.TOTAL).check(statement)
    with pytest.raises(InputError, match="counts money"):
        DimensionCheck(NAMES, {}, Scope.ASSET).check(statement)


small = st.integers(-4, 4).map(Fraction)


@st.composite
def intervals(draw: st.DrawFn, low: int = -4) -> Interval:
    ends = sorted(draw(st.tuples(*[st.integers(low, 5)] * 2)))
    return Interval(Fraction(ends[0]), Fraction(ends[1]))


@given(
    st.dictionaries(st.tuples(st.sampled_from(["", "btc", "eth"]), st.sampled_from("uvw")), small, max_size=6),
    small,
    st.fixed_dictionaries({name: intervals() for name in "uvw"}),
    st.fixed_dictionaries({name: intervals(low=0) for name in ("btc", "eth")}),
)
def test_the_bounds_of_a_linear_form_are_those_of_its_corners(
    terms: dict[tuple[str, str], Fraction],
    constant: Fraction,
    unknowns: dict[str, Interval],
    prices: dict[str, Interval],
) -> None:
    form = Form(constant, {Term(*term): coefficient for term, coefficient in terms.items()})
    found = interval.bounds(form, Box(prices, unknowns))
    corners = []
    for values in product(*unknowns.values(), *prices.values()):
        at = dict(zip([*unknowns, *prices], values, strict=True)) | {"": Fraction(1)}
        total = constant + sum((c * (at[p] or 0) * (at[u] or 0) for (p, u), c in terms.items()), Fraction(0))
        corners.append(total)
    assert found.low is not None and found.high is not None
    assert found.low <= min(corners) and max(corners) <= found.high
    alone = len({unknown for _, unknown in terms}) == len(terms)
    if alone:  # every unknown under one price: the bounds are reached
        assert found == (min(corners), max(corners))


@given(st.lists(intervals(), min_size=1, max_size=4))
def test_the_bounds_of_a_choice_are_reached(items: list[Interval]) -> None:
    lows, highs = [item.low for item in items if item.low is not None], [i.high for i in items if i.high is not None]
    assert interval.lowest(items) == (min(lows), min(highs))
    assert interval.highest(items) == (max(lows), max(highs))


OPEN = st.one_of(st.none(), st.integers(-5, 5).map(Fraction))


@given(st.tuples(OPEN, OPEN), st.tuples(OPEN, OPEN), st.data())
def test_open_bounds_are_never_too_narrow(
    left: tuple[Fraction | None, Fraction | None], right: tuple[Fraction | None, Fraction | None], data: st.DataObject
) -> None:
    first, second = (Interval(*side) for side in (left, right))
    inside = [data.draw(st.integers(-9, 9)) for _ in range(2)]
    for drawn, side in zip(inside, (first, second), strict=True):
        if (side.low is not None and drawn < side.low) or (side.high is not None and drawn > side.high):
            return
    for known, value in (
        (interval.multiply(first, second), Fraction(inside[0] * inside[1])),
        (interval.plus(first, second), Fraction(inside[0] + inside[1])),
        (interval.highest([first, second]), Fraction(max(inside))),
        (interval.lowest([first, second]), Fraction(min(inside))),
        (interval.divide(first, second), Fraction(inside[0], inside[1] or 1) if inside[1] else None),
    ):
        if value is not None:
            assert (known.low is None or known.low <= value) and (known.high is None or value <= known.high)
