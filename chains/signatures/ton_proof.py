"""TON Connect's proof of an address: the wallet signs a payload for an app's domain at a time."""

import re
from hashlib import sha256

from chains.ids import AccountId, address_of, chain_of
from chains.network import network_of
from chains.signatures.ed25519 import check_edwards
from chains.signatures.result import OwnershipResult
from chains.ton.address import parts_of

SCHEME = "ton-proof"
_ITEM, _CONNECT = b"ton-proof-item-v2/", b"\xff\xffton-connect"
_SECONDS = re.compile(r"[1-9][0-9]{8,11}")
MAX_DOMAIN = 128  # bytes, as wallets allow


def verify(
    account: AccountId, message: str, signature: str, *, domain: str, timestamp: str, public_key: str
) -> OwnershipResult:
    """Check a signature over address, domain, time (Unix seconds) and payload, which is `message`.

    `public_key` is 32 bytes in hex; it must be the key inside the address's wallet contract as it was made. Reasons:
    those of `ed25519`, `malformed-domain`, `malformed-time`. Source: TON Connect specification, address proof.
    """
    named = domain.encode("utf-8", "replace")
    if not 0 < len(named) <= MAX_DOMAIN:
        return OwnershipResult(False, "malformed-domain", SCHEME, account)
    if not _SECONDS.fullmatch(timestamp):
        return OwnershipResult(False, "malformed-time", SCHEME, account)
    workchain, address = parts_of(network_of(chain_of(account)), address_of(account))

    def digest(text: bytes) -> bytes:
        place = workchain.to_bytes(4, "big", signed=True) + address
        where = len(named).to_bytes(4, "little") + named + int(timestamp).to_bytes(8, "little")
        return sha256(_CONNECT + sha256(_ITEM + place + where + text).digest()).digest()

    return check_edwards(SCHEME, digest, account, message, signature, public_key, families=("tvm",))
