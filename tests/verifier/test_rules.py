"""Every rule has a pass, a fail and a nothing-to-judge case; more doubt never flips pass and fail."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.ids import AssetId
from chains.model import Tier
from tests.verifier.cases import ETH, USD, case, position, price
from verifier.case import Case, Position
from verifier.declaration import Pool
from verifier.ownership.claims import Control
from verifier.policy.evaluate import Judgement, evaluate
from verifier.policy.finding import Finding, Reason
from verifier.policy.library import load_pack
from verifier.verdict import Verdict

JP = load_pack("jp-psa-63-11")
BASIC = load_pack("model-basic")
COLD, HOT, GUARANTEE = Pool.CLIENT_COLD, Pool.CLIENT_HOT, Pool.GUARANTEE


def finding(judgement: Judgement, rule: str, subject: str = "total") -> Finding:
    return next(item for item in judgement.findings if (item.rule, item.subject) == (rule, subject))


def coverage(made: Case, asset: AssetId = ETH) -> Finding:
    return finding(evaluate(made, BASIC), "BASIC-COVERAGE", asset)


def test_full_coverage_passes_with_the_exact_numbers() -> None:
    found = coverage(case(position(COLD, 100), owed={ETH: 100}))
    assert (found.verdict, found.measured, found.required) == (Verdict.PASS, "100", "100")


def test_one_unit_short_fails_with_the_exact_shortfall() -> None:
    found = coverage(case(position(COLD, 99), owed={ETH: 100}))
    assert (found.verdict, found.reason, found.shortfall) == (Verdict.FAIL, Reason.SHORTFALL, "1")


def test_nothing_owed_is_not_applicable_and_nothing_committed_is_indeterminate() -> None:
    assert coverage(case(position(COLD, 100), owed={ETH: 0})).verdict is Verdict.NOT_APPLICABLE
    assert evaluate(case(position(COLD, 100)), BASIC).verdict is Verdict.INDETERMINATE


def test_one_asset_never_stands_in_for_another() -> None:
    judgement = evaluate(case(position(COLD, 1000, USD), owed={ETH: 1, USD: 1}), BASIC)
    assert finding(judgement, "BASIC-COVERAGE", ETH).verdict is Verdict.FAIL
    assert judgement.verdict is Verdict.FAIL


@pytest.mark.parametrize("pool", [Pool.PROPRIETARY, Pool.GUARANTEE, Pool.RESERVE_FUND])
def test_company_pools_do_not_cover_clients(pool: Pool) -> None:
    assert coverage(case(position(pool, 100), owed={ETH: 100})).verdict is Verdict.FAIL


def test_a_disagreement_leaves_the_verdict_open_where_it_matters() -> None:
    assert coverage(case(position(COLD, None), owed={ETH: 1})).verdict is Verdict.INDETERMINATE
    enough = case(position(COLD, 100), position(COLD, None, number=2), owed={ETH: 100})
    assert coverage(enough).verdict is Verdict.PASS


def test_a_wallet_without_a_claim_may_count_and_one_with_a_refused_claim_may_not() -> None:
    unclaimed = case(position(COLD, 100, control=None), owed={ETH: 100})
    refused = case(position(COLD, 100, control=Control.REFUSED), owed={ETH: 100})
    assert coverage(unclaimed).verdict is Verdict.INDETERMINATE
    assert coverage(refused).verdict is Verdict.FAIL
    assert "refused" in coverage(refused).text


def test_weak_evidence_may_fail_but_not_pass() -> None:
    weak = case(position(COLD, 100, tier=Tier.DECLARED), owed={ETH: 100})
    admitted = case(position(COLD, 99, tier=Tier.DECLARED), owed={ETH: 100})
    assert (coverage(weak).verdict, coverage(weak).reason) == (Verdict.INDETERMINATE, Reason.WEAK_EVIDENCE)
    assert coverage(admitted).verdict is Verdict.FAIL


def test_japan_needs_the_client_ledger_itself() -> None:
    declared = case(position(COLD, 100), owed={ETH: 100}, liabilities_tier=Tier.DECLARED, prices=(price(ETH, "1"),))
    assert evaluate(declared, JP).verdict is Verdict.INDETERMINATE


def japan(hot: int, guarantee: int, cold: int, low: str = "10", high: str | None = None) -> Judgement:
    made = case(
        position(HOT, hot), position(GUARANTEE, guarantee, number=2), position(COLD, cold, number=3),
        owed={ETH: 1000}, prices=(price(ETH, low, high),),
    )  # fmt: skip
    return evaluate(made, JP)


def test_five_percent_hot_passes_and_one_unit_more_fails() -> None:
    assert finding(japan(50, 50, 950), "JP-HOT-LIMIT").verdict is Verdict.PASS
    assert finding(japan(51, 51, 949), "JP-HOT-LIMIT").verdict is Verdict.FAIL


def test_a_price_spread_does_not_count_against_itself() -> None:
    assert finding(japan(50, 50, 950, "9", "11"), "JP-HOT-LIMIT").verdict is Verdict.PASS


def test_two_assets_whose_prices_may_drift_apart_leave_the_share_open() -> None:
    made = case(
        position(HOT, 80), position(COLD, 920, number=3), position(COLD, 1000, USD, number=4),
        owed={ETH: 1000, USD: 1000}, prices=(price(ETH, "10", "30"), price(USD, "10", "30")),
    )  # fmt: skip
    assert finding(evaluate(made, JP), "JP-HOT-LIMIT").verdict is Verdict.INDETERMINATE


def test_a_hot_share_above_the_limit_fails_even_when_another_hot_wallet_is_unknown() -> None:
    owed, prices = {ETH: 1000}, (price(ETH, "10"),)
    unknown = position(HOT, None, number=2)
    broken = evaluate(case(position(HOT, 51), unknown, owed=owed, prices=prices), JP)
    undecided = evaluate(case(position(HOT, 49), unknown, owed=owed, prices=prices), JP)
    assert finding(broken, "JP-HOT-LIMIT").verdict is Verdict.FAIL
    assert finding(undecided, "JP-HOT-LIMIT").verdict is Verdict.INDETERMINATE


def test_a_missing_price_is_missing_input() -> None:
    made = case(position(HOT, 1), position(COLD, 999, number=2), owed={ETH: 1000})
    assert finding(evaluate(made, JP), "JP-HOT-LIMIT").reason is Reason.MISSING_INPUT


def test_guarantee_assets_match_what_is_hot_in_kind_and_quantity() -> None:
    assert finding(japan(50, 50, 950), "JP-GUARANTEE", ETH).verdict is Verdict.PASS
    assert finding(japan(50, 49, 950), "JP-GUARANTEE", ETH).shortfall == "1"
    assert finding(japan(0, 0, 1000), "JP-GUARANTEE", ETH).verdict is Verdict.NOT_APPLICABLE
    other_kind = case(position(HOT, 5), position(GUARANTEE, 500, USD, number=2), owed={ETH: 5})
    assert finding(evaluate(other_kind, JP), "JP-GUARANTEE", ETH).verdict is Verdict.FAIL


def test_company_assets_among_client_assets_are_found() -> None:
    found = finding(japan(50, 50, 951), "JP-ATTRIBUTABLE", ETH)
    assert (found.verdict, found.reason, found.shortfall) == (Verdict.FAIL, Reason.EXCEEDED, "1")
    assert finding(japan(50, 50, 950), "JP-ATTRIBUTABLE", ETH).verdict is Verdict.PASS


def test_contradicting_liabilities_fail_whatever_the_pack() -> None:
    made = case(position(COLD, 100), owed={ETH: 100}, problem="the leaves do not add up")
    assert evaluate(made, BASIC).verdict is Verdict.FAIL


def test_every_finding_of_a_rule_cites_its_clause() -> None:
    ruled = [item for item in japan(51, 0, 0).findings if item.pack]
    assert ruled
    assert all(item.clause and item.text for item in ruled)


amounts = st.integers(0, 60)


@given(amounts, amounts, st.integers(900, 1000), st.integers(1, 40), st.integers(0, 20), st.integers(0, 2))
def test_more_doubt_never_flips_pass_and_fail(
    hot: int, guarantee: int, cold: int, mid: int, spread: int, doubt: int
) -> None:
    sure: tuple[Position, ...] = (
        position(HOT, hot), position(GUARANTEE, guarantee, number=2), position(COLD, cold, number=3)
    )  # fmt: skip
    unsure = (*sure[:doubt], position(sure[doubt].placement.pool, None, number=doubt + 1), *sure[doubt + 1 :])
    owed = {ETH: 1000}
    before = evaluate(case(*sure, owed=owed, prices=(price(ETH, str(mid)),)), JP)
    wide = (price(ETH, str(Fraction(max(mid - spread, 0))), str(mid + spread)),)
    for after in (
        evaluate(case(*sure, owed=owed, prices=wide), JP),
        evaluate(case(*unsure, owed=owed, prices=wide), JP),
        evaluate(case(*sure, owed=owed, prices=wide, liabilities_tier=Tier.DECLARED), JP),
    ):
        for one, other in zip(before.findings, after.findings, strict=True):
            assert {one.verdict, other.verdict} != {Verdict.PASS, Verdict.FAIL}, (one, other)
