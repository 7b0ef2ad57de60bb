"""What moved in the days before the pinned blocks: every declared holding's transfers, and what it held before them."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from secrets import token_hex
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chains.history import BlockFinder, History, HistoryGap, read_history
from chains.ids import ChainId, chain_of
from chains.model import Balance, BlockRef, Disagreement, Holding
from chains.panel import Survey, read_at
from chains.providers import Providers
from chains.transport import Transport
from verifier.declaration import utc_seconds
from verifier.errors import InputError
from verifier.records import parse_record
from verifier.reserves import Placement, Progress, silent

MAX_DAYS = 366
# Twelve draws: coins borrowed for three of twenty-eight days are there at all of them with a chance of 2 in 10^12.
DRAWS, MAX_DRAWS = 12, 64
SECONDS_PER_DAY = 86_400


class WindowPlan(BaseModel):
    """How many days before the pinned blocks are looked at, and the secret that draws the blocks to be sampled.

    Whoever published the SHA-256 of the seed before the pinned blocks were made can show that nobody chose the sample:
    the blocks follow from the seed and from the hash of the pinned block, which nobody knew then.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    format: Literal["reserve-verifier/window/1"] = "reserve-verifier/window/1"
    days: int = Field(ge=1, le=MAX_DAYS)
    draws: int = Field(default=DRAWS, ge=0, le=MAX_DRAWS)
    seed: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def commitment(self) -> str:
        """The SHA-256 of the seed, to be published beforehand."""
        return sha256(bytes.fromhex(self.seed)).hexdigest()

    def heights(self, opening: BlockRef, last: BlockRef) -> tuple[int, ...]:
        """Return the drawn heights of a window, after `opening` up to `last`, in order and without repetition."""
        span = last.height - opening.height
        if span <= 0:
            return ()
        pinned = bytes.fromhex(last.hash.removeprefix("0x"))
        drawn = (sha256(bytes.fromhex(self.seed) + pinned + number.to_bytes(4)) for number in range(self.draws))
        return tuple(sorted({opening.height + 1 + int.from_bytes(one.digest()) % span for one in drawn}))


class Window(NamedTuple):
    """One chain's window: transfers of all blocks after `opening` up to `last`.

    `snapshot` is the newest block of the window not later than the declaration's `as_of`; None when all are later.
    `drawn` are the blocks that were sampled.
    """

    opening: BlockRef
    last: BlockRef
    snapshot: BlockRef | None
    drawn: tuple[BlockRef, ...] = ()


class Past(NamedTuple):
    """What was read of the window: per holding its transfers, and its balance at the window's opening.

    `samples` are balances at the drawn blocks, of holdings whose transfers nobody lists (native coins of EVM chains).
    """

    windows: tuple[Window, ...] = ()
    histories: Mapping[Holding, History | HistoryGap] = {}
    openings: Mapping[Holding, Balance | Disagreement] = {}
    samples: Mapping[Holding, tuple[Balance | Disagreement, ...]] = {}

    def to_record(self) -> dict[str, Any]:
        """Return everything that was read, as JSON values."""
        return {
            "windows": [
                [list(w.opening), list(w.last), list(w.snapshot) if w.snapshot else None] for w in self.windows
            ],
            "histories": [_history_record(self.histories[holding]) for holding in sorted(self.histories)],
            "openings": [[*holding, _shown(found)] for holding, found in sorted(self.openings.items())],
            "samples": [[*holding, [_shown(one) for one in found]] for holding, found in sorted(self.samples.items())],
        }


def plan_window(days: int, seed: str = "") -> WindowPlan | None:
    """Return how to look back so many days, 0 for not at all, with a seed of one's own or a new one.

    Raises InputError for what is no such number or seed.
    """
    if not 0 <= days <= MAX_DAYS:
        raise InputError(f"a window of {days} days; give 1 to {MAX_DAYS}, or 0 for none")
    if not days:
        return None
    try:
        return WindowPlan(days=days, seed=seed.lower() or token_hex(32))
    except ValidationError as error:
        raise InputError(f"the seed {seed[:80]!r} is not 64 hexadecimal digits") from error


def read_plan(text: bytes, where: str) -> WindowPlan:
    """Read how far a run looked back. Raises InputError."""
    return parse_record(text, where, WindowPlan.model_validate)


def read_past(
    plan: WindowPlan,
    as_of: str,
    placements: Sequence[Placement],
    surveys: Sequence[Survey],
    providers: Providers,
    transport: Transport,
    progress: Progress = silent,
) -> Past:
    """Read the window of every chain that was surveyed. A chain whose window has no agreed block has no histories."""
    windows: list[Window] = []
    histories: dict[Holding, History | HistoryGap] = {}
    openings: dict[Holding, Balance | Disagreement] = {}
    samples: dict[Holding, list[Balance | Disagreement]] = {}
    for survey in surveys:
        network, last = survey.network, survey.block
        if last is None:
            continue
        voices, least = providers.serving(ChainId(network.chain)), providers.minimum_operators
        progress(f"{network.name}, {plan.days} days back", 0, 1)
        finder = BlockFinder(network, voices, transport, least)
        opening = finder.not_after(last.time - plan.days * SECONDS_PER_DAY, last) or finder.at(0)
        if opening is None:
            continue
        blocks = (finder.at(height) for height in plan.heights(opening, last))
        drawn = tuple(block for block in blocks if block is not None)
        windows.append(Window(opening, last, finder.not_after(utc_seconds(as_of), last), drawn))
        holdings = [one.holding for one in placements if chain_of(one.holding.account) == network.chain]
        found = read_history(network, voices, transport, opening.height + 1, last, holdings, least)
        histories.update(zip(holdings, found, strict=True))
        openings.update(zip(holdings, read_at(network, voices, transport, opening, holdings, least), strict=True))
        unlisted = [one for one, history in zip(holdings, found, strict=True) if isinstance(history, HistoryGap)]
        for block in drawn if unlisted else ():
            read = read_at(network, voices, transport, block, unlisted, least)
            for holding, balance in zip(unlisted, read, strict=True):
                samples.setdefault(holding, []).append(balance)
        progress(f"{network.name}, {plan.days} days back", 1, 1)
    return Past(tuple(windows), histories, openings, {holding: tuple(found) for holding, found in samples.items()})


def _shown(found: Balance | Disagreement) -> str:
    return str(found.units) if isinstance(found, Balance) else str(found.reason)


def _history_record(found: History | HistoryGap) -> list[Any]:
    if isinstance(found, HistoryGap):
        return [*found.holding, found.reason]
    moved = [[str(t.units), t.sender, t.recipient, t.height, t.transaction, t.position] for t in found.transfers]
    return [*found.holding, found.first, found.last.hash, list(found.operators), moved]
