"""Read balances as of a past block from a full node with compact filters: every payment to and from an address."""

from collections.abc import Iterator, Sequence
from typing import Any

from chains.bitcoin.core import MAX_OUTPUT_INDEX, SCAN_SIZE, CoreReader
from chains.bitcoin.holdings import checked_hash, checked_number, checked_record, reading, targets_of
from chains.bitcoin.payments import Outpoint, Payment, movements_of
from chains.errors import InvalidAnswerError
from chains.jsonrpc import Answer
from chains.model import BlockRef, Holding, Movements, Reading
from chains.transport import pause

BLOCKS_PER_CALL = 1_000
_FILTER_MISSING = -1  # "still in the process of being indexed"; a block nobody has is another code
_TRIES = 20
_PAUSE_SECONDS = 0.1


class CoreHistoryReader(CoreReader):
    """Read one network of the Bitcoin family as of any block (dialect `bitcoin-core-history`).

    The node needs `blockfilterindex=1` and must not be pruned: `scanblocks` names the blocks whose compact filters
    (BIP-158) match, from the first one, and `getdescriptoractivity` (Bitcoin Core 29 and later) what happened in them.
    A coin counts when it was received and not spent up to the pinned block; a spend of a coin that was never received,
    or of another amount, makes the node's whole answer worthless.
    """

    def final_block(self) -> BlockRef:
        """Return the block that lies as deep below the tip as the network's finality rule asks."""
        tip = super().final_block()
        depth = self._network.finality.depth if self._network.finality.rule == "depth" else 0
        return self.block_at(max(0, tip.height - depth)) if depth else tip

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read all holdings as of `block`, 10,000 addresses at a time. Raises TransportError, InvalidAnswerError."""
        targets = targets_of(self._network, holdings)
        scripts = {target.script.hex(): target.address for target in targets if not target.failure}
        found: dict[str, tuple[int | None, tuple[str, ...], str]] = {}
        wanted = list(scripts)
        for start in range(0, len(wanted), SCAN_SIZE):
            part = {script: scripts[script] for script in wanted[start : start + SCAN_SIZE]}
            answers: list[Answer] = []
            payments = self.payments(part, 0, block, answers)
            evidence = tuple(dict.fromkeys(answer.evidence for answer in answers))
            failure = next((str(answer.error) for answer in answers if answer.error), "")
            units = {} if failure else self._unspent(part, payments)
            found |= {script: (units.get(script), evidence, failure) for script in part}
        if found and (now := self._hash_at(block.height)) != block.hash:
            changed = f"{self._provider.name}: block {block.height} was {block.hash} and is now {now}"
            return [reading(self._provider, block, target, None, (), changed) for target in targets]
        return [
            reading(self._provider, block, target, *found.get(target.script.hex(), (None, (), target.failure)))
            for target in targets
        ]

    def read_transfers(self, first: int, last: BlockRef, holdings: Sequence[Holding]) -> list[Movements]:
        """Read each coin that holdings received or spent from height `first` to `last`; no other side is named."""
        targets = targets_of(self._network, holdings)
        scripts = {target.script.hex(): target.address for target in targets if not target.failure}
        answers: list[Answer] = []
        found = self.payments(scripts, first, last, answers) if scripts else []
        evidence = tuple(dict.fromkeys(answer.evidence for answer in answers))
        failure = next((str(answer.error) for answer in answers if answer.error), "")
        return [
            movements_of(self._provider, first, last, target, None if failure else found, evidence, failure)
            for target in targets
        ]

    def payments(
        self, scripts: dict[str, str], from_height: int, block: BlockRef, answers: list[Answer]
    ) -> list[Payment]:
        """Return what scripts (hex, with their addresses) received and spent from a height up to a block.

        Every answer is appended to `answers`; when the last has an error, the payments are not complete.
        """
        described = [f"addr({address})" for address in scripts.values()]
        indexed = self._await_filter(block)
        answers.append(indexed)
        if indexed.error:
            return []
        scan = self._scan("scanblocks", described, from_height, block.height)
        answers.append(scan)
        if scan.error:
            return []
        relevant = self._relevant(scan.result, from_height, block)
        found: list[Payment] = []
        for start in range(0, len(relevant), BLOCKS_PER_CALL):
            part = relevant[start : start + BLOCKS_PER_CALL]
            (answer,) = self._rpc.batch([("getdescriptoractivity", [part, described, False])])
            answers.append(answer)
            if answer.error:
                return []
            found.extend(self._payments(answer.result, scripts, set(part), block.height))
        return found

    def _await_filter(self, block: BlockRef) -> Answer:
        """Ask for the pinned block's filter until the index has it, a few times.

        The index follows the chain in order and a moment behind, and `scanblocks` passes over what it lacks without a
        word: without this, a coin in the newest block would be missing and the balance too small.
        """
        for _ in range(_TRIES):
            (answer,) = self._rpc.batch([("getblockfilter", [block.hash, "basic"])])
            if not answer.error or answer.error.code != _FILTER_MISSING:
                break
            pause(self._transport, _PAUSE_SECONDS)
        return answer

    def _relevant(self, result: Any, from_height: int, block: BlockRef) -> list[str]:
        scan = checked_record(self._provider, result, "the scan of blocks")
        reached = (scan.get("from_height"), scan.get("to_height"), scan.get("completed"))
        if reached != (from_height, block.height, True):
            raise InvalidAnswerError(
                f"{self._provider.name}: the scan of blocks went from {reached[0]} to {reached[1]}, not from"
                f" {from_height} to {block.height}; is the block filter index complete?"
            )
        blocks = scan.get("relevant_blocks")
        if not isinstance(blocks, list) or len(set(map(str, blocks))) != len(blocks):
            raise InvalidAnswerError(f"{self._provider.name}: the scan holds no list of different blocks")
        return [checked_hash(self._provider, item, "a block's hash") for item in blocks]

    def _payments(self, result: Any, scripts: dict[str, str], blocks: set[str], most: int) -> Iterator[Payment]:
        record = checked_record(self._provider, result, "the activity")
        activity = record.get("activity")
        if not isinstance(activity, list):
            raise InvalidAnswerError(f"{self._provider.name}: the answer holds no list of activity")
        for entry in activity:
            yield self._payment(checked_record(self._provider, entry, "an activity"), scripts, blocks, most)

    def _payment(self, entry: dict[str, Any], scripts: dict[str, str], blocks: set[str], most: int) -> Payment:
        spend = entry.get("type") == "spend"
        if not spend and entry.get("type") != "receive":
            raise InvalidAnswerError(f"{self._provider.name}: an activity of type {str(entry.get('type'))[:80]!r}")
        names = ("prevout_txid", "prevout_vout", "prevout_spk") if spend else ("txid", "vout", "output_spk")
        txid = checked_hash(self._provider, entry.get(names[0]), "a coin's txid")
        index = checked_number(self._provider, entry.get(names[1]), "a coin's output index", MAX_OUTPUT_INDEX)
        script = checked_record(self._provider, entry.get(names[2]), "a coin's script").get("hex")
        block_hash = checked_hash(self._provider, entry.get("blockhash"), "an activity's block")
        if not isinstance(script, str) or script not in scripts or block_hash not in blocks:
            raise InvalidAnswerError(
                f"{self._provider.name}: activity of a script or block nobody asked for: {str(script)[:80]!r}"
            )
        height = checked_number(self._provider, entry.get("height"), "an activity's height", most)
        units = self._amount(entry.get("amount"), f"the amount of {txid}:{index}")
        spent_in = checked_hash(self._provider, entry.get("spend_txid"), "a spend's txid") if spend else ""
        return Payment(script, units, (txid, index), block_hash, height, spent_in)

    def _unspent(self, scripts: dict[str, str], payments: Sequence[Payment]) -> dict[str, int]:
        """Add up the coins that were received and not spent, refusing whatever a truthful node cannot say."""
        coins: dict[Outpoint, Payment] = {}
        for payment in payments:
            if not payment.spent_in and coins.setdefault(payment.outpoint, payment) is not payment:
                raise self._impossible(payment, "is received twice")
        spent: set[Outpoint] = set()
        for payment in payments:
            if payment.spent_in:
                coin = coins.get(payment.outpoint)
                if coin is None or payment.outpoint in spent:
                    raise self._impossible(payment, "is spent without being there")
                if (coin.script, coin.units) != (payment.script, payment.units) or coin.height > payment.height:
                    raise self._impossible(payment, "is spent as another coin than it was received")
                spent.add(payment.outpoint)
        units = dict.fromkeys(scripts, 0)
        for outpoint, coin in coins.items():
            if outpoint not in spent:
                units[coin.script] += coin.units
        if sum(units.values()) > self._facts.max_money:
            raise InvalidAnswerError(f"{self._provider.name}: the coins add up to more than there can be")
        return units

    def _impossible(self, payment: Payment, what: str) -> InvalidAnswerError:
        txid, index = payment.outpoint
        return InvalidAnswerError(f"{self._provider.name}: the coin {txid}:{index} {what}")
