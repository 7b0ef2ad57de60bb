"""Control shown on the chain: an odd amount that the verifier chose moves from a wallet to itself before a deadline."""

import json
from collections.abc import Collection, Sequence
from enum import StrEnum
from secrets import SystemRandom
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from chains.history import History, HistoryGap, read_history
from chains.ids import (
    AccountField,
    AccountId,
    AssetField,
    AssetId,
    ChainId,
    address_of,
    chain_of,
    family_of,
    token_contract,
)
from chains.model import BlockRef, Holding, Transfer
from chains.network import Network, network_of
from chains.panel import survey, trusted_members
from chains.providers import Provider, Providers
from chains.questions import Question, ask_questions
from chains.transport import Transport
from verifier.declaration import Units, UtcTime, utc_seconds
from verifier.errors import InputError, UnavailableError
from verifier.records import parse_record

MAX_TESTS = 100_000
# Enough digits that no ordinary payment hits them by chance, few enough to cost nothing that matters.
SMALLEST, LARGEST = 10_000, 99_999


class Outcome(StrEnum):
    MOVED = "moved"
    LATE = "moved-late"
    NOT_MOVED = "not-moved"
    UNKNOWN = "unknown"


class MovementTest(BaseModel):
    """One wallet's task: move exactly `units` of `asset` to itself, in a block after `height`, before the deadline."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    account: AccountField
    asset: AssetField
    units: Units
    height: int = Field(ge=0)
    block_hash: str = Field(max_length=100)


class MovementTests(BaseModel):
    """What a verifier drew: nobody knew the amounts before `drawn_at`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    format: Literal["reserve-verifier/movement-test/1"]
    exchange: str = Field(min_length=1, max_length=200)
    drawn_at: UtcTime
    deadline: UtcTime
    tests: list[MovementTest] = Field(min_length=1, max_length=MAX_TESTS)


class Moved(NamedTuple):
    """What the chain shows for one test: in words, by which transaction, and when (Unix time of its block)."""

    test: MovementTest
    outcome: Outcome
    text: str
    transaction: str = ""
    moved_at: int | None = None


def draw_tests(
    exchange: str, holdings: Sequence[Holding], blocks: Collection[BlockRef], drawn_at: str, deadline: str
) -> MovementTests:
    """Draw one unpredictable amount per holding; a movement counts only after the chain's block in `blocks`."""
    by_chain = {block.chain: block for block in blocks}
    random = SystemRandom()
    amounts = random.sample(range(SMALLEST, LARGEST + 1), min(len(holdings), LARGEST - SMALLEST + 1))
    tests = [
        MovementTest(
            account=holding.account,
            asset=holding.asset,
            units=str(amounts[number % len(amounts)]),
            height=by_chain[chain_of(holding.account)].height,
            block_hash=by_chain[chain_of(holding.account)].hash,
        )
        for number, holding in enumerate(holdings)
    ]
    return MovementTests(
        format="reserve-verifier/movement-test/1", exchange=exchange, drawn_at=drawn_at, deadline=deadline, tests=tests
    )


def read_tests(text: bytes, where: str) -> MovementTests:
    """Read drawn tests. Raises InputError that names the field."""
    return parse_record(text, where, MovementTests.model_validate)


def judge_movement(test: MovementTest, history: History | HistoryGap, times: dict[int, int], deadline: str) -> Moved:
    """Say whether the wallet moved the amount to itself; `times` are the Unix times of the blocks of its transfers."""
    if isinstance(history, HistoryGap):
        why = next((answer.failure for answer in history.answers if answer.failure), str(history.reason))
        return Moved(test, Outcome.UNKNOWN, f"what moved is not known: {why}")
    exact = (transfer for transfer in self_transfers(history) if transfer.units == int(test.units))
    found = [transfer for transfer in exact if transfer.height > test.height]
    if not found:
        return Moved(test, Outcome.NOT_MOVED, f"no transfer of {test.units} base units from the wallet to itself")
    first = min(found, key=lambda transfer: transfer.height)
    late = times[first.height] > utc_seconds(deadline)
    text = f"{test.units} base units moved to itself in block {first.height}{', after the deadline' if late else ''}"
    return Moved(test, Outcome.LATE if late else Outcome.MOVED, text, first.transaction, times[first.height])


def self_transfers(history: History) -> list[Transfer]:
    """Return what an account sent to itself: it paid for the transaction and received in it."""
    account = history.holding.account
    spending = {transfer.transaction for transfer in history.transfers if transfer.sender == account}
    return [one for one in history.transfers if one.recipient == account and one.transaction in spending]


def tips(chains: Collection[ChainId], providers: Providers, transport: Transport) -> list[BlockRef]:
    """Return the block each chain is at by the word of its operators. Raises UnavailableError without a quorum."""
    found = []
    for chain in sorted(chains):
        network = network_of(chain)
        block = survey(network, providers.serving(chain), transport, (), providers.minimum_operators).block
        if block is None:
            raise UnavailableError(f"{network.name}: the operators name no common block")
        found.append(block)
    return found


def check_tests(
    tests: MovementTests, providers: Providers, transport: Transport, transactions: Sequence[str] = ()
) -> list[Moved]:
    """Read what moved since the tests were drawn and judge each; a chain without a quorum leaves its tests unknown.

    No node lists the transfers of an EVM chain's own coin: for those the exchange names its `transactions`.
    """
    outcomes: list[Moved] = []
    by_chain: dict[ChainId, list[MovementTest]] = {}
    for test in tests.tests:
        by_chain.setdefault(chain_of(AccountId(test.account)), []).append(test)
    for chain, asked in sorted(by_chain.items()):
        network, voices = network_of(chain), providers.serving(chain)
        (tip,) = tips([chain], providers, transport)
        named = [test for test in asked if is_unlisted(AssetId(test.asset))]
        listed = [test for test in asked if not is_unlisted(AssetId(test.asset))]
        if named:
            payments = _payments(network, voices, transport, tip, transactions, providers.minimum_operators)
            outcomes += [judge_payment(test, payments, tests.deadline) for test in named]
        if listed:
            outcomes += _check_listed(
                network, voices, transport, tip, listed, tests.deadline, providers.minimum_operators
            )
    return outcomes


def _check_listed(
    network: Network,
    voices: Sequence[Provider],
    transport: Transport,
    tip: BlockRef,
    asked: Sequence[MovementTest],
    deadline: str,
    minimum_operators: int,
) -> list[Moved]:
    """Judge tests of one chain by the transfers that its operators list."""
    first = min(test.height for test in asked) + 1
    if first > tip.height:
        return [Moved(test, Outcome.NOT_MOVED, "no block is final since the test was drawn") for test in asked]
    holdings = [Holding(AccountId(test.account), AssetId(test.asset)) for test in asked]
    found = read_history(network, voices, transport, first, tip, holdings, minimum_operators)
    times = _times(network, voices, transport, found)
    return [judge_movement(test, one, times, deadline) for test, one in zip(asked, found, strict=True)]


def is_unlisted(asset: AssetId) -> bool:
    """Tell whether an asset is the own coin of an EVM chain, whose transfers no node lists."""
    return family_of(chain_of(asset)) == "eip155" and token_contract(asset) is None


def judge_payment(test: MovementTest, payments: Sequence[dict[str, Any]], deadline: str) -> Moved:
    """Say whether one of the named transactions moves the amount from the wallet to itself in time."""
    address = address_of(AccountId(test.account))
    for paid in payments:
        to_itself = paid["sender"] == paid["recipient"] == address
        if not to_itself or paid["units"] != test.units or paid["height"] <= test.height:
            continue
        late = paid["time"] > utc_seconds(deadline)
        text = (
            f"{test.units} base units moved to itself in block {paid['height']}{', after the deadline' if late else ''}"
        )
        return Moved(test, Outcome.LATE if late else Outcome.MOVED, text, paid["transaction"], paid["time"])
    text = "none of the named transactions moves the amount to itself; nodes list no transfers of this coin"
    return Moved(test, Outcome.UNKNOWN, text)


def _payments(
    network: Network,
    voices: Sequence[Provider],
    transport: Transport,
    tip: BlockRef,
    transactions: Sequence[str],
    minimum_operators: int,
) -> list[dict[str, Any]]:
    """Return what the named transactions paid, as far as the operators tell the same."""
    if len(transactions) > MAX_TESTS:
        raise InputError(f"{len(transactions):,} transactions are named; at most {MAX_TESTS:,} are asked about")
    asked = [Question(AccountId(f"{network.chain}:{one}"), "payment", one) for one in transactions]
    told = ask_questions(network, voices, transport, tip, asked, minimum_operators) if asked else ()
    return [{**json.loads(one.text), "transaction": one.question.detail} for one in told if one.text is not None]


def _times(
    network: Network, voices: Sequence[Provider], transport: Transport, found: Sequence[History | HistoryGap]
) -> dict[int, int]:
    """Return the latest time any operator names for each block in which an account paid itself."""
    members, _ = trusted_members(network, voices, transport)
    heights = {one.height for history in found if isinstance(history, History) for one in self_transfers(history)}
    return {height: max(member.reader.block_at(height).time for member in members) for height in sorted(heights)}


def movement_record(tests: MovementTests) -> dict[str, Any]:
    """Return drawn tests as JSON values."""
    return tests.model_dump(mode="json")
