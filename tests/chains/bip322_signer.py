"""Lock coins with every kind of script and open them again, by keys of our own: claims for BIP-322 and BIP-127."""

import base64
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from coincurve import PrivateKey, PublicKeyXOnly

from chains.bitcoin.address import address_of_script
from chains.network import network_of
from chains.signatures.bip322.digests import legacy_digest, segwit_digest
from chains.signatures.bip322.scripts import encode_number, push
from chains.signatures.bip322.transactions import (
    Coin,
    Input,
    Transaction,
    outpoint,
    serialized_coin,
    to_sign,
    to_spend,
    with_length,
)
from chains.signatures.key_addresses import hash160
from chains.signatures.messages import compact_size
from chains.signatures.secp256k1 import ORDER
from tests.builders.wallet_lists import BITCOIN, key

MESSAGE = "Example Exchange controls this wallet on 2026-11-22T00:00:00Z"
CHECKSIG, CHECKMULTISIG = b"\xac", b"\xae"
Signer = Callable[[int], bytes]
Tweak = Callable[[bytes], bytes]
IF, ELSE, ENDIF, DROP, CSV, CLTV = b"\x63", b"\x67", b"\x68", b"\x75", b"\xb2", b"\xb1"


class Lock(NamedTuple):
    """An output's script, what runs when it is opened, and how: `unlock` gets a signer and returns the elements."""

    name: str
    script: bytes
    code: bytes
    rules: str
    unlock: Callable[[Signer], list[bytes]]
    tail: tuple[bytes, ...] = ()
    redeem: bytes = b""

    @property
    def account(self) -> str:
        return f"{BITCOIN}:{self.address}"

    @property
    def address(self) -> str:
        address = address_of_script(network_of(BITCOIN), self.script)
        assert address
        return address

    @property
    def is_native(self) -> bool:
        return not self.redeem and self.rules != "legacy"


# --- keys and scripts ---
def public(number: int) -> bytes:
    return key(number).public_key.format()


def x_only(number: int) -> bytes:
    return public(number)[1:]


def multisig(required: int, *numbers: int) -> bytes:
    keys = b"".join(push(public(number)) for number in numbers)
    return push(encode_number(required)) + keys + push(encode_number(len(numbers))) + CHECKMULTISIG


def single(number: int) -> list[Lock]:
    """Return P2PKH, P2WPKH, P2SH-P2WPKH and P2TR of a key."""
    program = b"\x00\x14" + hash160(public(number))
    code = b"\x76\xa9" + push(program[2:]) + b"\x88\xac"
    elements = lambda sign: [sign(number), public(number)]  # noqa: E731
    wrapped = b"\xa9\x14" + hash160(program) + b"\x87"
    return [
        Lock("p2pkh", code, code, "legacy", elements),
        Lock("p2wpkh", program, code, "segwit", elements),
        Lock("p2sh-p2wpkh", wrapped, code, "segwit", elements, redeem=program),
        Lock("p2tr", b"\x51\x20" + tweaked(number)[1], b"", "taproot-key", lambda sign: [sign(number)]),
    ]


def p2sh(code: bytes, unlock: Callable[[Signer], list[bytes]], name: str = "p2sh") -> Lock:
    return Lock(name, b"\xa9\x14" + hash160(code) + b"\x87", code, "legacy", unlock, redeem=code)


def p2wsh(code: bytes, unlock: Callable[[Signer], list[bytes]], name: str = "p2wsh", wrapped: bool = False) -> Lock:
    program = b"\x00\x20" + sha256(code).digest()
    if wrapped:
        return Lock(name, b"\xa9\x14" + hash160(program) + b"\x87", code, "segwit", unlock, (code,), program)
    return Lock(name, program, code, "segwit", unlock, (code,))


def p2tr_script(
    code: bytes, unlock: Callable[[Signer], list[bytes]], name: str = "p2tr-script", leaf: int = 0xC0
) -> Lock:
    """Return an output with two leaves, of which `code` is one, under the internal key 50."""
    node, sibling = leaf_hash(code, leaf), leaf_hash(b"\x6a")
    root = tagged("TapBranch", min(node, sibling) + max(node, sibling))
    output = PublicKeyXOnly(x_only(50))
    output.tweak_add(tagged("TapTweak", x_only(50) + root))
    control = bytes([leaf | int(output.parity)]) + x_only(50) + sibling
    return Lock(name, b"\x51\x20" + output.format(), code, "taproot", unlock, (code, control))


def leaf_hash(code: bytes, leaf: int = 0xC0) -> bytes:
    return tagged("TapLeaf", bytes([leaf]) + with_length(code))


def tagged(tag: str, data: bytes) -> bytes:
    prefix = sha256(tag.encode()).digest()
    return sha256(prefix + prefix + data).digest()


def tweaked(number: int) -> tuple[PrivateKey, bytes]:
    """Return the key that spends P2TR of a key without scripts, and the output's 32 bytes."""
    secret = int.from_bytes(key(number).secret)
    secret = secret if public(number)[0] == 2 else ORDER - secret
    own = PrivateKey(((secret + int.from_bytes(tagged("TapTweak", x_only(number)))) % ORDER).to_bytes(32))
    return own, own.public_key.format()[1:]


TWO_OF_THREE = multisig(2, 11, 12, 13)
BY_TWO = lambda sign: [b"", sign(11), sign(13)]  # noqa: E731
TAPROOT_TWO_OF_TWO = push(x_only(11)) + CHECKSIG + push(x_only(12)) + b"\xba\x52\x9c"
OR_LATER = push(public(12)) + CHECKSIG + b"\x73\x64" + push(public(11)) + b"\xad" + b"\x5a" + CSV + ENDIF
KINDS = [
    *single(7),
    p2sh(TWO_OF_THREE, BY_TWO, "p2sh-multisig"),
    p2wsh(TWO_OF_THREE, BY_TWO, "p2wsh-multisig"),
    p2wsh(TWO_OF_THREE, BY_TWO, "p2sh-p2wsh-multisig", wrapped=True),
    p2tr_script(push(x_only(11)) + CHECKSIG, lambda sign: [sign(11)]),
    p2tr_script(TAPROOT_TWO_OF_TWO, lambda sign: [sign(12), sign(11)], "p2tr-script-2of2"),
    p2wsh(OR_LATER, lambda sign: [sign(12)], "p2wsh-forgiving"),
    p2sh(OR_LATER, lambda sign: [sign(12)], "p2sh-forgiving"),
]


# --- signatures ---
class How(NamedTuple):
    """How to sign: the hash type (0 is Taproot's default), a change to each finished signature, Taproot's annex."""

    hash_type: int = 1
    change: Tweak = lambda signature: signature
    annex: bytes = b""


EVERYTHING = How()


def unlock(transaction: Transaction, position: int, coins: Sequence[Coin], lock: Lock, how: How = EVERYTHING) -> Input:
    def sign(number: int) -> bytes:
        if lock.rules.startswith("taproot"):
            leaf = leaf_hash(lock.code) if lock.rules == "taproot" else b""
            own = key(number) if leaf else tweaked(number)[0]
            digest = taproot_digest(transaction, position, coins, how, leaf)
            return how.change(own.sign_schnorr(digest) + (bytes([how.hash_type]) if how.hash_type else b""))
        if lock.rules == "segwit":
            digest = segwit_digest(transaction, position, lock.code, coins[position].units)
        else:
            digest = legacy_digest(transaction, position, lock.code)
        return how.change(key(number).sign(digest, hasher=None) + bytes([how.hash_type]))

    elements = lock.unlock(sign)
    spent = transaction.inputs[position]
    if lock.rules == "legacy":
        pushed = [*elements, lock.redeem] if lock.redeem else elements
        return spent._replace(script=b"".join(map(push, pushed)))
    annex = (how.annex,) if how.annex else ()
    return spent._replace(script=push(lock.redeem) if lock.redeem else b"", witness=(*elements, *lock.tail, *annex))


def taproot_digest(transaction: Transaction, position: int, coins: Sequence[Coin], how: How, leaf: bytes) -> bytes:
    """Return what a Taproot signature over everything signs. Source: BIP-341, BIP-342."""
    hashed = [
        b"".join(map(outpoint, transaction.inputs)),
        b"".join(coin.units.to_bytes(8, "little") for coin in coins),
        b"".join(with_length(coin.script) for coin in coins),
        b"".join(spent.sequence.to_bytes(4, "little") for spent in transaction.inputs),
        b"".join(map(serialized_coin, transaction.outputs)),
    ]
    head = bytes([0, how.hash_type]) + transaction.version.to_bytes(4, "little")
    body = transaction.lock_time.to_bytes(4, "little") + b"".join(sha256(part).digest() for part in hashed)
    tail = bytes([2 * bool(leaf) + bool(how.annex)]) + position.to_bytes(4, "little")
    tail += sha256(with_length(how.annex)).digest() if how.annex else b""
    tail += leaf + b"\0" + b"\xff" * 4 if leaf else b""
    return tagged("TapSighash", head + body + tail)


def open_all(
    transaction: Transaction, coins: Sequence[Coin], locks: Sequence[Lock], how: How = EVERYTHING, start: int = 0
) -> Transaction:
    opened = [unlock(transaction, number, coins, lock, how) for number, lock in enumerate(locks, start)]
    return transaction._replace(inputs=(*transaction.inputs[:start], *opened))


def message_transaction(
    lock: Lock, message: str = MESSAGE, how: How = EVERYTHING, sequence: int = 0, **numbers: Any
) -> Transaction:
    """Return to_sign, opened; `numbers` are other fields of the transaction."""
    spent = to_spend(message.encode(), lock.script)
    unsigned = to_sign(spent)._replace(**numbers)
    unsigned = unsigned._replace(inputs=tuple(each._replace(sequence=sequence) for each in unsigned.inputs))
    return open_all(unsigned, [spent.outputs[0]], [lock], how)


def full(transaction: Transaction, prefix: str = "ful") -> str:
    return prefix + text(transaction.serialize())


def simple(transaction: Transaction, prefix: str = "smp") -> str:
    return prefix + text(witness_bytes(transaction.inputs[0].witness))


def signed(lock: Lock, message: str = MESSAGE, how: How = EVERYTHING) -> str:
    """Return a signature in the form version 2 of the standard gives this kind of address."""
    transaction = message_transaction(lock, message, how)
    return simple(transaction) if lock.is_native else full(transaction)


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def witness_bytes(witness: Sequence[bytes]) -> bytes:
    return compact_size(len(witness)) + b"".join(map(with_length, witness))


# --- PSBTs ---
Fields = dict[bytes, bytes]


def psbt(transaction: Transaction, fields: Sequence[Fields], **whole: bytes) -> str:
    """Return a finalized PSBT of version 0: what opens the inputs goes into their fields."""
    bare = tuple(spent._replace(script=b"", witness=()) for spent in transaction.inputs)
    maps = [
        {b"\x00": transaction._replace(inputs=bare).serialize(), **{bytes.fromhex(k[1:]): v for k, v in whole.items()}}
    ]
    maps += [{**own, **final_fields(spent)} for spent, own in zip(transaction.inputs, fields, strict=True)]
    return text(b"psbt\xff" + b"".join(map(map_bytes, [*maps, *({} for _ in transaction.outputs)])))


def final_fields(spent: Input) -> Fields:
    found = {b"\x07": spent.script} if spent.script else {}
    return {**found, b"\x08": witness_bytes(spent.witness)} if spent.witness else found


def map_bytes(fields: Fields) -> bytes:
    return b"".join(with_length(name) + with_length(value) for name, value in fields.items()) + b"\0"


def funding(lock: Lock, units: int, number: int = 0) -> Transaction:
    """Return a transaction that pays a lock, as a block might hold it; its second output is the coin."""
    origin = sha256(f"coins {number} {lock.name}".encode()).digest()
    return Transaction(2, (Input(origin, 1, b"", 0xFFFFFFFF),), (Coin(5, b"\x51"), Coin(units, lock.script)))


def coin_fields(lock: Lock, paid: Transaction) -> Fields:
    """Return the field that shows a coin: the whole transaction before SegWit, the output alone since."""
    return {b"\x00": paid.serialize()} if lock.rules == "legacy" else {b"\x01": serialized_coin(paid.outputs[1])}
