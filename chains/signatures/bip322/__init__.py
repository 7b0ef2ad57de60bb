"""Signed messages and proofs of funds for every kind of Bitcoin address (BIP-322)."""

from chains.signatures.bip322.psbt import GivenCoin
from chains.signatures.bip322.verify import Proof, ProvenCoin, prove, verify

__all__ = ["GivenCoin", "Proof", "ProvenCoin", "prove", "verify"]
