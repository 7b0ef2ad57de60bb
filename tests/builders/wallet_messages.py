"""Claims as wallets sign them, every layout spelled out a second time: nothing here calls the code under test."""

import base64
from functools import cache
from hashlib import blake2b, sha3_256, sha256
from typing import Any, NamedTuple
from urllib.parse import quote

from coincurve import PrivateKey
from Crypto.Hash import RIPEMD160, keccak
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chains import base_codecs as codec
from tests.builders import stark_keys

TEXT = "Example Exchange controls this wallet on 2026-11-22T00:00:00Z"
SHORT_TEXT = "I am an example address"
SECRET = bytes(range(32, 64))
EDWARDS = Ed25519PrivateKey.from_private_bytes(SECRET)
EDWARDS_KEY = EDWARDS.public_key().public_bytes_raw()
KEY = PrivateKey(SECRET)
WHOLE_KEY, SHORT_KEY = KEY.public_key.format(compressed=False), KEY.public_key.format()
STARK_SECRET = int.from_bytes(SECRET) >> 8
CARDANO, CARDANO_TEST = "cip34:1-764824073", "cip34:0-1"
EOS = "antelope:aca376f206b8fc25a6ed44dbdc66547c"
SOLANA = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
OKX_MAGIC = b"\x14OKX Signed Message:\n"


class Claim(NamedTuple):
    """What is handed to `verify`, and the reason it must give: all but `unbound` ones are valid."""

    scheme: str
    account: str
    message: str
    signature: str
    material: dict[str, Any]
    reason: str = "signed"


# Made with blake256 0.1.1 and coincurve 21: the project keeps no second implementation of this hash.
DECRED = Claim(
    "decred-message",
    "slip44:42:DsXKYVaAa3kAL9JKSneoYLNDcJ8pp8AXYr1",
    TEXT,
    "H7047Bpmca/gzK7gayVxB5jEPTYKi/PMIXWBU+TJUKP3JF53QrLv7cTmUmcAOv7fNCeNbsvAi9udeRKAd5/gbOk=",
    {},
)


# Published by OKX: proof-of-reserves, common/crypto_test.go.
VALIDATOR = Claim(
    "bls",
    "beacon:mainnet:0x82f5af1eb567301d0f71fe56e4bf8aa6e4ffa00c9ac92a8f67aae056b7f19e18be645f6d46c7862de8f1342fc4786853",
    "hello world",
    "0x98d6aa7da816638b8c27a1b6ff9a46529948960743300814f0413499b04886cdc65f63b273461ebaf42be17f08ca01fa13c964bf5a2d"
    "988c5c7fe745b472a90dcc86b522543c70020b5ce525b5ffaf6e4e4a7ce80b40049a509b12c32045541a",
    {},
)


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def compact(digest: bytes) -> bytes:
    """Return r, s and the recovery id."""
    return KEY.sign_recoverable(digest, hasher=None)


def account(chain: str, address: str) -> str:
    return f"{chain}:{quote(address, safe='.-').replace('_', '%5F')}"


# --- Cardano ---
def cbor_bytes(data: bytes) -> bytes:
    size = len(data)
    head = bytes([0x40 + size]) if size < 24 else b"\x58" + bytes([size & 255])
    return (head if size < 256 else b"\x59" + size.to_bytes(2)) + data


def key_hash(key: bytes = EDWARDS_KEY) -> bytes:
    return blake2b(key, digest_size=28).digest()


def cose_key(key: bytes = EDWARDS_KEY) -> str:
    return (bytes.fromhex("a4010103272006215820") + key).hex()


def protected_header(address: bytes, algorithm: bytes = b"\x27", key_id: bytes = b"") -> bytes:
    named = b"\x04" + cbor_bytes(key_id) if key_id else b""
    count = 3 if key_id else 2
    return bytes([0xA0 + count, 0x01]) + algorithm + named + b"\x67address" + cbor_bytes(address)


def cose_sign1(header: bytes, payload: bytes, plain: bytes = b"\xa1\x66hashed\xf4") -> str:
    signed = EDWARDS.sign(b"\x84\x6aSignature1" + cbor_bytes(header) + b"\x40" + cbor_bytes(payload))
    return (b"\x84" + cbor_bytes(header) + plain + cbor_bytes(payload) + cbor_bytes(signed)).hex()


def cardano_text(address: bytes) -> str:
    kind = "stake" if address[0] >> 4 in (14, 15) else "addr"
    return codec.bech32(kind if address[0] & 15 else f"{kind}_test", address)


def cardano(kind: int, *, network: int = 1, hashed: bool = False, key_id: bytes = b"") -> Claim:
    """Sign for an address of a kind of CIP-19; the second part, where there is one, is of another key."""
    second = key_hash(bytes(32)) if kind in (0, 2) else bytes([0x81, 0x00, 0x02, 0x03]) if kind == 4 else b""
    address = bytes([kind << 4 | network]) + key_hash() + second
    payload = blake2b(TEXT.encode(), digest_size=28).digest() if hashed else TEXT.encode()
    plain = b"\xa1\x66hashed" + (b"\xf5" if hashed else b"\xf4")
    signature = cose_sign1(protected_header(address, key_id=key_id), payload, plain)
    chain = CARDANO if network else CARDANO_TEST
    return Claim("cip-8", account(chain, cardano_text(address)), TEXT, signature, {"public_key": cose_key()})


# --- others ---
def eos_text(prefix: str, data: bytes, suffix: bytes = b"K1") -> str:
    return prefix + codec.base58(data + RIPEMD160.new(data + suffix).digest()[:4])


def eos(scheme: str, *, legacy: bool = False) -> Claim:
    text = TEXT.encode() if scheme == "eos" else OKX_MAGIC + bytes([len(TEXT)]) + TEXT.encode()
    raw = compact(sha256(text).digest())
    key = eos_text("EOS", SHORT_KEY, b"") if legacy else eos_text("PUB_K1_", SHORT_KEY)
    signature = eos_text("SIG_K1_", bytes([31 + raw[64]]) + raw[:64])
    return Claim(scheme, f"{EOS}:exchange1", TEXT, signature, {"public_key": key}, "unbound")


def conflux() -> Claim:
    digest = keccak256(f"\x19Conflux Signed Message:\n{len(TEXT)}{TEXT}".encode())
    raw = compact(digest)
    body = bytearray(keccak256(WHOLE_KEY[1:])[12:])
    body[0] = body[0] & 0x0F | 0x10
    address = "cfx:" + codec.conflux("cfx", b"\0" + bytes(body))
    return Claim("conflux", account("slip44:503", address), TEXT, "0x" + (raw[:64] + bytes([27 + raw[64]])).hex(), {})


def aelf(*, whole: bool) -> Claim:
    address = codec.base58_check(sha256(sha256(WHOLE_KEY).digest()).digest())
    text = f"ELF_{address}_AELF" if whole else address
    return Claim("aelf", account("slip44:1616", text), TEXT, compact(sha256(TEXT.encode()).digest()).hex(), {})


def solana(text: str = TEXT, domain: bytes = b"", form: int = 0) -> Claim:
    head = b"\xffsolana offchain\0" + domain + bytes([form]) + (b"\x01" + EDWARDS_KEY if domain else b"")
    raw = text.encode()
    signature = codec.base58(EDWARDS.sign(head + bytes([len(raw) & 255, len(raw) >> 8]) + raw))
    material = {"application_domain": codec.base58(domain)} if domain else {}
    return Claim("solana-offchain", f"{SOLANA}:{codec.base58(EDWARDS_KEY)}", text, signature, material)


def aptos(*lines: str) -> Claim:
    """Sign with the named optional lines: address, application, chain_id."""
    address = "0x" + sha3_256(EDWARDS_KEY + b"\0").hexdigest()
    values = {"address": address, "application": "https://example.exchange", "chain_id": "1"}
    titles = {"address": "address", "application": "application", "chain_id": "chainId"}
    head = "".join(f"{titles[line]}: {values[line]}\n" for line in values if line in lines)
    signature = EDWARDS.sign(f"APTOS\n{head}message: {TEXT}\nnonce: 8f2c".encode()).hex()
    material = {"public_key": EDWARDS_KEY.hex(), "nonce": "8f2c", **{line: values[line] for line in lines}}
    return Claim("aptos-message", f"aptos:1:{address}", TEXT, signature, material)


def starknet(template: int = 0) -> Claim:
    key, address = stark_keys.wallet(STARK_SECRET, template)
    r, s = stark_keys.sign_text(STARK_SECRET, SHORT_TEXT, address)
    signature = f"{r:064x}{s:064x}"
    return Claim("starknet", f"starknet:SN_MAIN:0x{address:064x}", SHORT_TEXT, signature, {"public_key": f"0x{key:x}"})


def bls(secret: int = 5) -> Claim:
    import milagro_bls_binding as milagro

    number = secret.to_bytes(32)
    signed = keccak256(b"\x19Ethereum Signed Message:\n32" + keccak256(TEXT.encode()))
    name = "0x" + milagro.SkToPk(number).hex()
    return Claim("bls", f"beacon:mainnet:{name}", TEXT, "0x" + milagro.Sign(number, signed).hex(), {})


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


@cache
def claims() -> list[Claim]:
    """Return one claim of every scheme here, and of every form it has."""
    return [
        *(cardano(kind) for kind in (0, 2, 4, 6, 14)),
        cardano(0, network=0),
        cardano(0, hashed=True),
        cardano(6, key_id=EDWARDS_KEY),
        eos("eos"),
        eos("okx-eos", legacy=True),
        starknet(0),
        starknet(1),
        VALIDATOR,
        conflux(),
        aelf(whole=False),
        aelf(whole=True),
        solana(),
        solana(domain=b"\x02" * 32),
        solana("two\nlines", form=1),
        solana("式" * 500, form=2),
        aptos(),
        aptos("application"),
        aptos("address", "application", "chain_id"),
        DECRED,
    ]
