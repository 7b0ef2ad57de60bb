"""A drill on a real Bitcoin chain: drawn by a seed and a later block, timed by the chain, and counted by the rules."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId, address_of
from chains.model import BlockRef
from chains.providers import Providers
from tests.live.bitcoind import history_harness
from tests.live.played_days import KnotsDays, collected, strict_findings
from tests.verifier.cases import price
from verifier.attestation.bundle import open_bundle
from verifier.case import Case
from verifier.compensation.drawing import draw_drill, drawn_alike
from verifier.declaration import Pool
from verifier.drill import Beacon, Drill, Drilled, read_drill, watch
from verifier.errors import InputError
from verifier.further import Plans
from verifier.movement import tips
from verifier.run import replay
from verifier.snapshot import PriceQuote
from verifier.verdict import Verdict

pytestmark = pytest.mark.real_bitcoind
LINK = HttpTransport(Limits(tries=1))
SEED, COIN = "5e" * 32, 100_000_000


@pytest.fixture(scope="module")
def days() -> Iterator[KnotsDays]:
    with history_harness() as node:
        yield KnotsDays(node)


def run_of(days: KnotsDays, folder: Path, wallets: list[AccountId]) -> Case:
    pools = {"reserve-fund": (wallets, [days.asset])}
    with open_bundle(collected(folder, days.provider, pools, days.now(), 0)) as bundle:
        case, _ = replay(bundle)
    quote: PriceQuote = price(AssetId(days.asset), "100")
    return case.model_copy(update={"prices": (quote,)})


def tip_of(days: KnotsDays) -> BlockRef:
    (tip,) = tips({days.provider.chain}, Providers((days.provider,), 1), LINK)
    return tip


def beacon_now(days: KnotsDays) -> Beacon:
    tip = tip_of(days)
    return Beacon(chain=tip.chain, height=tip.height, hash=tip.hash, time=tip.time)


def drawn(days: KnotsDays, case: Case, wallets: int = 20) -> Drill:
    tip = tip_of(days)
    return draw_drill(case, [Pool.RESERVE_FUND], wallets, 24, SEED, beacon_now(days), {tip.chain: tip})


def watched(days: KnotsDays, drill: Drill) -> Drilled:
    return watch(drill, Providers((days.provider,), 1), LINK)


def move(days: KnotsDays, drill: Drill, first: int, last: int) -> None:
    for test in drill.tests[first:last]:
        account = AccountId(test.account)
        coins = days.node.call("listunspent", 0, 9_999_999, [address_of(account)], wallet="holders")
        rest = sum(int(coin["amount"] * COIN) for coin in coins) - int(test.units) - 10_000
        elsewhere = AccountId(f"{days.provider.chain}:{days.node.call('getnewaddress', wallet='miner')}")
        days.spend([account], {account: int(test.units), elsewhere: rest})


def test_a_drill_is_drawn_timed_and_counted(days: KnotsDays, tmp_path: Path) -> None:
    wallets = [days.fund(COIN) for _ in range(20)]
    case = run_of(days, tmp_path / "before", wallets)
    days.pass_hours(1, 1)
    drill = drawn(days, case)
    assert {test.account for test in drill.tests} == set(wallets)
    assert watched(days, drill)._replace(watched=0, texts=()) == Drilled(
        (Pool.RESERVE_FUND,), 20, 0, 0, None, None, 0, watched(days, drill).tier
    )
    days.pass_hours(2, 1)
    move(days, drill, 0, 12)
    halfway = watched(days, drill)
    assert (halfway.moved, halfway.most) == (12, None)
    assert halfway.half is not None
    assert 2 * 3_600 <= halfway.half < 4 * 3_600
    days.pass_hours(30, 6)
    open_plans = Plans(None, None, None, drill)
    rule, pools = ("STRICT-DRILL", "attestation"), {"reserve-fund": (wallets, [days.asset])}
    slow = strict_findings(tmp_path / "slow", days.provider, pools, {}, days.now(), 0, plans=open_plans)
    assert (slow[rule].verdict, "12 of 20 drawn wallets moved" in slow[rule].text) == (Verdict.FAIL, True)
    move(days, drill, 12, 20)
    done = watched(days, drill)
    assert (done.moved, done.hours is not None and done.hours > 30) == (20, True)
    late = strict_findings(tmp_path / "late", days.provider, pools, {}, days.now(), 0, plans=open_plans)
    assert late[rule].verdict is Verdict.FAIL
    fresh = [days.fund(COIN) for _ in range(3)]
    again = drawn(days, run_of(days, tmp_path / "fresh", fresh), 3)
    move(days, again, 0, 3)
    quick = strict_findings(
        tmp_path / "quick",
        days.provider,
        {"reserve-fund": (fresh, [days.asset])},
        {},
        days.now(),
        0,
        plans=Plans(None, None, None, again),
    )
    assert quick[rule].verdict is Verdict.PASS
    without = strict_findings(tmp_path / "without", days.provider, pools, {}, days.now(), 0)
    assert without[rule].verdict is Verdict.INDETERMINATE


def test_a_beacon_that_sets_the_clock_at_will_leaves_everything_unknown(days: KnotsDays, tmp_path: Path) -> None:
    wallets = [days.fund(COIN) for _ in range(2)]
    drill = drawn(days, run_of(days, tmp_path / "run", wallets), 2)
    days.pass_hours(2, 1)
    move(days, drill, 0, 2)
    assert watched(days, drill).moved == 2
    for change in ({"time": drill.beacon.time + 7_000}, {"hash": "00" * 32}, {"height": drill.beacon.height + 1}):
        other = drill.model_copy(update={"beacon": drill.beacon.model_copy(update=change)})
        found = watched(days, other)
        assert (found.moved, found.unknown, found.most) == (0, 2, None)
    days.pass_hours(1, 1)
    later = drill.model_copy(update={"beacon": beacon_now(days)})
    assert (watched(days, later).moved, watched(days, later).unknown) == (0, 0)


def test_the_draw_follows_from_seed_beacon_and_run_alone(days: KnotsDays, tmp_path: Path) -> None:
    case = run_of(days, tmp_path, [days.fund(COIN * (number + 1)) for number in range(6)])
    drill = drawn(days, case, 3)
    assert drawn_alike(drill, case)
    assert drawn(days, case, 3) == drill
    assert read_drill(json.dumps(drill.model_dump(mode="json")).encode(), "drill") == drill
    swapped = drill.model_copy(update={"tests": drill.tests[::-1]})
    other_seed = drill.model_copy(update={"seed": "00" * 32})
    assert not drawn_alike(swapped, case)
    assert not drawn_alike(other_seed, case)
    assert drill.commitment != other_seed.commitment
    with pytest.raises(InputError, match="drawn over the case"):
        drawn_alike(drill.model_copy(update={"case": "00" * 32}), case)


def test_nothing_large_enough_or_without_a_price_is_not_drawn_from(days: KnotsDays, tmp_path: Path) -> None:
    small = run_of(days, tmp_path / "small", [days.fund(500_000)])
    block = BlockRef(days.provider.chain, 1, "00" * 32, 0)
    beacon = Beacon(chain=block.chain, height=1, hash="00" * 32, time=0)
    with pytest.raises(InputError, match="large enough"):
        draw_drill(small, [Pool.RESERVE_FUND], 1, 24, SEED, beacon, {block.chain: block})
    priced = run_of(days, tmp_path / "priced", [days.fund(COIN)])
    with pytest.raises(InputError, match="has no price"):
        draw_drill(
            priced.model_copy(update={"prices": ()}), [Pool.RESERVE_FUND], 1, 24, SEED, beacon, {block.chain: block}
        )
