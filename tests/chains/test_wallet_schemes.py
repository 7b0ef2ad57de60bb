"""Message schemes of single wallets' families: vectors of other programs, own keys, and one flipped bit anywhere."""

import base64
from hashlib import blake2b, sha256
from typing import Any, NamedTuple

import pytest
import sr25519
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.errors import ChainError, IdentifierError
from chains.ids import ChainId
from chains.signatures import UNBOUND, verify
from chains.signatures.adr036 import digest_of
from chains.signatures.key_addresses import ed25519_addresses, secp256k1_addresses
from chains.signatures.recovered_account import escape
from chains.signatures.secp256k1 import ORDER
from chains.signatures.xrpl_text import digest as half_sha512

TEXT = "Example Exchange controls this wallet on 2026-11-22T00:00:00Z"
SECRET = bytes(range(32, 64))
EDWARDS = Ed25519PrivateKey.from_private_bytes(SECRET)
EDWARDS_KEY = EDWARDS.public_key().public_bytes_raw()
KEY = PrivateKey(SECRET)
PUBLIC = KEY.public_key.format().hex()
NONCE = bytes(range(32))


class Claim(NamedTuple):
    scheme: str
    account: str
    signature: str
    material: dict[str, Any]


def edwards_account(chain: str) -> str:
    return f"{chain}:{min(ed25519_addresses(ChainId(chain), EDWARDS_KEY))}"


def secp_account(chain: str) -> str:
    return f"{chain}:{min(secp256k1_addresses(ChainId(chain), KEY.public_key))}"


def compact(digest: bytes) -> bytes:
    return KEY.sign_recoverable(digest, hasher=None)


def der(digest: bytes) -> str:
    raw = compact(digest)
    return encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:64])).hex().upper()


def sui() -> Claim:
    text = TEXT.encode()
    signed = EDWARDS.sign(blake2b(b"\x03\x00\x00" + bytes([len(text)]) + text, digest_size=32).digest())
    return Claim("sui-message", edwards_account("sui:mainnet"), b64(b"\x00" + signed + EDWARDS_KEY), {})


def near() -> Claim:
    text = TEXT.encode()
    record = (
        b"\x9d\x01\x00\x80" + len(text).to_bytes(4, "little") + text + NONCE + b"\x08\x00\x00\x00exchange" + b"\x00"
    )
    signature = b64(EDWARDS.sign(sha256(record).digest()))
    material = {"nonce": NONCE.hex(), "recipient": "exchange"}
    return Claim("nep-413", edwards_account("near:mainnet"), signature, material)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def cosmos(chain: str) -> Claim:
    account = secp_account(chain)
    signed = compact(digest_of(account)(TEXT.encode()))[:64]  # type: ignore[arg-type]
    return Claim("adr-036", account, b64(signed), {"public_key": PUBLIC})


def ton() -> Claim:
    """Sign for the raw form of a version 4 wallet; the layout is spelled out a second time here."""
    address = next(
        text for text in sorted(ed25519_addresses(ChainId("tvm:-239"), EDWARDS_KEY)) if text.startswith("0:")
    )
    body = b"ton-proof-item-v2/" + bytes(4) + bytes.fromhex(address[2:]) + (7).to_bytes(4, "little") + b"por.app"
    body += (1_795_000_000).to_bytes(8, "little") + TEXT.encode()
    signed = EDWARDS.sign(sha256(b"\xff\xffton-connect" + sha256(body).digest()).digest())
    material = {"domain": "por.app", "timestamp": "1795000000", "public_key": EDWARDS_KEY.hex()}
    return Claim("ton-proof", f"tvm:-239:{escape(address)}", b64(signed), material)


def polkadot(chain: str = "polkadot:91b171bb158e2d3848fa23a9f1c25182") -> Claim:
    key = sr25519.pair_from_seed(SECRET)
    signed = sr25519.sign(key, b"<Bytes>" + TEXT.encode() + b"</Bytes>")
    return Claim("sr25519", f"{chain}:{min(ed25519_addresses(ChainId(chain), key[0]))}", "0x" + signed.hex(), {})


CLAIMS = [
    Claim(
        "sep-53",
        edwards_account("stellar:pubnet"),
        b64(EDWARDS.sign(sha256(b"Stellar Signed Message:\n" + TEXT.encode()).digest())),
        {},
    ),
    sui(),
    near(),
    cosmos("cosmos:cosmoshub-4"),
    cosmos("cosmos:osmosis-1"),
    Claim("xrpl-text", secp_account("xrpl:0"), der(half_sha512(TEXT.encode())), {"public_key": PUBLIC}),
    Claim(
        "filecoin",
        secp_account("fil:f"),
        "01" + compact(blake2b(TEXT.encode(), digest_size=32).digest()).hex(),
        {},
    ),
    ton(),
    polkadot(),
    polkadot("polkadot:b0a8d493285c2df73290dfb7e61f870f"),
]
IDS = [f"{claim.scheme} {claim.account[:12]}" for claim in CLAIMS]


@pytest.mark.parametrize("claim", CLAIMS, ids=IDS)
def test_a_wallets_own_signature_is_valid(claim: Claim) -> None:
    result = verify(claim.scheme, claim.account, TEXT, claim.signature, **claim.material)
    assert (result.valid, result.reason, result.signer) == (True, "signed", claim.account)


# Made by other programs: SEP-53's own example, stellar-sdk 16 and xrpl-py 5.
FOREIGN = [
    Claim(
        "sep-53",
        "stellar:pubnet:GBXFXNDLV4LSWA4VB7YIL5GBD7BVNR22SGBTDKMO2SBZZHDXSKZYCP7L",
        "fO5dbYhXUhBMhe6kId/cuVq/AfEnHRHEvsP8vXh03M1uLpi5e46yO2Q8rEBzu3feXQewcQE5GArp88u6ePK6BA==",
        {"message": "Hello, World!"},
    ),
    Claim(
        "sep-53",
        "stellar:pubnet:GAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QZ6Q",
        "28z28Q52gxTROulPz+2XwQ9HdSjp9+GeK7/RNXE6ZDoYvThuMXIF/5iPdxyMxiqEpPYlG2LzY47TnzGlVldGDg==",
        {"message": "Example Exchange 式"},
    ),
    Claim(
        "xrpl-text",
        "xrpl:0:rNiNSFyhVr5xfp8o8G5Ku81if8rdDrai5z",
        "3044022039DD9A4160C71B9740643ACE5FEDDE360A8446AE20A8AD702726280E252435E9022023478B098E27F8FC0A668A704321921E"
        "0807E32956CA4BD66A82B79CFECC926C",
        {
            "message": "Example Exchange controls this wallet",
            "public_key": "02CFA1160C5462AC60A9CF23EFEF9A315D62384AB6E7932ED7529520DC7CA25D08",
        },
    ),
]


@pytest.mark.parametrize("claim", FOREIGN, ids=lambda claim: claim.scheme)
def test_signatures_of_other_programs_are_valid(claim: Claim) -> None:
    material = dict(claim.material)
    assert verify(claim.scheme, claim.account, material.pop("message"), claim.signature, **material).valid


def valid(claim: Claim, message: str = TEXT) -> bool:
    try:
        return verify(claim.scheme, claim.account, message, claim.signature, **claim.material).valid
    except ChainError:
        return False


def flipped(text: str, place: int, bit: int) -> str:
    raw = bytearray(text.encode())
    raw[place % len(raw)] ^= 1 << bit
    return raw.decode("latin-1")


@given(st.sampled_from(CLAIMS), st.integers(0, 400), st.integers(0, 7))
@settings(deadline=None, max_examples=400)
def test_one_flipped_bit_of_account_message_signature_or_material_is_never_valid(
    claim: Claim, place: int, bit: int
) -> None:
    chain, _, address = claim.account.rpartition(":")
    assert not valid(claim._replace(account=f"{chain}:{flipped(address, place, bit)}"))
    assert not valid(claim, flipped(TEXT, place, bit))
    changed = flipped(claim.signature, place, bit)
    if changed.lower() != claim.signature.lower():
        assert not valid(claim._replace(signature=changed))
    for name, value in claim.material.items():
        other = flipped(value, place, bit)
        if other.lower() != value.lower():
            assert not valid(claim._replace(material=claim.material | {name: other}))


def test_a_high_s_and_a_second_der_spelling_are_refused() -> None:
    claim = CLAIMS[5]
    raw = compact(half_sha512(TEXT.encode()))
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:64])
    twin = encode_dss_signature(r, ORDER - s).hex().upper()
    assert verify("xrpl-text", claim.account, TEXT, twin, public_key=PUBLIC).reason == "high-s"
    spelled = claim.signature[:2] + "81" + claim.signature[2:]
    assert verify("xrpl-text", claim.account, TEXT, spelled, public_key=PUBLIC).reason == "malformed-signature"


def test_a_key_that_the_address_does_not_show_is_unbound_where_keys_may_change() -> None:
    other = PrivateKey(b"\x07" * 32)
    raw = other.sign_recoverable(half_sha512(TEXT.encode()), hasher=None)
    signature = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:64])).hex().upper()
    key = other.public_key.format().hex()
    assert verify("xrpl-text", CLAIMS[5].account, TEXT, signature, public_key=key).reason == UNBOUND
    cosmos_signature = b64(other.sign_recoverable(digest_of(CLAIMS[3].account)(TEXT.encode()), hasher=None)[:64])  # type: ignore[arg-type]
    result = verify("adr-036", CLAIMS[3].account, TEXT, cosmos_signature, public_key=key)
    assert (result.valid, result.reason) == (False, "signer-differs")


@pytest.mark.parametrize(
    ("scheme", "signature", "material", "reason"),
    [
        ("sui-message", b64(b"\x01" + bytes(97)), {}, "key-kind-not-covered"),
        ("sui-message", b64(bytes(40)), {}, "malformed-signature"),
        ("nep-413", b64(bytes(64)), {"nonce": "12", "recipient": "x"}, "malformed-nonce"),
        ("adr-036", "!", {"public_key": PUBLIC}, "malformed-signature"),
        ("adr-036", b64(bytes(64)), {"public_key": "02"}, "malformed-key"),
        ("adr-036", b64(bytes(64)), {"public_key": PUBLIC}, "not-signed"),
        ("filecoin", "02" + "11" * 65, {}, "key-kind-not-covered"),
        ("ton-proof", b64(bytes(64)), {"domain": "", "timestamp": "1", "public_key": ""}, "malformed-domain"),
        ("ton-proof", b64(bytes(64)), {"domain": "x", "timestamp": "1", "public_key": ""}, "malformed-time"),
        ("sr25519", "zz", {}, "malformed-signature"),
        ("sr25519", "0x" + "00" * 64, {}, "malformed-signature"),
        ("filecoin", "zz", {}, "malformed-signature"),
        ("sep-53", "zz", {}, "malformed-signature"),
    ],
)
def test_what_is_malformed_has_a_reason_of_its_own(
    scheme: str, signature: str, material: dict[str, str], reason: str
) -> None:
    account = next(claim.account for claim in CLAIMS if claim.scheme == scheme)
    result = verify(scheme, account, TEXT, signature, **material)
    assert (result.valid, result.reason) == (False, reason)


@pytest.mark.parametrize("claim", CLAIMS, ids=IDS)
def test_an_account_of_another_family_is_refused(claim: Claim) -> None:
    with pytest.raises(IdentifierError):
        verify(claim.scheme, "eip155:1:0x" + "11" * 20, TEXT, claim.signature, **claim.material)
