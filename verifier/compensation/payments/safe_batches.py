"""Payments from a Safe as transactions for its owners to sign: transfers packed for MultiSend, never signed here."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from chains.addresses import canonical_account
from chains.evm.address import checksum_address
from chains.evm.keccak import keccak256
from chains.ids import AccountId, AssetId, ChainId, address_of, family_of, token_contract
from verifier.compensation.payments.payees import Payees, Payment
from verifier.errors import InputError

CALL_ONLY = "0x9641d764fc13c8b624c04430c7356c1c7c8102e2"  # MultiSendCallOnly 1.4.1. Source: safe-deployments
ELSEWHERE = frozenset({"eip155:324"})  # networks whose machine is another one have it at another address
MULTI_SEND = keccak256(b"multiSend(bytes)")[:4]
TRANSFER = keccak256(b"transfer(address,uint256)")[:4]
DELEGATE_CALL = 1
NOBODY = "0x" + "00" * 20


class SafeBatch(NamedTuple):
    """One transaction of a Safe: where it goes, its call data, and what it pays."""

    to: str
    data: bytes
    payments: tuple[Payment, ...]

    def to_record(self) -> dict[str, Any]:
        """Return the fields that the owners sign; the nonce is theirs to choose. Source: Safe, SafeTx (EIP-712)."""
        return {
            "to": checksum_address(self.to),
            "value": "0",
            "data": f"0x{self.data.hex()}",
            "operation": DELEGATE_CALL,
            "safeTxGas": "0",
            "baseGas": "0",
            "gasPrice": "0",
            "gasToken": NOBODY,
            "refundReceiver": NOBODY,
            "nonce": None,
        }


def safe_batches(payees: Payees, size: int, multi_send: str | None) -> list[SafeBatch]:
    """Return transactions of at most `size` transfers each. Raises InputError for an asset no Safe transfers."""
    asset, token = AssetId(payees.asset.asset), token_contract(AssetId(payees.asset.asset))
    if family_of(payees.chain) != "eip155" or (token is None and "/slip44:" not in asset):
        raise InputError(f"{asset}: a Safe pays ERC-20 tokens and the coins of EVM networks")
    to = _multi_send(payees.chain, multi_send)
    cuts = range(0, len(payees.payments), size)
    found = [_batch(to, token, payees.payments[start : start + size]) for start in cuts]
    assert sum(one.units for batch in found for one in batch.payments) == payees.units
    return found


def _multi_send(chain: ChainId, given: str | None) -> str:
    if given is None and chain in ELSEWHERE:
        raise InputError(f"{chain}: the Safe's MultiSend stands at another address there; name it with --multisend")
    return address_of(canonical_account(AccountId(f"{chain}:{given or CALL_ONLY}")))


def _batch(to: str, token: str | None, payments: Sequence[Payment]) -> SafeBatch:
    packed = b"".join(_transfer(token, one) for one in payments)
    head = MULTI_SEND + (32).to_bytes(32) + len(packed).to_bytes(32)
    return SafeBatch(to, head + packed + bytes(-len(packed) % 32), tuple(payments))


def _transfer(token: str | None, payment: Payment) -> bytes:
    """Return one call as MultiSend reads it: kind, target, value, length of the data, data."""
    account = bytes.fromhex(payment.address[2:])
    if token is None:
        return bytes(1) + account + payment.units.to_bytes(32) + bytes(32)
    data = TRANSFER + bytes(12) + account + payment.units.to_bytes(32)
    return bytes(1) + bytes.fromhex(token[2:]) + bytes(32) + len(data).to_bytes(32) + data
