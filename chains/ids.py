"""Chain, account and asset identifiers: CAIP-2, CAIP-10 and CAIP-19 strings."""

import re
from typing import Annotated, NewType

from pydantic import AfterValidator

from chains.errors import IdentifierError

_CHAIN = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}")
_ADDRESS = re.compile(r"[-.%a-zA-Z0-9]{1,128}")
_ASSET = re.compile(r"[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}")

ChainId = NewType("ChainId", str)
AccountId = NewType("AccountId", str)
AssetId = NewType("AssetId", str)


def chain_id(text: str) -> ChainId:
    """Parse a CAIP-2 chain id such as `eip155:1`.

    Raises IdentifierError. Source: CAIP-2.
    """
    if not _CHAIN.fullmatch(text):
        raise IdentifierError(f"{text!r} is not a CAIP-2 chain id; expected something like 'eip155:1'")
    return ChainId(text)


def account_id(text: str) -> AccountId:
    """Parse a CAIP-10 account id such as `eip155:1:0xab…`; EVM addresses are kept in lower case.

    Raises IdentifierError. Source: CAIP-10. Whether the address itself is valid on its chain (checksum, prefix)
    is decided by the chain's family: `chains.addresses.canonical_account`.
    """
    chain, _, address = text.rpartition(":")
    if not _CHAIN.fullmatch(chain) or not _ADDRESS.fullmatch(address):
        raise IdentifierError(f"{text!r} is not a CAIP-10 account id; expected something like 'eip155:1:0xab…'")
    return AccountId(text)


def asset_id(text: str) -> AssetId:
    """Parse a CAIP-19 asset type such as `eip155:1/erc20:0xdac…`; ERC-20 references are kept in lower case.

    Raises IdentifierError. Source: CAIP-19 (asset types; asset ids of single tokens are not used here).
    """
    chain, _, asset = text.partition("/")
    if not _CHAIN.fullmatch(chain) or not _ASSET.fullmatch(asset):
        raise IdentifierError(f"{text!r} is not a CAIP-19 asset type; expected something like 'eip155:1/slip44:60'")
    return AssetId(text.lower() if "/erc20:" in text else text)


def chain_of(identifier: AccountId | AssetId) -> ChainId:
    """Return the chain part of an account or asset id."""
    if "/" in identifier:
        return ChainId(identifier.partition("/")[0])
    return ChainId(identifier.rpartition(":")[0])


def address_of(account: AccountId) -> str:
    """Return the address part of an account id, as the chain writes it."""
    return account.rpartition(":")[2]


def family_of(chain: ChainId) -> str:
    """Return the CAIP-2 namespace, for instance `eip155` or `bip122`."""
    return chain.partition(":")[0]


def token_contract(asset: AssetId) -> str | None:
    """Return the contract address of an ERC-20 asset, or None for a chain's native coin."""
    namespace, _, reference = asset.partition("/")[2].partition(":")
    return reference if namespace == "erc20" else None


ChainField = Annotated[str, AfterValidator(chain_id)]
AccountField = Annotated[str, AfterValidator(account_id)]
AssetField = Annotated[str, AfterValidator(asset_id)]
