"""Proofs of reserves as Bitcoin transactions that nobody can broadcast (BIP-127)."""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from chains.ids import AccountId
from chains.signatures.bip322.psbt import MALFORMED, GivenCoin, Psbt, SpentCoin, parse_psbt, spent_coins
from chains.signatures.bip322.transactions import Coin, RefusedError, parse_coin
from chains.signatures.bip322.verify import (
    ProvenCoin,
    check_inputs,
    check_outpoints,
    proven_coins,
    read_claim,
    valid_result,
)
from chains.signatures.result import OwnershipResult

SCHEME = "bip-127"
PREFIX = b"Proof-of-Reserves: "
_ANYONE_CAN_SPEND = b"\x51"


class Commitment(StrEnum):
    """How the commitment input's transaction id stands for the message: which digest, and in which order of bytes.

    The first two are the standard's, which leaves the order open; the others are those of programs in use (bdk-reserves
    hashes twice; Blockstream's `reserves` leaves the prefix out). `shown` is the order in which people read ids.
    """

    SHA256 = "sha256"
    SHA256_SHOWN = "sha256-shown"
    TWICE = "double-sha256"
    TWICE_SHOWN = "double-sha256-shown"
    BARE = "sha256-without-prefix"
    BARE_SHOWN = "sha256-without-prefix-shown"


class Reserves(NamedTuple):
    """A result, the coins that were proven and how the message was committed to: none unless the result is valid."""

    result: OwnershipResult
    coins: tuple[ProvenCoin, ...] = ()
    commitment: Commitment | None = None


def verify(account: AccountId, message: str, signature: str, *, coins: Sequence[GivenCoin] = ()) -> OwnershipResult:
    """Check a finalized PSBT in Base64 as a proof of reserves that spends at least one coin of the account.

    Every input must be unlocked, also those of others. `coins` are spent coins as the chain knows them; the PSBT brings
    its own. It is not shown that coins exist or are unspent: look them up at the block in question.
    Reasons of valid results: `signed`, `valid-at` (see `bip322.verify`). Of invalid ones: those of the PSBT, its coins
    and scripts, and `commitment-differs`, `commitment-not-empty`, `commitment-coin` (input 0 has an amount or a
    script), `message-differs`, `no-reserves`, `extra-output`, `sum-differs`, `account-not-spent`. The scripts are held
    to the rules of BIP-322, which are those wallets sign by; so all signatures cover everything. Raises IdentifierError
    for a network without SegWit, MissingExtraError without the script engine. Source: BIP-127, BIP-174.
    """
    return prove(account, message, signature, coins=coins).result


def prove(account: AccountId, message: str, signature: str, *, coins: Sequence[GivenCoin] = ()) -> Reserves:
    """Check a proof as `verify` does, and return every coin it proves, of whichever account, and the digest's form."""
    try:
        script, text = read_claim(SCHEME, account, message)
        return _check(account, script, text, parse_psbt(signature), coins)
    except RefusedError as refused:
        return Reserves(OwnershipResult(False, str(refused), SCHEME, account))


def commitments(text: bytes) -> dict[bytes, Commitment]:
    """Return the transaction ids, in the order of the wire, that commit to a message. Source: BIP-127 and programs."""
    once = sha256(PREFIX + text).digest()
    twice, bare = sha256(once).digest(), sha256(text).digest()
    return {
        once: Commitment.SHA256,
        once[::-1]: Commitment.SHA256_SHOWN,
        twice: Commitment.TWICE,
        twice[::-1]: Commitment.TWICE_SHOWN,
        bare: Commitment.BARE,
        bare[::-1]: Commitment.BARE_SHOWN,
    }


def _check(account: AccountId, script: bytes, text: bytes, psbt: Psbt, given: Sequence[GivenCoin]) -> Reserves:
    transaction = psbt.transaction
    # 1. The first input commits to the message, and cannot be spent
    first = transaction.inputs[0]
    commitment = commitments(text).get(first.txid)
    if commitment is None or first.vout:
        raise RefusedError("commitment-differs")
    if first.script or first.witness:
        raise RefusedError("commitment-not-empty")
    if psbt.commitment() not in (None, text):
        raise RefusedError("message-differs")
    # 2. The remaining inputs are unlocked by signatures that cover the first one
    check_outpoints(transaction)
    coins = spent_coins(psbt, given)
    if not coins:
        raise RefusedError("no-reserves")
    # 3. One output holds the exact sum
    if len(transaction.outputs) != 1:
        raise RefusedError("extra-output")
    if transaction.outputs[0].units != sum(each.coin.units for each in coins):
        raise RefusedError("sum-differs")
    check_inputs(transaction, [SpentCoin(_commitment_coin(psbt), False), *coins], skipped=1)
    # 4. The account is among the owners
    if all(each.coin.script != script for each in coins):
        raise RefusedError("account-not-spent")
    proven = proven_coins(transaction, coins)
    return Reserves(valid_result(SCHEME, account, transaction, proven), proven, commitment)


def _commitment_coin(psbt: Psbt) -> Coin:
    """Return the coin that input 0 would spend, which signatures of Taproot cover: nothing, for anyone to take."""
    field = psbt.fields[0].get(b"\x01")
    coin = parse_coin(field, MALFORMED) if field is not None else Coin(0, _ANYONE_CAN_SPEND)
    if coin.units or coin.script not in (_ANYONE_CAN_SPEND, b""):
        raise RefusedError("commitment-coin")
    return coin
