"""Unsigned payments of the Bitcoin family: PSBTs over the coins a run recorded, for whoever has the keys."""

import base64
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chains.bitcoin.address import script_of
from chains.ids import AccountId, AssetId, address_of, chain_of
from chains.model import Balance, Holding, UnspentOutput
from chains.network import Network, network_of
from chains.signatures.bip322.transactions import Coin, Input, Transaction, serialized_coin, with_length
from verifier.case import Case
from verifier.compensation.payees import Payment
from verifier.errors import InputError

MAGIC = b"psbt\xff"
# Standard transactions have at most 400,000 weight units. Source: Bitcoin Core, MAX_STANDARD_TX_WEIGHT.
MAX_OUTPUTS, MAX_INPUTS = 2_000, 500
INPUT_BYTES, OUTPUT_BYTES, FIXED_BYTES = 148, 43, 12  # more than any kind of input with one key takes
DUST = 546
_REPLACEABLE = 0xFFFFFFFD


class UnsignedPayment(NamedTuple):
    """A PSBT (base64) with what it pays, what comes back, and its fee, in base units."""

    psbt: str
    paid: int
    change: int
    fee: int


def psbt_batches(case: Case, source: AccountId, payments: Sequence[Payment], fee_rate: int) -> list[UnsignedPayment]:
    """Return PSBTs (BIP-174) that pay everybody from one wallet's recorded coins; the change goes back to it.

    `fee_rate` is in base units per byte; sizes are counted on the large side. Raises InputError when the run lists no
    coins of the wallet, they do not suffice, an amount is dust, or its coins need their previous transactions.
    """
    network = network_of(chain_of(source))
    coins = list(_coins(case, source))
    own = script_of(network, address_of(source))
    if own[:1] not in (b"\x00", b"\x51"):
        raise InputError(f"{source}: PSBTs are written for witness addresses; others need their previous transactions")
    found = []
    for start in range(0, len(payments), MAX_OUTPUTS):
        portion = payments[start : start + MAX_OUTPUTS]
        outputs = [_output(network, one) for one in portion]
        spent, fee = _spend(coins, sum(one.units for one in outputs), len(outputs), fee_rate, source)
        found.append(_unsigned(spent, outputs, own, fee))
    return found


def _coins(case: Case, source: AccountId) -> Iterator[UnspentOutput]:
    asset = AssetId(network_of(chain_of(source)).native_asset)
    position = next((one for one in case.positions if one.placement.holding == Holding(source, asset)), None)
    if position is None:
        raise InputError(f"{source} is no wallet of this run")
    if not isinstance(position.result, Balance) or position.result.coins is None:
        raise InputError(f"{source}: this run lists no coins of it that every operator names alike")
    yield from sorted(position.result.coins, key=lambda coin: (-coin.units, coin.outpoint))


def _output(network: Network, payment: Payment) -> Coin:
    if payment.units < DUST:
        raise InputError(f"{payment.address}: {payment.units} base units are less than a node relays ({DUST})")
    return Coin(payment.units, script_of(network, payment.address))


def _spend(
    coins: list[UnspentOutput], paid: int, outputs: int, fee_rate: int, source: AccountId
) -> tuple[list[UnspentOutput], int]:
    """Take the largest coins until they pay outputs and fee; they are gone from `coins` then."""
    spent: list[UnspentOutput] = []
    while True:
        fee = fee_rate * (FIXED_BYTES + INPUT_BYTES * len(spent) + OUTPUT_BYTES * (outputs + 1))
        if spent and sum(one.units for one in spent) >= paid + fee:
            return spent, fee
        if not coins or len(spent) == MAX_INPUTS:
            raise InputError(f"{source}: its coins do not suffice for {paid:,} base units and a fee of {fee:,}")
        spent.append(coins.pop(0))


def _unsigned(spent: Sequence[UnspentOutput], outputs: Sequence[Coin], own: bytes, fee: int) -> UnsignedPayment:
    paid = sum(one.units for one in outputs)
    change = sum(one.units for one in spent) - paid - fee
    kept = [Coin(change, own)] if change >= DUST else []
    inputs = tuple(_input(one) for one in spent)
    transaction = Transaction(2, inputs, (*outputs, *kept)).serialize(with_witness=False)
    maps = [_field(b"\x00", transaction)]
    maps += [_field(b"\x01", serialized_coin(Coin(one.units, own))) for one in spent]
    maps += [b""] * (len(outputs) + len(kept))
    raw = MAGIC + b"".join(part + b"\x00" for part in maps)
    return UnsignedPayment(base64.b64encode(raw).decode(), paid, change if kept else 0, fee if kept else fee + change)


def _input(coin: UnspentOutput) -> Input:
    txid, _, vout = coin.outpoint.partition(":")
    return Input(bytes.fromhex(txid)[::-1], int(vout), sequence=_REPLACEABLE)


def _field(key: bytes, value: bytes) -> bytes:
    return with_length(key) + with_length(value)
