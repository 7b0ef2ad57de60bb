"""What wallets of further families sign: vectors of other programs, own keys, and one flipped bit anywhere."""

import re
from typing import Any

import pytest
from coincurve import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from chains import base_codecs as codec
from chains.errors import ChainError, IdentifierError
from chains.signatures import SCHEMES, UNBOUND, verify
from chains.signatures.blake256 import blake256
from chains.signatures.secp256k1 import ORDER
from tests.builders import wallet_messages as make
from tests.builders.wallet_messages import DECRED, TEXT, Claim

pytest.importorskip("milagro_bls_binding", reason="needs reserve-verifier[lightclient]")

CLAIMS = make.claims()
IDS = [f"{number} {claim.scheme}" for number, claim in enumerate(CLAIMS)]

# Published: OKX's own tests and example (proof-of-reserves, common/crypto_test.go and example/test.csv), Wharfkit
# antelope's fixtures, Conflux's SDK examples (ConfluxPortal signs the hexadecimal spelling), an Aptos wallet's tests.
FOREIGN = [
    make.VALIDATOR,
    Claim(
        "starknet",
        "starknet:SN_MAIN:0x03b7f0b02b63683eca1639fb2d5dfa1021628d4ee728b03bc0ac2be66edc32f1",
        "OKC_DTT_AUP2025",
        "04550efc3034895232cac30b73677c81cf949e7428d9629eda85b83e60614f45"
        "061639b572eb88f82f304b6a3ad4f2392a835e5582b918da53ddaaee4e342ea0",
        {"public_key": "0x6459074aa056e6dfb18539e414720ca7518b4d9b6d9a9fa0a3a64b8e2287963"},
    ),
    *(
        Claim(
            "eos",
            f"{make.EOS}:exchange1",
            message,
            signature,
            {"public_key": "PUB_K1_6RrvujLQN1x5Tacbep1KAk8zzKpSThAQXBCKYFfGUYeACcSRFs"},
            UNBOUND,
        )
        for message, signature in (
            (
                "I like turtles",
                "SIG_K1_KYzSWVRXhNJtNZa5pwuFqoMi1J12n2hVsQv4bKxxFSSUa2MiGNCFuBP1wARST7wWDTCSJx19ey9cvpGKwX3MxKzhcfVNb2",
            ),
            (
                "wharfkit noble migration",
                "SIG_K1_KVniJXMm6RpGhM1VX4KUTXUKxqCTq9SR1bnhdtof4yeue59LgweDDCmsXofyLgFPsWUec2mFedoSqfbiLYGEgbQaQthp5r",
            ),
        )
    ),
    Claim(
        "conflux",
        "slip44:503:cfx%3Aaak2rra2njvd77ezwjvx04kkds9fzagfe6ku8scz91",
        "0x" + b"Hello World".hex(),
        "0x5f8499879ce281ff083f5716de68ab6d05b176edbb27b6c5882ab482dc00478e33679f15a30bc60510faab49c2bd0bf883ad0a45ad31"
        "60e424b35cddcc1ee85d1c",
        {},
    ),
    Claim(
        "aptos-message",
        "aptos:2:0xeb663b681209e7087d681c5d3eed12aaa8e1915e7c87794542c3f96e94b3d3bf",
        "Welcome to app.example",
        "769348f6df89013c166e439197cd4e51fe4d2b6909c659da4ac68f1ad86e0c6d7ead4730eef57e3103ecc1c60afe8b48db68417be6f836f"
        "a855bece0eabfed02",
        {
            "public_key": "a686f0309ab80312979606cfccc10ea2740147ae6888351488d11c46f08fbf60",
            "nonce": "8f2c",
            "address": "0xeb663b681209e7087d681c5d3eed12aaa8e1915e7c87794542c3f96e94b3d3bf",
            "application": "https://app.example",
            "chain_id": 2,
        },
    ),
]


def reason_of(claim: Claim) -> str:
    return verify(claim.scheme, claim.account, claim.message, claim.signature, **claim.material).reason


@pytest.mark.parametrize("claim", CLAIMS + FOREIGN, ids=lambda claim: claim.scheme)
def test_a_wallets_own_signature_is_what_it_should_be(claim: Claim) -> None:
    result = verify(claim.scheme, claim.account, claim.message, claim.signature, **claim.material)
    valid = claim.reason == "signed"
    assert (result.valid, result.reason, result.signer) == (valid, claim.reason, claim.account if valid else None)


def test_every_scheme_here_is_registered() -> None:
    assert {claim.scheme for claim in CLAIMS} <= set(SCHEMES)


# --- one flipped bit ---
def holds(claim: Claim) -> bool:
    """Tell whether a claim still gets as far as it should: valid, or for names that no key binds, signed at all."""
    try:
        return reason_of(claim) == claim.reason
    except ChainError:
        return False


def flipped(text: str, place: int, bit: int) -> str:
    raw = bytearray(text.encode())
    raw[place % len(raw)] ^= 1 << bit
    return raw.decode("latin-1")


def is_same(one: str, other: str) -> bool:
    """Tell whether two spellings are the same hexadecimal number: there, capitals say nothing."""
    return bool(re.fullmatch("(0x)?[0-9a-f]+", one)) and one.lower() == other.lower()


@given(st.sampled_from(CLAIMS), st.integers(0, 2_000), st.integers(0, 7))
@settings(deadline=None, max_examples=600)
def test_one_flipped_bit_of_account_message_signature_or_material_is_never_valid(
    claim: Claim, place: int, bit: int
) -> None:
    chain, _, address = claim.account.rpartition(":")
    if claim.reason == "signed":
        assert not holds(claim._replace(account=f"{chain}:{flipped(address, place, bit)}"))
    assert not holds(claim._replace(message=flipped(claim.message, place, bit)))
    changed = flipped(claim.signature, place, bit)
    if not is_same(claim.signature, changed):
        assert not holds(claim._replace(signature=changed))
    for name, value in claim.material.items():
        other = flipped(value, place, bit)
        if not is_same(value, other):
            assert not holds(claim._replace(material=claim.material | {name: other}))


@pytest.mark.parametrize("claim", CLAIMS, ids=IDS)
def test_a_signature_that_is_cut_off_is_refused(claim: Claim) -> None:
    for length in (0, 1, len(claim.signature) // 2, len(claim.signature) - 2):
        assert reason_of(claim._replace(signature=claim.signature[:length])) == "malformed-signature"


@given(st.sampled_from(CLAIMS), st.text(max_size=200), st.sampled_from(["account", "message", "signature", "material"]))
@settings(deadline=None, max_examples=400)
def test_any_text_in_any_place_is_a_result_or_our_own_error(claim: Claim, text: str, field: str) -> None:
    if field == "material":
        assert not any(holds(claim._replace(material=claim.material | {name: text})) for name in claim.material if text)
    elif field == "account":
        assert (
            not holds(claim._replace(account=claim.account.rpartition(":")[0] + ":" + text)) or claim.reason == UNBOUND
        )
    else:
        assert not holds(claim._replace(**{field: text}))


@pytest.mark.parametrize("claim", CLAIMS, ids=IDS)
def test_half_a_surrogate_pair_is_no_message(claim: Claim) -> None:
    assert reason_of(claim._replace(message="\ud800")) == "malformed-message"


@pytest.mark.parametrize("claim", CLAIMS, ids=IDS)
def test_an_account_of_another_family_is_refused(claim: Claim) -> None:
    for account in ("eip155:1:0x" + "11" * 20, "slip44:0:abc"):
        with pytest.raises(IdentifierError):
            verify(claim.scheme, account, TEXT, claim.signature, **claim.material)


# --- twins ---
def twin(raw: bytes) -> bytes:
    """Return r, s and recovery id with the other half of s: everyone can make it."""
    return raw[:32] + (ORDER - int.from_bytes(raw[32:64])).to_bytes(32) + bytes([raw[64] ^ 1])


def test_twins_with_a_high_s_are_refused() -> None:
    conflux, aelf = make.conflux(), make.aelf(whole=False)
    raw = bytes.fromhex(conflux.signature[2:])
    raw = twin(raw[:64] + bytes([raw[64] - 27]))
    assert reason_of(conflux._replace(signature=(raw[:64] + bytes([raw[64] + 27])).hex())) == "high-s"
    assert reason_of(aelf._replace(signature=twin(bytes.fromhex(aelf.signature)).hex())) == "high-s"
    eos = make.eos("eos")
    signed = codec.from_base58(eos.signature.removeprefix("SIG_K1_")) or b""
    other = twin(signed[1:65] + bytes([signed[0] - 31]))
    text = make.eos_text("SIG_K1_", bytes([31 + other[64]]) + other[:64])
    assert reason_of(eos._replace(signature=text)) == "high-s"


def test_an_edwards_signature_with_a_second_spelling_of_s_is_refused() -> None:
    edwards_order = 2**252 + 27_742_317_777_372_353_535_851_937_790_883_648_493
    for claim in (make.solana(), make.aptos()):
        plain = re.fullmatch("[0-9a-f]{128}", claim.signature)
        raw = bytes.fromhex(claim.signature) if plain else codec.from_base58(claim.signature) or b""
        s = (int.from_bytes(raw[32:], "little") + edwards_order).to_bytes(32, "little")
        assert reason_of(claim._replace(signature=(raw[:32] + s).hex())) == "non-canonical"


# --- EOS ---
def test_eos_signatures_and_keys_have_checksums_and_kinds() -> None:
    claim = make.eos("eos")
    signature, key = claim.signature, claim.material["public_key"]
    raw = make.compact(make.sha256(TEXT.encode()).digest())

    def reason(signature: str = signature, key: str = key) -> str:
        return reason_of(claim._replace(signature=signature, material={"public_key": key}))

    assert reason(signature.replace("SIG_K1_", "SIG_R1_")) == "key-kind-not-covered"
    assert reason(key=key.replace("PUB_K1_", "PUB_R1_")) == "key-kind-not-covered"
    assert reason(signature.removeprefix("SIG_K1_")) == "malformed-signature"
    assert reason(make.eos_text("SIG_K1_", bytes([31]) + raw[:64], b"R1")) == "malformed-signature"
    assert reason(make.eos_text("SIG_K1_", bytes([27 + raw[64]]) + raw[:64])) == "unknown-header"
    assert reason(make.eos_text("SIG_K1_", bytes([31]) + bytes(64))) == "no-such-key"
    assert reason(key=make.eos_text("PUB_K1_", b"\x02" + b"\xff" * 32)) == "malformed-key"
    assert reason(key=make.eos_text("EOS", make.SHORT_KEY)) == "malformed-key"
    assert reason(key="") == "key-missing"
    other = PrivateKey(b"\x07" * 32).public_key.format()
    assert reason(key=make.eos_text("PUB_K1_", other)) == "public-key-differs"


@pytest.mark.parametrize("name", ["Exchange1", "exchange6", "toolonganame1z", "name.", ""])
def test_what_is_no_account_name_of_eos_is_refused(name: str) -> None:
    claim = make.eos("eos")
    with pytest.raises(IdentifierError):
        reason_of(claim._replace(account=f"{make.EOS}:{name}"))


# --- validators ---
# A point of the curve outside the group: x = 4, found by counting up; the second is no point at all.
@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("80" + "00" * 46 + "04", "no-such-key"),
        ("80" + "ff" * 47, "no-such-key"),
        ("c0" + "00" * 47, "key-at-infinity"),
        ("0" + make.bls().account[-95:], "no-such-key"),
    ],
)
def test_a_validators_key_must_be_a_point_of_the_group(key: str, reason: str) -> None:
    claim = make.bls()
    assert reason_of(claim._replace(account=f"beacon:mainnet:0x{key}")) == reason


def test_a_validators_signature_must_be_one_of_its_key() -> None:
    claim = make.bls()
    assert reason_of(claim._replace(signature="c0" + "00" * 95)) == "signature-at-infinity"
    assert reason_of(claim._replace(signature="00" * 96)) == "malformed-signature"
    assert reason_of(claim._replace(signature="80" + "00" * 95)) == "not-signed"
    assert reason_of(claim._replace(signature=make.bls(6).signature)) == "not-signed"
    for name in ("0x" + "ab" * 47, "0x" + "AB" * 48, "ab" * 48):
        with pytest.raises(IdentifierError):
            reason_of(claim._replace(account=f"beacon:mainnet:{name}"))


# --- others ---
def test_conflux_knows_users_of_its_main_network_only() -> None:
    claim = make.conflux()
    ethereum = make.keccak256(make.WHOLE_KEY[1:])[12:]
    for lead in (0x80, 0x20):
        contract = codec.conflux("cfx", b"\0" + bytes([ethereum[0] & 0x0F | lead]) + ethereum[1:])
        assert reason_of(claim._replace(account=make.account("slip44:503", f"cfx:{contract}"))) == "signer-differs"
    body = bytes([ethereum[0] & 0x0F | 0x10]) + ethereum[1:]
    test_network = codec.conflux("cfxtest", b"\0" + body)
    assert reason_of(claim._replace(account=make.account("slip44:503", f"cfxtest:{test_network}"))) == "signer-differs"


def test_the_header_of_solana_is_that_of_its_sdk() -> None:
    """solana-sdk, offchain_message: the texts `Test Message` and `Тестовое сообщение`, without and with a domain."""
    from chains.signatures.solana_offchain import envelope

    lead = bytes([255, *b"solana offchain", 0])
    assert envelope(b"Test Message", b"", bytes(32)) == lead + bytes([0, 12, 0]) + b"Test Message"
    cyrillic = "Тестовое сообщение".encode()
    assert envelope(cyrillic, b"", bytes(32)) == lead + bytes([1, 35, 0]) + cyrillic
    whole = envelope(b"Test Message", b"\2" * 32, b"\1" * 32)
    assert whole == lead + b"\2" * 32 + bytes([0, 1]) + b"\1" * 32 + bytes([12, 0]) + b"Test Message"


def test_solana_refuses_what_its_header_has_no_room_for() -> None:
    claim = make.solana()
    for message in ("", "x" * 65_535):
        assert reason_of(claim._replace(message=message)) == "malformed-message"
    for domain in ("", "1" * 31, "0" * 32, "l"):
        assert reason_of(claim._replace(material={"application_domain": domain})) == "malformed-domain"
    domain = codec.base58(b"\x02" * 32)
    assert reason_of(claim._replace(material={"application_domain": domain})) == "not-signed"


def test_the_lines_of_aptos_must_be_the_accounts_and_stay_lines() -> None:
    claim = make.aptos("address", "application", "chain_id")

    def reason(**changes: Any) -> str:
        return reason_of(claim._replace(material=claim.material | changes))

    short = claim.material["address"].replace("0x", "0x00", 1)[:66]
    assert reason(address=short) == "address-differs"
    assert reason(chain_id=2) == "network-differs"
    assert reason(chain_id=1) == "signed"
    for name in ("application", "nonce", "address", "chain_id"):
        assert reason(**{name: "x\nmessage: y"}) == "malformed-line"
    assert reason(nonce="") == reason(nonce="x" * 1_001) == "malformed-line"
    assert reason(application="") == "not-signed"


def test_a_text_cannot_move_between_the_lines_of_aptos() -> None:
    claim = make.aptos()
    longer = claim._replace(message=f"{TEXT}\nnonce: 8f2c", material=claim.material | {"nonce": "8f2c"})
    assert reason_of(longer) == "not-signed"


def test_a_key_that_an_aptos_address_does_not_show_is_unbound() -> None:
    claim = make.aptos()
    assert reason_of(claim._replace(account="aptos:1:0x" + "11" * 32)) == UNBOUND


def test_a_decred_signature_has_one_header_and_a_low_s() -> None:
    import base64

    raw = base64.b64decode(DECRED.signature)
    other = twin(raw[1:] + bytes([raw[0] - 31]))
    assert reason_of(DECRED._replace(signature=make.b64(bytes([31 + other[64]]) + other[:64]))) == "high-s"
    assert reason_of(DECRED._replace(signature=make.b64(bytes([raw[0] - 4]) + raw[1:]))) == "unknown-header"
    assert reason_of(DECRED._replace(signature=make.b64(bytes([31]) + bytes(64)))) == "no-such-key"
    assert reason_of(DECRED._replace(account="slip44:42:DsUZxxoHJSty8DCfwfartwTYbuhmVct7tJu")) == "signer-differs"


# The paper's two vectors (one and 72 zero bytes), texts of a Go package's tests, 300 bytes by the C reference; the
# edges of a block by blake256 0.1.1.
@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "716f6e863f744b9ac22c97ec7b76ea5f5908bc5b2f67c61510bfc4751384ea7a"),
        (bytes(1), "0ce8d4ef4dd7cd8d62dfded9d4edb0a774ae6a41929a74da23109e8f11139c87"),
        (bytes(72), "d419bad32d504fb7d44d460c42c5593fe544fa4c135dec31e21bd9abdcc22d41"),
        (b"BLAKE", "07663e00cf96fbc136cf7b1ee099c95346ba3920893d18cc8851f22ee2e36aa6"),
        (b"Go", "fd7282ecc105ef201bb94663fc413db1b7696414682090015f17e309b835f1c2"),
        (
            b"The quick brown fox jumps over the lazy dog",
            "7576698ee9cad30173080678e5965916adbb11cb5245d386bf1ffda1cb26c9d7",
        ),
        (
            bytes((place * 7 + 3) & 255 for place in range(300)),
            "334b4ea228a3df893fab49bb571a2fa57039ac909dea8c7d1a10d07f583cd6fa",
        ),
        (bytes(55), "dc980544f4181cc43505318e317cdfd4334dab81ae035a28818308867ce23060"),
        (bytes(56), "26ae7c289ebb79c9f3af2285023ab1037a9a6db63f0d6b6c6bbd199ab1627508"),
        (bytes(64), "6d994042954f8dc5633626cd50b2bc66d733a313d67fd9702c5a8149a8028c98"),
    ],
    ids=lambda value: str(len(value)),
)
def test_blake_256_is_the_published_function(data: bytes, digest: str) -> None:
    assert blake256(data).hex() == digest


def test_decreds_checksum_is_that_of_its_own_tests() -> None:
    """dcrutil, address tests: a key's hash and its address on the main network."""
    body = bytes.fromhex("073f2789d58cfa0957d206f025c2af056fc8a77cebb0")
    assert codec.base58(body + blake256(blake256(body))[:4]) == "DsUZxxoHJSty8DCfwfartwTYbuhmVct7tJu"
