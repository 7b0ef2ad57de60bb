"""Unsigned payments for systems that pay: tables for custody, calls for a Safe. Nothing is signed or sent here."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from chains.evm.address import checksum_address
from chains.evm.keccak import keccak256
from chains.ids import AssetId, chain_of, family_of, token_contract
from verifier.compensation.payees import Payment, Payments
from verifier.errors import InputError
from verifier.inclusion.amounts import format_amount

BATCH_FORMAT = "reserve-verifier/payments/1"
TRANSFER, MULTI_SEND = keccak256(b"transfer(address,uint256)")[:4], keccak256(b"multiSend(bytes)")[:4]
CALL, DELEGATE_CALL = 0, 1
PER_CALL = 200  # a transfer of a token costs some 60,000 gas: a batch stays below half a block
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_batch(payments: Payments) -> str:
    """Return a table: address, whole coins, base units, the leaves it pays for; no cell is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["address", "amount", "units", "leaves"])
    for one in payments.payments:
        amount = format_amount(one.units, payments.asset.decimals)
        writer.writerow([_cell(one.address), amount, one.units, " ".join(one.leaves)])
    return out.getvalue()


def json_batch(payments: Payments) -> dict[str, Any]:
    """Return the same as JSON values, with what nobody has given an address for."""
    return {
        "format": BATCH_FORMAT,
        "asset": payments.asset._asdict(),
        "total": str(payments.total),
        "payments": [
            {
                "address": one.address,
                "amount": format_amount(one.units, payments.asset.decimals),
                "units": str(one.units),
                "leaves": list(one.leaves),
            }
            for one in payments.payments
        ],
        "unpaid": [{"leaf": leaf, "units": str(units)} for leaf, units in payments.unpaid],
    }


def safe_batch(payments: Payments, multi_send: str, per_call: int = PER_CALL) -> dict[str, Any]:
    """Return the transactions of a Safe that pay everybody through a MultiSend contract; nonce and signatures are left.

    Raises InputError for an asset that is not of an EVM chain. Source: Safe, MultiSend (packed transactions).
    """
    asset = AssetId(payments.asset.asset)
    if family_of(chain_of(asset)) != "eip155":
        raise InputError(f"a Safe pays assets of EVM chains; {asset} is none")
    batches = list(_portions(payments.payments, per_call))
    return {
        "format": "reserve-verifier/safe-transactions/1",
        "chain": chain_of(asset),
        "asset": asset,
        "total": str(payments.total),
        "transactions": [
            {
                "to": checksum_address(multi_send),
                "value": "0",
                "data": f"0x{_multi_send([_transfer(asset, one) for one in batch]).hex()}",
                "operation": DELEGATE_CALL,
                "payments": len(batch),
                "total": str(sum(one.units for one in batch)),
            }
            for batch in batches
        ],
        "unpaid": [{"leaf": leaf, "units": str(units)} for leaf, units in payments.unpaid],
    }


def _transfer(asset: AssetId, payment: Payment) -> bytes:
    """Pack one inner transaction: operation, to, value, length, data."""
    to, raw = token_contract(asset), bytes.fromhex(payment.address[2:])
    data = b"" if to is None else TRANSFER + bytes(12) + raw + payment.units.to_bytes(32)
    target = raw if to is None else bytes.fromhex(to[2:])
    value = payment.units if to is None else 0
    return CALL.to_bytes(1) + target + value.to_bytes(32) + len(data).to_bytes(32) + data


def _multi_send(inner: Sequence[bytes]) -> bytes:
    packed = b"".join(inner)
    return MULTI_SEND + (32).to_bytes(32) + len(packed).to_bytes(32) + packed + bytes(-len(packed) % 32)


def _portions(payments: Sequence[Payment], size: int) -> Iterator[Sequence[Payment]]:
    for start in range(0, len(payments), size):
        yield payments[start : start + size]


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
