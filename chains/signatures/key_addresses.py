"""From a public key to its address, chain by chain: the step that binds a signature to an account."""

import tomllib
import zlib
from collections.abc import Callable
from functools import cache
from hashlib import blake2b, sha3_256, sha224, sha256
from importlib.resources import files
from typing import NamedTuple

import coincurve
from Crypto.Hash import RIPEMD160

from chains import base_codecs as codec
from chains.evm.keccak import keccak256
from chains.ids import ChainId, family_of
from chains.signatures import address_text
from chains.signatures.blake256 import blake256
from chains.signatures.ton_wallets import ton_addresses

Rule = Callable[[bytes, str], set[str]]


class AddressFacts(NamedTuple):
    """How a chain turns keys into addresses; `rotates` when an account may have another key than its first."""

    curve: str
    rule: str
    parameter: str = ""
    rotates: bool = False


@cache
def address_facts() -> dict[ChainId, AddressFacts]:
    """Return the facts of every chain described in chains.toml, by chain id."""
    table = tomllib.loads((files("chains.signatures") / "chains.toml").read_text("utf-8"))
    return {
        ChainId(chain): AddressFacts(
            entry["curve"], entry["rule"], entry.get("parameter", ""), entry.get("rotates", False)
        )
        for entry in table["chain"]
        for chain in entry["ids"]
    }


def evm_address(key: coincurve.PublicKey) -> str:
    """Return the 0x address of a key in lower case. Source: Ethereum Yellow Paper, appendix F."""
    return "0x" + _keccak20(key.format(compressed=False)).hex()


def secp256k1_addresses(chain: ChainId, key: coincurve.PublicKey) -> set[str]:
    """Return every spelling of the address a secp256k1 key has on a chain; empty when no rule is known."""
    facts = address_facts().get(chain)
    known = {evm_address(key)} if family_of(chain) == "eip155" else set()
    if facts is None or facts.curve != "secp256k1":
        return known
    return known | _SECP256K1[facts.rule](key.format(compressed=False), facts.parameter)


def ed25519_addresses(chain: ChainId, key: bytes) -> set[str]:
    """Return every spelling of the address a 32-byte ed25519 key has on a chain; empty when no rule is known."""
    facts = address_facts().get(chain)
    if facts is None or facts.curve != "ed25519":
        return set()
    return _ED25519[facts.rule](key, facts.parameter)


def hash160(data: bytes) -> bytes:
    """Return RIPEMD-160 of SHA-256."""
    return RIPEMD160.new(sha256(data).digest()).digest()


def _keccak20(uncompressed: bytes) -> bytes:
    return keccak256(uncompressed[1:])[12:]


def _compressed(uncompressed: bytes) -> bytes:
    return bytes([2 + (uncompressed[64] & 1)]) + uncompressed[1:33]


def _blake2b(data: bytes, size: int) -> bytes:
    return blake2b(data, digest_size=size).digest()


def _filecoin_delegated(key: bytes, _: str) -> set[str]:
    return {f"f410f{address_text.filecoin(4, _keccak20(key), bytes([10]))}"}


def _conflux(key: bytes, _: str) -> set[str]:
    address = _keccak20(key)
    text = address_text.conflux("cfx", bytes([address[0] & 0x0F | 0x10]) + address[1:])
    return {text, text.replace("cfx:", "cfx:type.user:")}


def _aelf(key: bytes, _: str) -> set[str]:
    address = codec.base58_check(sha256(sha256(key).digest()).digest())
    return {address, f"ELF_{address}_AELF"}


def _decred(key: bytes, _: str) -> set[str]:
    """Source: dcrutil, addresses (Ds…: RIPEMD-160 of BLAKE-256, and a checksum of BLAKE-256)."""
    body = bytes.fromhex("073f") + RIPEMD160.new(blake256(_compressed(key))).digest()
    return {codec.base58(body + blake256(blake256(body))[:4])}


def _bech32_hash160(key: bytes, prefix: str) -> set[str]:
    address = codec.bech32(prefix, hash160(_compressed(key)))
    return {f"{chain}-{address}" for chain in "XPC"} if prefix == "avax" else {address}


def _stacks(key: bytes, _: str) -> set[str]:
    """Source: SIP-005 (c32check, version 22)."""
    forms = (_compressed(key), key)
    return {"S" + _c32(22) + _c32_bytes(digest + _c32_check(digest)) for digest in map(hash160, forms)}


def _c32_check(digest: bytes) -> bytes:
    return sha256(sha256(bytes([22]) + digest).digest()).digest()[:4]


def _c32(number: int) -> str:
    return "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number]


def _c32_bytes(data: bytes) -> str:
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 32)
        digits = _c32(digit) + digits
    return "0" * (len(data) - len(data.lstrip(b"\0"))) + digits


def _aptos(key: bytes, _: str) -> set[str]:
    digits = sha3_256(key + b"\0").hexdigest()
    return {f"0x{digits}", f"0x{digits.lstrip('0')}"}


def _stellar(key: bytes, _: str) -> set[str]:
    """Source: SEP-23 (strkey)."""
    body = bytes([6 << 3]) + key
    return {codec.base32(body + codec.crc16(body).to_bytes(2, "little"))}


def _internet_computer(key: bytes, _: str) -> set[str]:
    """Source: Internet Computer interface specification (self-authenticating id), ICP ledger (account identifier)."""
    principal = sha224(bytes.fromhex("302a300506032b6570032100") + key).digest() + b"\x02"
    account = sha224(b"\x0aaccount-id" + principal + bytes(32)).digest()
    return {zlib.crc32(account).to_bytes(4, "big").hex() + account.hex()}


def _casper(key: bytes, _: str) -> set[str]:
    account = _blake2b(b"ed25519\0" + key, 32).hex()
    return {f"01{key.hex()}", f"account-hash-{account}", account}


_SECP256K1: dict[str, Rule] = {
    "none": lambda key, _: set(),
    "tron": lambda key, _: {codec.base58_check(b"\x41" + _keccak20(key))},
    "filecoin": lambda key, _: {f"f1{address_text.filecoin(1, _blake2b(key, 20))}"},
    "filecoin-delegated": _filecoin_delegated,
    "conflux": _conflux,
    "aelf": _aelf,
    "decred": _decred,
    "icon": lambda key, _: {"hx" + sha3_256(key[1:]).digest()[-20:].hex()},
    "stacks": _stacks,
    "ripple": lambda key, _: {codec.base58_check(b"\0" + hash160(_compressed(key)), codec.RIPPLE_ALPHABET)},
    "bech32-hash160": _bech32_hash160,
    "bech32-keccak": lambda key, prefix: {codec.bech32(prefix, _keccak20(key))},
}
_ED25519: dict[str, Rule] = {
    "none": lambda key, _: set(),
    "base58-key": lambda key, _: {codec.base58(key)},
    "aptos": _aptos,
    "sui": lambda key, _: {"0x" + _blake2b(b"\0" + key, 32).hex()},
    "iota": lambda key, _: {"0x" + _blake2b(key, 32).hex(), codec.bech32("iota", b"\0" + _blake2b(key, 32))},
    "ton": lambda key, _: ton_addresses(key),
    "stellar": _stellar,
    "cardano-enterprise": lambda key, _: {codec.bech32("addr", b"\x61" + _blake2b(key, 28))},
    "near": lambda key, _: {key.hex()},
    "algorand": lambda key, _: {address_text.algorand(key)},
    "bech32-key": lambda key, prefix: {codec.bech32(prefix, key)},
    "tezos": lambda key, _: {codec.base58_check(bytes.fromhex("06a19f") + _blake2b(key, 20))},
    "kadena": lambda key, _: {f"k:{key.hex()}"},
    "internet-computer": _internet_computer,
    "casper": _casper,
    "ss58": lambda key, number: {address_text.ss58(int(number), key)},
}
