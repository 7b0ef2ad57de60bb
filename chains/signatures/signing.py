"""Sign a challenge with a key in hand: the exchange's side of each scheme that one key suffices for."""

import base64
from collections.abc import Callable
from typing import NamedTuple

from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chains.base_codecs import from_base58_check
from chains.bitcoin.address import script_of
from chains.errors import IdentifierError
from chains.evm.keccak import keccak256
from chains.ids import AccountId, address_of, chain_of
from chains.network import network_of
from chains.signatures import messages, verify
from chains.signatures.bip137 import message_digest
from chains.signatures.result import Digest

SECRET_BYTES = 32


class Signed(NamedTuple):
    """A signature as its scheme writes it, and the public key where the address does not contain it."""

    signature: str
    public_key: str = ""


def sign(scheme: str, account: AccountId, message: str, secret: bytes) -> Signed:
    """Sign a message so that `chains.signatures.verify` accepts it for the account.

    `secret` is the 32-byte private key. Raises IdentifierError for a scheme that is not signed here, a key of another
    length, and a key that is not the account's: nothing that would not verify is returned, and no message of an error
    repeats the key.
    """
    if scheme not in SIGNERS:
        raise IdentifierError(f"{scheme or 'no scheme'}: not signed here; signed are {', '.join(SIGNERS)}")
    if len(secret) != SECRET_BYTES:
        raise IdentifierError(f"a private key of {len(secret)} bytes; expected {SECRET_BYTES}")
    signed = SIGNERS[scheme](account, message, secret)
    material = {"public_key": signed.public_key} if signed.public_key else {}
    result = verify(scheme, account, message, signed.signature, **material)
    if not result.valid:
        raise IdentifierError(f"{account}: the key given for it is of another account ({result.reason})")
    return signed


def signing_psbt(account: AccountId, message: str) -> str:
    """Return, in base64, the PSBT that hardware wallets and the keys of a script sign for a message (BIP-322, BIP-174).

    Signed by as many keys as the script asks for and finalized, it is a `bip-322` signature: "pof" and its base64.
    """
    from btclib_wallet import bip322

    encoded = bip322.to_sign_psbt(message.encode(), address_of(account)).b64encode()
    return encoded if isinstance(encoded, str) else encoded.decode("ascii")


def secret_of_text(text: str) -> bytes:
    """Read a private key: 64 hexadecimal digits, or Bitcoin's wallet import format of a compressed key.

    Raises IdentifierError that does not repeat the text.
    """
    text = text.strip()
    digits = text.removeprefix("0x")
    try:
        raw = bytes.fromhex(digits) if len(digits) == 2 * SECRET_BYTES else b""
    except ValueError:
        raw = b""
    wif = b"" if raw else from_base58_check(text) or b""
    if len(wif) == SECRET_BYTES + 2 and wif[-1] == 1:
        raw = wif[1:-1]
    if len(raw) != SECRET_BYTES:
        raise IdentifierError(
            "no private key: expected 64 hexadecimal digits, or the import format of a compressed key"
        )
    return raw


def _recoverable(digest: Digest) -> Callable[[AccountId, str, bytes], Signed]:
    def signer(account: AccountId, message: str, secret: bytes) -> Signed:
        raw = PrivateKey(secret).sign_recoverable(digest(message.encode()), hasher=None)
        return Signed(f"0x{raw[:64].hex()}{27 + raw[64]:02x}")

    return signer


def _bitcoin_message(account: AccountId, message: str, secret: bytes) -> Signed:
    """Sign with the header byte of the address's kind. Source: BIP-137."""
    network = network_of(chain_of(account))
    script = script_of(network, address_of(account))
    headers = {b"\x76\xa9": 31, b"\xa9\x14": 35, b"\x00\x14": 39}
    if script[:2] not in headers:
        raise IdentifierError(f"{account}: addresses of this kind sign by bip-322, not by BIP-137")
    raw = PrivateKey(secret).sign_recoverable(message_digest(network, message), hasher=None)
    return Signed(base64.b64encode(bytes([headers[script[:2]] + raw[64]]) + raw[:64]).decode("ascii"))


def _bip322(account: AccountId, message: str, secret: bytes) -> Signed:
    """Sign in the simple form, for one key. Source: BIP-322."""
    from btclib.exceptions import BTClibException
    from btclib.key import PrvKeyData
    from btclib_wallet import bip322

    network = "mainnet" if network_of(chain_of(account)).test_network is False else "testnet"
    key = PrvKeyData(int.from_bytes(secret), network, True)
    try:
        signed = bip322.sign(message.encode(), key, address_of(account))
    except (BTClibException, ValueError) as error:
        raise IdentifierError(f"{account}: this one key does not sign for it ({type(error).__name__})") from None
    encoded = signed.b64encode()
    return Signed(encoded if isinstance(encoded, str) else encoded.decode("ascii"))


def _ed25519(account: AccountId, message: str, secret: bytes) -> Signed:
    key = Ed25519PrivateKey.from_private_bytes(secret)
    return Signed("0x" + key.sign(message.encode()).hex(), key.public_key().public_bytes_raw().hex())


SIGNERS: dict[str, Callable[[AccountId, str, bytes], Signed]] = {
    "eip-191": _recoverable(messages.text_digest),
    "eip-191-hash": _recoverable(messages.hash_digest),
    "keccak": _recoverable(keccak256),
    "tron-v2": _recoverable(messages.tron_text_digest),
    "bip-137": _bitcoin_message,
    "bitcoin-message": _bitcoin_message,
    "bip-322": _bip322,
    "ed25519": _ed25519,
}
