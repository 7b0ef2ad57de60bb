"""Signed messages of Bitcoin and its relatives, by one key or by m of n keys of a script."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from hashlib import sha256

import coincurve

from chains import base_codecs as codec
from chains.ids import AccountId, chain_of
from chains.signatures.coins import Coin, coin_of, coins
from chains.signatures.key_addresses import hash160
from chains.signatures.messages import bitcoin_digest
from chains.signatures.multisig import missing_signers, parse_multisig
from chains.signatures.recovered_account import plain_address
from chains.signatures.recovery import encode
from chains.signatures.result import OwnershipResult
from chains.signatures.secp256k1 import is_high_s, recover_key

SCHEME = "bitcoin-message"
MAX_SCRIPT_BYTES = 10_000  # Bitcoin's own limit for a script
_SIGNATURE_BYTES = 65
Signer = tuple[coincurve.PublicKey, int | None]  # the header byte beside it; None when the format has none


def verify(
    account: AccountId,
    message: str,
    signature: str,
    *,
    script: str = "",
    more_signatures: tuple[str, ...] = (),
    lenient: bool = False,
) -> OwnershipResult:
    """Check base64 signatures over a coin's own magic; with `script` (hex), at least m different keys of it must sign.

    Addresses: P2PKH, P2WPKH and P2SH-P2WPKH by one key; P2SH, P2WSH and P2SH-P2WSH by an m-of-n script; CashAddr too.
    Reasons of valid results: `signed`, `lenient-header` (only with `lenient`: SegWit address, header of P2PKH, as
    Electrum writes it). Of invalid ones: those of BIP-137, `high-s`, `wrong-network`, `malformed-address`,
    `script-missing`, `malformed-script`, `script-differs`, and those of `chains.signatures.multisig`. Raises
    NetworkDataError for a coin not described here. Source: BIP-137; each coin's validation code for its magic.
    """
    coin = coin_of(chain_of(account))
    text = encode(message)
    if text is None:
        return OwnershipResult(False, "malformed-message", SCHEME, account)
    signatures = (signature, *more_signatures)
    results = [_check(account, signatures, bitcoin_digest(magic, text), script, lenient) for magic in coin.magics]
    return next((result for result in results if result.valid), results[0])


def _check(account: AccountId, signatures: Sequence[str], digest: bytes, script: str, lenient: bool) -> OwnershipResult:
    signers: list[Signer] = []
    for signature in signatures:
        signer = _recover(signature, digest)
        if isinstance(signer, str):
            return OwnershipResult(False, signer, SCHEME, account)
        signers.append(signer)
    return check_script_owners(SCHEME, account, signers, script, lenient)


def check_script_owners(
    scheme: str, account: AccountId, signers: Sequence[Signer], script: str, lenient: bool = False
) -> OwnershipResult:
    """Tell whether the keys that signed are those an address stands for, alone or through its script."""
    coin, address = coin_of(chain_of(account)), plain_address(account)

    def answer(valid: bool, reason: str) -> OwnershipResult:
        return OwnershipResult(valid, reason, scheme, account, account if valid else None)

    # 1. The address is one of this coin
    fault = _address_fault(coin, address)
    if fault:
        return answer(False, fault)
    # 2. Without a script: one key, whose address it is
    if not script:
        return answer(*_single_key(coin, address, signers, lenient))
    # 3. With a script: the address is the script's, and m different keys of it signed
    reason = _script_fault(coin, address, signers, script)
    return answer(not reason, reason or "signed")


def _script_fault(coin: Coin, address: str, signers: Sequence[Signer], script: str) -> str:
    raw = _hexadecimal(script)
    if raw is None or len(raw) > MAX_SCRIPT_BYTES:
        return "malformed-script"
    if address not in script_addresses(coin, raw):
        return "script-differs"
    multisig = parse_multisig(raw)
    if isinstance(multisig, str):
        return multisig
    if any(header is not None and header > 34 for _, header in signers):
        return "header-differs"
    return missing_signers(multisig, [_as_in(multisig.keys, key, header) for key, header in signers])


def script_addresses(coin: Coin, script: bytes) -> set[str]:
    """Return every address that stands for a script: P2SH, CashAddr, and on coins with SegWit P2WSH and P2SH-P2WSH."""
    found = set(_hashed(coin, hash160(script), is_script=True))
    if coin.bech32:
        program = sha256(script).digest()
        found.add(codec.bech32(coin.bech32, program, 0))
        found |= set(_hashed(coin, hash160(b"\x00\x20" + program), is_script=True))
    return found


def _single_key(coin: Coin, address: str, signers: Sequence[Signer], lenient: bool) -> tuple[bool, str]:
    if len(signers) != 1:
        return False, "script-missing"
    key, header = signers[0]
    segwit = _segwit_addresses(coin, hash160(key.format())) if coin.bech32 else ("", "")
    if header is None:
        forms = {*_hashed(coin, hash160(key.format())), *_hashed(coin, hash160(key.format(compressed=False))), *segwit}
        return (True, "signed") if address in forms else _not_by_key(coin, address)
    if address in segwit:
        first = 35 if address == segwit[0] else 39
        if first <= header < first + 4:
            return True, "signed"
        return (lenient, "lenient-header") if 31 <= header <= 34 else (False, "header-differs")
    if address in _hashed(coin, hash160(key.format(compressed=header >= 31))):
        return (True, "signed") if header <= 34 else (False, "header-differs")
    return _not_by_key(coin, address)


def _not_by_key(coin: Coin, address: str) -> tuple[bool, str]:
    """Return the reason for a stranger's key; an address that may stand for a script needs the script first."""
    payload = codec.from_base58_check(address)
    is_script = payload is not None and payload[:-20] in coin.p2sh
    is_script |= bool(coin.bech32) and address.startswith(f"{coin.bech32}1") and len(address) > len(coin.bech32) + 40
    return False, "script-missing" if is_script else "signer-differs"


def _hashed(coin: Coin, digest: bytes, *, is_script: bool = False) -> Iterator[str]:
    """Yield the Base58 and CashAddr spellings of a key's or script's hash."""
    for prefix in coin.p2sh if is_script else coin.p2pkh:
        yield codec.base58_check(prefix + digest)
    if coin.cashaddr:
        bare = codec.cashaddr(coin.cashaddr, bytes([8 if is_script else 0]) + digest)
        yield bare
        yield f"{coin.cashaddr}:{bare}"


def _segwit_addresses(coin: Coin, digest: bytes) -> tuple[str, str]:
    """Return P2SH-P2WPKH and P2WPKH of a key's hash. Source: BIP-141."""
    wrapped = codec.base58_check(coin.p2sh[0] + hash160(b"\x00\x14" + digest))
    return wrapped, codec.bech32(coin.bech32, digest, 0)


def _address_fault(coin: Coin, address: str) -> str:
    """Return `` for an address with this coin's prefix, else `wrong-network` or `malformed-address`."""
    payload = codec.from_base58_check(address)
    if payload is not None and len(payload) > 20:
        known = {prefix for other in coins().values() for prefix in other.p2pkh + other.p2sh}
        if payload[:-20] in coin.p2pkh + coin.p2sh:
            return ""
        return "wrong-network" if payload[:-20] in known else "malformed-address"
    prefix = address.rpartition("1")[0]
    if prefix and prefix in {other.bech32 for other in coins().values()}:
        return "" if prefix == coin.bech32 else "wrong-network"
    label, colon, body = address.rpartition(":")
    if colon and label in {other.cashaddr for other in coins().values() if other.cashaddr}:
        return "" if label == coin.cashaddr else "wrong-network"
    return "" if coin.cashaddr and not colon and len(body) == 42 else "malformed-address"


def _recover(signature: str, digest: bytes) -> Signer | str:
    try:
        raw = base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return "malformed-signature"
    if len(raw) != _SIGNATURE_BYTES or base64.b64encode(raw).decode("ascii") != signature:
        return "malformed-signature"  # base64 has spare bits; one spelling per signature
    if not 27 <= raw[0] <= 42:
        return "unknown-header"
    if is_high_s(raw[1:]):
        return "high-s"
    key = recover_key(raw[1:], (raw[0] - 27) % 4, digest)
    return (key, raw[0]) if key else "no-such-key"


def _as_in(keys: tuple[bytes, ...], key: coincurve.PublicKey, header: int | None) -> bytes:
    """Return a key in the form its header names; without a header, in the form the script uses."""
    if header is None:
        whole = key.format(compressed=False)
        return whole if whole in keys else key.format()
    return key.format(compressed=header >= 31)


def _hexadecimal(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text.removeprefix("0x")) if text.isascii() and " " not in text else None
    except ValueError:
        return None
