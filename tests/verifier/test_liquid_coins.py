"""Every coin waits for what its script and its age ask for, and for no less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin.spending import Lock
from chains.ids import AssetId, ChainId
from chains.model import BlockRef, Tier, UnspentOutput
from chains.questions import Observation, Question
from tests.verifier.cases import ETH, case, position
from verifier.declaration import Pool
from verifier.drill import Drilled
from verifier.liquidity.coins import Slice, slices_of_coins
from verifier.liquidity.forms import form_of
from verifier.liquidity.frozen import frozen_by, frozen_units
from verifier.observed import Observed
from verifier.ownership.claims import Control
from verifier.policy.case_amounts import Amounts

USDC = AssetId("eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48")
TIP = BlockRef(ChainId("bip122:000000000019d6689c085ae165831e93"), 800_000, "00" * 32, 1_700_000_000)


def coin(height: int = 700_000, coinbase: bool | None = False, units: int = 10**8) -> UnspentOutput:
    return UnspentOutput("aa:0", units, height, coinbase)


@pytest.mark.parametrize(
    ("one", "lock", "hours"),
    [
        (coin(), Lock(), 0),
        (coin(coinbase=True), Lock(), 0),
        (coin(800_000, coinbase=True), Lock(), 17),
        (coin(799_901, coinbase=True), Lock(), 0),
        (coin(800_000, coinbase=None), Lock(), None),
        (coin(700_000, coinbase=None), Lock(), 0),
        (coin(units=6_799), Lock(), None),
        (coin(), Lock(height=801_008), 168),
        (coin(), Lock(height=799_000), 0),
        (coin(), Lock(time=1_700_000_001), 1),
        (coin(), Lock(time=1_600_000_000), 0),
        (coin(799_999), Lock(age_blocks=144), 24),
        (coin(), Lock(age_blocks=144), 0),
        (coin(), Lock(age_seconds=512), 1),
    ],
)
def test_a_coin_waits_for_its_age_and_its_script(one: UnspentOutput, lock: Lock, hours: int | None) -> None:
    assert [part.hours for part in slices_of_coins((one,), lock, TIP)] == [hours]


def test_many_coins_take_time_to_sweep() -> None:
    many = tuple(coin()._replace(outpoint=f"aa:{number}") for number in range(100_000))
    (hours,) = {part.hours for part in slices_of_coins(many, Lock(), TIP)}
    assert hours == 4  # 28 blocks, a quarter of each


@given(
    st.lists(st.builds(coin, st.integers(1, 800_000), st.sampled_from([True, False, None]), st.integers(0, 10**12))),
    st.builds(Lock, st.integers(0, 900_000), st.integers(0, 2_000_000_000), st.integers(0, 65_535)),
)
def test_no_unit_is_lost_and_a_longer_lock_never_shortens_a_wait(coins: list[UnspentOutput], lock: Lock) -> None:
    free = list(slices_of_coins(tuple(coins), Lock(), TIP))
    locked = list(slices_of_coins(tuple(coins), lock, TIP))
    assert sum(part.units for part in locked) == sum(one.units for one in coins)

    def wait(part: Slice) -> int:
        return 10**9 if part.hours is None else part.hours

    assert all(wait(after) >= wait(before) for before, after in zip(free, locked, strict=True))


def test_what_stands_in_no_table_is_not_known_to_be_liquid() -> None:
    assert form_of(AssetId("eip155:1/slip44:60")).hours == 0
    assert form_of(AssetId("eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48")).hours == 0
    assert form_of(AssetId("eip155:1/erc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84")).hours is None
    assert form_of(AssetId("eip155:1/erc20:0x" + "11" * 20)).kind == "unknown token"


def test_what_nobody_is_shown_to_control_may_be_there_and_may_not() -> None:
    unclaimed = case(position(Pool.RESERVE_FUND, 100, control=None), position(Pool.RESERVE_FUND, 7, number=2))
    found = Amounts(unclaimed).liquid(ETH, Pool.RESERVE_FUND, 24)
    assert found.value == (7, 107)
    refused = case(position(Pool.RESERVE_FUND, 100, control=Control.REFUSED))
    assert Amounts(refused).liquid(ETH, Pool.RESERVE_FUND, 24).value == (0, 0)


@pytest.mark.parametrize(
    ("said", "bounds"),
    [("free", (100, 100)), ("frozen", (0, 0)), ("paused", (0, 0)), ("not told", (0, 100)), (None, (0, 100))],
)
def test_frozen_coins_are_not_liquid(said: str | None, bounds: tuple[int, int]) -> None:
    made = case(position(Pool.RESERVE_FUND, 100, USDC))
    holder, token = made.positions[0].placement.holding.account, USDC.rpartition(":")[2]
    question = Question(holder, "frozen", token)
    told = Observation(question, said, Tier.OBSERVED, ("operator",))
    asked = made.model_copy(update={"observed": Observed({question: told}, ("frozen",))})
    frozen, silent = said in ("frozen", "paused"), said in ("not told", None)
    assert frozen_by(asked, holder, USDC) is (None if silent else frozen)
    found = frozen_units(asked, USDC)
    assert found is not None
    assert (found.total, bool(found.open)) == (100 if frozen else 0, silent)
    assert Amounts(asked).liquid(USDC, Pool.RESERVE_FUND, 24).value == bounds


@pytest.mark.parametrize(
    ("most", "unknown", "within_1h", "within_24h"),
    [(3_600, 0, 100, 100), (3_601, 0, 0, 100), (90_000, 0, 0, 0), (None, 0, 0, 0), (None, 1, 100, 100)],
)
def test_coins_of_a_drilled_pool_take_as_long_as_the_drill_showed(
    most: int | None, unknown: int, within_1h: int, within_24h: int
) -> None:
    made = case(position(Pool.RESERVE_FUND, 100), position(Pool.GUARANTEE, 100, number=2))
    drilled = Drilled((Pool.RESERVE_FUND,), 5, 5, unknown, most, most, 50 * 3_600, Tier.OBSERVED)
    amounts = Amounts(made.model_copy(update={"drilled": drilled}))
    found = [amounts.liquid(ETH, Pool.RESERVE_FUND, hours).value.low for hours in (1, 24)]
    assert found == [within_1h, within_24h]
    assert amounts.liquid(ETH, Pool.GUARANTEE, 1).value.low == 100
