"""Starknet wallets sign a short text as typed data on the STARK curve; the account is a contract."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from chains.errors import IdentifierError
from chains.evm.keccak import keccak256
from chains.ids import AccountId, chain_of
from chains.signatures.recovered_account import plain_address
from chains.signatures.result import UNBOUND, OwnershipResult
from chains.signatures.stark_curve import ORDER, PRIME, has_signed, pedersen_of_all, point_of

SCHEME = "starknet"
OKX_APPLICATION = "OKX POR MESSAGE"
_VERSION = 1
_FELT = re.compile(r"0x[0-9a-f]{1,64}")
_KEY = re.compile(r"(?:0x)?([0-9a-f]{1,64})", re.IGNORECASE)
_SIGNATURE = re.compile(r"(?:0x)?([0-9a-f]{128}|[0-9A-F]{128})")
_SHORT_TEXT = re.compile(r"[\x20-\x7e]{1,31}")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")  # wallets sign such a text as the number it spells
_DOMAIN_TYPE = b"StarkNetDomain(name:felt,version:felt,chainId:felt)"
_MESSAGE_TYPE = b"Message(contents:felt)"
HIGHEST_ADDRESS = 2**251 - 256


class AccountContract(NamedTuple):
    """A class of account contracts, and its constructor's calldata with None in the key's place."""

    class_hash: int
    calldata: tuple[int | None, ...]


def verify(
    account: AccountId, message: str, signature: str, *, public_key: str, application: str = OKX_APPLICATION
) -> OwnershipResult:
    """Check r and s (64 hex digits each) over the message `contents` under a domain of `application`, version 1.

    `message` is printable ASCII of at most 31 characters and no number; `public_key` is the key's x in hex. The result
    is valid when the address is that of an account contract known here (starknet_accounts.toml), made with this key;
    else `unbound`. The owner of a contract can have changed since. Reasons before that: `malformed-message`,
    `malformed-application`, `malformed-signature`, `malformed-key`, `key-missing`, `non-canonical` (r or s out of
    range), `no-such-key`, `not-signed`. The twin with the other half of s is valid too: wallets write either. Raises
    IdentifierError for another account. Source: SNIP-12 (revision 0), Starknet documentation (contract address).
    """
    address = plain_address(account)
    family, _, network = chain_of(account).partition(":")
    if family != "starknet" or not _FELT.fullmatch(address):
        raise IdentifierError(f"{account}: {SCHEME} serves starknet accounts named 0x and up to 64 digits only")

    def answer(valid: bool, reason: str) -> OwnershipResult:
        return OwnershipResult(valid, reason, SCHEME, account, account if valid else None)

    # 1. The parts are well formed
    contents, name, key = _short_text(message), _short_text(application), _KEY.fullmatch(public_key)
    pair = _SIGNATURE.fullmatch(signature)
    if contents is None or name is None:
        return answer(False, "malformed-message" if contents is None else "malformed-application")
    if pair is None or key is None:
        missing = "malformed-key" if public_key else "key-missing"
        return answer(False, "malformed-signature" if pair is None else missing)
    # 2. The key signed this text for this account
    digest = _digest(name, int.from_bytes(network.encode()), int(address, 16), contents)
    fault = _fault(int(key[1], 16), digest, int(pair[1][:64], 16), int(pair[1][64:], 16))
    if fault:
        return answer(False, fault)
    # 3. The address is that of a known account contract made with this key
    bound = int(address, 16) in addresses_of_key(int(key[1], 16))
    return answer(bound, "signed" if bound else UNBOUND)


def contract_address(class_hash: int, salt: int, calldata: tuple[int, ...]) -> int:
    """Return the address of a contract that no other contract deployed."""
    parts = (_text(b"STARKNET_CONTRACT_ADDRESS"), 0, salt, class_hash, pedersen_of_all(calldata))
    return pedersen_of_all(parts) % HIGHEST_ADDRESS


def addresses_of_key(key: int) -> Iterator[int]:
    """Yield the addresses of the known account contracts that were made with a key."""
    for each in account_contracts():
        calldata = tuple(key if part is None else part for part in each.calldata)
        yield contract_address(each.class_hash, key, calldata)


@cache
def account_contracts() -> tuple[AccountContract, ...]:
    """Return the account contracts of starknet_accounts.toml."""
    table = tomllib.loads((files("chains.signatures") / "starknet_accounts.toml").read_text("utf-8"))
    return tuple(
        AccountContract(
            int(entry["class_hash"], 16), tuple(None if part == "key" else int(part, 16) for part in entry["calldata"])
        )
        for entry in table["account"]
    )


def _fault(key: int, digest: int, r: int, s: int) -> str:
    if not (0 < r < 1 << 251 and 0 < s < ORDER):
        return "non-canonical"
    if point_of(key) is None:
        return "no-such-key"
    return "" if has_signed(key, digest, r, s) else "not-signed"


def _digest(name: int, network: int, address: int, contents: int) -> int:
    domain = pedersen_of_all([_selector(_DOMAIN_TYPE), name, _VERSION, network])
    text = pedersen_of_all([_selector(_MESSAGE_TYPE), contents])
    return pedersen_of_all([_text(b"StarkNet Message"), domain, address % PRIME, text])


@cache
def _selector(name: bytes) -> int:
    return int.from_bytes(keccak256(name)) % (1 << 250)


def _short_text(text: str) -> int | None:
    """Return a text as the number its bytes spell, or None for what Starknet reads otherwise or not at all."""
    if not _SHORT_TEXT.fullmatch(text) or _NUMBER.fullmatch(text):
        return None
    return _text(text.encode())


def _text(text: bytes) -> int:
    return int.from_bytes(text)
