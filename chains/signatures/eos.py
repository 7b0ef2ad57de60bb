"""EOS and its relatives (Antelope chains): keys sign texts, and only the chain ties keys to account names."""

import re
from hashlib import sha256

import coincurve
from Crypto.Hash import RIPEMD160

from chains import base_codecs as codec
from chains.errors import IdentifierError
from chains.ids import AccountId, chain_of, family_of
from chains.signatures.messages import okx_text
from chains.signatures.recovered_account import plain_address
from chains.signatures.recovery import encode
from chains.signatures.result import UNBOUND, Digest, OwnershipResult
from chains.signatures.secp256k1 import is_high_s, recover_key

ACCOUNT_NAME = re.compile(r"[a-z1-5.]{0,11}[a-z1-5]|[a-z1-5.]{12}[a-j1-5]")
_SIGNATURE, _KEY, _LEGACY_KEY = "SIG_K1_", "PUB_K1_", "EOS"
_OTHER_KINDS = ("SIG_R1_", "SIG_WA_", "PUB_R1_", "PUB_WA_")
_FIRST_HEADER = 31  # 27, and 4 for a compressed key
_CHECKSUM = 4


def verify(account: AccountId, message: str, signature: str, *, public_key: str) -> OwnershipResult:
    """Check `eos`: a K1 signature (SIG_K1_…) by a named key (PUB_K1_… or EOS…) over the SHA-256 of the text.

    Account names do not follow from keys, so the best result is `unbound`, which is not valid. Reasons before that:
    `key-kind-not-covered` (R1, WebAuthn), `malformed-signature`, `malformed-key` (checksums included), `key-missing`,
    `malformed-message`, `unknown-header`, `high-s`, `no-such-key`, `public-key-differs`. Raises IdentifierError for an
    account of another family and for what is no account name. Source: Antelope, keys and signatures as text.
    """
    return _check("eos", lambda text: sha256(text).digest(), account, message, signature, public_key)


def verify_okx(account: AccountId, message: str, signature: str, *, public_key: str) -> OwnershipResult:
    """Check `okx-eos`: the same over OKX's envelope around the text. Reasons as in `eos`."""
    return _check("okx-eos", lambda text: sha256(okx_text(text)).digest(), account, message, signature, public_key)


def _check(
    scheme: str, digest: Digest, account: AccountId, message: str, signature: str, public_key: str
) -> OwnershipResult:
    if family_of(chain_of(account)) != "antelope" or not ACCOUNT_NAME.fullmatch(plain_address(account)):
        raise IdentifierError(f"{account}: {scheme} serves account names of antelope chains only")
    return OwnershipResult(False, _reason(digest, message, signature, public_key), scheme, account)


def _reason(digest: Digest, message: str, signature: str, public_key: str) -> str:
    text = encode(message)
    if text is None:
        return "malformed-message"
    if any(each.startswith(_OTHER_KINDS) for each in (signature, public_key)):
        return "key-kind-not-covered"
    named, raw = _named_key(public_key), _checked(signature.removeprefix(_SIGNATURE), b"K1", 65)
    if named is None or raw is None or not signature.startswith(_SIGNATURE):
        missing = "malformed-key" if public_key else "key-missing"
        return missing if named is None else "malformed-signature"
    key = _recovered(raw, digest(text))
    if isinstance(key, str):
        return key
    return UNBOUND if key.format() == named else "public-key-differs"


def _recovered(raw: bytes, digest: bytes) -> coincurve.PublicKey | str:
    recovery_id = raw[0] - _FIRST_HEADER
    if not 0 <= recovery_id < 4:
        return "unknown-header"
    if is_high_s(raw[1:]):
        return "high-s"
    return recover_key(raw[1:], recovery_id, digest) or "no-such-key"


def _named_key(text: str) -> bytes | None:
    """Return a compressed key from its text in either form."""
    if text.startswith(_KEY):
        key = _checked(text.removeprefix(_KEY), b"K1", 33)
    else:
        key = _checked(text.removeprefix(_LEGACY_KEY), b"", 33) if text.startswith(_LEGACY_KEY) else None
    try:
        return coincurve.PublicKey(key).format() if key else None
    except ValueError:  # the library's word for bytes that are no point of the curve
        return None


def _checked(body: str, suffix: bytes, size: int) -> bytes | None:
    """Return Base58 bytes without the checksum behind them: RIPEMD-160 of the bytes and the kind of key."""
    raw = codec.from_base58(body)
    if raw is None or len(raw) != size + _CHECKSUM:
        return None
    data, checksum = raw[:size], raw[size:]
    return data if RIPEMD160.new(data + suffix).digest()[:_CHECKSUM] == checksum else None
