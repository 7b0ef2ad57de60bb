"""Cardano addresses: which network they are on, and which key or script must sign for them."""

from typing import NamedTuple

from chains.errors import IdentifierError
from chains.ids import AccountId, chain_of, family_of
from chains.signatures.address_text import from_bech32
from chains.signatures.recovered_account import plain_address

_HASH = 28
_LONGEST_POINTER = 3 * 10  # three numbers of at most 64 bits, seven bits a byte
_BASE, _POINTER, _ENTERPRISE = range(4), (4, 5), (6, 7)
_STAKE_KEY, _STAKE_SCRIPT = 14, 15
_PREFIXES = {"addr": 1, "addr_test": 0, "stake": 1, "stake_test": 0}


class CardanoAddress(NamedTuple):
    """An address's bytes, its network id (1 is the main network), and the credential that signs for it."""

    raw: bytes
    network: int
    credential: bytes
    is_script: bool


def address_of_account(account: AccountId) -> CardanoAddress:
    """Return what an account's address says; the payment credential signs, for a stake address the stake credential.

    Raises IdentifierError for an account of another family and as `parse_address`. Whether the network is the
    account's is left to the caller.
    """
    if family_of(chain_of(account)) != "cip34":
        raise IdentifierError(f"{account}: cip-8 serves accounts of cip34 only")
    return parse_address(plain_address(account))


def parse_address(text: str) -> CardanoAddress:
    """Return what a Shelley address in lower case says.

    Raises IdentifierError for a wrong checksum, length, prefix or kind (Byron addresses among them). Source: CIP-19
    (header: kind in the upper, network in the lower four bits), CIP-5 (prefixes).
    """
    prefix, raw = from_bech32(text) or ("", b"")
    if prefix not in _PREFIXES or len(raw) <= _HASH or text != text.lower():
        raise IdentifierError(f"{text[:120]!r}: expected a Shelley address (addr1…, stake1…) with its checksum")
    kind, network = raw[0] >> 4, raw[0] & 15
    is_stake = kind in (_STAKE_KEY, _STAKE_SCRIPT)
    if not _has_length(kind, len(raw) - 1) or is_stake != prefix.startswith("stake") or network != _PREFIXES[prefix]:
        raise IdentifierError(f"{text[:120]!r}: an address of kind {kind} on network {network} does not look like this")
    return CardanoAddress(raw, network, raw[1 : 1 + _HASH], bool(kind & 1))


def network_id(account: AccountId) -> int | None:
    """Return the network id of a chain id such as `cip34:1-764824073`, or None when it has none. Source: CIP-34."""
    number = chain_of(account).partition(":")[2].partition("-")[0]
    return int(number) if number in ("0", "1") else None


def _has_length(kind: int, payload: int) -> bool:
    if kind in _BASE:
        return payload == 2 * _HASH
    if kind in _POINTER:
        return _HASH + 3 <= payload <= _HASH + _LONGEST_POINTER
    return kind in (*_ENTERPRISE, _STAKE_KEY, _STAKE_SCRIPT) and payload == _HASH
