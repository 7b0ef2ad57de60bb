"""The operators who are asked about one chain together: check them, pin one block, read, read the hash again."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import NamedTuple, cast

from chains.anchoring import CoinSet, find_anchor
from chains.errors import ChainError
from chains.model import (
    Anchor,
    Balance,
    BlockRef,
    Disagreement,
    DisagreementReason,
    Exclusion,
    Holding,
    ProofKind,
    Reading,
)
from chains.network import Network
from chains.providers import Provider
from chains.quorum import agree_on_balance, agree_on_block, weigh_proof
from chains.reader import ChainReader, NamesBlocks, ProvesBalances
from chains.registry import is_anchor_source, open_reader
from chains.transport import Transport

ATTEMPTS = 3
SLICE = 10_000

Progress = Callable[[int], None]


class Survey(NamedTuple):
    """One chain as read: the pinned block (None when the operators name none together) and a result per holding.

    `anchor` is the root to which proofs of the balances lead, when there is one.
    """

    network: Network
    block: BlockRef | None
    results: tuple[Balance | Disagreement, ...]
    exclusions: tuple[Exclusion, ...]
    anchor: Anchor | None = None


class Member(NamedTuple):
    """A provider that passed the canary, and the reader that speaks its dialect."""

    provider: Provider
    reader: ChainReader


def survey(
    network: Network,
    providers: Sequence[Provider],
    transport: Transport,
    holdings: Sequence[Holding],
    minimum_operators: int,
    progress: Progress = lambda done: None,
    coins: CoinSet | None = None,
) -> Survey:
    """Read every holding of one chain at one block that the operators agree on.

    With an anchor (a light client among the providers, or `coins`) that is the anchor's block, and no other is read.
    When an answer is missing and the final block has moved meanwhile (a reorganisation, a node that only reads its
    tip), the whole chain is read again at the new block, at most three times. What still has no quorum then is a
    Disagreement. Raises MissingExtraError or NetworkDataError when a provider cannot be asked at all on this machine.
    """
    members, exclusions = trusted_members(network, providers, transport)
    anchor, refused = find_anchor(
        network, providers, transport, coins, lambda block_hash: _block_named(members, block_hash)
    )
    provers = _provers(members, coins if anchor else None)
    exclusions += refused
    block = _fix_block(members, minimum_operators, anchor)
    for _ in range(ATTEMPTS):
        if block is None:
            break
        read = _read(members, block, holdings, minimum_operators, progress)
        results = _prove(provers, block, read, anchor.root if anchor else "")
        if all(isinstance(result, Balance) for result in results):
            return Survey(network, block, results, exclusions, anchor)
        moved = _fix_block(members, minimum_operators, anchor)
        if moved == block:
            return Survey(network, block, results, exclusions, anchor)
        block = moved
    reason = DisagreementReason.BLOCK_CHANGED if block else DisagreementReason.BLOCKS_DIFFER
    nothing = tuple(Disagreement(holding, reason, ()) for holding in holdings)
    return Survey(network, block, nothing, exclusions, anchor)


def read_at(
    network: Network,
    providers: Sequence[Provider],
    transport: Transport,
    block: BlockRef,
    holdings: Sequence[Holding],
    minimum_operators: int,
) -> tuple[Balance | Disagreement, ...]:
    """Read holdings at a block somebody else pinned; a holding without a quorum there is a Disagreement."""
    members, _ = trusted_members(network, providers, transport)
    return _read(members, block, holdings, minimum_operators, lambda done: None)


def trusted_members(
    network: Network, providers: Sequence[Provider], transport: Transport
) -> tuple[list[Member], tuple[Exclusion, ...]]:
    """Open a reader for each provider of balances; leave out, with the reason, what serves another chain or no past."""
    members: list[Member] = []
    exclusions: list[Exclusion] = []
    for provider in providers:
        if is_anchor_source(provider):
            continue
        reader = open_reader(network, provider, transport)
        reason = _distrust(network, reader)
        if reason:
            exclusions.append(Exclusion(provider.name, provider.operator, reason))
        else:
            members.append(Member(provider, reader))
    return members, tuple(exclusions)


def _distrust(network: Network, reader: ChainReader) -> str:
    """Return why a provider is not trusted, or nothing: wrong chain, unknown past, no answer."""
    try:
        served = reader.chain()
        if served != network.chain:
            return f"serves {served}, not {network.chain}"
        if network.canary is not None:
            found = reader.block_at(network.canary.height).hash
            if found != network.canary.hash:
                return f"names {found} at height {network.canary.height}; the network's block is {network.canary.hash}"
    except ChainError as error:
        return str(error)
    return ""


def _fix_block(members: Sequence[Member], minimum_operators: int, anchor: Anchor | None) -> BlockRef | None:
    if anchor:
        height = anchor.block.height
        found = agree_on_block(ask_for_block(members, lambda reader: reader.block_at(height)), minimum_operators)
        return found if found and found.hash == anchor.block.hash else None
    finals = ask_for_block(members, lambda reader: reader.final_block())
    if not finals:
        return None
    height = min(block.height for _, block in finals)
    return agree_on_block(ask_for_block(members, lambda reader: reader.block_at(height)), minimum_operators)


def _block_named(members: Sequence[Member], block_hash: str) -> BlockRef | None:
    able = [member for member in members if isinstance(member.reader, NamesBlocks)]
    found = ask_for_block(able, lambda reader: cast(NamesBlocks, reader).block_named(block_hash))
    return found[0][1] if found else None


def ask_for_block(members: Sequence[Member], question: Callable[[ChainReader], BlockRef]) -> list[tuple[str, BlockRef]]:
    """Ask every member for a block; return (operator, block) of those who have an answer."""
    answers: list[tuple[str, BlockRef]] = []
    for provider, reader in members:
        try:
            answers.append((provider.operator, question(reader)))
        except ChainError:
            continue  # a provider without an answer is no voice; too few voices make no block
    return answers


def _read(
    members: Sequence[Member],
    block: BlockRef,
    holdings: Sequence[Holding],
    minimum_operators: int,
    progress: Progress,
) -> tuple[Balance | Disagreement, ...]:
    results: list[Balance | Disagreement] = []
    for start in range(0, len(holdings), SLICE):
        part = holdings[start : start + SLICE]
        with ThreadPoolExecutor(max_workers=max(1, len(members))) as pool:
            voices = list(pool.map(_voice, members, repeat(block), repeat(part)))
        results.extend(
            agree_on_balance(holding, block, [voice[number] for voice in voices], minimum_operators)
            for number, holding in enumerate(part)
        )
        progress(min(start + SLICE, len(holdings)))
    return tuple(results)


def _provers(members: Sequence[Member], coins: CoinSet | None) -> list[tuple[ProofKind, ProvesBalances]]:
    readers = [(ProofKind.STATE, member.reader) for member in members if isinstance(member.reader, ProvesBalances)]
    return [*readers, *([(ProofKind.UTXO_SET, coins)] if coins else [])]


def _prove(
    provers: Sequence[tuple[ProofKind, ProvesBalances]],
    block: BlockRef,
    results: Sequence[Balance | Disagreement],
    root: str,
) -> tuple[Balance | Disagreement, ...]:
    """Ask for proofs of what has none yet; a proof outweighs any number of voices that differ from it."""
    weighed = list(results)
    for kind, prover in provers:
        open_ones = [place for place, one in enumerate(weighed) if not isinstance(one, Balance) or not one.proof]
        if not open_ones:
            break
        try:
            proofs = prover.prove_balances(block, [weighed[place].holding for place in open_ones])
        except ChainError:
            continue  # without a proof the balance stays what the operators made of it
        for place, proof in zip(open_ones, proofs, strict=True):
            weighed[place] = weigh_proof(weighed[place], proof, kind, root)
    return tuple(weighed)


def _voice(member: Member, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
    """Read through one provider; then read the block's hash again, because the chain may have moved under us."""
    try:
        readings = member.reader.read_balances(block, holdings)
        after = member.reader.block_at(block.height)
    except ChainError as error:
        return _failures(member, block, holdings, str(error))
    if after.hash != block.hash:
        return _failures(member, block, holdings, f"the block at height {block.height} changed while it was read")
    return readings


def _failures(member: Member, block: BlockRef, holdings: Sequence[Holding], reason: str) -> list[Reading]:
    return [Reading(holding, member.provider.operator, block, None, (), reason) for holding in holdings]
