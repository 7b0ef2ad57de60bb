"""What is asked of an Electrum server in one go, what came back, and whether its chain stood still meanwhile."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import rfc8785

from chains.bitcoin.electrum_ledger import (
    Coin,
    Entries,
    Transaction,
    UnreadableTransactionError,
    parse_coins,
    parse_history,
    parse_transaction,
)
from chains.bitcoin.header_chain import HEADER_BYTES, sha256d
from chains.bitcoin.holdings import MAX_TIME, checked_number, checked_record
from chains.bitcoin.merkle_proof import check_branch
from chains.decode import parse_json
from chains.errors import InvalidAnswerError, ProofError, ProviderError
from chains.ids import ChainId
from chains.jsonrpc import Answer, JsonRpc
from chains.model import BlockRef
from chains.providers import Provider
from chains.transport import Request

HEADER = "blockchain.block.header"
BRANCH = "blockchain.transaction.get_merkle"
TIP = "blockchain.headers.subscribe"
TRANSACTIONS_PER_CALL = 200  # the largest fit into the bound on an answer


class LineRpc(JsonRpc):
    """Speak JSON-RPC in lines: a batch is many questions, one a line, not a list of them."""

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]], size: int = 1000) -> Iterator[Answer]:
        """Ask many questions, `size` at a time; yield one Answer each in order, refused ones with `error` set."""
        for start in range(0, len(calls), size):
            part = calls[start : start + size]
            lines = [
                rfc8785.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": list(parameters)})
                for number, (method, parameters) in enumerate(part)
            ]
            response = self._transport.send(self._provider, Request("POST", "", b"\n".join(lines)))
            try:
                decoded = [parse_json(line) for line in response.body.split(b"\n")]
            except InvalidAnswerError as error:
                raise InvalidAnswerError(f"{self._provider.name}: {error}") from error
            yield from self._in_order(decoded, response, len(part))


class Tip(NamedTuple):
    """The newest block a server has announced."""

    height: int
    hash: str


class HeaderFacts(NamedTuple):
    """What a block header's 80 bytes say by themselves."""

    raw: bytes
    hash: str
    time: int

    def block(self, chain: str, height: int) -> BlockRef:
        return BlockRef(ChainId(chain), height, self.hash, self.time)


class Visit:
    """Ask one server, and keep the evidence, the transactions, and why something was not told (`refused`)."""

    def __init__(self, rpc: LineRpc, provider: Provider, max_money: int) -> None:
        self._rpc, self._provider, self._max_money = rpc, provider, max_money
        self._evidence: dict[str, None] = {}
        self.transactions: dict[str, Transaction] = {}
        self.refused: dict[str | bytes, str] = {}
        self._proven: set[tuple[str, int]] = set()

    @property
    def evidence(self) -> tuple[str, ...]:
        return tuple(self._evidence)

    def ask(self, calls: Sequence[tuple[str, Sequence[Any]]], size: int = 1000) -> list[Answer]:
        answers = list(self._rpc.batch(calls, size))
        self._evidence |= dict.fromkeys(answer.evidence for answer in answers)
        return answers

    def arrive(self, block: BlockRef) -> Tip:
        """Return the tip of a server that has `block`. Raises ProviderError when it lags or has another block there."""
        announced, pinned = self.ask([(TIP, []), (HEADER, [block.height])])
        tip = self._tip(announced)
        if tip.height < block.height:
            raise ProviderError(
                f"{self._provider.name}: the server lags behind: its newest block is {tip.height}, asked as of block "
                f"{block.height}"
            )
        self._expect(block, pinned)
        return tip

    def stood_still(self, block: BlockRef, tip: Tip) -> bool:
        """Say whether the server's tip is still the same. Raises ProviderError when `block` was replaced.

        A server first stores a block and later, when it has gone through the unconfirmed transactions, announces it
        and renews the histories it keeps at hand. In between histories are older than the lists of unspent coins. So a
        block above the announced tip means that nothing heard holds together.
        """
        announced, above, pinned = self.ask([(TIP, []), (HEADER, [tip.height + 1]), (HEADER, [block.height])])
        self._expect(block, pinned)
        return self._tip(announced) == tip and above.error is not None

    def histories(self, scripts: Sequence[bytes]) -> dict[bytes, Entries]:
        """Return the history of each script for which the server has told one."""
        answers = self._of_scripts("blockchain.scripthash.get_history", scripts)
        return {script: parse_history(self._provider, result) for script, result in answers}

    def coins(self, scripts: Sequence[bytes]) -> dict[bytes, tuple[Coin, ...]]:
        """Return the unspent coins of each script for which the server has told them."""
        answers = self._of_scripts("blockchain.scripthash.listunspent", scripts)
        return {script: parse_coins(self._provider, result, self._max_money) for script, result in answers}

    def fetch(self, txids: Iterable[str]) -> None:
        """Add transactions to those that are known already."""
        wanted = [txid for txid in dict.fromkeys(txids) if txid not in self.transactions]
        answers = self.ask([("blockchain.transaction.get", [txid]) for txid in wanted], TRANSACTIONS_PER_CALL)
        for txid, answer in zip(wanted, answers, strict=True):
            if answer.error:
                self.refused[txid] = str(answer.error)
                continue
            try:
                self.transactions[txid] = parse_transaction(self._provider, answer.result, txid)
            except UnreadableTransactionError as error:
                self.refused[txid] = str(error)

    def prove(self, places: Iterable[tuple[str, int]]) -> None:
        """Check that blocks hold transactions, given by id and height; those not shown to be there are `refused`."""
        wanted = sorted(set(places) - self._proven)
        self.fetch(txid for txid, _ in wanted)
        wanted = [(txid, height) for txid, height in wanted if txid in self.transactions]
        headers = self.headers(height for _, height in wanted)
        answers = self.ask([(BRANCH, [txid, height]) for txid, height in wanted])
        for (txid, height), answer in zip(wanted, answers, strict=True):
            try:
                self._check_place(txid, headers[height], answer)
                self._proven.add((txid, height))
            except (ProofError, InvalidAnswerError, ProviderError) as error:
                self.refused[txid] = f"{txid} is not shown to be in block {height}: {error}"

    def _check_place(self, txid: str, header: HeaderFacts, answer: Answer) -> None:
        if answer.error:
            raise answer.error
        record = checked_record(self._provider, answer.result, "a Merkle branch")
        siblings, position = record.get("merkle"), record.get("pos")
        if not isinstance(siblings, list) or type(position) is not int:
            raise InvalidAnswerError(f"{self._provider.name}: a Merkle branch without siblings or position")
        check_branch(self.transactions[txid].raw, siblings, position, header.raw)

    def headers(self, heights: Iterable[int]) -> dict[int, HeaderFacts]:
        """Return blocks' headers by height. Raises ProviderError when one is missing."""
        wanted = sorted(set(heights))
        answers = self.ask([(HEADER, [height]) for height in wanted])
        return {height: header_of(self._provider, answer) for height, answer in zip(wanted, answers, strict=True)}

    def _of_scripts(self, method: str, scripts: Sequence[bytes]) -> Iterator[tuple[bytes, Any]]:
        answers = self.ask([(method, [sha256(script).digest()[::-1].hex()]) for script in scripts])
        for script, answer in zip(scripts, answers, strict=True):
            if answer.error:
                self.refused[script] = str(answer.error)
            else:
                yield script, answer.result

    def _tip(self, announced: Answer) -> Tip:
        return announced_tip(self._provider, announced)[0]

    def _expect(self, block: BlockRef, pinned: Answer) -> None:
        found = header_of(self._provider, pinned).hash
        if found != block.hash:
            raise ProviderError(
                f"{self._provider.name}: block {block.height} is {found} on this server's chain, not {block.hash}"
            )


def header_of(provider: Provider, answer: Answer) -> HeaderFacts:
    """Return hash and time of an answered header. Raises ProviderError when refused, InvalidAnswerError."""
    if answer.error:
        raise answer.error
    return _facts(provider, answer.result)


def announced_tip(provider: Provider, answer: Answer) -> tuple[Tip, HeaderFacts]:
    """Return the tip out of an answer to `blockchain.headers.subscribe`; errors as for `header_of`."""
    if answer.error:
        raise answer.error
    record = checked_record(provider, answer.result, "the tip")
    height = checked_number(provider, record.get("height"), "the tip's height")
    facts = _facts(provider, record.get("hex"))
    return Tip(height, facts.hash), facts


def _facts(provider: Provider, header: Any) -> HeaderFacts:
    try:
        raw = bytes.fromhex(header)
    except (TypeError, ValueError) as error:
        raise InvalidAnswerError(f"{provider.name}: a block header is {str(header)[:80]!r}, not hexadecimal") from error
    if len(raw) != HEADER_BYTES:
        raise InvalidAnswerError(f"{provider.name}: a block header has {len(raw)} bytes, not {HEADER_BYTES}")
    time = checked_number(provider, int.from_bytes(raw[68:72], "little"), "the block's time", MAX_TIME)
    return HeaderFacts(raw, sha256d(raw)[::-1].hex(), time)
