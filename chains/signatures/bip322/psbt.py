"""Finalized PSBTs: the transaction with what unlocks it, and the coins it spends as the signer's file shows them."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chains.errors import IdentifierError
from chains.signatures.bip322.scripts import is_witness_spend
from chains.signatures.bip322.transactions import (
    MAX_UNITS,
    Coin,
    Input,
    Reader,
    RefusedError,
    Transaction,
    parse_coin,
    parse_transaction,
    parse_witness,
)

MAX_PSBT_BYTES = 8_000_000
MAX_GIVEN_BYTES = 4_000_000  # a transaction that is only shown, not checked: as large as a block may be
MALFORMED = "malformed-psbt"
_MAGIC = b"psbt\xff"
Fields = Mapping[bytes, bytes]


class GivenCoin(NamedTuple):
    """A coin as the chain knows it, told by the caller: `txid` in the reversed hex people read, `units` in satoshi."""

    txid: str
    vout: int
    units: int
    script: bytes


class Psbt(NamedTuple):
    """A finalized transaction and, input by input, the fields beside it; `message` is the global one of BIP-322."""

    transaction: Transaction
    fields: tuple[Fields, ...]
    message: bytes | None

    def commitment(self) -> bytes | None:
        """Return the message of a proof of reserves that input 0 carries, if any. Source: BIP-127."""
        return self.fields[0].get(b"\x09")


class SpentCoin(NamedTuple):
    """What an input spends; `shown` is true when the transaction that made the coin is there and so vouches for it."""

    coin: Coin
    shown: bool


def decode(text: str, limit: int, reason: str) -> bytes:
    """Return the bytes of Base64 in its one spelling. Raises RefusedError with `reason`, or `signature-too-large`."""
    if len(text) > limit * 4 // 3 + 4:
        raise RefusedError("signature-too-large")
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise RefusedError(reason) from error
    if not raw or base64.b64encode(raw).decode("ascii") != text:
        raise RefusedError(reason)  # base64 has spare bits; one spelling per signature
    return raw


def parse_psbt(text: str) -> Psbt:
    """Read a PSBT of version 0 or 2 in Base64; unknown fields are passed over, as the format asks.

    Raises RefusedError: `malformed-psbt`, `psbt-version`, and those of `decode` and `parse_transaction`.
    Source: BIP-174, BIP-370.
    """
    reader = Reader(decode(text, MAX_PSBT_BYTES, MALFORMED), MALFORMED)
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise RefusedError(MALFORMED)
    whole = _fields(reader)
    version = _number(whole, b"\xfb", 0)
    if version == 0:
        unsigned = parse_transaction(_needed(whole, b"\x00"), MALFORMED)
        if any(spent.script or spent.witness for spent in unsigned.inputs):
            raise RefusedError(MALFORMED)
        inputs = [_fields(reader) for _ in unsigned.inputs]
        for _ in unsigned.outputs:
            _fields(reader)
    elif version == 2:
        inputs = [_fields(reader) for _ in range(_count(_needed(whole, b"\x04")))]
        outputs = [_fields(reader) for _ in range(_count(_needed(whole, b"\x05")))]
        unsigned = _second_version(whole, inputs, outputs)
    else:
        raise RefusedError("psbt-version")
    reader.end()
    finalized = tuple(map(_finalized, unsigned.inputs, inputs))
    return Psbt(unsigned._replace(inputs=finalized), tuple(inputs), whole.get(b"\x09"))


def spent_coins(psbt: Psbt, given: Sequence[GivenCoin], start: int = 1) -> list[SpentCoin]:
    """Return the coins of the inputs from `start` on, out of the PSBT's own fields and those the caller knows.

    A transaction shown at one input serves later ones too. Raises RefusedError: `coin-missing`, `coin-differs` (two
    sources contradict each other, or a transaction is not the one the outpoint names), `coin-transaction-missing` (of a
    coin from before SegWit only a transaction, or the caller, can tell the amount), `coin-amount`. Raises
    IdentifierError for a malformed id in `given`.
    Source: BIP-174; BIP-322, "Full (Proof of Funds)".
    """
    known = {(_wire_order(coin.txid), coin.vout): Coin(coin.units, coin.script) for coin in given}
    shown: dict[bytes, Transaction] = {}
    found = []
    for spent, fields in list(zip(psbt.transaction.inputs, psbt.fields, strict=True))[start:]:
        if b"\x00" in fields:
            whole = parse_transaction(fields[b"\x00"], MALFORMED, MAX_GIVEN_BYTES)
            if whole.id != spent.txid:
                raise RefusedError("coin-differs")
            shown[whole.id] = whole
        found.append(_spent_coin(spent, fields, shown.get(spent.txid), known.get((spent.txid, spent.vout))))
    if sum(each.coin.units for each in found) > MAX_UNITS:
        raise RefusedError("coin-amount")
    return found


def _wire_order(txid: str) -> bytes:
    try:
        return bytes.fromhex(txid)[::-1]
    except ValueError as error:
        raise IdentifierError(f"{txid[:80]!r} is no transaction id; expected 64 hexadecimal digits") from error


def _spent_coin(spent: Input, fields: Fields, whole: Transaction | None, known: Coin | None) -> SpentCoin:
    told = [known] if known else []
    if whole:
        if spent.vout >= len(whole.outputs):
            raise RefusedError("coin-differs")
        told.append(whole.outputs[spent.vout])
    is_vouched_for = bool(told)
    if b"\x01" in fields:
        told.append(parse_coin(fields[b"\x01"], MALFORMED))
    if not told:
        raise RefusedError("coin-missing")
    if len(set(told)) > 1:
        raise RefusedError("coin-differs")
    if not 0 <= told[0].units <= MAX_UNITS:
        raise RefusedError("coin-amount")
    if not is_vouched_for and not is_witness_spend(told[0].script, spent.script):
        raise RefusedError("coin-transaction-missing")
    return SpentCoin(told[0], whole is not None)


def _fields(reader: Reader) -> dict[bytes, bytes]:
    """Read one map, up to its closing zero; no key may come twice."""
    fields: dict[bytes, bytes] = {}
    while key := reader.prefixed():
        if key in fields:
            raise RefusedError(MALFORMED)
        fields[key] = reader.prefixed()
    return fields


def _finalized(spent: Input, fields: Fields) -> Input:
    witness = parse_witness(fields[b"\x08"], MALFORMED) if b"\x08" in fields else ()
    return spent._replace(script=fields.get(b"\x07", b""), witness=witness)


def _second_version(whole: Fields, inputs: Sequence[Fields], outputs: Sequence[Fields]) -> Transaction:
    """Put the transaction together from its parts. Source: BIP-370."""
    spent = tuple(
        Input(_needed(one, b"\x0e"), _number(one, b"\x0f"), b"", _number(one, b"\x10", 0xFFFFFFFF)) for one in inputs
    )
    coins = tuple(
        Coin(int.from_bytes(_needed(one, b"\x03"), "little"), _needed(one, b"\x04", may_be_empty=True))
        for one in outputs
    )
    if (
        not spent
        or not coins
        or any(len(one.txid) != 32 for one in spent)
        or any(len(o[b"\x03"]) != 8 for o in outputs)
    ):
        raise RefusedError(MALFORMED)
    return Transaction(_number(whole, b"\x02"), spent, coins, _lock_time(whole, inputs))


def _lock_time(whole: Fields, inputs: Sequence[Fields]) -> int:
    """Return the highest lock the inputs ask for, by height if all of them can. Source: BIP-370."""
    asking = [one for one in inputs if b"\x11" in one or b"\x12" in one]
    if not asking:
        return _number(whole, b"\x03", 0)
    key = next((key for key in (b"\x12", b"\x11") if all(key in one for one in asking)), None)
    if key is None:
        raise RefusedError(MALFORMED)
    return max(_number(one, key) for one in asking)


def _count(raw: bytes) -> int:
    reader = Reader(raw, MALFORMED)
    count = reader.size()
    reader.end()
    return count


def _number(fields: Fields, key: bytes, default: int | None = None) -> int:
    """Return a field of four bytes."""
    if key not in fields and default is not None:
        return default
    raw = _needed(fields, key)
    if len(raw) != 4:
        raise RefusedError(MALFORMED)
    return int.from_bytes(raw, "little")


def _needed(fields: Fields, key: bytes, may_be_empty: bool = False) -> bytes:
    raw = fields.get(key)
    if raw is None or not (raw or may_be_empty):
        raise RefusedError(MALFORMED)
    return raw
