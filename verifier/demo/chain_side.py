"""The exchange's own side of a chain: keys, deposits and payments; the verifier never sees any of it."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Protocol

from coincurve import PrivateKey

from chains.ids import AssetId
from chains.network import Network
from chains.providers import Provider
from verifier.declaration import OwnershipClaim


class ChainSide(Protocol):
    """What the played exchange can do on one chain."""

    network: Network

    def provider(self) -> Provider:
        """Return who the verifier may ask about this chain."""

    def assets(self) -> tuple[AssetId, ...]:
        """Return the assets played with on this chain, the native coin first."""

    def address(self, secret: bytes) -> str:
        """Return the address of a private key."""

    def deposit(self, amounts: Mapping[str, Mapping[AssetId, int]]) -> None:
        """Pay units from outside the exchange to addresses, and confirm it."""

    def send(self, secret: bytes, to: str, units: int) -> None:
        """Pay native units from a key's address, and confirm it."""

    def claim(self, secret: bytes, message: str) -> OwnershipClaim:
        """Sign a message with a wallet's key, the way this chain's wallets do."""


def secret_of(label: str) -> bytes:
    """Return the demonstration key a label stands for; worthless on purpose, the same in every run."""
    return hashlib.sha256(f"reserve-verifier demonstration wallet: {label}".encode()).digest()


def sign_bitcoin_message(secret: bytes, magic: str, message: str) -> str:
    """Sign as BIP-137 for a P2WPKH address; return base64 of header byte, r and s."""
    text = message.encode()
    framed = bytes([len(magic)]) + magic.encode() + _compact_size(len(text)) + text
    digest = hashlib.sha256(hashlib.sha256(framed).digest()).digest()
    signature = PrivateKey(secret).sign_recoverable(digest, hasher=None)
    return base64.b64encode(bytes([39 + signature[64]]) + signature[:64]).decode("ascii")


def _compact_size(count: int) -> bytes:
    return bytes([count]) if count < 0xFD else b"\xfd" + count.to_bytes(2, "little")


def sign_ethereum_message(secret: bytes, message: str) -> str:
    """Sign as EIP-191 personal message; return r, s and v as hex."""
    from chains.evm.keccak import keccak256

    text = message.encode()
    digest = keccak256(b"\x19Ethereum Signed Message:\n" + str(len(text)).encode() + text)
    signature = PrivateKey(secret).sign_recoverable(digest, hasher=None)
    return "0x" + signature[:64].hex() + f"{27 + signature[64]:02x}"
