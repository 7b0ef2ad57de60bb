"""Read balances of Ethereum-like chains over JSON-RPC, all pinned to one block by its hash."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chains.errors import ChainError, IdentifierError, InvalidAnswerError, NetworkDataError, ProviderError
from chains.evm.abi import aggregate3, balance_of, decode_aggregate3, decode_uint256, eth_balance
from chains.evm.address import canonical_address
from chains.evm.finality import final_block
from chains.evm.hexadecimal import data, hexadecimal, quantity
from chains.evm.history import Asked, read_movements
from chains.evm.options import read_options
from chains.evm.proving import Proof, Question, prove_balances
from chains.ids import ChainId, address_of, token_contract
from chains.jsonrpc import Answer, JsonRpc
from chains.model import BlockRef, Holding, Movements, Reading
from chains.network import Network
from chains.providers import Provider
from chains.reader import require_on_chain
from chains.transport import Transport

# Below this many holdings, asking whether Multicall3 is deployed costs as much as it saves.
MULTICALL_FROM = 16
# Multicall3 takes some 500 bytes of text per holding, and nodes refuse requests of 2 MB.
AGGREGATED_PER_REQUEST = 2000


class Outcome(NamedTuple):
    """The units a question was answered with, or why there are none, and the evidence for either."""

    units: int | None
    evidence: tuple[str, ...] = ()
    failure: str = ""


def question_of(network: Network, holding: Holding) -> Question:
    """Say what to ask for a holding. Raises IdentifierError when this network has no such account or asset."""
    require_on_chain(network, holding)
    address = canonical_address(address_of(holding.account))
    if holding.asset == network.native_asset:
        return Question(address, None)
    token = token_contract(holding.asset)
    if token is None:
        raise IdentifierError(f"{holding.asset}: neither the native coin {network.native_asset} nor an ERC-20 token")
    return Question(address, canonical_address(token))


def require_chain(network: Network, block: BlockRef) -> None:
    """Raise IdentifierError when a block belongs to another chain than the one to be read."""
    if block.chain != network.chain:
        raise IdentifierError(f"block {block.height} is of {block.chain}; expected {network.chain}")


def _question_or_none(network: Network, holding: Holding) -> Question | None:
    try:
        return question_of(network, holding)
    except IdentifierError:
        return None


class EvmReader:
    """Read an EVM network through plain JSON-RPC: batches, and Multicall3 where it is deployed.

    Reads name the block by hash and require it to be canonical (EIP-1898), so an answer from a block that was
    reorganised away is an error and never a number. With the provider option block_parameter = "number" reads name
    the height instead; then the block's hash is read again after the last balance, and a changed hash fails them all.

    Multicall3 lets a called contract change state for the calls after it: a hostile token could move coins between
    two reads. Therefore one aggregate asks one target only, and coins are never read in the same call as tokens.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network = network
        self._provider = provider
        self._options = read_options(provider)
        self._rpc = JsonRpc(transport, provider)

    def chain(self) -> ChainId:
        """Ask the provider which chain it serves. Source: EIP-695."""
        return ChainId(f"eip155:{self._number(self._rpc.call('eth_chainId'), 'eth_chainId')}")

    def final_block(self) -> BlockRef:
        """Return the newest block that is final under the network's rule: the node's own tag, a depth, or the tip."""
        return final_block(self._network, self._provider, self._block, self.block_at, self._tip_height)

    def _tip_height(self) -> int:
        return self._number(self._rpc.call("eth_blockNumber"), "eth_blockNumber")

    def block_at(self, height: int) -> BlockRef:
        """Return the block at `height` on the provider's main chain. Raises ProviderError when it has none."""
        block = self._block(hex(height))
        if block.height != height:
            raise InvalidAnswerError(f"{self._provider.name}: asked for block {height}, got block {block.height}")
        return block

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read native coins and ERC-20 tokens as of `block`, in base units; one Reading per holding, in order."""
        require_chain(self._network, block)
        questions: dict[int, Question] = {}
        outcomes: dict[int, Outcome] = {}
        # 1. What can be asked at all
        for position, holding in enumerate(holdings):
            try:
                questions[position] = question_of(self._network, holding)
            except IdentifierError as error:
                outcomes[position] = Outcome(None, (), str(error))
        # 2. Many per call where Multicall3 is deployed
        pin = self._pin(block)
        if self._has_multicall(pin, len(questions)):
            outcomes |= self._ask_aggregated(questions, pin)
        # 3. One by one what is left, so that one bad token spoils no other
        left = {position: question for position, question in questions.items() if position not in outcomes}
        outcomes |= self._ask_directly(left, pin)
        # 4. When reads could only name the height: is it still the same block?
        if self._options.by_number and questions:
            outcomes = self._guard(block, outcomes)
        return [
            Reading(holding, self._provider.operator, block, *outcomes[position])
            for position, holding in enumerate(holdings)
        ]

    def prove_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read balances with proofs against the hash of `block`; what cannot be proven is a failure.

        Needs the provider option proofs = "on". Source: EIP-1186.
        """
        require_chain(self._network, block)
        if not self._options.proofs:
            outcomes = [Proof(None, (), f"{self._provider.name}: proofs are off")] * len(holdings)
        else:
            questions = [_question_or_none(self._network, holding) for holding in holdings]
            outcomes = prove_balances(self._rpc, block.hash, self._pin(block), questions, self._options.batch)
        return [
            Reading(holding, self._provider.operator, block, *outcome)
            for holding, outcome in zip(holdings, outcomes, strict=True)
        ]

    def read_transfers(self, first: int, last: BlockRef, holdings: Sequence[Holding]) -> Sequence[Movements]:
        """Read the ERC-20 transfers of `holdings` from height `first` to `last`; native coins have no list of them."""
        require_chain(self._network, last)
        asked = [Asked(holding, _question_or_none(self._network, holding)) for holding in holdings]
        return read_movements(self._rpc, self._provider.operator, first, last, asked)

    def _ask_directly(self, questions: Mapping[int, Question], pin: Any) -> Iterator[tuple[int, Outcome]]:
        calls: list[tuple[str, list[Any]]] = []
        for address, token in questions.values():
            if token is None:
                calls.append(("eth_getBalance", [address, pin]))
            else:
                calls.append(("eth_call", [{"to": token, "data": hexadecimal(balance_of(address))}, pin]))
        answers = self._rpc.batch(calls, self._options.batch)
        for (position, question), answer in zip(questions.items(), answers, strict=True):
            yield position, self._outcome(question, answer)

    def _outcome(self, question: Question, answer: Answer) -> Outcome:
        if answer.error:
            return Outcome(None, (answer.evidence,), str(answer.error))
        try:
            if question.token is None:
                units = quantity(answer.result, "eth_getBalance")
            else:
                units = decode_uint256(data(answer.result, "balanceOf"))
        except InvalidAnswerError as error:
            hint = "; no such token contract at this block" if answer.result == "0x" else ""
            return Outcome(None, (answer.evidence,), f"{self._provider.name}: {error}{hint}")
        return Outcome(units, (answer.evidence,))

    def _has_multicall(self, pin: Any, count: int) -> bool:
        facts = self._network.evm
        if not (self._options.multicall and facts and facts.multicall3 and count >= MULTICALL_FROM):
            return False
        (answer,) = self._rpc.batch([("eth_getCode", [facts.multicall3, pin])])
        return not answer.error and answer.result not in (None, "", "0x")

    def _ask_aggregated(self, questions: Mapping[int, Question], pin: Any) -> Iterator[tuple[int, Outcome]]:
        contract = self._multicall_contract()
        aggregates = list(self._aggregates(questions))
        calls = []
        for target, positions in aggregates:
            encode = balance_of if target else eth_balance
            asked = aggregate3(target or contract, [encode(questions[position].address) for position in positions])
            calls.append(("eth_call", [{"to": contract, "data": hexadecimal(asked)}, pin]))
        size = min(self._options.batch, max(1, AGGREGATED_PER_REQUEST // self._options.multicall))
        for (_, positions), answer in zip(aggregates, self._rpc.batch(calls, size), strict=True):
            yield from self._split(positions, answer)

    def _multicall_contract(self) -> str:
        if self._network.evm is None:
            raise NetworkDataError(f"{self._network.chain}: has no EVM facts")
        return self._network.evm.multicall3

    def _aggregates(self, questions: Mapping[int, Question]) -> Iterator[tuple[str | None, list[int]]]:
        by_target: dict[str | None, list[int]] = {}
        for position, question in questions.items():
            by_target.setdefault(question.token, []).append(position)
        size = self._options.multicall
        for target, positions in by_target.items():
            for start in range(0, len(positions), size):
                yield target, positions[start : start + size]

    @staticmethod
    def _split(positions: Sequence[int], answer: Answer) -> Iterator[tuple[int, Outcome]]:
        if answer.error:
            return
        try:
            returned = decode_aggregate3(answer.result, len(positions))
        except InvalidAnswerError:
            return
        for position, part in zip(positions, returned, strict=True):
            # What is not one number here is asked again alone, so its failure is told in the node's own words.
            if part is not None and len(part) == 32:
                yield position, Outcome(decode_uint256(part), (answer.evidence,))

    def _guard(self, block: BlockRef, outcomes: Mapping[int, Outcome]) -> dict[int, Outcome]:
        try:
            answer, now = self._read_block(hex(block.height))
        except ChainError as error:
            return {position: Outcome(None, (), f"block not re-read: {error}") for position in outcomes}
        if now.hash == block.hash:
            return {
                position: outcome._replace(evidence=(*outcome.evidence, answer.evidence))
                for position, outcome in outcomes.items()
            }
        failure = f"{self._provider.name}: block {block.height} was {block.hash} and is now {now.hash}"
        return {position: Outcome(None, (answer.evidence,), failure) for position in outcomes}

    def _pin(self, block: BlockRef) -> Any:
        if self._options.by_number:
            return hex(block.height)
        return {"blockHash": block.hash, "requireCanonical": True}

    def _block(self, which: str) -> BlockRef:
        return self._read_block(which)[1]

    def _read_block(self, which: str) -> tuple[Answer, BlockRef]:
        answer = self._rpc.call("eth_getBlockByNumber", which, False)
        if answer.result is None:
            raise ProviderError(f"{self._provider.name}: has no block {which}")
        if not isinstance(answer.result, dict):
            raise InvalidAnswerError(f"{self._provider.name}: eth_getBlockByNumber answered no object")
        try:
            return answer, BlockRef(
                ChainId(self._network.chain),
                quantity(answer.result.get("number"), "the block's number"),
                hexadecimal(data(answer.result.get("hash"), "the block's hash", 32)),
                quantity(answer.result.get("timestamp"), "the block's timestamp"),
            )
        except InvalidAnswerError as error:
            raise InvalidAnswerError(f"{self._provider.name}: {error}") from error

    def _number(self, answer: Answer, what: str) -> int:
        try:
            return quantity(answer.result, what)
        except InvalidAnswerError as error:
            raise InvalidAnswerError(f"{self._provider.name}: {error}") from error
