"""OKX's own envelope for secp256k1 keys: chains without a message standard sign Keccak-256 of "OKX Signed Message"."""

from chains.ids import AccountId, chain_of
from chains.signatures.bitcoin_message import check_script_owners
from chains.signatures.coins import is_coin
from chains.signatures.messages import okx_digest
from chains.signatures.recovered_account import check_recovered
from chains.signatures.recovery import encode, recover_signer
from chains.signatures.result import OwnershipResult

SCHEME = "okx-keccak"


def verify(
    account: AccountId,
    message: str,
    signature: str,
    *,
    public_key: str = "",
    script: str = "",
    more_signatures: tuple[str, ...] = (),
) -> OwnershipResult:
    """Check r, s and v over OKX's envelope; the recovered key must have the account's address on its chain.

    `public_key` (hex) must be the recovered one where it is given. On coins of the Bitcoin family an address may stand
    for a multi-signature `script`, as in `bitcoin-message`. Reasons as in `eip-191`, and `public-key-differs`;
    `unbound` when the chain's addresses cannot be derived from a key. Source: OKX's published verifier.
    """
    if not is_coin(chain_of(account)):
        return check_recovered(SCHEME, account, message, signature, okx_digest, public_key=public_key)
    text = encode(message)
    if text is None:
        return OwnershipResult(False, "malformed-message", SCHEME, account)
    keys = []
    for each in (signature, *more_signatures):
        key = recover_signer(each, okx_digest(text))
        if isinstance(key, str):
            return OwnershipResult(False, key, SCHEME, account)
        keys.append((key, None))
    return check_script_owners(SCHEME, account, keys, script)
