"""What moved to and from accounts in a window of blocks, as far as independent operators tell the same."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, cast

from chains.errors import ChainError
from chains.model import BlockRef, DisagreementReason, Holding, Movements, Tier, Transfer
from chains.network import Network
from chains.panel import Member, ask_for_block, trusted_members
from chains.providers import Provider
from chains.quorum import agree_on_block
from chains.reader import ReadsTransfers
from chains.transport import Transport


class History(NamedTuple):
    """All transfers of one holding from height `first` to the block `last` that a quorum tells alike."""

    holding: Holding
    first: int
    last: BlockRef
    transfers: tuple[Transfer, ...]
    tier: Tier
    operators: tuple[str, ...]
    evidence: tuple[str, ...]

    @property
    def net(self) -> int:
        """Base units received less those sent in the window."""
        account = self.holding.account
        return sum(one.units * ((one.recipient == account) - (one.sender == account)) for one in self.transfers)


class HistoryGap(NamedTuple):
    """Answers that do not make a history; all of them are kept."""

    holding: Holding
    reason: DisagreementReason
    answers: tuple[Movements, ...]


def read_history(
    network: Network,
    providers: Sequence[Provider],
    transport: Transport,
    first: int,
    last: BlockRef,
    holdings: Sequence[Holding],
    minimum_operators: int,
) -> tuple[History | HistoryGap, ...]:
    """Read what moved from height `first` to the block `last`, both included, through every operator that can tell.

    Each operator's last block is read again afterwards: one whose chain moved has no answer.
    """
    members, _ = trusted_members(network, providers, transport)
    able = [member for member in members if isinstance(member.reader, ReadsTransfers)]
    with ThreadPoolExecutor(max_workers=max(1, len(able))) as pool:
        voices = list(pool.map(lambda member: _voice(member, first, last, holdings), able))
    return tuple(
        agree_on_history(holding, first, last, [voice[number] for voice in voices], minimum_operators)
        for number, holding in enumerate(holdings)
    )


class BlockFinder:
    """Find blocks of one network by height or by time, each named by a quorum of its operators."""

    def __init__(
        self, network: Network, providers: Sequence[Provider], transport: Transport, minimum_operators: int
    ) -> None:
        self._members, _ = trusted_members(network, providers, transport)
        self._minimum = minimum_operators

    def at(self, height: int) -> BlockRef | None:
        """Return the block at a height, or None when too few operators name one together."""
        return agree_on_block(ask_for_block(self._members, lambda reader: reader.block_at(height)), self._minimum)

    def not_after(self, moment: int, last: BlockRef) -> BlockRef | None:
        """Return the newest block up to `last` whose time is not later than `moment` (Unix seconds), by halving.

        None when the chain begins later, or a quorum lacks. Where times do not rise strictly from block to block, as on
        Bitcoin, the answer can lie a few blocks aside, but its own time is never later.
        """
        if last.time <= moment:
            return last
        low, high, found = 0, last.height - 1, None
        while low <= high:
            middle = (low + high) // 2
            block = self.at(middle)
            if block is None:
                return None
            if block.time <= moment:
                found, low = block, middle + 1
            else:
                high = middle - 1
        return found


def agree_on_history(
    holding: Holding, first: int, last: BlockRef, answers: Sequence[Movements], minimum_operators: int
) -> History | HistoryGap:
    """Turn answers into a History when enough operators tell the same transfers; one that differs makes a gap."""
    told = [answer for answer in answers if answer.transfers is not None]
    if any((answer.first, answer.last.hash) != (first, last.hash) for answer in told):
        return HistoryGap(holding, DisagreementReason.BLOCKS_DIFFER, tuple(answers))
    if len({answer.transfers for answer in told}) > 1:
        return HistoryGap(holding, DisagreementReason.VALUES_DIFFER, tuple(answers))
    operators = tuple(sorted({answer.operator for answer in told}))
    if not told or len(operators) < minimum_operators:
        return HistoryGap(holding, DisagreementReason.TOO_FEW_ANSWERS, tuple(answers))
    tier = Tier.CORROBORATED if len(operators) >= 2 else Tier.OBSERVED
    evidence = tuple(sorted({item for answer in told for item in answer.evidence}))
    return History(holding, first, last, told[0].transfers or (), tier, operators, evidence)


def _voice(member: Member, first: int, last: BlockRef, holdings: Sequence[Holding]) -> Sequence[Movements]:
    reader, operator = cast(ReadsTransfers, member.reader), member.provider.operator
    try:
        found = reader.read_transfers(first, last, holdings)
        after = member.reader.block_at(last.height).hash
    except ChainError as error:
        return [Movements(holding, operator, first, last, None, (), str(error)) for holding in holdings]
    if after == last.hash:
        return found
    moved = f"the block at height {last.height} changed while the transfers were read"
    return [one._replace(transfers=None, failure=moved) for one in found]
