"""The common end of all schemes whose signature gives away the key: is that key's address the account's?"""

import re
from urllib.parse import quote, unquote

import coincurve

from chains.errors import IdentifierError
from chains.evm.address import canonical_address
from chains.ids import AccountId, ChainId, account_id, address_of, chain_of, family_of
from chains.signatures.key_addresses import address_facts, evm_address, secp256k1_addresses
from chains.signatures.recovery import encode, recover_signer
from chains.signatures.result import UNBOUND, Digest, OwnershipResult

_KEY = re.compile(r"(?:0x)?((?:0[23][0-9a-f]{64})|(?:(?:04)?[0-9a-f]{128}))")


def check_recovered(
    scheme: str,
    account: AccountId,
    message: str,
    signature: str,
    digest: Digest,
    families: tuple[str, ...] = (),
    public_key: str = "",
) -> OwnershipResult:
    """Recover the key behind r, s and v, and compare its address with the account's.

    Raises IdentifierError for an account of a family outside `families` (any, when empty).
    """
    chain = chain_of(account)
    if families and family_of(chain) not in families:
        raise IdentifierError(f"{account}: {scheme} serves accounts of {', '.join(families)} only")
    address = plain_address(account)

    def answer(valid: bool, reason: str, signer: AccountId | None = None) -> OwnershipResult:
        return OwnershipResult(valid, reason, scheme, account, signer)

    # 1. The key that signed this text
    text = encode(message)
    if text is None:
        return answer(False, "malformed-message")
    key = recover_signer(signature, digest(text))
    if isinstance(key, str):
        return answer(False, key)
    # 2. It is the key the list names, if it names one
    if public_key and not _is_key(public_key, key):
        return answer(False, "public-key-differs")
    # 3. Its address on this chain is the account's
    own = secp256k1_addresses(chain, key)
    if address in own:
        return answer(True, "signed", account_id(f"{chain}:{escape(address)}"))
    facts = address_facts().get(chain)
    if not own or (public_key and facts is not None and facts.rotates):
        return answer(False, UNBOUND)
    return answer(False, "signer-differs", _signer(chain, own, key))


def plain_address(account: AccountId) -> str:
    """Return the address inside an account id as its chain writes it, EVM addresses in lower case.

    Raises IdentifierError for an EVM address with a wrong checksum and for an escape (%3A for a colon) that was not
    needed: an account has one spelling. Source: CAIP-10.
    """
    escaped = address_of(account)
    address = unquote(escaped)
    if escape(address) != escaped:
        raise IdentifierError(f"{account!r}: expected its address escaped as {escape(address)!r}")
    if family_of(chain_of(account)) == "eip155" and address[:2] in ("0x", "0X"):
        return canonical_address(address)
    return address


def escape(address: str) -> str:
    """Return an address as CAIP-10 takes it: what is no letter, digit, dot or hyphen becomes %XX."""
    return quote(address, safe=".-").replace("_", "%5F").replace("~", "%7E")


def _is_key(text: str, key: coincurve.PublicKey) -> bool:
    match = _KEY.fullmatch(text.lower())
    if not match:
        return False
    named, whole = bytes.fromhex(match[1]), key.format(compressed=False)
    return named in (whole, whole[1:], key.format())


def _signer(chain: ChainId, own: set[str], key: coincurve.PublicKey) -> AccountId:
    address = evm_address(key) if family_of(chain) == "eip155" else min(own)
    return account_id(f"{chain}:{escape(address)}")
