"""The unspent coins and each script's history, derived from the blocks that the consensus engine accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chains.embedded.bitcoin_transaction import COINBASE_OUTPOINT, Output, Transaction, compact_size

Outpoint = tuple[bytes, int]


class Block(NamedTuple):
    """An accepted block: its hash as people read it, its 80-byte header, and its transactions."""

    hash: str
    header: bytes
    transactions: tuple[Transaction, ...]

    def serialize(self) -> bytes:
        """Return the bytes of the wire."""
        contents = b"".join(transaction.serialize() for transaction in self.transactions)
        return self.header + compact_size(len(self.transactions)) + contents

    @property
    def previous(self) -> str:
        return self.header[4:36][::-1].hex()

    @property
    def time(self) -> int:
        return int.from_bytes(self.header[68:72], "little")


class Coin(NamedTuple):
    """An unspent output and where it came from."""

    output: Output
    height: int
    from_coinbase: bool


@dataclass
class History:
    """What a script received and spent, in base units and in number of coins."""

    funded_count: int = 0
    funded_units: int = 0
    spent_count: int = 0
    spent_units: int = 0
    transactions: set[bytes] = field(default_factory=set)


@dataclass
class Ledger:
    """The state after `blocks`, the first of which is the genesis block (whose coinbase nobody can spend)."""

    blocks: list[Block] = field(default_factory=list)
    coins: dict[Outpoint, Coin] = field(default_factory=dict)
    histories: dict[bytes, History] = field(default_factory=dict)
    heights: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "Ledger":
        ledger = cls()
        for block in blocks:
            ledger.connect(block)
        return ledger

    @property
    def tip(self) -> Block:
        return self.blocks[-1]

    @property
    def height(self) -> int:
        return len(self.blocks) - 1

    def connect(self, block: Block) -> None:
        """Add a block whose validity the engine has established."""
        height = len(self.blocks)
        self.heights[block.hash] = height
        self.blocks.append(block)
        for transaction in block.transactions:
            self._apply(transaction, height)

    def _apply(self, transaction: Transaction, height: int) -> None:
        txid = transaction.id
        opens_block = (transaction.inputs[0].txid, transaction.inputs[0].vout) == COINBASE_OUTPOINT
        for spent in () if opens_block else transaction.inputs:
            output = self.coins.pop((spent.txid, spent.vout)).output
            history = self.histories[output.script]
            history.spent_count += 1
            history.spent_units += output.units
            history.transactions.add(txid)
        for index, output in enumerate(transaction.outputs):
            history = self.histories.setdefault(output.script, History())
            history.funded_count += 1
            history.funded_units += output.units
            history.transactions.add(txid)
            if not output.script.startswith(b"\x6a"):  # OP_RETURN: data that nobody can spend is no coin
                self.coins[txid, index] = Coin(output, height, opens_block)

    def coins_of(self, scripts: Mapping[bytes, str]) -> dict[Outpoint, Coin]:
        return {place: coin for place, coin in self.coins.items() if coin.output.script in scripts}
