"""What was held block by block, rewound by hand: extra coins make up for nothing, and impossible pasts are none."""

from fractions import Fraction

from chains.history import History
from chains.model import BlockRef, Tier, Transfer
from tests.verifier.cases import BLOCK, CHAIN, ETH, account, case, position
from verifier.case import Case
from verifier.declaration import OffChainHolding, OffChainPool, Pool, utc_text
from verifier.dressing.patterns import round_trips
from verifier.dressing.profile import client_profile
from verifier.policy.case_amounts import Amounts
from verifier.policy.case_inputs import CaseInputs
from verifier.policy.evaluate import evaluate
from verifier.policy.inputs import Scope
from verifier.policy.library import load_pack
from verifier.verdict import Verdict
from verifier.window import Past, Window, WindowPlan

OPENING = BlockRef(CHAIN, 90, "0x" + "33" * 32, BLOCK.time - 1_000)


def moved(units: int, height: int, *, received: bool) -> Transfer:
    ours, other = account(1), account(9)
    sides = (other, ours) if received else (ours, other)
    return Transfer(ETH, units, *sides, height, "0x" + "44" * 32, f"0x{height}", 0)


def followed(held: int, *transfers: Transfer) -> Case:
    made = case(position(Pool.CLIENT_COLD, held), owed={ETH: 100})
    holding = made.positions[0].placement.holding
    history = History(holding, 91, BLOCK, transfers, Tier.OBSERVED, ("operator",), ("call",))
    return made.model_copy(update={"past": Past((Window(OPENING, BLOCK, BLOCK),), {holding: history})})


def test_extra_coins_on_one_day_do_not_make_up_for_others() -> None:
    # 40 from block 90 to 94, 1,040 from 95 to 99, 40 again at the pinned block 100.
    made = followed(40, moved(1_000, 95, received=True), moved(1_000, 100, received=False))
    profile = client_profile(made, ETH)
    assert profile is not None
    assert [(step.height, step.blocks, step.units) for step in profile.steps] == [
        (90, 5, 40),
        (95, 5, 1_040),
        (100, 1, 40),
    ]
    assert profile.capped_mean(100) == Fraction(5 * 40 + 5 * 100 + 40, 11)
    assert (profile.least, profile.at(97), profile.at(100)) == (40, 1_040, 40)


def test_one_end_alone_is_known_as_declared_only() -> None:
    profile = client_profile(followed(100), ETH)
    assert profile is not None
    assert (profile.tier, profile.contradiction) == (Tier.DECLARED, "")


def test_transfers_that_leave_less_than_nothing_contradict_the_balance() -> None:
    profile = client_profile(followed(40, moved(50, 95, received=True)), ETH)
    assert profile is not None
    assert "would have held -10" in profile.contradiction


def test_a_declaration_without_faults_is_no_pass_when_no_rule_applies() -> None:
    nothing_owed = case(position(Pool.CLIENT_COLD, 100, control=None), owed={ETH: 0})
    assert evaluate(nothing_owed, load_pack("model-basic")).verdict is Verdict.NOT_APPLICABLE


def test_cover_in_another_currency_is_not_added() -> None:
    cover = [
        OffChainHolding(pool=OffChainPool.INSURANCE, currency=currency, units="500", decimals=2, document="d" * 64)
        for currency in ("JPY", "USD")
    ]
    made = case(position(Pool.CLIENT_COLD, 1))
    made = made.model_copy(update={"declaration": made.declaration.model_copy(update={"off_chain": cover})})
    atoms = CaseInputs(Amounts(made), "JPY").quantity("insurance_limit", Scope.TOTAL, "total")
    assert [atom.value.exact for atom in atoms] == [Fraction(5)]


def test_only_what_came_shortly_before_and_went_back_soon_is_a_round_trip() -> None:
    # Ten days of a hundred blocks; the declaration speaks of the end of the fifth day.
    day = 86_400
    opening = BlockRef(CHAIN, 0, "0x" + "33" * 32, BLOCK.time - 10 * day)
    as_of = utc_text(BLOCK.time - 5 * day)

    def trips(came: int, left: int) -> list[int]:
        made = followed(100, moved(60, came, received=True), moved(60, left, received=False))
        declaration = made.declaration.model_copy(update={"as_of": as_of})
        past = made.past._replace(windows=(Window(opening, BLOCK, None),))
        judged = made.model_copy(update={"declaration": declaration, "past": past})
        return [one.returned for one in round_trips(judged, ETH)]

    assert trips(came=45, left=55) == [60]  # half a day before, half a day after
    assert trips(came=15, left=55) == []  # three and a half days before
    assert trips(came=45, left=48) == []  # gone before the snapshot


def test_the_drawn_blocks_follow_from_the_seed_and_the_pinned_block() -> None:
    opening = BlockRef(CHAIN, 1_000, "0x" + "33" * 32, 0)
    last = BlockRef(CHAIN, 101_000, "0x" + "44" * 32, 0)
    plan, other = (WindowPlan(days=14, seed=digit * 64) for digit in "ab")
    heights = plan.heights(opening, last)
    assert heights == plan.heights(opening, last) == tuple(sorted(set(heights)))
    assert len(heights) == 12 and all(1_000 < height <= 101_000 for height in heights)
    assert not set(heights) & set(other.heights(opening, last))
    assert not set(heights) & set(plan.heights(opening, last._replace(hash="0x" + "55" * 32)))
    assert plan.heights(last, last) == ()
    assert plan.commitment != other.commitment
