"""Bitcoin signed messages: the key behind an address of the Bitcoin family signs a text (BIP-137)."""

import base64
import binascii
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from Crypto.Hash import RIPEMD160

from chains.bitcoin.address import address_of_script, bitcoin_facts, script_of
from chains.errors import IdentifierError
from chains.ids import AccountId, account_id, address_of, chain_of
from chains.network import Network, network_of
from chains.signatures.messages import bitcoin_digest
from chains.signatures.result import OwnershipResult
from chains.signatures.secp256k1 import is_high_s, recover_key

SCHEME = "bip-137"
_SIGNATURE_BYTES = 65


class Kind(StrEnum):
    P2PKH = "p2pkh"
    P2SH_P2WPKH = "p2sh-p2wpkh"
    P2WPKH = "p2wpkh"


class Form(NamedTuple):
    """How to check: address kind, compressed key, which of four keys; `loose` when the header names another kind."""

    kind: Kind
    compressed: bool
    recovery_id: int
    loose: bool


def verify(account: AccountId, message: str, signature: str, *, lenient: bool = False) -> OwnershipResult:
    """Check a base64 BIP-137 signature; the header byte must fit the address kind.

    Reasons of valid results: `signed`; `high-s` (its twin is valid too, so count keys and never signatures);
    `lenient-header` (a SegWit address with the header of P2PKH, as Electrum writes it; only with `lenient`).
    Reasons of invalid ones: `malformed-signature`, `malformed-message`, `unknown-header`, `lenient-header`,
    `header-differs`, `address-kind-not-covered` (Taproot and scripts), `no-such-key`, `signer-differs`. Raises
    IdentifierError for a malformed address, NetworkDataError for a network not described here. Source: BIP-137.
    """
    network = network_of(chain_of(account))
    script = script_of(network, address_of(account))

    def answer(valid: bool, reason: str, signer: AccountId | None = None) -> OwnershipResult:
        return OwnershipResult(valid, reason, SCHEME, account, signer)

    # 1. The header speaks of this kind of address
    raw = _decode(signature)
    form = _form(raw, _kind_of(script), lenient)
    if raw is None or isinstance(form, str):
        return answer(False, str(form))
    # 2. The key that signed this text on this network
    try:
        digest = message_digest(network, message)
    except UnicodeEncodeError:
        return answer(False, "malformed-message")
    key = recover_key(raw[1:], form.recovery_id, digest)
    if key is None:
        return answer(False, "no-such-key")
    # 3. That key's address of the same kind is the account's
    signed_script = _script(form.kind, key.format(compressed=form.compressed))
    signer = _account(account, network, signed_script)
    if signed_script != script:
        return answer(False, "signer-differs", signer)
    return answer(True, "lenient-header" if form.loose else "high-s" if is_high_s(raw[1:]) else "signed", signer)


def message_digest(network: Network, message: str) -> bytes:
    """Return the 32 bytes that are signed: double SHA-256 of the magic and the text, each after its length."""
    return bitcoin_digest(bitcoin_facts(network).message_magic.encode(), message.encode())


def _decode(signature: str) -> bytes | None:
    try:
        raw = base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return None
    if len(raw) != _SIGNATURE_BYTES or base64.b64encode(raw).decode("ascii") != signature:
        return None  # base64 has spare bits; one spelling per signature
    return raw


def _form(raw: bytes | None, kind: Kind | None, lenient: bool) -> Form | str:
    """Return how to check a signature of this address kind, or the reason why not."""
    if raw is None:
        return "malformed-signature"
    if kind is None:
        return "address-kind-not-covered"
    header = raw[0]
    if not 27 <= header <= 42:
        return "unknown-header"
    named = Kind.P2PKH if header < 35 else Kind.P2SH_P2WPKH if header < 39 else Kind.P2WPKH
    loose = kind is not Kind.P2PKH and 31 <= header <= 34
    if named is not kind and not (loose and lenient):
        return "lenient-header" if loose else "header-differs"
    return Form(kind, compressed=header >= 31, recovery_id=(header - 27) % 4, loose=loose)


def _kind_of(script: bytes) -> Kind | None:
    kinds = {b"\x76\xa9": Kind.P2PKH, b"\xa9\x14": Kind.P2SH_P2WPKH, b"\x00\x14": Kind.P2WPKH}
    return kinds.get(script[:2])


def _script(kind: Kind, key: bytes) -> bytes:
    """Return the scriptPubKey that pays a key. Source: BIP-141 for the two SegWit kinds."""
    key_hash = _hash160(key)
    if kind is Kind.P2PKH:
        return b"\x76\xa9\x14" + key_hash + b"\x88\xac"
    witness = b"\x00\x14" + key_hash
    return witness if kind is Kind.P2WPKH else b"\xa9\x14" + _hash160(witness) + b"\x87"


def _hash160(data: bytes) -> bytes:
    return RIPEMD160.new(sha256(data).digest()).digest()


def _account(account: AccountId, network: Network, script: bytes) -> AccountId:
    address = address_of_script(network, script)
    if address is None:
        raise IdentifierError(f"{network.name} has no address for the script {script.hex()}")
    return account_id(f"{chain_of(account)}:{address}")
