"""ERC-20 transfers out of a node's logs, in ranges that adapt to what the provider is willing to answer."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from chains.errors import InvalidAnswerError, ProviderError
from chains.evm.hexadecimal import data, hexadecimal, quantity
from chains.evm.keccak import keccak256
from chains.jsonrpc import JsonRpc

TRANSFER = hexadecimal(keccak256(b"Transfer(address,address,uint256)"))
HOLDERS_PER_QUERY = 200
FIRST_WIDTH, MOST_WIDTH = 2_000, 1_000_000
FEW = 500
PATIENCE = 32
MAX_LOGS = 2_000_000
# Providers cut answers off at a round number; some do so without a word.
SUSPECT = 1_000


class TransferLog(NamedTuple):
    """One Transfer event: base units between two lower-case addresses, and where it stands."""

    height: int
    block_hash: str
    position: int
    transaction: str
    sender: str
    recipient: str
    units: int


class Logs(NamedTuple):
    """All Transfer events of a window that touch some holders, in the chain's order, and the calls they came in."""

    found: tuple[TransferLog, ...]
    evidence: tuple[str, ...]
    requests: int


def read_transfer_logs(rpc: JsonRpc, token: str, holders: Sequence[str], first: int, last: int) -> Logs:
    """Read the Transfer events from and to `holders` in the blocks `first` to `last`, both included.

    A refused range is halved, down to one block; a quick one is followed by a wider one. An answer that looks cut off
    (a multiple of a thousand logs) is asked again in halves. Raises ProviderError when one block alone is refused,
    InvalidAnswerError when an answer holds what was not asked for. Source: EIP-20, Ethereum JSON-RPC specification.
    """
    logs: dict[tuple[int, int], TransferLog] = {}
    evidence: list[str] = []
    pace = _Pace()
    for start in range(0, len(holders), HOLDERS_PER_QUERY):
        part = holders[start : start + HOLDERS_PER_QUERY]
        for side in (1, 2):
            for log in _side(_Query(rpc, token, frozenset(part), side, evidence, pace), first, last):
                if logs.setdefault((log.height, log.position), log) != log:
                    raise InvalidAnswerError(f"log {log.position} of block {log.height} is told in two ways")
                if len(logs) > MAX_LOGS:
                    raise InvalidAnswerError(f"more than {MAX_LOGS:,} transfers; ask for a shorter window")
    ordered = tuple(logs[place] for place in sorted(logs))
    _one_hash_per_block(ordered)
    return Logs(ordered, tuple(dict.fromkeys(evidence)), len(evidence))


class _Pace:
    """How many blocks to ask for at once: halved when refused, doubled when quick, kept over all queries of a token."""

    def __init__(self) -> None:
        self.width, self._most, self._quick = FIRST_WIDTH, MOST_WIDTH, 0

    def narrow(self, blocks: int) -> None:
        """Ask for half of what was too much."""
        self.width, self._quick = max(1, blocks // 2), 0

    def refuse(self, blocks: int) -> None:
        """Remember a refusal, so that it is not provoked again at once."""
        self.narrow(blocks)
        self._most = max(1, blocks * 3 // 4)

    def widen(self) -> None:
        """Ask for more; what was refused once is tried again after many quick answers."""
        self._quick += 1
        if self._quick % PATIENCE == 0:
            self._most = min(MOST_WIDTH, 2 * self._most)
        self.width = min(2 * self.width, self._most)


class _Query(NamedTuple):
    """Whose transfers: `side` 1 asks for those from the holders, 2 for those to them."""

    rpc: JsonRpc
    token: str
    holders: frozenset[str]
    side: int
    evidence: list[str]
    pace: _Pace

    def ask(self, first: int, last: int) -> Any:
        """Return the node's answer. Raises ProviderError when it refuses."""
        topics: list[Any] = [TRANSFER, None, None][: self.side + 1]
        topics[self.side] = [f"0x{holder[2:]:0>64}" for holder in sorted(self.holders)]
        asked = {"address": self.token, "fromBlock": hex(first), "toBlock": hex(last), "topics": topics}
        answer = self.rpc.ask("eth_getLogs", asked)
        self.evidence.append(answer.evidence)
        if answer.error:
            raise answer.error
        return answer.result


def _side(query: _Query, first: int, last: int) -> Iterator[TransferLog]:
    start, pace = first, query.pace
    while start <= last:
        end = min(last, start + pace.width - 1)
        blocks = end - start + 1
        try:
            answer = query.ask(start, end)
        except ProviderError as error:
            if blocks == 1:
                raise ProviderError(f"the logs of block {start} alone are refused: {error}", error.code) from error
            pace.refuse(blocks)
            continue
        if not isinstance(answer, list):
            raise InvalidAnswerError("eth_getLogs answered no list")
        if answer and len(answer) % SUSPECT == 0 and blocks > 1:
            pace.narrow(blocks)
            continue
        yield from (_log(entry, query, start, end) for entry in answer)
        start = end + 1
        if len(answer) < FEW:
            pace.widen()


def _log(entry: Any, query: _Query, first: int, last: int) -> TransferLog:
    if not isinstance(entry, dict) or entry.get("removed") is True:
        raise InvalidAnswerError("eth_getLogs: an entry is no log of the main chain")
    topics = entry.get("topics")
    if not isinstance(topics, list) or len(topics) != 3 or topics[0] != TRANSFER:
        raise InvalidAnswerError("eth_getLogs: a log is no ERC-20 transfer (event and two indexed addresses)")
    sender, recipient = (_address(topic) for topic in topics[1:])
    log = TransferLog(
        quantity(entry.get("blockNumber"), "a log's block number"),
        hexadecimal(data(entry.get("blockHash"), "a log's block hash", 32)),
        quantity(entry.get("logIndex"), "a log's index"),
        hexadecimal(data(entry.get("transactionHash"), "a log's transaction", 32)),
        sender,
        recipient,
        int.from_bytes(data(entry.get("data"), "a log's amount", 32)),
    )
    token = hexadecimal(data(entry.get("address"), "a log's contract", 20))
    if token != query.token or (sender, recipient)[query.side - 1] not in query.holders:
        raise InvalidAnswerError("eth_getLogs: a log of a token or holder nobody asked for")
    if not first <= log.height <= last:
        raise InvalidAnswerError(f"eth_getLogs: asked for blocks {first} to {last}, got a log of block {log.height}")
    return log


def _address(topic: Any) -> str:
    word = data(topic, "a log's topic", 32)
    if any(word[:12]):
        raise InvalidAnswerError("eth_getLogs: a topic that should be an address is none")
    return hexadecimal(word[12:])


def _one_hash_per_block(logs: Sequence[TransferLog]) -> None:
    hashes: dict[int, str] = {}
    for log in logs:
        if hashes.setdefault(log.height, log.block_hash) != log.block_hash:
            raise InvalidAnswerError(f"block {log.height} has two hashes: the chain moved while its logs were read")
