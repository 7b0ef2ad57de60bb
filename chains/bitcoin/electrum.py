"""Read balances as of any block from an Electrum server: histories, unspent coins, and what was spent since."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from chains.bitcoin.address import bitcoin_facts
from chains.bitcoin.electrum_ledger import Coin, Entries, heights_of, later_than, payments_of, spent_from, unspent_at
from chains.bitcoin.electrum_visit import HEADER, TIP, LineRpc, Visit, announced_tip, header_of
from chains.bitcoin.holdings import Target, reading, targets_of
from chains.bitcoin.payments import Payment, movements_of
from chains.errors import InvalidAnswerError, NetworkDataError, ProviderError
from chains.ids import ChainId, chain_id
from chains.model import BlockRef, Holding, Movements, Reading, UnspentOutput
from chains.network import Network
from chains.providers import Provider
from chains.transport import Transport, pause

SCRIPTS_AT_ONCE = 1_000
ATTEMPTS = 3
MAX_TRANSACTIONS = 20_000
_PAUSE_SECONDS = 0.5
_CHANGING = "the server's lists kept changing while they were read; ask again"

Value = TypeVar("Value")
Unspent = tuple[UnspentOutput, ...]
Judge = Callable[[int], Value]  # takes the height of the tip at which everything was told
Gather = Callable[[Visit, Sequence[bytes]], Mapping[bytes, Judge[Value]]]


class _Found(NamedTuple, Generic[Value]):
    """What follows for one script, or why nothing does."""

    value: Value | None
    evidence: tuple[str, ...]
    failure: str = ""


class ElectrumReader:
    """Read one network of the Bitcoin family through one Electrum server (dialect `electrum`), as of any block.

    The server lists what touched a script, and its unspent coins by now. What was unspent at the pinned block and has
    been spent since is found in the later transactions, whose bytes must hash to their ids. All questions of a kind
    travel together, and count only when the server's tip stood still around them. Source: the Electrum protocol,
    versions 1.4 to 1.5.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network = network
        self._facts = bitcoin_facts(network)
        self._provider = provider
        self._transport = transport
        self._rpc = LineRpc(transport, provider)
        self._merkle = provider.option("merkle", "off") == "on"
        if provider.option("merkle", "off") not in ("on", "off"):
            raise NetworkDataError(
                f"{provider.name}: the option `merkle` is {provider.option('merkle')!r}, not on or off"
            )

    def chain(self) -> ChainId:
        """Hash the header of the chain's first own block; the start of it is the chain id. Source: BIP-122."""
        return chain_id(f"bip122:{self.block_at(self._facts.identity_height).hash[:32]}")

    def final_block(self) -> BlockRef:
        """Return the block that lies as deep below the server's tip as the network's finality rule asks."""
        tip, facts = announced_tip(self._provider, self._rpc.call(TIP))
        depth = self._network.finality.depth if self._network.finality.rule == "depth" else 0
        if depth:
            return self.block_at(max(0, tip.height - depth))
        return facts.block(self._network.chain, tip.height)

    def block_at(self, height: int) -> BlockRef:
        """Return the block at `height` on the server's main chain, hashed from its header. Raises ProviderError."""
        facts = header_of(self._provider, self._rpc.call(HEADER, height))
        return facts.block(self._network.chain, height)

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read all holdings as of `block`. Raises TransportError, and InvalidAnswerError for a contradiction."""
        targets = targets_of(self._network, holdings)
        scripts = list(dict.fromkeys(target.script for target in targets if not target.failure))
        found = self._settle(block, scripts, partial(self._gather_units, block.height))
        if sum(coin.units for one in found.values() for coin in one.value or ()) > self._facts.max_money:
            raise InvalidAnswerError(f"{self._provider.name}: the coins add up to more than there can be")
        return [self._reading(block, target, found.get(target.script, _Found(None, ()))) for target in targets]

    def read_transfers(self, first: int, last: BlockRef, holdings: Sequence[Holding]) -> Sequence[Movements]:
        """Read each coin that holdings received or spent from height `first` to `last`; no other side is named."""
        targets = targets_of(self._network, holdings)
        scripts = list(dict.fromkeys(target.script for target in targets if not target.failure))
        found = self._settle(last, scripts, partial(self._gather_payments, first, last.height))
        return [
            movements_of(self._provider, first, last, target, one.value, one.evidence, one.failure)
            for target in targets
            for one in [found.get(target.script, _Found[list[Payment]](None, ()))]
        ]

    def _reading(self, block: BlockRef, target: Target, found: _Found[Unspent]) -> Reading:
        units = None if found.value is None else sum(coin.units for coin in found.value)
        told = reading(self._provider, block, target, units, found.evidence, found.failure)
        return told if told.units is None else told._replace(coins=found.value)

    def _settle(self, block: BlockRef, scripts: Sequence[bytes], gather: Gather[Value]) -> dict[bytes, _Found[Value]]:
        found: dict[bytes, _Found[Value]] = {}
        for start in range(0, len(scripts), SCRIPTS_AT_ONCE):
            found |= self._settle_part(block, scripts[start : start + SCRIPTS_AT_ONCE], gather)
        return found

    def _settle_part(
        self, block: BlockRef, scripts: Sequence[bytes], gather: Gather[Value]
    ) -> dict[bytes, _Found[Value]]:
        """Ask about scripts until each has an answer that was told while nothing moved, three times at most."""
        visit = Visit(self._rpc, self._provider, self._facts.max_money)
        values: dict[bytes, Value] = {}
        reasons = dict.fromkeys(scripts, _CHANGING)
        try:
            for attempt in range(ATTEMPTS):
                missing = [script for script in scripts if script not in values]
                if not missing:
                    break
                if attempt:
                    pause(self._transport, _PAUSE_SECONDS)
                visit.refused.clear()
                tip = visit.arrive(block)  # 1. it has the block
                judges = gather(visit, missing)  # 2. it tells everything
                if visit.stood_still(block, tip):  # 3. of one and the same state
                    values |= {script: judge(tip.height) for script, judge in judges.items()}  # 4. what follows
                reasons |= {script: visit.refused.get(script, _CHANGING) for script in missing}
        except ProviderError as error:
            return {script: _Found(None, visit.evidence, str(error)) for script in scripts}
        return {
            script: _Found(values.get(script), visit.evidence, "" if script in values else reasons[script])
            for script in scripts
        }

    def _gather_units(self, height: int, visit: Visit, scripts: Sequence[bytes]) -> dict[bytes, Judge[Unspent]]:
        """Ask for histories, coins, and histories again, each when the one before is answered; then for what is later.

        A server works at many questions at a time: only an answer makes sure that another question comes after it.
        """
        histories = visit.histories(scripts)
        coins = visit.coins(list(histories))
        again = visit.histories(list(coins))
        same = [script for script in coins if again.get(script) == histories[script]]
        later = {script: later_than(dict(histories[script]), height) for script in same}
        complete = _fetch(visit, histories, later, height)
        if self._merkle:
            complete = _prove(visit, {script: (histories[script], coins[script]) for script in complete}, height)
        return {
            script: partial(self._unspent, height, script, histories[script], coins[script], visit)
            for script in complete
        }

    def _unspent(
        self, height: int, script: bytes, history: Entries, coins: Sequence[Coin], visit: Visit, tip: int
    ) -> Unspent:
        heights = heights_of(self._provider, history, tip)
        return unspent_at(self._provider, script, height, heights, coins, visit.transactions)

    def _gather_payments(
        self, first: int, last: int, visit: Visit, scripts: Sequence[bytes]
    ) -> dict[bytes, Judge[list[Payment]]]:
        histories = visit.histories(scripts)
        window = {
            script: [txid for txid, height in history if max(first, 1) <= height <= last]
            for script, history in histories.items()
        }
        complete = _fetch(visit, histories, window, last)
        inside = (height for script in complete for _, height in histories[script] if max(first, 1) <= height <= last)
        hashes = {height: facts.hash for height, facts in visit.headers(inside).items()}
        return {
            script: partial(self._payments, first, last, script, histories[script], visit, hashes)
            for script in complete
        }

    def _payments(
        self,
        first: int,
        last: int,
        script: bytes,
        history: Entries,
        visit: Visit,
        hashes: Mapping[int, str],
        tip: int,
    ) -> list[Payment]:
        heights = heights_of(self._provider, history, tip)
        return list(payments_of(script, heights, first, last, visit.transactions, hashes))


def _fetch(
    visit: Visit, histories: Mapping[bytes, Entries], spenders: Mapping[bytes, Sequence[str]], height: int
) -> list[bytes]:
    """Fetch transactions, and what they may spend from up to `height`; return the scripts for which nothing lacks."""
    bounded = {script: txids for script, txids in spenders.items() if len(txids) <= MAX_TRANSACTIONS}
    visit.fetch(txid for txids in bounded.values() for txid in txids)
    makers = {
        script: spent_from(dict(histories[script]), txids, visit.transactions, height)
        for script, txids in bounded.items()
    }
    visit.fetch(txid for txids in makers.values() for txid in txids)
    for script in spenders.keys() - bounded.keys():
        visit.refused[script] = f"more than {MAX_TRANSACTIONS:,} transactions would have to be read"
    for script, txids in bounded.items():
        lacking = next((txid for txid in (*txids, *makers[script]) if txid not in visit.transactions), None)
        if lacking:
            visit.refused[script] = visit.refused.get(lacking, _CHANGING)
    return [script for script in bounded if script not in visit.refused]


def _prove(visit: Visit, lists: Mapping[bytes, tuple[Entries, Sequence[Coin]]], height: int) -> list[bytes]:
    """Have the block of every coin shown that counts at `height`; return the scripts for which that was done."""
    places: dict[bytes, list[tuple[str, int]]] = {}
    for script, (history, coins) in lists.items():
        heights = dict(history)
        later = later_than(heights, height)
        unspent = [(coin.outpoint[0], coin.height) for coin in coins if 0 < coin.height <= height]
        makers = spent_from(heights, later, visit.transactions, height)
        places[script] = [*unspent, *((txid, heights[txid]) for txid in makers)]
    visit.prove(place for found in places.values() for place in found)
    for script, found in places.items():
        lacking = next((txid for txid, _ in found if txid in visit.refused), None)
        if lacking:
            visit.refused[script] = visit.refused[lacking]
    return [script for script in places if script not in visit.refused]
