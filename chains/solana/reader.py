"""Read SOL and SPL tokens as of one slot, though a Solana node only tells what is there now."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from chains.errors import IdentifierError, InvalidAnswerError, NetworkDataError, ProviderError
from chains.ids import AssetId, ChainId, address_of, chain_id
from chains.jsonrpc import Answer, JsonRpc
from chains.model import BlockRef, Holding, Reading
from chains.network import Network
from chains.providers import Provider
from chains.reader import require_on_chain
from chains.solana.address import canonical_address, is_key
from chains.solana.answers import MAX_SLOT, context_of, exactly, lamports_of, record, sum_units, token_accounts, whole
from chains.solana.history import History, Outcome, Token, Watch
from chains.transport import Transport

ACCOUNTS_PER_CALL = 100
BATCH = 20
MAX_BATCH = 100
SKIPPED = (-32007, -32009)
NOT_YET = (-32004, -32014)
LONGEST_GAP = 32


class _Question(NamedTuple):
    address: str
    mint: str | None

    @property
    def token(self) -> Token | None:
        return Token(self.address, self.mint) if self.mint else None


class _Now(NamedTuple):
    """What a node holds of a question now: the accounts to trace back, or why there are none."""

    context: int = 0
    accounts: tuple[tuple[str, int], ...] = ()
    evidence: tuple[str, ...] = ()
    failure: str = ""


class SolanaReader:
    """Read one Solana network through one node's JSON-RPC (dialect `solana`).

    A node tells balances only of now. A reading is therefore of exactly the pinned slot, shown by the transactions
    around it, or it is a failure:

    - the newest transaction of the account must have left what is there now;
    - what the last one up to the pinned slot left must be what the first one after it found;
    - an account without a transaction up to the pinned slot must have been empty there.

    So a history that is cut off, and a balance that changed without a transaction (rewards of validators and stake,
    rent once taken), are failures. Failed transactions count, because they cost fees.

    An account's lamports are all it holds, the deposit for its rent included; stake accounts and wrapped SOL of the
    same owner are accounts of their own and are not added. Tokens are all token accounts of the owner for the mint,
    also of Token-2022, in base units; confidential balances and withheld fees are not seen. Token accounts that left
    the owner since the pinned slot are found in the owner's own transactions. One that a delegate emptied and a closing
    authority other than the owner closed in that time names no owner: then too little is read, never too much.

    The provider option `batch` is how many calls go into one request (1 to 100; with 1 none are batched).
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network, self._provider = network, provider
        self._batch = _batch_of(provider)
        self._rpc = JsonRpc(transport, provider)

    def chain(self) -> ChainId:
        """Ask the node for the hash of its genesis; a chain's id is the first 32 letters of it. Source: CAIP-2."""
        genesis = self._rpc.call("getGenesisHash").result
        if not is_key(genesis):
            raise self._invalid("the genesis hash is not 32 bytes in Base58")
        return chain_id(f"solana:{genesis[:32]}")

    def final_block(self) -> BlockRef:
        """Return the block of the newest finalized slot that has one; slots may be skipped."""
        newest = self._checked_slot(self._rpc.call("getSlot", {"commitment": "finalized"}).result)
        for slot in range(newest, max(-1, newest - LONGEST_GAP), -1):
            try:
                return self.block_at(slot)
            except ProviderError as error:
                if error.code not in (*SKIPPED, *NOT_YET):
                    raise
        raise ProviderError(f"{self._provider.name}: has no block in the {LONGEST_GAP} slots up to {newest}")

    def block_at(self, height: int) -> BlockRef:
        """Return the finalized block of the slot `height`. Raises ProviderError when the slot was skipped."""
        return self._block(height)[0]

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read SOL and SPL tokens as of the slot of `block`, in base units; one Reading per holding, in order."""
        if not holdings:
            return []
        # 1. What can be asked at all
        questions: dict[int, _Question] = {}
        outcomes: dict[int, Outcome] = {}
        for position, holding in enumerate(holdings):
            try:
                questions[position] = self._question(holding)
            except IdentifierError as error:
                outcomes[position] = Outcome(None, (), str(error))
        asked = tuple(dict.fromkeys(questions.values()))
        history = History(self._rpc, self._batch, block.height)
        # 2. What is there now
        now = self._natives_now(history, block, asked) | self._tokens_now(history, block, asked)
        # 3. What was there at the pinned slot
        then = self._then(history, now)
        # 4. Is it still the same block? It also shows that the node's history reaches back to it.
        guard = self._guard(block)
        outcomes |= {position: self._guarded(then[question], guard) for position, question in questions.items()}
        return [Reading(one, self._provider.operator, block, *outcomes[place]) for place, one in enumerate(holdings)]

    def _question(self, holding: Holding) -> _Question:
        require_on_chain(self._network, holding)
        address = canonical_address(address_of(holding.account))
        return _Question(address, self._mint(holding.asset))

    def _mint(self, asset: AssetId) -> str | None:
        if asset == self._network.native_asset:
            return None
        kind, _, reference = asset.partition("/")[2].partition(":")
        if kind != "token":
            raise IdentifierError(f"{asset}: neither {self._network.native_asset} nor an SPL token (token:<mint>)")
        return canonical_address(reference)

    def _natives_now(self, history: History, block: BlockRef, asked: Iterable[_Question]) -> dict[_Question, _Now]:
        natives = [question for question in asked if question.mint is None]
        groups = [natives[start : start + ACCOUNTS_PER_CALL] for start in range(0, len(natives), ACCOUNTS_PER_CALL)]
        options = self._options(block) | {"dataSlice": {"offset": 0, "length": 0}}
        calls = [("getMultipleAccounts", [[one.address for one in group], options]) for group in groups]
        found: dict[_Question, _Now] = {}
        for group, answer in zip(groups, history.ask(calls), strict=True):
            found |= dict(zip(group, self._accounts_now(group, answer, block.height), strict=True))
        return found

    def _accounts_now(self, group: Sequence[_Question], answer: Answer, pinned: int) -> list[_Now]:
        evidence = (answer.evidence,)
        if answer.error:
            return [_Now(0, (), evidence, str(answer.error))] * len(group)
        try:
            context, value = context_of(answer.result, pinned)
            accounts = exactly(value, len(group), "the list of accounts")
        except InvalidAnswerError as error:
            return [_Now(0, (), evidence, self._said(error))] * len(group)
        return [self._account_now(*pair, context, evidence) for pair in zip(group, accounts, strict=True)]

    def _account_now(self, question: _Question, account: Any, context: int, evidence: tuple[str, ...]) -> _Now:
        try:
            return _Now(context, ((question.address, lamports_of(account)),), evidence)
        except InvalidAnswerError as error:
            return _Now(0, (), evidence, self._said(error))

    def _tokens_now(self, history: History, block: BlockRef, asked: Iterable[_Question]) -> dict[_Question, _Now]:
        tokens = [question for question in asked if question.mint is not None]
        options = self._options(block)
        calls = [("getTokenAccountsByOwner", [one.address, {"mint": one.mint}, options]) for one in tokens]
        answers = zip(tokens, history.ask(calls), strict=True)
        return {question: self._token_now(question, answer, block.height) for question, answer in answers}

    def _token_now(self, question: _Question, answer: Answer, pinned: int) -> _Now:
        evidence = (answer.evidence,)
        if answer.error:
            return _Now(0, (), evidence, str(answer.error))
        try:
            context, value = context_of(answer.result, pinned)
            accounts = token_accounts(value, question.address, question.mint or "")
            return _Now(context, tuple(accounts.items()), evidence)
        except InvalidAnswerError as error:
            return _Now(0, (), evidence, self._said(error))

    def _then(self, history: History, now: Mapping[_Question, _Now]) -> dict[_Question, Outcome]:
        outcomes = {question: Outcome(None, one.evidence, one.failure) for question, one in now.items() if one.failure}
        usable = {question: one for question, one in now.items() if not one.failure}
        if not usable:
            return outcomes
        # 3a. The histories of all accounts, and of the owners of tokens, as they stand after the last answer
        context = max(one.context for one in usable.values())
        listed = [question.address for question in usable]
        history.list_back([*listed, *(address for one in usable.values() for address, _ in one.accounts)], context)
        # 3b. Token accounts that left their owner since the pinned slot
        watches: dict[_Question, list[Watch]] = {}
        scans: dict[_Question, Outcome] = {}
        for question, one in usable.items():
            watches[question], scans[question] = _watches(history, question, one)
        history.list_back([watch.address for some in watches.values() for watch in some], context)
        # 3c. The transactions on both sides of the pinned slot
        every = list(dict.fromkeys(watch for some in watches.values() for watch in some))
        traced = dict(zip(every, history.trace(every), strict=True))
        for question, one in usable.items():
            parts = [Outcome(0, one.evidence), scans[question], *(traced[watch] for watch in watches[question])]
            outcomes[question] = self._joined(parts)
        return outcomes

    def _joined(self, parts: Sequence[Outcome]) -> Outcome:
        evidence = tuple(dict.fromkeys(item for part in parts for item in part.evidence))
        failure = next((part.failure for part in parts if part.failure), "")
        if failure:
            return Outcome(None, evidence, self._said(failure))
        try:
            return Outcome(sum_units([part.units for part in parts if part.units is not None]), evidence)
        except InvalidAnswerError as error:
            return Outcome(None, evidence, self._said(error))

    def _guard(self, block: BlockRef) -> Outcome:
        if block.chain != self._network.chain:
            return Outcome(None, (), f"block {block.height} is of {block.chain}; expected {self._network.chain}")
        try:
            now, evidence = self._block(block.height)
        except (ProviderError, InvalidAnswerError) as error:
            return Outcome(None, (), str(error))
        if now.hash != block.hash:
            return Outcome(None, (evidence,), self._said(f"slot {block.height} holds {now.hash}, not {block.hash}"))
        return Outcome(0, (evidence,))

    @staticmethod
    def _guarded(outcome: Outcome, guard: Outcome) -> Outcome:
        failure = outcome.failure or guard.failure
        return Outcome(None if failure else outcome.units, (*outcome.evidence, *guard.evidence), failure)

    @staticmethod
    def _options(block: BlockRef) -> dict[str, Any]:
        return {"commitment": "finalized", "encoding": "base64", "minContextSlot": block.height}

    def _block(self, slot: int) -> tuple[BlockRef, str]:
        options = {"commitment": "finalized", "transactionDetails": "none", "rewards": False}
        answer = self._rpc.call("getBlock", slot, options | {"maxSupportedTransactionVersion": 0})
        if answer.result is None:
            raise ProviderError(f"{self._provider.name}: has no block in slot {slot}")
        try:
            found = record(answer.result, "the block")
            time = whole(found.get("blockTime"), 2**40, "the block's time")
            whole(found.get("parentSlot"), max(0, slot - 1), "the slot before the block's")
        except InvalidAnswerError as error:
            raise self._invalid(str(error)) from error
        if not is_key(found.get("blockhash")):
            raise self._invalid("the block's hash is not 32 bytes in Base58")
        return BlockRef(ChainId(self._network.chain), slot, found["blockhash"], time), answer.evidence

    def _checked_slot(self, value: Any) -> int:
        try:
            return whole(value, MAX_SLOT, "the newest slot")
        except InvalidAnswerError as error:
            raise self._invalid(str(error)) from error

    def _said(self, text: object) -> str:
        """Name the provider before a failure, unless it is named already."""
        said = str(text)
        return said if said.startswith(self._provider.name) else f"{self._provider.name}: {said}"

    def _invalid(self, text: str) -> InvalidAnswerError:
        return InvalidAnswerError(f"{self._provider.name}: {text}")


def _watches(history: History, question: _Question, now: _Now) -> tuple[list[Watch], Outcome]:
    watches = [Watch(address, units, now.context, question.token) for address, units in now.accounts]
    if question.token is None:
        return watches, Outcome(0)
    named, scan = history.accounts_of(question.token, now.context)
    gone = named - {address for address, _ in now.accounts}
    return watches + [Watch(address, 0, now.context, question.token) for address in sorted(gone)], scan


def _batch_of(provider: Provider) -> int:
    for name, _ in provider.options:
        if name != "batch":
            raise NetworkDataError(f"{provider.name}: unknown option {name!r}; known: batch")
    text = provider.option("batch", str(BATCH))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_BATCH):
        raise NetworkDataError(f"{provider.name}: batch is {text!r}; expected a number from 1 to {MAX_BATCH}")
    return int(text)
