"""Deploy the Safe's real contracts on anvil, sign as its owners do, and change it by its own transactions."""

import json
import os
from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode

from chains.evm.keccak import keccak256
from chains.evm.safe import storage
from chains.evm.safe.capture import capture_safe
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, account_id
from chains.jsonrpc import JsonRpc
from chains.model import BlockRef
from chains.providers import Provider
from chains.signatures.contract_wallet import ask_is_valid_signature
from chains.signatures.key_addresses import evm_address
from chains.signatures.messages import text_digest
from chains.signatures.result import OwnershipResult
from chains.signatures.safe import safe_message_typed_data, text_hash, verify_safe_claim
from chains.signatures.typed_data import digest, typed_data_of
from tests.builders.wallet_lists import key
from tests.live.anvil import CHAIN, Anvil
from tests.live.require import nodes_home

HOW = "run `python tests/live/install_safe.py`"
NOBODY = "0x" + "00" * 20
SENTINEL = "0x" + "00" * 19 + "01"
VERSIONS = ("1.5.0", "1.4.1", "1.3.0")
GUARD = "0x" + "9a" * 20
_YES = "0x600160005260206000f3"  # answers every call with 1
_SAFE_TX = (
    *(("to", "address"), ("value", "uint256"), ("data", "bytes"), ("operation", "uint8"), ("safeTxGas", "uint256")),
    *(("baseGas", "uint256"), ("gasPrice", "uint256"), ("gasToken", "address"), ("refundReceiver", "address")),
    ("nonce", "uint256"),
)
MESSAGE = "Exchange: exchange.example\nAs of: 2026-11-22T00:00:00Z"
FIRST, SECOND, THIRD, STRANGER = 21, 22, 23, 24


def artifact(version: str, contract: str) -> dict[str, str]:
    """Return one compiled contract; skip visibly without it, or fail under POR_REQUIRE_NODES=1."""
    path = nodes_home() / "safe" / version / f"{contract}.json"
    if path.exists():
        return dict(json.loads(path.read_text("utf-8")))
    reason = f"Safe {version} is not installed; {HOW}"
    if os.environ.get("POR_REQUIRE_NODES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def call_data(form: str, *values: Any) -> bytes:
    """Encode a call: `form` is a function as its selector is hashed."""
    types = form.partition("(")[2][:-1]
    return keccak256(form.encode())[:4] + encode(types.split(",") if types else [], values)


def owner(number: int) -> str:
    return evm_address(key(number).public_key)


def by_owner(numbers: Sequence[int]) -> list[int]:
    """Return signers in the order a Safe wants them."""
    return sorted(numbers, key=owner)


PAIR = by_owner([FIRST, SECOND])


def sign_digest(number: int, hashed: bytes, prefixed: bool = False) -> bytes:
    """Sign 32 bytes as a wallet does: as typed data (v 27, 28), or by eth_sign (v 31, 32)."""
    raw = key(number).sign_recoverable(text_digest(hashed) if prefixed else hashed, hasher=None)
    return raw[:64] + bytes([raw[64] + (31 if prefixed else 27)])


def message_digest(address: str, message: str | bytes, chain_id: int = int(CHAIN[7:])) -> bytes:
    return digest(typed_data_of(safe_message_typed_data(chain_id, address, message)))


def sign_message(address: str, message: str | bytes, numbers: Sequence[int]) -> str:
    hashed = message_digest(address, message)
    return "0x" + b"".join(sign_digest(number, hashed) for number in numbers).hex()


class SafeFactory:
    """The Safe's contracts of one version on one anvil."""

    def __init__(self, anvil: Anvil, version: str, logic: str = "Safe") -> None:
        self.anvil = anvil
        self.provider = Provider("anvil", CHAIN, "json-rpc", (), anvil.url)
        self.rpc = JsonRpc(HttpTransport(Limits(tries=1)), self.provider)
        names = (logic, "SafeProxyFactory", "CompatibilityFallbackHandler")
        self.singleton, self.factory, self.handler = (
            anvil.deploy(bytes.fromhex(artifact(version, name)["bytecode"][2:])).lower() for name in names
        )
        self._made = 0

    def create(self, owners: Sequence[int], threshold: int) -> "SafeWallet":
        self._made += 1
        setup = call_data(
            "setup(address[],uint256,address,bytes,address,address,uint256,address)",
            *([owner(number) for number in owners], threshold, NOBODY, b"", self.handler, NOBODY, 0, NOBODY),
        )
        made = call_data("createProxyWithNonce(address,bytes,uint256)", self.singleton, setup, self._made)
        address = self.anvil.rpc("eth_call", {"to": self.factory, "data": "0x" + made.hex()}, "latest")
        self.anvil.send(to=self.factory, data="0x" + made.hex())
        return SafeWallet(self, "0x" + address[-40:])

    def block(self) -> BlockRef:
        tip = self.anvil.rpc("eth_getBlockByNumber", "latest", False)
        return BlockRef(CHAIN, int(tip["number"], 16), tip["hash"], int(tip["timestamp"], 16))


class SafeWallet:
    """One Safe: its address, and transactions that its owners sign."""

    def __init__(self, factory: SafeFactory, address: str) -> None:
        self.factory, self.address = factory, address
        self.account: AccountId = account_id(f"{CHAIN}:{address}")
        self._nonce = 0

    def execute(self, numbers: Sequence[int], data: bytes, to: str = "", operation: int = 0) -> None:
        """Send a transaction of the Safe, to itself unless told, with the owners' signatures over it."""
        self._set_guard()
        values = (to or self.address, 0, data, operation, 0, 0, 0, NOBODY, NOBODY)
        record = {name: value for (name, _), value in zip(_SAFE_TX, (*values, self._nonce), strict=True)}
        typed = safe_message_typed_data(int(CHAIN[7:]), self.address, "")
        types = {
            "EIP712Domain": typed["types"]["EIP712Domain"],
            "SafeTx": [{"name": name, "type": kind} for name, kind in _SAFE_TX],
        }
        message = record | {"data": "0x" + data.hex()}
        hashed = digest(typed_data_of(typed | {"types": types, "primaryType": "SafeTx", "message": message}))
        signatures = b"".join(sign_digest(number, hashed) for number in by_owner(numbers))
        form = ",".join(kind for _, kind in _SAFE_TX[:-1])
        sent = call_data(f"execTransaction({form},bytes)", *values, signatures)
        self.factory.anvil.send(to=self.address, data="0x" + sent.hex())
        self._nonce += 1

    def _set_guard(self) -> None:
        """Give the Safe a guard before its first transaction looks for one: a slot that was only read and is zero gets
        a place of its own in anvil's storage tree, which no Ethereum client gives it and no proof may show."""
        if self._nonce == 0:
            anvil = self.factory.anvil
            anvil.rpc("anvil_setCode", GUARD, _YES)
            anvil.rpc("anvil_setStorageAt", self.address, f"0x{storage.GUARD:064x}", "0x" + GUARD[2:].zfill(64))


def capture(wallet: SafeWallet) -> dict[str, Any]:
    """Return the record of a Safe at the newest block, as it comes back from a file."""
    return dict(json.loads(json.dumps(capture_safe(wallet.factory.rpc, wallet.factory.block(), wallet.account).record)))


def root_of(record: dict[str, Any]) -> bytes:
    return bytes.fromhex(record["block"]["stateRoot"][2:])


def judge(wallet: SafeWallet, signatures: str, message: str | bytes = MESSAGE) -> OwnershipResult:
    """Judge offline, and require that the Safe itself says the same at the same block."""
    block = wallet.factory.block()
    record = capture_safe(wallet.factory.rpc, block, wallet.account).record
    result = verify_safe_claim(record, root_of(record), wallet.account, message, signatures)
    hashed = text_hash(message)
    assert hashed is not None
    asked = ask_is_valid_signature(
        wallet.factory.rpc, wallet.account, hashed, bytes.fromhex(signatures[2:]), {"blockHash": block.hash}
    )
    assert asked.result.valid is result.valid, (asked, result)
    assert len(asked.evidence) == 2
    return result
