"""One lying operator out of three: a PASS becomes at most a disagreement, and a FAIL never becomes a PASS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.ids import AssetId
from chains.model import Balance, Disagreement, Reading, Tier
from chains.quorum import agree_on_balance
from tests.verifier.cases import BLOCK, ETH, USD, case, position, price
from verifier.case import Case, Position
from verifier.declaration import Pool
from verifier.policy.evaluate import evaluate
from verifier.policy.library import load_pack
from verifier.verdict import Verdict
from verifier.verification import Verification

PACKS = [load_pack(name) for name in ("model-basic", "jp-psa-63-11")]
POOLS = (Pool.CLIENT_COLD, Pool.CLIENT_HOT, Pool.GUARANTEE, Pool.RESERVE_FUND, Pool.PROPRIETARY)
ASSETS = (ETH, USD)


def as_told(honest: Position, lie: Reading) -> Position:
    """What a quorum of two makes of two honest answers and a third one."""
    assert isinstance(honest.result, Balance)
    holding = honest.placement.holding
    truth = [Reading(holding, f"honest-{n}", BLOCK, honest.result.units, (f"e{n}",)) for n in range(2)]
    return honest._replace(result=agree_on_balance(holding, BLOCK, [*truth, lie], 2))


def verdict(judged: Case) -> Verdict:
    return Verification(judged, tuple(evaluate(judged, pack) for pack in PACKS)).verdict


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Position], list[Reading], dict[AssetId, int]]:
    """Positions, the liar's answer for each, and what is owed: near what is held, so that lies would matter."""
    honest, lies = [], []
    for number in range(1, draw(st.integers(2, 6)) + 1):
        asset = draw(st.sampled_from(ASSETS))
        units = draw(st.integers(0, 200))
        one = position(draw(st.sampled_from(POOLS)), units, asset, number, tier=Tier.CORROBORATED)
        told = draw(st.one_of(st.none(), st.just(units), st.integers(0, 10_000)))
        block = draw(st.sampled_from([BLOCK, BLOCK, BLOCK._replace(hash="0x" + "99" * 32)]))
        honest.append(one)
        lies.append(Reading(one.placement.holding, "liar", block, told, ("lie",), "" if told is not None else "error"))
    held: dict[AssetId, int] = dict.fromkeys(ASSETS, 0)
    for one in honest:
        if one.placement.pool in POOLS[:2] and isinstance(one.result, Balance):
            held[one.placement.holding.asset] += one.result.units
    owed = {asset: max(0, held[asset] - draw(st.integers(-3, 30))) for asset in ASSETS}
    return honest, lies, owed


@given(stories())
def test_a_lie_opens_a_verdict_and_never_turns_it(
    story: tuple[list[Position], list[Reading], dict[AssetId, int]],
) -> None:
    honest, lies, owed = story
    prices = (price(ETH, "500000"), price(USD, "150"))
    truth = verdict(case(*honest, owed=owed, prices=prices))
    told = [as_told(one, lie) for one, lie in zip(honest, lies, strict=True)]
    heard = verdict(case(*told, owed=owed, prices=prices))
    if truth is Verdict.FAIL:
        assert heard is not Verdict.PASS
    else:
        assert heard in (truth, Verdict.INDETERMINATE)


@given(stories())
def test_a_lie_is_a_disagreement_that_keeps_it_or_no_answer_at_all(
    story: tuple[list[Position], list[Reading], dict[AssetId, int]],
) -> None:
    for one, lie in zip(story[0], story[1], strict=True):
        result = as_told(one, lie).result
        assert isinstance(one.result, Balance)
        if lie.units is None or (lie.units == one.result.units and lie.block == BLOCK):
            assert isinstance(result, Balance)
            assert result.units == one.result.units
        else:
            assert isinstance(result, Disagreement)
            assert lie in result.answers


@pytest.mark.parametrize("units", [0, 99, 101, 10**30])
def test_the_played_liar_opens_a_pass_whatever_it_says(units: int) -> None:
    honest = position(Pool.CLIENT_COLD, 100, tier=Tier.CORROBORATED)
    told = as_told(honest, Reading(honest.placement.holding, "liar", BLOCK, units, ("lie",)))
    pack = load_pack("model-basic")
    assert evaluate(case(honest, owed={ETH: 100}), pack).verdict is Verdict.PASS
    assert evaluate(case(told, owed={ETH: 100}), pack).verdict is Verdict.INDETERMINATE
    assert evaluate(case(told, owed={ETH: 101}), pack).verdict is not Verdict.PASS
