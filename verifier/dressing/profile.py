"""What client wallets held block by block, rewound from the pinned block by every transfer of the window."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from chains.history import History
from chains.ids import AssetId, chain_of, family_of
from chains.model import Balance, Tier
from verifier.case import Case
from verifier.declaration import CLIENT_POOLS
from verifier.window import Window

# Where every coin is listed when it is received and spent, rewinding leaves nothing out.
COMPLETE_BY_NATURE = ("bip122",)


class Step(NamedTuple):
    """Units held after each of `blocks` blocks in a row, the first of them at `height`."""

    height: int
    blocks: int
    units: int


class Profile(NamedTuple):
    """What all client wallets of an asset held after each block of a window, as steps in order.

    `open` says in words which wallets could not be followed: the steps are then a lower bound. `contradiction` is set
    when balances and transfers do not fit each other, as with tokens that rebase: then nothing follows.
    """

    asset: AssetId
    window: Window
    steps: tuple[Step, ...]
    tier: Tier
    evidence: tuple[str, ...]
    open: tuple[str, ...] = ()
    contradiction: str = ""

    @property
    def least(self) -> int:
        """The least units held after any block of the window."""
        return min(step.units for step in self.steps)

    def at(self, height: int) -> int:
        """Return the units held after the block at a height of the window."""
        return next(step.units for step in reversed(self.steps) if step.height <= height)

    def capped_mean(self, most: int) -> Fraction:
        """Return the mean over all blocks of what was held, counting never more than `most`."""
        blocks = sum(step.blocks for step in self.steps)
        return Fraction(sum(min(step.units, most) * step.blocks for step in self.steps), blocks)


def client_profile(case: Case, asset: AssetId) -> Profile | None:
    """Return the profile of an asset's client wallets, or None when the run looked at no window of its chain."""
    window = next((w for w in case.past.windows if w.last.chain == chain_of(asset)), None)
    if window is None:
        return None
    positions = [p for p in case.positions_by_asset.get(asset, ()) if p.placement.pool in CLIENT_POOLS]
    held, tier, evidence, opened = 0, Tier.PROVEN, set[str](), list[str]()
    deltas: Counter[int] = Counter()
    for position in positions:
        history = case.past.histories.get(position.placement.holding)
        if not isinstance(position.result, Balance) or not isinstance(history, History):
            opened.append(f"{position.placement.holding.account}: its transfers are not known")
            continue
        wrong, known = _cross_check(case, position.result, history)
        if wrong:
            return Profile(asset, window, (Step(window.opening.height, 1, 0),), Tier.DECLARED, (), (), wrong)
        held += position.result.units
        tier = min(tier, known, case.tier_of(position.result), history.tier)
        evidence.update((*history.evidence, *position.result.evidence))
        for height, units in _deltas(history):
            deltas[height] += units
    steps = tuple(_steps(window, held, deltas))
    return Profile(asset, window, steps, tier, tuple(sorted(evidence)), tuple(opened))


class Drawn(NamedTuple):
    """The least that client wallets held at any drawn block; `open` says which blocks or wallets are not known.

    `totals` are the heights of the drawn blocks with what was held there, in order.
    """

    least: int
    height: int
    blocks: int
    tier: Tier
    evidence: tuple[str, ...]
    open: tuple[str, ...]
    totals: tuple[tuple[int, int], ...] = ()


def held_at_drawn(case: Case, asset: AssetId, profile: Profile) -> Drawn | None:
    """Return the least held at the drawn blocks, by transfers where they are listed and by samples where not."""
    if not profile.window.drawn or profile.contradiction:
        return None
    sampled = [
        (p.placement.holding.account, case.past.samples[p.placement.holding])
        for p in case.positions_by_asset.get(asset, ())
        if p.placement.pool in CLIENT_POOLS and p.placement.holding in case.past.samples
    ]
    opened: list[str] = [] if len(sampled) == len(profile.open) else list(profile.open)
    tier, evidence, totals = profile.tier, set(profile.evidence), list[tuple[int, int]]()
    for number, block in enumerate(profile.window.drawn):
        total = profile.at(block.height)
        for account, balances in sampled:
            found = balances[number]
            if isinstance(found, Balance):
                total += found.units
                tier = min(tier, found.tier)
                evidence.update(found.evidence)
            else:
                opened.append(f"{account} at block {block.height}: {found.reason}")
        totals.append((total, block.height))
    least, height = min(totals)
    in_order = tuple((block.height, total) for block, (total, _) in zip(profile.window.drawn, totals, strict=True))
    return Drawn(least, height, len(totals), tier, tuple(sorted(evidence)), tuple(opened), in_order)


def _deltas(history: History) -> Iterator[tuple[int, int]]:
    account = history.holding.account
    for transfer in history.transfers:
        yield transfer.height, transfer.units * ((transfer.recipient == account) - (transfer.sender == account))


def _cross_check(case: Case, balance: Balance, history: History) -> tuple[str, Tier]:
    """Say where the rewound balance at the opening contradicts the chain, and how well both ends are known."""
    rewound = balance.units - history.net
    holding = balance.holding
    opening = case.past.openings.get(holding)
    if isinstance(opening, Balance) and opening.units != rewound:
        return (
            f"{holding.account} held {opening.units} at the window's opening, its transfers say {rewound}",
            Tier.PROVEN,
        )
    if rewound < 0:
        return f"{holding.account} would have held {rewound} at the window's opening by its transfers", Tier.PROVEN
    if isinstance(opening, Balance) or family_of(chain_of(holding.account)) in COMPLETE_BY_NATURE:
        return "", Tier.PROVEN
    return "", Tier.DECLARED  # one end only: a token whose balances change without transfers would not be noticed


def _steps(window: Window, held: int, deltas: Counter[int]) -> Iterator[Step]:
    """Yield the steps from the window's opening to its last block."""
    heights = sorted(height for height, units in deltas.items() if units)
    units = held - sum(deltas.values())
    start = window.opening.height
    for height in heights:
        if height > start:
            yield Step(start, height - start, units)
        units += deltas[height]
        start = height
    yield Step(start, window.last.height - start + 1, units)
