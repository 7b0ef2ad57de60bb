"""Bitcoin transactions as bytes: read with bounds, written, named; and the two that carry a signed message."""

from hashlib import sha256
from typing import NamedTuple

from chains.errors import ChainError
from chains.signatures.messages import compact_size

MAX_TRANSACTION_BYTES = 1_000_000  # some 6,000 inputs of one key; larger reserves take several proofs
MAX_UNITS = 21_000_000 * 100_000_000
OP_RETURN = b"\x6a"
MESSAGE_TAG = sha256(b"BIP0322-signed-message").digest()
NO_OUTPOINT = (bytes(32), 0xFFFFFFFF)


class RefusedError(ChainError):
    """A signature does not hold; the text is the reason that the result gives."""


class Coin(NamedTuple):
    """An output: satoshi and the script they are locked with."""

    units: int
    script: bytes


class Input(NamedTuple):
    """A spent output, by transaction id in the order of the wire and number, and what unlocks it."""

    txid: bytes
    vout: int
    script: bytes = b""
    sequence: int = 0
    witness: tuple[bytes, ...] = ()


class Transaction(NamedTuple):
    """A transaction; `lock_time` and the inputs' `sequence` are the numbers of the wire."""

    version: int
    inputs: tuple[Input, ...]
    outputs: tuple[Coin, ...]
    lock_time: int = 0

    def serialize(self, with_witness: bool = True) -> bytes:
        """Return the bytes of the wire. Source: BIP-144."""
        marked = with_witness and any(spent.witness for spent in self.inputs)
        parts = [self.version.to_bytes(4, "little"), b"\x00\x01" if marked else b"", compact_size(len(self.inputs))]
        for spent in self.inputs:
            parts += [outpoint(spent), with_length(spent.script), spent.sequence.to_bytes(4, "little")]
        parts += [compact_size(len(self.outputs)), *map(serialized_coin, self.outputs)]
        for spent in self.inputs if marked else ():
            parts += [compact_size(len(spent.witness)), *map(with_length, spent.witness)]
        return b"".join([*parts, self.lock_time.to_bytes(4, "little")])

    @property
    def id(self) -> bytes:
        """The transaction id in the order of the wire; people read it reversed."""
        return hash256(self.serialize(with_witness=False))


class Reader:
    """Take parts off bytes, front to back; what is cut off or not in its shortest form is refused with `reason`."""

    def __init__(self, raw: bytes, reason: str) -> None:
        self.raw, self.at, self._reason = raw, 0, reason

    def take(self, size: int) -> bytes:
        if size > len(self.raw) - self.at:
            raise RefusedError(self._reason)
        self.at += size
        return self.raw[self.at - size : self.at]

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")

    def size(self) -> int:
        first = self.number(1)
        if first < 0xFD:
            return first
        value = self.number(1 << (first - 0xFC))
        if value < (0xFD, 0x1_0000, 0x1_0000_0000)[first - 0xFD]:
            raise RefusedError(self._reason)
        return value

    def count(self) -> int:
        """Return a number of parts, each of which takes at least one of the bytes left."""
        value = self.size()
        if value > len(self.raw) - self.at:
            raise RefusedError(self._reason)
        return value

    def prefixed(self) -> bytes:
        return self.take(self.size())

    def end(self) -> None:
        if self.at != len(self.raw):
            raise RefusedError(self._reason)


def parse_transaction(raw: bytes, reason: str, limit: int = MAX_TRANSACTION_BYTES) -> Transaction:
    """Read a transaction with or without witnesses; all bytes must belong to it. Source: BIP-144.

    Raises RefusedError with `reason`, or with `transaction-too-large` above `limit` bytes.
    """
    if len(raw) > limit:
        raise RefusedError("transaction-too-large")
    reader = Reader(raw, reason)
    version = reader.number(4)
    marked = raw[4:6] == b"\x00\x01"
    reader.take(2 if marked else 0)
    inputs = tuple(
        Input(reader.take(32), reader.number(4), reader.prefixed(), reader.number(4)) for _ in range(reader.count())
    )
    outputs = tuple(Coin(reader.number(8), reader.prefixed()) for _ in range(reader.count()))
    if marked:
        inputs = tuple(spent._replace(witness=_witness(reader)) for spent in inputs)
    lock_time = reader.number(4)
    reader.end()
    if not inputs or not outputs or (marked and not any(spent.witness for spent in inputs)):
        raise RefusedError(reason)
    return Transaction(version, inputs, outputs, lock_time)


def parse_witness(raw: bytes, reason: str) -> tuple[bytes, ...]:
    """Read one input's witness, which must be all there is. Raises RefusedError with `reason`."""
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise RefusedError("transaction-too-large")
    reader = Reader(raw, reason)
    witness = _witness(reader)
    reader.end()
    return witness


def parse_coin(raw: bytes, reason: str) -> Coin:
    """Read one output. Raises RefusedError with `reason`."""
    reader = Reader(raw, reason)
    coin = Coin(reader.number(8), reader.prefixed())
    reader.end()
    return coin


def message_hash(text: bytes) -> bytes:
    """Return the tagged hash that stands for a message. Source: BIP-322, BIP-340 (tagged hashes)."""
    return sha256(MESSAGE_TAG + MESSAGE_TAG + text).digest()


def to_spend(text: bytes, script: bytes) -> Transaction:
    """Return the transaction that does not exist, locked with the script that is to sign. Source: BIP-322, "Full"."""
    txid, vout = NO_OUTPOINT
    return Transaction(0, (Input(txid, vout, b"\x00\x20" + message_hash(text)),), (Coin(0, script),))


def to_sign(spent: Transaction, script: bytes = b"", witness: tuple[bytes, ...] = ()) -> Transaction:
    """Return the transaction that spends `to_spend`, with the numbers of the simple form. Source: BIP-322."""
    return Transaction(0, (Input(spent.id, 0, script, 0, witness),), (Coin(0, OP_RETURN),))


def outpoint(spent: Input) -> bytes:
    return spent.txid + spent.vout.to_bytes(4, "little")


def serialized_coin(coin: Coin) -> bytes:
    return coin.units.to_bytes(8, "little") + with_length(coin.script)


def with_length(data: bytes) -> bytes:
    return compact_size(len(data)) + data


def hash256(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()


def _witness(reader: Reader) -> tuple[bytes, ...]:
    return tuple(reader.prefixed() for _ in range(reader.count()))
