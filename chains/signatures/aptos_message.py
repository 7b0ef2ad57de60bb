"""Aptos wallets sign a text among lines that say for whom, on which chain and with which nonce."""

import re

from chains.errors import IdentifierError
from chains.ids import AccountId, chain_of, family_of
from chains.signatures.ed25519 import check_edwards
from chains.signatures.recovered_account import plain_address
from chains.signatures.result import OwnershipResult

SCHEME = "aptos-message"
_ADDRESS = re.compile(r"0x[0-9a-f]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MAX_LINE = 1_000


def verify(
    account: AccountId,
    message: str,
    signature: str,
    *,
    nonce: str,
    public_key: str,
    address: str = "",
    application: str = "",
    chain_id: str | int = "",
) -> OwnershipResult:
    """Check what a wallet's `signMessage` gives; `address`, `application` and `chain_id` as their lines have them.

    An empty one has no line. Reasons: those of `ed25519`; `malformed-line` (a value with a line break or too long),
    `address-differs` and `network-differs` (a line that names another address or chain than the account's). An account
    may change its key: such a key is `unbound`. Raises IdentifierError for an account of another family. Source:
    AIP-62, signMessage.
    """
    if family_of(chain_of(account)) != "aptos":
        raise IdentifierError(f"{account}: {SCHEME} serves accounts of aptos only")
    chain = str(chain_id)
    if any(_CONTROL.search(line) or len(line) > MAX_LINE for line in (nonce, address, application, chain)) or not nonce:
        return OwnershipResult(False, "malformed-line", SCHEME, account)
    if address and not _is_same(address, plain_address(account)):
        return OwnershipResult(False, "address-differs", SCHEME, account)
    if chain and chain != chain_of(account).partition(":")[2]:
        return OwnershipResult(False, "network-differs", SCHEME, account)
    named = (("address", address), ("application", application), ("chainId", chain))
    head = "".join(f"{name}: {value}\n" for name, value in named if value)

    def envelope(text: bytes) -> bytes:
        lead, end = f"APTOS\n{head}message: ", f"\nnonce: {nonce}"
        return lead.encode("utf-8", "replace") + text + end.encode("utf-8", "replace")

    return check_edwards(SCHEME, envelope, account, message, signature, public_key)


def _is_same(one: str, other: str) -> bool:
    """Tell whether two spellings, with or without leading zeros, are one address."""
    matched = _ADDRESS.fullmatch(one) and _ADDRESS.fullmatch(other)
    return bool(matched) and int(one, 16) == int(other, 16)
