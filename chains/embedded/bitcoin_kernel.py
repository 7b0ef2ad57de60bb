"""A private Bitcoin chain inside this process, every block of it judged by Bitcoin Core's own consensus engine."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from chains.embedded.bitcoin_faces import esplora_page, rpc_methods
from chains.embedded.bitcoin_ledger import Block, Ledger, Outpoint
from chains.embedded.bitcoin_transaction import (
    Input,
    Key,
    Output,
    Transaction,
    coinbase,
    hash256,
    merkle_root,
    sign_inputs,
)
from chains.embedded.loopback import LoopbackServer
from chains.errors import ChainError, MissingExtraError
from chains.ids import ChainId
from chains.network import Network, network_of

REGTEST = ChainId("bip122:0f9188f13cb7b2c71f2a335e3a4fc328")
EASIEST_BITS = 0x207FFFFF
EASIEST_TARGET = 0x7FFFFF << 232
BLOCK_VERSION = 0x20000000
SUBSIDY = 50 * 10**8
HALVING = 150
MATURITY = 100
DEFAULT_START = 1_735_689_600  # 2025-01-01 00:00 UTC
DEFAULT_INTERVAL = 600


class BlockRefusedError(ChainError):
    """The consensus engine refused a block."""


class EmbeddedBitcoin:
    """A regtest chain in this process: blocks are made here, and Bitcoin Core's engine (libbitcoinkernel) judges them.

    The first mined block has the time `start_time` (Unix seconds, not before 2011), each further one `block_interval`
    seconds more. Coinbases go to `miner` unless said otherwise and can be spent 100 blocks later. Use as a context
    manager. Raises MissingExtraError without py-bitcoinkernel.
    """

    def __init__(self, start_time: int = DEFAULT_START, block_interval: int = DEFAULT_INTERVAL) -> None:
        self.network: Network = network_of(REGTEST)
        self.miner = Key.named("miner")
        self._next_time, self._interval = start_time, block_interval
        self._folder = TemporaryDirectory(prefix="reserve-verifier-bitcoin-")
        self._verdict = ""
        try:
            self._engine, self._pbk = self._open_engine()
        except BaseException:
            self._folder.cleanup()
            raise
        self._known: dict[str, Block] = {}
        self._pending: list[Transaction] = []
        self._extra = 0
        self.ledger = Ledger.of([self._genesis()])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the engine and remove its folder."""
        self._engine = None
        self._folder.cleanup()

    def mine(self, count: int = 1, script: bytes | None = None, time: int | None = None) -> list[str]:
        """Mine blocks, the first with all pending payments and at `time` if given; return their hashes.

        Raises BlockRefusedError when the engine refuses one, for instance because its time is not after the median
        of the last eleven blocks or is hours ahead of this machine's clock.
        """
        moment = self._next_time if time is None else time
        hashes = []
        for _ in range(count):
            block = self._build(self.ledger.tip.hash, self.ledger.height + 1, self._pending, script, moment)
            self._submit(block)
            moment = self._next_time
            self._pending = []
            hashes.append(block.hash)
        return hashes

    def pay(self, outputs: Mapping[bytes, int], key: Key | None = None) -> str:
        """Queue a payment of satoshi to scripts, signed by `key` (the miner's when None), for the next block.

        Spends that key's confirmed P2WPKH and P2PKH coins, largest first; the rest returns to its P2WPKH script.
        Returns the transaction id. Raises ChainError when the coins do not suffice.
        """
        owner = key or self.miner
        wanted = sum(outputs.values())
        chosen, total = self._choose(owner, wanted)
        paid = [Output(units, script) for script, units in outputs.items()]
        if total > wanted:
            paid.append(Output(total - wanted, owner.p2wpkh))
        unsigned = Transaction(tuple(Input(txid, index) for txid, index in chosen), tuple(paid))
        spent = [self.ledger.coins[place].output for place in chosen]
        transaction = sign_inputs(unsigned, spent, owner)
        self._pending.append(transaction)
        return transaction.id[::-1].hex()

    def balance(self, script: bytes) -> int:
        """Return the confirmed coins of a script, in satoshi."""
        return sum(coin.output.units for coin in self.ledger.coins.values() if coin.output.script == script)

    def reorganise(self, keep_transactions: bool = True) -> list[str]:
        """Replace the tip by a longer branch of two blocks, as a competing miner would; return their hashes.

        The replaced block's payments are mined again unless `keep_transactions` is False.
        """
        old, height = self.ledger.tip, self.ledger.height
        kept = old.transactions[1:] if keep_transactions else ()
        first = self._build(old.previous, height, kept)
        self._submit(first, becomes_tip=False)
        second = self._build(first.hash, height + 1, ())
        self._submit(second)
        self._pending = [payment for payment in self._pending if self._still_funded(payment)]
        return [first.hash, second.hash]

    def submit_raw(self, transactions: Sequence[Transaction], reward: int | None = None) -> str:
        """Mine a block of exactly these transactions; a test of the engine. Raises BlockRefusedError."""
        block = self._build(self.ledger.tip.hash, self.ledger.height + 1, transactions, reward=reward)
        self._submit(block)
        return block.hash

    def server(self) -> LoopbackServer:
        """Return a loopback server that speaks a full node's JSON-RPC and an Esplora explorer's pages."""
        return LoopbackServer(
            rpc_methods(lambda: self.ledger, self.network), lambda path: esplora_page(self.ledger, self.network, path)
        )

    def _choose(self, owner: Key, wanted: int) -> tuple[list[Outpoint], int]:
        """Choose confirmed, mature coins that no pending payment spends."""
        taken = {(entry.txid, entry.vout) for transaction in self._pending for entry in transaction.inputs}
        free = [
            (coin.output.units, place)
            for place, coin in self.ledger.coins.items()
            if coin.output.script in (owner.p2wpkh, owner.p2pkh)
            and place not in taken
            and (not coin.from_coinbase or self.ledger.height + 1 - coin.height >= MATURITY)
        ]
        chosen: list[Outpoint] = []
        total = 0
        for units, place in sorted(free, reverse=True):
            if total >= wanted:
                break
            chosen.append(place)
            total += units
        if total < wanted or not chosen:
            raise ChainError(f"the payer holds {total} spendable satoshi, {wanted} are to be paid: mine more blocks")
        return chosen, total

    def _still_funded(self, payment: Transaction) -> bool:
        return all((entry.txid, entry.vout) in self.ledger.coins for entry in payment.inputs)

    def _build(
        self,
        previous: str,
        height: int,
        transactions: Sequence[Transaction],
        script: bytes | None = None,
        moment: int | None = None,
        reward: int | None = None,
    ) -> Block:
        """Put a block together and do its proof of work, which on regtest takes two tries on average."""
        self._extra += 1
        units = (SUBSIDY >> height // HALVING) if reward is None else reward
        opening = coinbase(height, self._extra, Output(units, script or self.miner.p2wpkh), transactions)
        contents = (opening, *transactions)
        start = (
            BLOCK_VERSION.to_bytes(4, "little")
            + bytes.fromhex(previous)[::-1]
            + merkle_root([transaction.id for transaction in contents])
            + (self._next_time if moment is None else moment).to_bytes(4, "little")
            + EASIEST_BITS.to_bytes(4, "little")
        )
        nonce = 0
        while int.from_bytes(hash256(start + nonce.to_bytes(4, "little")), "little") > EASIEST_TARGET:
            nonce += 1
        header = start + nonce.to_bytes(4, "little")
        return Block(hash256(header)[::-1].hex(), header, contents)

    def _submit(self, block: Block, becomes_tip: bool = True) -> None:
        """Hand a block to the engine and follow whatever chain it then calls the best."""
        self._verdict = "no reason given"
        try:
            self._engine.process_block(self._pbk.Block(block.serialize()))
        except (self._pbk.KernelException, RuntimeError) as error:
            raise BlockRefusedError(f"the engine refused block {block.hash}: {self._verdict}") from error
        self._known[block.hash] = block
        tip = self._engine_hash(self._engine.get_active_chain().height)
        # an invalid block may be refused without any error: only the engine's tip tells
        if becomes_tip and tip != block.hash:
            raise BlockRefusedError(f"the engine refused block {block.hash}: {self._verdict}; its tip is {tip}")
        if tip == self.ledger.tip.hash:
            return
        if block.hash == tip and block.previous == self.ledger.tip.hash:
            self.ledger.connect(block)
        else:
            heights = range(self._engine.get_active_chain().height + 1)
            self.ledger = Ledger.of([self._known[self._engine_hash(height)] for height in heights])
        self._next_time = block.time + self._interval

    def _engine_hash(self, height: int) -> str:
        return str(self._engine.get_active_chain().block_tree_entries[height].block_hash)

    def _genesis(self) -> Block:
        """Read the genesis block from the engine; its coinbase is outside the set of coins by consensus."""
        entry = self._engine.get_active_chain().block_tree_entries[0]
        block = Block(str(entry.block_hash), bytes(entry.block_header), ())
        self._known[block.hash] = block
        return block

    def _open_engine(self) -> tuple[Any, Any]:
        try:
            pbk = import_module("pbk")
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "the embedded Bitcoin chain needs py-bitcoinkernel: install reserve-verifier[bitcoin]"
            ) from error

        def keep_verdict(_: object, block: object, state: Any) -> None:
            self._verdict = state.block_validation_result.name.lower().replace("_", " ")

        callbacks = pbk.ValidationInterfaceCallbacks(block_checked=keep_verdict)
        context = pbk.make_context(pbk.ChainType.REGTEST, validation_callbacks=callbacks)
        options = pbk.ChainstateManagerOptions(context, self._folder.name, f"{self._folder.name}/blocks")
        options.update_block_tree_db_in_memory(True)
        options.update_chainstate_db_in_memory(True)
        return pbk.ChainstateManager(options), pbk
