"""Every way to divide pays out exactly what there is, favours nobody, and does not look at the order of the claims."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.compensation.shares import Rule, equal_awards, pro_rata, tiers_of

CLAIMS = st.lists(st.one_of(st.integers(0, 20), st.integers(0, 2**128 - 1)), max_size=40)
RULES: dict[str, Rule] = {
    "pro-rata": pro_rata,
    "equal-awards": equal_awards,
    "tiers": tiers_of([5, 12]),
    "high-tier": tiers_of([2**100]),
}
EVERY_RULE = pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())


@st.composite
def estates(draw: st.DrawFn) -> tuple[int, list[int]]:
    claims = draw(CLAIMS)
    return draw(st.integers(0, sum(claims) + 5)), claims


@EVERY_RULE
@given(estate=estates())
def test_all_is_paid_out_or_every_claim_is_met(rule: Rule, estate: tuple[int, list[int]]) -> None:
    available, claims = estate
    paid = rule(available, claims)
    assert sum(paid) == min(available, sum(claims))
    assert all(0 <= got <= claim for got, claim in zip(paid, claims, strict=True))


@EVERY_RULE
@given(estate=estates())
def test_a_larger_claim_is_never_paid_less_and_equal_ones_alike_within_a_unit(
    rule: Rule, estate: tuple[int, list[int]]
) -> None:
    available, claims = estate
    by_claim = sorted(zip(claims, rule(available, claims), strict=True))
    for (claim, got), (next_claim, next_got) in pairwise(by_claim):
        if claim == next_claim:
            assert abs(got - next_got) <= 1
        else:
            assert got <= next_got


@EVERY_RULE
@given(estate=estates(), random=st.randoms(use_true_random=False))
def test_the_order_of_claims_moves_at_most_the_last_unit_among_equals(
    rule: Rule, estate: tuple[int, list[int]], random: st.DataObject
) -> None:
    available, claims = estate
    shuffled = list(claims)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sorted(zip(claims, rule(available, claims), strict=True)) == sorted(
        zip(shuffled, rule(available, shuffled), strict=True)
    )


@EVERY_RULE
@given(estate=estates())
def test_more_to_pay_with_never_pays_anybody_much_less(rule: Rule, estate: tuple[int, list[int]]) -> None:
    """Rounding may take a single unit from one claim (the Alabama paradox of the largest remainder), never more."""
    available, claims = estate
    before, after = rule(available, claims), rule(available + 1, claims)
    assert all(later >= earlier - 1 for earlier, later in zip(before, after, strict=True))


@given(estate=estates())
def test_pro_rata_is_within_a_unit_of_the_exact_share(estate: tuple[int, list[int]]) -> None:
    available, claims = estate
    total = sum(claims)
    for claim, got in zip(claims, pro_rata(available, claims), strict=True):
        exact = Fraction(claim * min(available, total), total) if total else Fraction(0)
        assert abs(got - exact) < 1


@pytest.mark.parametrize(
    ("rule", "available", "claims", "paid"),
    [
        (pro_rata, 10, [1, 2, 3, 4, 5, 6], [1, 1, 1, 2, 2, 3]),
        (pro_rata, 1, [1, 1, 1], [1, 0, 0]),
        (pro_rata, 5, [], []),
        (pro_rata, 5, [0, 0], [0, 0]),
        (equal_awards, 10, [1, 4, 9], [1, 4, 5]),
        (equal_awards, 10, [3, 9, 9], [3, 4, 3]),
        (equal_awards, 0, [3, 9], [0, 0]),
        (tiers_of([5]), 12, [4, 10, 20], [4, 4, 4]),
        (tiers_of([5]), 20, [4, 10, 20], [4, 6, 10]),
    ],
)
def test_worked_examples(rule: Rule, available: int, claims: Sequence[int], paid: list[int]) -> None:
    assert rule(available, claims) == paid
