"""Does this signature show control of that account? One function, one small file per signature scheme."""

from functools import cache
from importlib import import_module
from inspect import signature as parameters
from typing import Any, cast

from chains.errors import IdentifierError
from chains.ids import account_id
from chains.signatures.result import UNBOUND, OwnershipResult

__all__ = ["SCHEMES", "UNBOUND", "OwnershipResult", "verify"]

SCHEMES: dict[str, str] = {
    "bip-137": "chains.signatures.bip137:verify",
    "bip-127": "chains.signatures.bip127:verify",
    "bip-322": "chains.signatures.bip322:verify",
    "bitcoin-message": "chains.signatures.bitcoin_message:verify",
    "eip-191": "chains.signatures.eip191:verify",
    "eip-191-hash": "chains.signatures.evm_hash:verify",
    "eip-712": "chains.signatures.eip712:verify",
    "safe": "chains.signatures.safe:verify",
    "keccak": "chains.signatures.keccak_text:verify",
    "tron-v1": "chains.signatures.tron:verify_hash",
    "tron-v1-text": "chains.signatures.tron:verify_unhashed",
    "tron-v2": "chains.signatures.tron:verify_text",
    "okx-keccak": "chains.signatures.okx_keccak:verify",
    "ed25519": "chains.signatures.ed25519:verify_text",
    "okx-ed25519": "chains.signatures.ed25519:verify_okx",
    "sr25519": "chains.signatures.sr25519:verify",
    "sep-53": "chains.signatures.sep53:verify",
    "sui-message": "chains.signatures.sui_message:verify",
    "nep-413": "chains.signatures.nep413:verify",
    "adr-036": "chains.signatures.adr036:verify",
    "xrpl-text": "chains.signatures.xrpl_text:verify",
    "ton-proof": "chains.signatures.ton_proof:verify",
    "filecoin": "chains.signatures.filecoin:verify",
    "cip-8": "chains.signatures.cip8:verify",
    "eos": "chains.signatures.eos:verify",
    "okx-eos": "chains.signatures.eos:verify_okx",
    "starknet": "chains.signatures.starknet:verify",
    "bls": "chains.signatures.bls:verify",
    "conflux": "chains.signatures.conflux:verify",
    "aelf": "chains.signatures.aelf:verify",
    "solana-offchain": "chains.signatures.solana_offchain:verify",
    "aptos-message": "chains.signatures.aptos_message:verify",
    "decred-message": "chains.signatures.decred:verify",
}


def verify(scheme: str, account: str, message: str, signature: str, **material: Any) -> OwnershipResult:
    """Check a signature over a text message against a CAIP-10 account; `material` is what a scheme needs beside them.

    A signature that is malformed or made by another key is a result that says so; so is one whose key nothing ties to
    the address (`unbound`: not valid). Raises IdentifierError for an unknown scheme, or an account that is malformed
    or of a family the scheme does not serve.
    """
    if scheme not in SCHEMES:
        raise IdentifierError(f"unknown signature scheme {scheme[:40]!r}; known: {', '.join(SCHEMES)}")
    module, _, name = SCHEMES[scheme].partition(":")
    check = getattr(import_module(module), name)
    unknown, missing = _misfit(SCHEMES[scheme], frozenset(material))
    if unknown or missing:
        wrong = f"takes no {', '.join(unknown)}" if unknown else f"needs {', '.join(missing)}"
        raise IdentifierError(f"{scheme} {wrong}")
    return cast(OwnershipResult, check(account_id(account), message, signature, **material))


@cache
def _misfit(place: str, material: frozenset[str]) -> tuple[list[str], list[str]]:
    """Return the names of material that a scheme does not take, and of that which it needs and was not given."""
    module, _, name = place.partition(":")
    named = {
        key: one.default is one.empty
        for key, one in parameters(getattr(import_module(module), name)).parameters.items()
        if one.kind is one.KEYWORD_ONLY
    }
    missing = [key for key, required in named.items() if required and key not in material]
    return sorted(material - set(named)), missing
