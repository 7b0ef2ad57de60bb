"""Signed messages for every kind of Bitcoin address, and proofs of funds, as BIP-322 numbers their steps."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from chains.bitcoin.address import bitcoin_facts, script_of
from chains.errors import IdentifierError
from chains.ids import AccountId, address_of, chain_of
from chains.network import Network, network_of, networks
from chains.signatures import bip137
from chains.signatures.bip322.digests import Digests
from chains.signatures.bip322.engine import check_spends
from chains.signatures.bip322.psbt import GivenCoin, Psbt, SpentCoin, decode, parse_psbt, spent_coins
from chains.signatures.bip322.rules import Inspection, inspect
from chains.signatures.bip322.scripts import key_hash, push, script_hash, witness_program
from chains.signatures.bip322.trace import Rules
from chains.signatures.bip322.transactions import (
    MAX_TRANSACTION_BYTES,
    NO_OUTPOINT,
    OP_RETURN,
    RefusedError,
    Transaction,
    parse_transaction,
    parse_witness,
    to_sign,
    to_spend,
)
from chains.signatures.key_addresses import hash160
from chains.signatures.recovery import encode
from chains.signatures.result import OwnershipResult

SCHEME = "bip-322"
MALFORMED = "malformed-signature"
MAX_HASHED = 4_000_000_000  # bytes, for signatures from before SegWit, each of which covers the whole transaction
MAX_CHECKS = 20_000
_COMPACT_BYTES = 65
_NO_RELATIVE_LOCK, _FINAL = 1 << 31, 0xFFFFFFFF


class ProvenCoin(NamedTuple):
    """An outpoint that the signer could spend: `txid` in reversed hex, `units` in satoshi, the output's script.

    Nothing here says that the coin exists or is unspent. Units and script are the signer's word, which the signature
    covers, unless `shown`: then the transaction with this id was there and has them. `valid_from_age` is the relative
    lock (BIP-68) under which it was signed.
    """

    txid: str
    vout: int
    units: int
    script: bytes
    shown: bool
    valid_from_age: int


class Proof(NamedTuple):
    """A result and the coins that were proven beside it: none unless the result is valid."""

    result: OwnershipResult
    coins: tuple[ProvenCoin, ...] = ()


def verify(account: AccountId, message: str, signature: str, *, coins: Sequence[GivenCoin] = ()) -> OwnershipResult:
    """Check a BIP-322 signature in its simple, full or proof-of-funds form, with the prefix of version 2 or without.

    Without a prefix: 65 bytes are BIP-137 (P2PKH alone), a witness is the simple form, a transaction the full one.
    `coins` are those of further inputs, as the chain knows them; a proof of funds may bring its own.
    Reasons of valid results: `signed`, and `valid-at` when the transaction is locked: `valid_from_time` is its lock
    time (a height below 500,000,000, else seconds since 1970), `valid_from_age` its first input's relative lock
    (BIP-68). Whether those have passed is for the caller to judge. Reasons that begin with `inconclusive` say which
    rule kept for later days is touched; those results are not valid. All other reasons name what is wrong.
    Stricter than BIP-322: something must be signed, one signature counts once, input scripts only push, no annex.
    Raises IdentifierError for a network without SegWit, MissingExtraError without the script engine. Source: BIP-322
    version 2.0.0.
    """
    return prove(account, message, signature, coins=coins).result


def prove(account: AccountId, message: str, signature: str, *, coins: Sequence[GivenCoin] = ()) -> Proof:
    """Check a signature as `verify` does, and return the further coins that a proof of funds shows control of."""
    try:
        script, text = read_claim(SCHEME, account, message)
        if key_hash(script) and _is_compact(signature):
            return Proof(_check_compact(account, message, signature))
        return _check(account, script, text, signature, coins)
    except RefusedError as refused:
        return Proof(OwnershipResult(False, str(refused), SCHEME, account))


def _check(account: AccountId, script: bytes, text: bytes, signature: str, coins: Sequence[GivenCoin]) -> Proof:
    # 1. Basic validation: to_spend from message and address, to_sign from the signature, and their shape
    spent = to_spend(text, script)
    psbt = _read(signature, spent, script)
    transaction = psbt.transaction
    if psbt.message not in (None, text):
        raise RefusedError("message-differs")
    _check_shape(transaction, spent)
    virtual = GivenCoin(spent.id[::-1].hex(), 0, *spent.outputs[0])
    _, *further = spent_coins(psbt, (*coins, virtual), start=0)
    # 2. to 4. Consensus, the required rules, then the upgradeable ones
    check_inputs(transaction, [SpentCoin(spent.outputs[0], True), *further])
    if transaction.version not in (0, 2):
        raise RefusedError("inconclusive-version")
    # 5. Valid at time T and age S
    proven = proven_coins(transaction, further)
    return Proof(valid_result(SCHEME, account, transaction, proven, relative_lock(transaction, 0)), proven)


def read_claim(scheme: str, account: AccountId, message: str) -> tuple[bytes, bytes]:
    """Return the account's script and the message's bytes.

    Raises RefusedError: `wrong-network` for another network's address, `malformed-address`, `malformed-message`;
    IdentifierError for a network without SegWit.
    """
    network = network_of(chain_of(account))
    if not bitcoin_facts(network).bech32_hrp:
        raise IdentifierError(f"{network.name} has no SegWit; {scheme} serves Bitcoin and Litecoin")
    text = encode(message)
    if text is None:
        raise RefusedError("malformed-message")
    return _address_script(network, address_of(account)), text


def check_inputs(transaction: Transaction, coins: Sequence[SpentCoin], skipped: int = 0) -> None:
    """Check every input but the first `skipped` under consensus and the rules of BIP-322; raises RefusedError."""
    raw = transaction.serialize()
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise RefusedError("transaction-too-large")
    spends = list(zip(transaction.inputs, coins, strict=True))[skipped:]
    found = [inspect(spent, each.coin.script) for spent, each in spends]
    _check_work(found, len(raw))
    outputs = [each.coin for each in coins]
    check_spends(raw, outputs, skipped)
    digests = Digests(transaction, outputs)
    for position, inspection in enumerate(found, skipped):
        if not all(check.decides or digests.is_good(check, position) for check in inspection.checks):
            raise RefusedError("null-fail")
    if doubts := [doubt for inspection in found for doubt in inspection.doubts]:
        raise RefusedError(f"inconclusive-{doubts[0]}")


def valid_result(
    scheme: str, account: AccountId, transaction: Transaction, coins: Sequence[ProvenCoin], age: int = 0
) -> OwnershipResult:
    """Return the result of a transaction all of whose inputs hold, with the locks it was signed under."""
    is_final = all(spent.sequence == _FINAL for spent in transaction.inputs)
    time = 0 if is_final else transaction.lock_time
    is_locked = time or age or any(coin.valid_from_age for coin in coins)
    return OwnershipResult(True, "valid-at" if is_locked else "signed", scheme, account, account, time, age)


def relative_lock(transaction: Transaction, position: int) -> int:
    """Return an input's relative lock as BIP-68 writes it, 0 for none."""
    sequence = transaction.inputs[position].sequence
    return 0 if transaction.version < 2 or sequence & _NO_RELATIVE_LOCK else sequence


def proven_coins(transaction: Transaction, coins: Sequence[SpentCoin]) -> tuple[ProvenCoin, ...]:
    """Return what the inputs after the first one spend, with their coins."""
    return tuple(
        ProvenCoin(spent.txid[::-1].hex(), spent.vout, *each.coin, each.shown, relative_lock(transaction, position))
        for position, (spent, each) in enumerate(zip(transaction.inputs[1:], coins, strict=True), 1)
    )


def check_outpoints(transaction: Transaction) -> None:
    """Check that no output is spent twice and none is the one that does not exist. Raises RefusedError."""
    outpoints = [(spent.txid, spent.vout) for spent in transaction.inputs]
    if len(set(outpoints)) < len(outpoints):
        raise RefusedError("repeated-input")
    if NO_OUTPOINT in outpoints:
        raise RefusedError("no-outpoint")


def _read(signature: str, spent: Transaction, script: bytes) -> Psbt:
    """Read a signature in the form its prefix names; without one, as the simple form, else as the full one."""
    prefix, rest = signature[:3], signature[3:]
    if prefix == "pof":
        return parse_psbt(rest)
    if prefix == "ful":
        return _bare(parse_transaction(decode(rest, MAX_TRANSACTION_BYTES, MALFORMED), MALFORMED))
    if prefix == "smp":
        return _bare(_simple(parse_witness(decode(rest, MAX_TRANSACTION_BYTES, MALFORMED), MALFORMED), spent, script))
    raw = decode(signature, MAX_TRANSACTION_BYTES, MALFORMED)
    if len(raw) == _COMPACT_BYTES:
        raise RefusedError("compact-form-not-for-address")
    try:
        witness = parse_witness(raw, MALFORMED)
    except RefusedError:
        return _bare(parse_transaction(raw, MALFORMED))
    return _bare(_simple(witness, spent, script, wrapped=True))


def _bare(transaction: Transaction) -> Psbt:
    return Psbt(transaction, tuple({} for _ in transaction.inputs), None)


def _simple(witness: tuple[bytes, ...], spent: Transaction, script: bytes, wrapped: bool = False) -> Transaction:
    """Return the transaction of a witness. Before version 2 it served P2SH-wrapped SegWit too (`wrapped`)."""
    if not witness:
        raise RefusedError("witness-missing")
    if witness_program(script) is not None:
        return to_sign(spent, witness=witness)
    if not wrapped or script_hash(script) is None:
        raise RefusedError("simple-form-not-for-address")
    last = witness[-1]
    for program in (b"\x00\x14" + hash160(last), b"\x00\x20" + sha256(last).digest()):
        if hash160(program) == script_hash(script):
            return to_sign(spent, push(program), witness)
    raise RefusedError("script-differs")


def _check_shape(transaction: Transaction, spent: Transaction) -> None:
    first = transaction.inputs[0]
    if (first.txid, first.vout) != (spent.id, 0):
        raise RefusedError("to-spend-differs")
    if len(transaction.outputs) != 1:
        raise RefusedError("extra-output")
    if transaction.outputs[0] != (0, OP_RETURN):
        raise RefusedError("output-not-op-return")
    check_outpoints(transaction)


def _check_work(found: Sequence[Inspection], size: int) -> None:
    """Leave what would keep the engine busy for long undecided; no wallet writes such scripts."""
    checks = [check for inspection in found for check in inspection.checks]
    hashed = sum(len(check.keys) for check in checks if check.rules is Rules.LEGACY) * size
    if hashed > MAX_HASHED or sum(len(check.keys) for check in checks) > MAX_CHECKS:
        raise RefusedError("inconclusive-too-costly")


def _is_compact(signature: str) -> bool:
    try:
        return len(decode(signature, MAX_TRANSACTION_BYTES, MALFORMED)) == _COMPACT_BYTES
    except RefusedError:
        return False


def _check_compact(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check the form of before BIP-322; its twin with a high s is refused here as everywhere. Source: BIP-137."""
    found = bip137.verify(account, message, signature)
    return found._replace(scheme=SCHEME, valid=found.valid and found.reason == "signed")


def _address_script(network: Network, address: str) -> bytes:
    try:
        return script_of(network, address)
    except IdentifierError as error:
        others = [other for other in networks().values() if other.bitcoin and _has(other, address)]
        raise RefusedError("wrong-network" if others else "malformed-address") from error


def _has(network: Network, address: str) -> bool:
    try:
        script_of(network, address)
    except IdentifierError:
        return False
    return True
