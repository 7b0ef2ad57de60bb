"""Bitcoin transactions and blocks as bytes: build, sign and hash them for the embedded chain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import NamedTuple

from Crypto.Hash import RIPEMD160

SIGHASH_ALL = 1
FINAL_SEQUENCE = 0xFFFFFFFF
COINBASE_OUTPOINT = (bytes(32), 0xFFFFFFFF)
WITNESS_COMMITMENT = b"\x6a\x24\xaa\x21\xa9\xed"  # OP_RETURN, 36 bytes, the tag of BIP-141


class Output(NamedTuple):
    """Coins of one script; `units` are satoshi."""

    units: int
    script: bytes


class Input(NamedTuple):
    """A spent coin: transaction id in the order of the wire, output number, and what unlocks it."""

    txid: bytes
    vout: int
    script: bytes = b""
    witness: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Transaction:
    """A transaction of version 2 without lock time."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]

    def serialize(self, with_witness: bool = True) -> bytes:
        """Return the bytes of the wire. Source: BIP-144."""
        marked = with_witness and any(spent.witness for spent in self.inputs)
        parts = [(2).to_bytes(4, "little"), b"\x00\x01" if marked else b"", compact_size(len(self.inputs))]
        for spent in self.inputs:
            parts += [outpoint(spent), with_length(spent.script), FINAL_SEQUENCE.to_bytes(4, "little")]
        parts += [compact_size(len(self.outputs)), *map(serialized_output, self.outputs)]
        if marked:
            for spent in self.inputs:
                parts += [compact_size(len(spent.witness)), *map(with_length, spent.witness)]
        return b"".join([*parts, bytes(4)])

    @property
    def id(self) -> bytes:
        """The transaction id in the order of the wire; people read it reversed."""
        return hash256(self.serialize(with_witness=False))


class Key:
    """A private key for test coins. Real keys never come here."""

    def __init__(self, secret: bytes) -> None:
        from coincurve import PrivateKey

        self._private = PrivateKey(secret)
        self.public = self._private.public_key.format()

    @classmethod
    def named(cls, label: str) -> "Key":
        """Return the key a label stands for, the same in every run."""
        return cls(sha256(b"reserve-verifier embedded chain: " + label.encode()).digest())

    @property
    def secret(self) -> bytes:
        return self._private.secret

    @property
    def p2wpkh(self) -> bytes:
        return b"\x00\x14" + hash160(self.public)

    @property
    def p2pkh(self) -> bytes:
        return b"\x76\xa9\x14" + hash160(self.public) + b"\x88\xac"

    def sign(self, digest: bytes) -> bytes:
        """Return a DER signature over a 32-byte digest, with the byte that says it covers everything."""
        return self._private.sign(digest, hasher=None) + bytes([SIGHASH_ALL])


def sign_inputs(transaction: Transaction, spent: Sequence[Output], key: Key) -> Transaction:
    """Return the transaction with every input unlocked by `key`; `spent` are the coins it spends, in order.

    Source: BIP-143 for P2WPKH, the original rule for P2PKH.
    """
    shared = _Shared(
        hash256(b"".join(map(outpoint, transaction.inputs))),
        hash256(FINAL_SEQUENCE.to_bytes(4, "little") * len(transaction.inputs)),
        hash256(b"".join(map(serialized_output, transaction.outputs))),
    )
    signed = []
    for position, (entry, coin) in enumerate(zip(transaction.inputs, spent, strict=True)):
        if coin.script == key.p2wpkh:
            digest = _segwit_digest(entry, coin, key, shared)
            signed.append(entry._replace(witness=(key.sign(digest), key.public)))
        else:
            digest = _legacy_digest(transaction, position, coin.script)
            signed.append(entry._replace(script=with_length(key.sign(digest)) + with_length(key.public)))
    return replace(transaction, inputs=tuple(signed))


class _Shared(NamedTuple):
    outpoints: bytes
    sequences: bytes
    outputs: bytes


def _segwit_digest(entry: Input, coin: Output, key: Key, shared: _Shared) -> bytes:
    return hash256(
        (2).to_bytes(4, "little")
        + shared.outpoints
        + shared.sequences
        + outpoint(entry)
        + with_length(key.p2pkh)
        + coin.units.to_bytes(8, "little")
        + FINAL_SEQUENCE.to_bytes(4, "little")
        + shared.outputs
        + bytes(4)
        + SIGHASH_ALL.to_bytes(4, "little")
    )


def _legacy_digest(transaction: Transaction, position: int, script: bytes) -> bytes:
    inputs = tuple(
        Input(entry.txid, entry.vout, script if number == position else b"")
        for number, entry in enumerate(transaction.inputs)
    )
    return hash256(replace(transaction, inputs=inputs).serialize() + SIGHASH_ALL.to_bytes(4, "little"))


def coinbase(height: int, extra: int, reward: Output, transactions: Sequence[Transaction]) -> Transaction:
    """Return the transaction that opens a block; it commits to the witnesses of the others when there are any.

    Source: BIP-34 (height in the coinbase), BIP-141 (witness commitment).
    """
    script = push_number(height) + with_length(extra.to_bytes(8, "little"))
    txid, index = COINBASE_OUTPOINT
    if not any(entry.witness for transaction in transactions for entry in transaction.inputs):
        return Transaction((Input(txid, index, script),), (reward,))
    reserved = bytes(32)
    leaves = [bytes(32), *(hash256(transaction.serialize()) for transaction in transactions)]
    commitment = Output(0, WITNESS_COMMITMENT + hash256(merkle_root(leaves) + reserved))
    return Transaction((Input(txid, index, script, (reserved,)),), (reward, commitment))


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of Bitcoin's tree, in which an odd last node is paired with itself."""
    level = list(leaves)
    while len(level) > 1:
        level += level[-1:] * (len(level) % 2)
        level = [hash256(level[number] + level[number + 1]) for number in range(0, len(level), 2)]
    return level[0]


def outpoint(spent: Input) -> bytes:
    return spent.txid + spent.vout.to_bytes(4, "little")


def serialized_output(output: Output) -> bytes:
    return output.units.to_bytes(8, "little") + with_length(output.script)


def with_length(data: bytes) -> bytes:
    return compact_size(len(data)) + data


def compact_size(number: int) -> bytes:
    if number < 0xFD:
        return bytes([number])
    return b"\xfd" + number.to_bytes(2, "little") if number <= 0xFFFF else b"\xfe" + number.to_bytes(4, "little")


def push_number(number: int) -> bytes:
    """Push a positive number in Script's shortest form."""
    if number <= 16:
        return bytes([0x50 + number])
    data = number.to_bytes(number.bit_length() // 8 + 1, "little")
    return with_length(data)


def hash256(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()


def hash160(data: bytes) -> bytes:
    return RIPEMD160.new(sha256(data).digest()).digest()
