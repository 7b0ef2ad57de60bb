"""A plan pays only from what is shown to be there, in the order of the law, and refuses what does not fit the run."""

import json
from fractions import Fraction
from typing import Any

import pytest

from chains.model import Tier
from tests.verifier.cases import AS_OF, ETH, USD, account, case, position, price
from verifier.case import Case
from verifier.compensation.incident import Incident, parse_incident
from verifier.compensation.leaves import ListedLeaves
from verifier.compensation.outcome import Outcome
from verifier.compensation.plan import Division, basis_of
from verifier.compensation.release import releases
from verifier.compensation.strategies import STRATEGIES, strategy_named
from verifier.compensation.stress import stress
from verifier.declaration import CoverTerms, OffChainHolding, OffChainPool, Pool, StatedFact
from verifier.errors import InputError
from verifier.inclusion.commitment import TreeAsset
from verifier.liabilities.accounts import Account
from verifier.liabilities.build import build
from verifier.ownership.claims import Control
from verifier.policy.evaluate import evaluate
from verifier.policy.library import load_pack
from verifier.verdict import Verdict

ASSETS = (TreeAsset(ETH, "ETH", 0), TreeAsset(USD, "USD", 0))
OWED = {"alice": (60, 0), "bob": (30, 500), "carol": (10, 500)}
HOT, COLD = position(Pool.CLIENT_HOT, 20), position(Pool.CLIENT_COLD, 80, number=2)
COLD_USD = position(Pool.CLIENT_COLD, 1_000, USD, 3)
PRICES = (price(ETH, "100"), price(USD, "1", "3"))


def run(*more: Any, off_chain: list[OffChainHolding] | None = None, **changes: Any) -> Case:
    made = case(HOT, COLD, COLD_USD, *more, owed={ETH: 100, USD: 1_000}, prices=changes.pop("prices", PRICES))
    declared = {"off_chain": off_chain or [], **changes}
    return made.model_copy(update={"declaration": made.declaration.model_copy(update=declared)})


def incident(*losses: dict[str, Any], **changes: Any) -> Incident:
    record = {
        "format": "reserve-verifier/incident/1",
        "id": "x",
        "at": AS_OF,
        "currency": "JPY",
        "losses": list(losses),
    }
    return Incident.model_validate(record | changes)


ALL_HOT = incident({"scope": "all-hot"})


def columns(parts: int = 1) -> ListedLeaves:
    tree = build([Account(*one) for one in OWED.items()], ASSETS, "run", AS_OF, bytes(32), parts)
    return ListedLeaves(tree.commitment, tree.levels[0])


def outcome(made: Case, told: Incident = ALL_HOT, name: str = "same-asset-first", *packs: str) -> Outcome:
    strategy = strategy_named(name)
    assert strategy is not None
    found = Division(basis_of(made, told, [load_pack(pack) for pack in packs]), columns()).by(strategy)
    assert found is not None
    return found[0]


def drawn(found: Outcome) -> list[tuple[str, int, int]]:
    return [(one.source, one.used, one.held) for one in found.draws]


def cover(units: int, **terms: Any) -> OffChainHolding:
    stated = {"valid_from": "2026-01-01T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z", "delay_hours": 24, **terms}
    found = CoverTerms.model_validate(stated) if terms.get("delay_hours", 0) is not None else None
    return OffChainHolding(
        pool=OffChainPool.INSURANCE, currency="JPY", units=str(units), decimals=0, document="d" * 64, terms=found
    )


def test_coins_of_the_same_asset_come_first_and_then_money() -> None:
    guarantee = position(Pool.GUARANTEE, 5, number=4)
    reserve = [position(Pool.RESERVE_FUND, 7, number=5), position(Pool.RESERVE_FUND, 100, USD, 6)]
    found = outcome(run(guarantee, *reserve, off_chain=[cover(10_000)]))
    assert drawn(found) == [
        ("guarantee", 5, 5), ("reserve-fund", 7, 7), ("reserve-fund", 200, 200), ("insurance", 600, 10_000),
    ]  # fmt: skip
    assert (found.claimed, found.in_kind, found.paid, found.uncovered) == (2_000, 1_200, 800, 0)
    pooled = outcome(run(guarantee, *reserve, off_chain=[cover(10_000)]), name="pro-rata")
    assert drawn(pooled) == [("guarantee", 5, 5), ("reserve-fund", 900, 900), ("insurance", 600, 10_000)]


def test_a_run_that_was_judged_before_is_short_of_the_same() -> None:
    made = run(position(Pool.RESERVE_FUND, 10, number=4))
    losses = basis_of(made, ALL_HOT, []).losses
    assert (made.digest, len(made.positions_by_asset), len(made.accounts)) == (made.model_copy().digest, 2, 4)
    assert basis_of(made, ALL_HOT, []).losses == losses
    assert made.model_copy(update={"positions": ()}).positions_by_asset == {}


def test_guarantee_assets_never_pay_for_another_asset() -> None:
    found = outcome(run(position(Pool.GUARANTEE, 5_000, USD, 4)))
    assert (drawn(found), found.uncovered) == ([], 2_000)


def test_what_nobody_is_shown_to_control_pays_nothing_and_is_said() -> None:
    found = outcome(run(position(Pool.RESERVE_FUND, 20, number=4, control=None)))
    assert (found.paid, found.uncovered) == (0, 2_000)
    assert any("nobody has shown control" in reason for reason in found.open)


def test_a_surplus_of_clients_own_coins_is_what_is_lost_first() -> None:
    found = outcome(run(position(Pool.CLIENT_COLD, 15, number=4)))
    assert (found.claimed, found.uncovered) == (500, 500)


def test_insurance_pays_above_its_deductible_while_it_is_valid_and_after_its_delay() -> None:
    assert drawn(outcome(run(off_chain=[cover(10_000, deductible="1500")]))) == [("insurance", 500, 10_000)]
    found = outcome(run(off_chain=[cover(10_000)]))
    assert (found.by, found.first_hours) == ((0, 2_000, 2_000), 24)
    for terms, said in (
        ({"valid_until": "2026-10-01T00:00:00Z"}, "not valid at the incident"),
        ({"delay_hours": None}, "terms"),
    ):
        late = outcome(run(off_chain=[cover(10_000, **terms)]))
        assert (late.paid, late.uncovered) == (0, 2_000)
        assert any(said in reason for reason in late.open)


def test_a_stated_fund_pays_when_nobody_knows_and_needs_approval() -> None:
    stated = [StatedFact(name="reserve_money_jpy", value="900")]
    found = outcome(run(statements=stated), ALL_HOT, "pro-rata", "jp-liability-reserve")
    assert drawn(found)[0] == ("reserve_money_jpy", 900, 900)
    assert (found.first_hours, found.uncovered) == (None, 1_100)
    (first, *_) = releases([load_pack("jp-liability-reserve")], ALL_HOT, found.draws)
    assert (first.needed, first.due, first.pool) == (True, None, "reserve_money_jpy")
    assert first.approver_en is not None
    assert "46-5" in first.clause


def test_every_strategy_pays_the_same_amount_to_different_people() -> None:
    made = run(position(Pool.RESERVE_FUND, 10, number=4))
    told = incident({"scope": "all-hot"}, tiers=["300"])
    paid = {}
    for strategy in STRATEGIES:
        found = Division(basis_of(made, told, []), columns()).by(strategy)
        assert found is not None
        amounts, allotted = found
        paid[strategy.name] = sorted(zip(allotted.owed_money, allotted.money, strict=True))
        assert amounts.paid + amounts.in_kind + amounts.uncovered == 2_000
    # Alice is short of 12, Bob of 6, Carol of 2 coins worth 100; ten of twenty are there.
    assert paid["same-asset-first"] == [(100, 0), (300, 0), (600, 0)]
    assert paid["pro-rata"] == [(200, 100), (600, 300), (1_200, 600)]
    assert paid["small-accounts-whole"] == [(200, 200), (600, 400), (1_200, 400)]
    assert paid["priority-tiers"] == [(200, 200), (600, 350), (1_200, 450)]


def test_without_tiers_there_is_no_plan_by_tiers_and_parts_of_accounts_are_no_accounts() -> None:
    tiers, whole = strategy_named("priority-tiers"), strategy_named("small-accounts-whole")
    assert tiers is not None
    assert whole is not None
    assert Division(basis_of(run(), ALL_HOT, []), columns()).by(tiers) is None
    with pytest.raises(InputError, match="whole accounts"):
        Division(basis_of(run(), ALL_HOT, []), columns(parts=2)).by(whole)


def test_an_asset_without_a_price_is_named_and_paid_in_kind_only() -> None:
    found = outcome(run(position(Pool.GUARANTEE, 5, number=4), prices=()))
    assert (drawn(found), found.unpriced) == ([("guarantee", 5, 5)], (ETH,))
    own = incident({"scope": "all-hot"}, prices=[price(ETH, "7").model_dump()])
    assert outcome(run(prices=()), own).claimed == 140


def test_the_valuation_rule_picks_within_the_spread() -> None:
    lost = {"wallet": account(3), "asset": USD, "units": "10"}
    values = [outcome(run(), incident(lost, valuation=rule)).claimed for rule in ("low", "middle", "high")]
    assert values == [10, 20, 30]


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([{"wallet": account(99)}], "no wallet of this run"),
        ([{"wallet": "eip155:31337:0x12"}], "losses.0.wallet"),
        ([{"wallet": account(1), "asset": USD}], "no holding"),
        ([{"wallet": account(1), "asset": ETH, "units": "21"}], "which held 20"),
        ([{"scope": "all-hot"}, {"wallet": account(1)}], "must not overlap"),
        ([{"pool": "client-hot", "fraction": "1/2"}, {"scope": "all-hot"}], "must not overlap"),
        ([{"pool": "reserve-fund", "fraction": "1"}], "no holding"),
        ([{"wallet": account(7)}], "agree on no balance"),
    ],
)
def test_an_incident_that_does_not_fit_the_run_is_refused_with_its_place(losses: list[Any], said: str) -> None:
    unread = position(Pool.CLIENT_COLD, None, number=7)
    with pytest.raises(InputError, match=said):
        basis_of(run(unread), incident(*losses), [])


@pytest.mark.parametrize(
    "change",
    [
        {"losses": []}, {"losses": [{}]}, {"losses": [{"scope": "all-hot", "wallet": account(1)}]}, {"at": "today"},
        {"losses": [{"wallet": account(1), "units": "5"}]}, {"losses": [{"pool": "client-hot"}]},
        {"losses": [{"pool": "client-hot", "fraction": "3/2"}]}, {"losses": [{"pool": "client-hot", "fraction": "0"}]},
        {"losses": [{"wallet": account(1), "asset": ETH, "units": "-5"}]}, {"tiers": ["5", "5"]}, {"id": "a/b"},
    ],
)  # fmt: skip
def test_a_malformed_incident_is_refused_with_its_field(change: dict[str, Any]) -> None:
    record = ALL_HOT.model_dump(mode="json", exclude_none=True) | change
    with pytest.raises(InputError, match=r"incident\.json"):
        parse_incident(json.dumps(record).encode(), "incident.json")


def test_the_largest_wallet_is_the_one_worth_most() -> None:
    found = basis_of(run(), incident({"scope": "largest-wallet"}), [])
    assert [(one.holding.account, one.units) for one in found.lost] == [(account(2), 80)]
    with pytest.raises(InputError, match="no price"):
        basis_of(run(prices=()), incident({"scope": "largest-wallet"}), [])


def test_a_run_without_liabilities_pays_nobody() -> None:
    bare = run().model_copy(update={"liabilities": None})
    with pytest.raises(InputError, match="commits to no liabilities"):
        basis_of(bare, ALL_HOT, [])
    assert run().liabilities is not None
    contradicted = case(HOT, owed={ETH: 20}, problem="the leaves add up to less", liabilities_tier=Tier.DECLARED)
    with pytest.raises(InputError, match="add up to less"):
        basis_of(contradicted, ALL_HOT, [])


def test_refused_wallets_lend_nothing() -> None:
    found = outcome(run(position(Pool.RESERVE_FUND, 20, number=4, control=Control.REFUSED)))
    assert (found.paid, found.uncovered) == (0, 2_000)


def test_a_stress_test_says_what_breaks_and_what_could_be_paid() -> None:
    made = run(position(Pool.GUARANTEE, 20, number=4), position(Pool.RESERVE_FUND, 10, number=5))
    assert {finding.verdict for finding in evaluate(made, load_pack("jp-psa-63-11")).findings} >= {Verdict.PASS}
    found = {one.name: one for one in stress(made, [load_pack("jp-psa-63-11")], "JPY", wallets=1)}
    hot, largest, *past = found.values()
    assert (hot.name, hot.short, hot.there) == ("everything hot", 2_000, 2_000)
    assert "JP-COVERAGE" in hot.broken
    assert (hot.least, largest.least) == ((ETH, Fraction(4, 5)), (ETH, Fraction(1, 5)))
    assert (largest.name, largest.short, largest.there) == (f"the wallet {account(2)}", 8_000, 3_000)
    assert [one.there for one in past] == [3_000, 3_000]
    assert all(one.name.startswith("a theft like") for one in past)


def test_a_stress_test_without_prices_says_so() -> None:
    found = stress(run(prices=()), [load_pack("model-basic")], "JPY")
    assert [bool(one.unknown) for one in found] == [False, True]
    assert "has no price" in found[1].unknown
