"""What moved to and from accounts in a window of blocks, as far as independent operators tell the same."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, cast

from chains.errors import ChainError
from chains.model import BlockRef, DisagreementReason, Holding, Movements, Tier, Transfer
from chains.network import Network
from chains.panel import Member, trusted_members
from chains.providers import Provider
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
