"""Ed25519 signatures over a text, and the address that the key has on its chain."""

import base64
import binascii
import re

from Crypto.Signature import eddsa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chains import base_codecs as codec
from chains.errors import IdentifierError
from chains.ids import AccountId, chain_of, family_of
from chains.signatures.address_text import key_of_ss58
from chains.signatures.key_addresses import address_facts, ed25519_addresses
from chains.signatures.messages import okx_text
from chains.signatures.recovered_account import plain_address
from chains.signatures.recovery import encode
from chains.signatures.result import UNBOUND, Digest, OwnershipResult

ORDER = 2**252 + 27_742_317_777_372_353_535_851_937_790_883_648_493
_HEX_KEY = re.compile(r"(?:0x)?([0-9a-f]{64}|[0-9A-F]{64})")
_HEX_SIGNATURE = re.compile(r"(?:0x)?([0-9a-f]{128}|[0-9A-F]{128})")
# The eight points of small order: whoever names one as a key can sign every text. Source: RFC 8032, section 8.9 and
# "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020), table 6.
_WEAK_KEYS = {
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
}


def verify_text(account: AccountId, message: str, signature: str, *, public_key: str = "") -> OwnershipResult:
    """Check `ed25519`: a signature over the text itself, in 64 bytes of base64 or hex.

    `public_key` (32 bytes in hex or Base58) may be left out where the address contains the key. Reasons of invalid
    results: `malformed-signature`, `malformed-message`, `malformed-key`, `key-missing`, `weak-key` (signs everything),
    `non-canonical` (s not below the group's order), `not-signed`, `signer-differs`, and `unbound` where the chain's
    addresses do not follow from the key. Raises IdentifierError for a chain of another curve. Source: RFC 8032.
    """
    return check_edwards("ed25519", lambda text: text, account, message, signature, public_key)


def verify_okx(account: AccountId, message: str, signature: str, *, public_key: str = "") -> OwnershipResult:
    """Check `okx-ed25519`: a signature over OKX's envelope around the text. Reasons as in `ed25519`."""
    return check_edwards("okx-ed25519", okx_text, account, message, signature, public_key)


def check_edwards(
    scheme: str,
    envelope: Digest,
    account: AccountId,
    message: str,
    signature: str,
    public_key: str = "",
    families: tuple[str, ...] = (),
) -> OwnershipResult:
    """Check a signature over a text in an envelope, and that the key's address is the account's.

    Raises IdentifierError for an account of a family outside `families` (any, when empty), or of another curve.
    """
    chain, address = chain_of(account), plain_address(account)
    if families and family_of(chain) not in families:
        raise IdentifierError(f"{account}: {scheme} serves accounts of {', '.join(families)} only")
    facts = address_facts().get(chain)
    if facts is None or facts.curve != "ed25519":
        raise IdentifierError(f"{account}: {scheme} serves accounts of ed25519 chains only; {chain} is none known here")

    def answer(valid: bool, reason: str) -> OwnershipResult:
        return OwnershipResult(valid, reason, scheme, account, account if valid else None)

    # 1. The key: the one that is named, or the one inside the address
    key = _named_key(public_key) if public_key else key_inside(facts.rule, address)
    text, raw = encode(message), _signature(signature)
    if text is None or raw is None:
        return answer(False, "malformed-message" if text is None else "malformed-signature")
    if key is None:
        return answer(False, "malformed-key" if public_key else "key-missing")
    # 2. It signed this text
    fault = signature_fault(key, envelope(text), raw)
    if fault:
        return answer(False, fault)
    # 3. Its address is the account's
    own = ed25519_addresses(chain, key)
    if address in own:
        return answer(True, "signed")
    return answer(False, UNBOUND if not own or facts.rotates else "signer-differs")


def signature_fault(key: bytes, text: bytes, signature: bytes) -> str:
    """Return why 64 bytes are no signature by a 32-byte key, or nothing when they are one.

    Reasons: `weak-key`, `non-canonical`, `not-signed`, `no-such-key`. Source: RFC 8032, section 5.1.7.
    """
    if key in _WEAK_KEYS:
        return "weak-key"
    if int.from_bytes(signature[32:], "little") >= ORDER:
        return "non-canonical"
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
    except InvalidSignature:
        return "not-signed" if _is_point(key) else "no-such-key"
    return ""


def _is_point(key: bytes) -> bool:
    try:
        eddsa.import_public_key(key)
    except ValueError:  # the library's word for bytes that are no point of the curve
        return False
    return True


def _signature(text: str) -> bytes | None:
    """Return 64 bytes from hex or canonical base64, else None."""
    match = _HEX_SIGNATURE.fullmatch(text)
    if match:
        return bytes.fromhex(match[1])
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return raw if len(raw) == 64 and base64.b64encode(raw).decode("ascii") == text else None


def _named_key(text: str) -> bytes | None:
    """Return a key from 64 hex digits, or from Base58 as Solana writes it."""
    match = _HEX_KEY.fullmatch(text)
    raw = bytes.fromhex(match[1]) if match else codec.from_base58(text, 44)
    return raw if raw is not None and len(raw) == 32 else None


def key_inside(rule: str, address: str) -> bytes | None:
    """Return the 32 bytes of key inside an address of a kind that carries it; its checksum is compared later."""
    raw: bytes | None = None
    if rule == "base58-key":
        raw = codec.from_base58(address, 44)
    elif rule == "ss58":
        raw = key_of_ss58(address)
    elif rule in ("algorand", "stellar"):
        try:
            decoded = base64.b32decode(address + "=" * (-len(address) % 8))
        except (ValueError, binascii.Error):
            return None
        raw = decoded[:32] if rule == "algorand" else decoded[1:33]
    elif rule in ("near", "kadena"):
        return _named_key(address.removeprefix("k:"))
    return raw if raw is not None and len(raw) == 32 else None
