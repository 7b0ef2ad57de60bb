"""Read balances from a full node of the Bitcoin family (Bitcoin Core, Knots, Litecoin Core) by scanning its coins."""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

from chains.bitcoin.address import bitcoin_facts
from chains.bitcoin.holdings import (
    MAX_TIME,
    Target,
    checked_hash,
    checked_number,
    checked_record,
    moved,
    reading,
    targets_of,
)
from chains.errors import InvalidAnswerError, ProviderError
from chains.ids import ChainId, chain_id
from chains.jsonrpc import Answer, JsonRpc
from chains.model import BlockRef, Holding, Reading, UnspentOutput
from chains.network import Network
from chains.providers import Provider
from chains.transport import Transport, pause

SCAN_SIZE = 10_000
SCAN_TRIES = 12
SCAN_BUSY = "Scan already in progress"
_SCAN_IN_PROGRESS = -8  # the code is also that of a malformed question
MAX_OUTPUT_INDEX = 2**32 - 1
HEADER_BYTES = 80


class _Found(NamedTuple):
    """The coins of one script in a scan, the scan's evidence, and why it does not count."""

    coins: tuple[UnspentOutput, ...]
    evidence: str
    failure: str


class CoreReader:
    """Read one network of the Bitcoin family through one full node's JSON-RPC (dialect `bitcoin-core`).

    The node walks its whole set of unspent coins once for up to 10,000 addresses (`scantxoutset`), so no wallet and no
    index is needed, and a pruned node serves as well. It can do so for its tip only: readings are of exactly the
    block the scan names, and a scan of any other block than the pinned one is a failure, never a number.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network = network
        self._facts = bitcoin_facts(network)
        self._provider = provider
        self._transport = transport
        self._rpc = JsonRpc(transport, provider)

    def chain(self) -> ChainId:
        """Ask for the hash of the chain's first own block, the start of which is the chain id. Source: BIP-122."""
        return chain_id(f"bip122:{self._hash_at(self._facts.identity_height)[:32]}")

    def final_block(self) -> BlockRef:
        """Return the node's tip: the only block `scantxoutset` can read at.

        How deep a block must lie to count as final is the network's fact (`Network.finality`): whoever reads here
        waits until the pinned tip lies that deep and confirms its hash by `block_at` then. Raises ProviderError while
        the node still downloads the chain.
        """
        about = checked_record(self._provider, self._rpc.call("getblockchaininfo").result, "getblockchaininfo")
        if about.get("initialblockdownload") is True and not self._network.test_network:
            raise ProviderError(f"{self._provider.name}: the node is still downloading the chain; ask when it is done")
        height = checked_number(self._provider, about.get("blocks"), "the tip's height")
        tip = checked_hash(self._provider, about.get("bestblockhash"), "the tip's hash")
        return BlockRef(ChainId(self._network.chain), height, tip, self._time_of(tip))

    def block_at(self, height: int) -> BlockRef:
        """Return the block at `height` on the node's main chain. Raises ProviderError when there is none."""
        found = self._hash_at(height)
        return BlockRef(ChainId(self._network.chain), height, found, self._time_of(found))

    def block_named(self, block_hash: str) -> BlockRef:
        """Return the block of the node's main chain with this hash. Raises ChainError when there is none."""
        answer = self._rpc.call("getblockheader", block_hash, True)
        header = checked_record(self._provider, answer.result, "the header")
        found = self.block_at(checked_number(self._provider, header.get("height"), "the block's height"))
        if found.hash != block_hash:
            raise ProviderError(f"{self._provider.name}: {block_hash} is not on the main chain")
        return found

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read all holdings as of `block`, 10,000 addresses per scan.

        An address without coins in a successful scan of `block` holds zero. Raises TransportError, and
        InvalidAnswerError when the scan contradicts itself.
        """
        targets = targets_of(self._network, holdings)
        scripts = {target.script.hex(): target.address for target in targets if not target.failure}
        found: dict[str, _Found] = {}
        seen: set[str] = set()
        for part, answer in self._scans(scripts):
            failure = str(answer.error) if answer.error else ""
            coins: dict[str, list[UnspentOutput]] = {script: [] for script in part}
            if not failure:
                scan = checked_record(self._provider, answer.result, "the scan")
                failure = self._refusal(block, scan)
                if not failure:
                    self._sort_coins(scan, coins, seen)
            for script in part:
                found[script] = _Found(tuple(sorted(coins[script])), answer.evidence, failure)
        return [self._reading(block, target, found) for target in targets]

    def _scans(self, scripts: dict[str, str]) -> Iterator[tuple[list[str], Answer]]:
        """Yield each part of the scripts with the scan's answer; a refused scan keeps its evidence."""
        wanted = list(scripts)
        parts = [wanted[start : start + SCAN_SIZE] for start in range(0, len(wanted), SCAN_SIZE)]
        for part in parts:
            yield part, self._scan("scantxoutset", [f"addr({scripts[script]})" for script in part])

    def _scan(self, method: str, *parameters: Any) -> Answer:
        """Start one scan, and try again for some minutes while the node is busy with another: it does one at a time."""
        for attempt in range(SCAN_TRIES):
            (answer,) = self._rpc.batch([(method, ["start", *parameters])])
            if not answer.error or answer.error.code != _SCAN_IN_PROGRESS or SCAN_BUSY not in str(answer.error):
                break
            pause(self._transport, min(0.25 * 2**attempt, 30.0))
        return answer

    def _reading(self, block: BlockRef, target: Target, found: dict[str, _Found]) -> Reading:
        if target.failure:
            return reading(self._provider, block, target, None, ())
        coins, evidence, failure = found[target.script.hex()]
        units = sum(coin.units for coin in coins)
        told = reading(self._provider, block, target, units, (evidence,), failure)
        return told if failure else told._replace(coins=coins)

    def _refusal(self, block: BlockRef, scan: dict[str, Any]) -> str:
        """Say why a scan does not answer for `block`; empty when it does."""
        if scan.get("success") is not True:
            return f"{self._provider.name}: the scan did not complete"
        if scan.get("bestblock") != block.hash or scan.get("height") != block.height:
            return moved(block, scan.get("height"), scan.get("bestblock"))
        return ""

    def _sort_coins(self, scan: dict[str, Any], found: dict[str, list[UnspentOutput]], seen: set[str]) -> None:
        """Put the scan's coins to their scripts, refusing whatever a truthful node cannot say."""
        coins = scan.get("unspents")
        if not isinstance(coins, list):
            raise InvalidAnswerError(f"{self._provider.name}: the scan holds no list of unspent coins")
        total = 0
        for coin in coins:
            script, unspent = self._coin(coin, scan["height"], found, seen)
            found[script].append(unspent)
            total += unspent.units
        if total > self._facts.max_money or total != self._amount(scan.get("total_amount"), "the scan's total"):
            raise InvalidAnswerError(
                f"{self._provider.name}: the scan's coins add up to {total}, its total says {scan.get('total_amount')}"
            )

    def _coin(self, coin: Any, tip: int, scripts: Collection[str], seen: set[str]) -> tuple[str, UnspentOutput]:
        record = checked_record(self._provider, coin, "an unspent coin")
        txid = checked_hash(self._provider, record.get("txid"), "a coin's txid")
        index = checked_number(self._provider, record.get("vout"), "a coin's output index", MAX_OUTPUT_INDEX)
        outpoint = f"{txid}:{index}"
        if outpoint in seen:
            raise InvalidAnswerError(f"{self._provider.name}: the coin {outpoint} is listed twice")
        seen.add(outpoint)
        script = record.get("scriptPubKey")
        if not isinstance(script, str) or script not in scripts:
            raise InvalidAnswerError(
                f"{self._provider.name}: a coin of a script nobody asked for: {str(script)[:80]!r}"
            )
        height = checked_number(self._provider, record.get("height"), "a coin's height", tip)
        coinbase = record.get("coinbase")
        units = self._amount(record.get("amount"), f"the amount of {outpoint}")
        return script, UnspentOutput(outpoint, units, height, coinbase if isinstance(coinbase, bool) else None)

    def _amount(self, value: Any, what: str) -> int:
        """Return base units. The exponent is bounded before any arithmetic, so that 1e999999999 costs nothing."""
        amount = Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(amount, Decimal) and amount.is_finite() and -self._network.decimals <= _exponent(amount) <= 0:
            units = int(amount.scaleb(self._network.decimals)) if amount.adjusted() < 16 else -1
            if 0 <= units <= self._facts.max_money and not amount.is_signed():
                return units
        raise InvalidAnswerError(
            f"{self._provider.name}: {what} is {str(value)[:80]}; expected 0 to {self._facts.max_money} base units "
            f"with at most {self._network.decimals} decimals"
        )

    def _hash_at(self, height: int) -> str:
        """Return the hash of the block the node has at a height by now."""
        return checked_hash(self._provider, self._rpc.call("getblockhash", height).result, f"the hash at {height}")

    def _time_of(self, block_hash: str) -> int:
        """Return the time in a block's header, whose bytes must hash to `block_hash`."""
        header = self._rpc.call("getblockheader", block_hash, False).result
        try:
            raw = bytes.fromhex(header)
        except (TypeError, ValueError) as error:
            raise InvalidAnswerError(f"{self._provider.name}: the header of {block_hash} is not hexadecimal") from error
        digest = sha256(sha256(raw).digest()).digest()[::-1].hex()
        if len(raw) != HEADER_BYTES or digest != block_hash:
            raise InvalidAnswerError(f"{self._provider.name}: the header of {block_hash} hashes to {digest}")
        return checked_number(self._provider, int.from_bytes(raw[68:72], "little"), "the block's time", MAX_TIME)


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 1
