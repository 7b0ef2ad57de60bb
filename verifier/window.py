"""What moved in the days before the pinned blocks: every declared holding's transfers, and what it held before them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

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
SECONDS_PER_DAY = 86_400


class WindowPlan(BaseModel):
    """How many days before the pinned blocks are looked at."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    format: Literal["reserve-verifier/window/1"] = "reserve-verifier/window/1"
    days: int = Field(ge=1, le=MAX_DAYS)


class Window(NamedTuple):
    """One chain's window: transfers of all blocks after `opening` up to `last`.

    `snapshot` is the newest block of the window not later than the declaration's `as_of`; None when all are later.
    """

    opening: BlockRef
    last: BlockRef
    snapshot: BlockRef | None


class Past(NamedTuple):
    """What was read of the window: per holding its transfers, and its balance at the window's opening."""

    windows: tuple[Window, ...] = ()
    histories: Mapping[Holding, History | HistoryGap] = {}
    openings: Mapping[Holding, Balance | Disagreement] = {}

    def to_record(self) -> dict[str, Any]:
        """Return everything that was read, as JSON values."""
        return {
            "windows": [
                [list(w.opening), list(w.last), list(w.snapshot) if w.snapshot else None] for w in self.windows
            ],
            "histories": [_history_record(self.histories[holding]) for holding in sorted(self.histories)],
            "openings": [
                [*holding, str(found.units) if isinstance(found, Balance) else found.reason]
                for holding, found in sorted(self.openings.items())
            ],
        }


def checked_days(days: int) -> int:
    """Return how many days to look back, 0 for none. Raises InputError for what is no such number."""
    if not 0 <= days <= MAX_DAYS:
        raise InputError(f"a window of {days} days; give 1 to {MAX_DAYS}, or 0 for none")
    return days


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
        windows.append(Window(opening, last, finder.not_after(utc_seconds(as_of), last)))
        holdings = [one.holding for one in placements if chain_of(one.holding.account) == network.chain]
        found = read_history(network, voices, transport, opening.height + 1, last, holdings, least)
        histories.update(zip(holdings, found, strict=True))
        openings.update(zip(holdings, read_at(network, voices, transport, opening, holdings, least), strict=True))
        progress(f"{network.name}, {plan.days} days back", 1, 1)
    return Past(tuple(windows), histories, openings)


def _history_record(found: History | HistoryGap) -> list[Any]:
    if isinstance(found, HistoryGap):
        return [*found.holding, found.reason]
    moved = [[str(t.units), t.sender, t.recipient, t.height, t.transaction, t.position] for t in found.transfers]
    return [*found.holding, found.first, found.last.hash, list(found.operators), moved]
