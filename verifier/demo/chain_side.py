"""The exchange's own side of a chain: keys, deposits and payments; the verifier never sees any of it."""

import hashlib
from collections.abc import Mapping
from typing import Protocol

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
