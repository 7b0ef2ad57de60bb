"""Draw a drill: which wallets have to move which odd amounts, from a seed that was committed to and a later beacon."""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from hashlib import sha256

from chains.ids import ChainId, chain_of
from chains.model import Balance, BlockRef, Holding
from verifier.case import Case
from verifier.declaration import Pool
from verifier.drill import Beacon, Drill
from verifier.errors import InputError
from verifier.movement import LARGEST, SMALLEST, MovementTest
from verifier.snapshot import unit_prices

# A wallet that could hardly pay the amount and a fee would show nothing but that.
LEAST_UNITS = 10 * LARGEST


def draw_drill(
    case: Case,
    pools: Sequence[Pool],
    wallets: int,
    hours: int,
    seed: str,
    beacon: Beacon,
    tips: Mapping[ChainId, BlockRef],
) -> Drill:
    """Draw wallets by their value, without repetition, and an odd amount for each; the same inputs draw the same.

    `tips` are the blocks after which a movement counts on each chain; the beacon's own block on its chain. Raises
    InputError when the pools hold nothing that can move, or something without a price.
    """
    weights = _weights(case, pools)
    if not weights:
        raise InputError(f"nothing in {', '.join(pools)} is large enough to move an odd amount")
    source = _Draws(bytes.fromhex(seed) + bytes.fromhex(beacon.hash.removeprefix("0x")))
    tests = []
    left = dict(weights)
    for _ in range(min(wallets, len(weights))):
        holding = _pick(left, source)
        del left[holding]
        after = tips[chain_of(holding.account)]
        units = SMALLEST + source.below(LARGEST - SMALLEST + 1)
        tests.append(
            MovementTest(
                account=holding.account, asset=holding.asset, units=str(units), height=after.height,
                block_hash=after.hash,
            )
        )  # fmt: skip
    return Drill(
        exchange=case.declaration.exchange.id, case=case.digest, pools=list(pools), seed=seed, beacon=beacon,
        hours=hours, tests=tests,
    )  # fmt: skip


def chains_of(case: Case, pools: Collection[Pool]) -> set[ChainId]:
    """Return the chains on which pools hold anything."""
    return {chain_of(one.placement.holding.account) for one in case.positions if one.placement.pool in pools}


def drawn_alike(drill: Drill, case: Case) -> bool:
    """Tell whether a drill's wallets and amounts follow from its seed, its beacon and the run it names."""
    if case.digest != drill.case:
        raise InputError(f"the drill was drawn over the case {drill.case}, this run's is {case.digest}")
    tips = {
        chain_of(holding.account): BlockRef(chain_of(holding.account), test.height, test.block_hash, 0)
        for test in drill.tests
        for holding in [Holding(test.account, test.asset)]  # type: ignore[arg-type]
    }
    for chain in chains_of(case, drill.pools):
        tips.setdefault(chain, BlockRef(chain, 0, "", 0))
    again = draw_drill(case, drill.pools, len(drill.tests), drill.hours, drill.seed, drill.beacon, tips)
    return again.tests == drill.tests


class _Draws:
    """Numbers that follow from one secret and nothing else: SHA-256 over it and a counter."""

    def __init__(self, key: bytes) -> None:
        self._key, self._count = key, 0

    def below(self, bound: int) -> int:
        """Return a number from 0 to below `bound`; the bias is below bound / 2^256."""
        self._count += 1
        return int.from_bytes(sha256(self._key + self._count.to_bytes(8)).digest()) % bound


def _weights(case: Case, pools: Sequence[Pool]) -> dict[Holding, int]:
    """Return each holding's value in millionths of a currency unit, rounded down but at least one."""
    currencies = sorted({quote.currency for quote in case.prices})
    prices = unit_prices(case.prices, currencies[0], case.declaration.decimals()) if currencies else {}
    found: dict[Holding, int] = {}
    for position in case.positions:
        holding, result = position.placement.holding, position.result
        if position.placement.pool not in pools or not isinstance(result, Balance) or result.units < LEAST_UNITS:
            continue
        if holding.asset not in prices:
            raise InputError(f"{holding.asset} has no price in this run: wallets are drawn by their value")
        found[holding] = max(1, int(result.units * prices[holding.asset].low * Fraction(10**6)))
    return dict(sorted(found.items()))


def _pick(weights: Mapping[Holding, int], source: _Draws) -> Holding:
    at = source.below(sum(weights.values()))
    for holding, weight in weights.items():
        if at < weight:
            return holding
        at -= weight
    raise AssertionError("a number below the sum of the weights")
