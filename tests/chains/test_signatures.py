"""Ownership signatures: made by other libraries, checked here; whatever was changed is refused."""

import base64
import json
from pathlib import Path
from typing import Any

import coincurve
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bitcoin.address import address_of_script, bitcoin_facts
from chains.errors import ChainError, IdentifierError
from chains.ids import ChainId
from chains.network import network_of, networks
from chains.signatures import SCHEMES, verify
from chains.signatures.bip137 import Kind, _script, message_digest
from chains.signatures.eip191 import message_digest as text_digest
from chains.signatures.secp256k1 import ORDER
from tests.builders import wallet_messages
from tests.chains.signature_cases import CASES
from tests.chains.test_wallet_schemes import CLAIMS

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "bip322" / "bip137.json"
BITCOIN = ChainId("bip122:000000000019d6689c085ae165831e93")
SOLANA = ChainId("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")
MESSAGE = "Example Exchange controls this wallet on 2026-11-22T00:00:00Z"
KEY = coincurve.PrivateKey(bytes(range(1, 33)))
BITCOIN_FAMILY = [chain for chain, network in networks().items() if network.bitcoin]
FIRST_HEADER = {Kind.P2PKH: 31, Kind.P2SH_P2WPKH: 35, Kind.P2WPKH: 39}


def bitcoin_account(kind, chain=BITCOIN, compressed=True):
    script = _script(kind, KEY.public_key.format(compressed=compressed))
    return f"{chain}:{address_of_script(network_of(chain), script)}"


def bitcoin_signature(first_header, chain=BITCOIN, message=MESSAGE):
    raw = KEY.sign_recoverable(message_digest(network_of(chain), message), hasher=None)
    return bytes([first_header + raw[64]]) + raw[:64]


def text(raw):
    return base64.b64encode(raw).decode()


def twin(compact):
    """The other s that verifies for the same key, with nothing else changed."""
    return compact[:32] + (ORDER - int.from_bytes(compact[32:], "big")).to_bytes(32, "big")


# --- BIP-137 ---
@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not on this machine")
def test_the_shared_vectors_have_their_expected_results():
    expected = {
        True: (True, True, "signed"),
        False: (False, False, None),
        "loose": (False, True, "lenient-header"),
        "malleable": (True, True, "high-s"),
    }
    cases = json.loads(VECTORS.read_text())
    assert len(cases) >= 10
    for name, address, message, signature, outcome in cases:
        strict = verify("bip-137", f"{BITCOIN}:{address}", message, signature)
        lenient = verify("bip-137", f"{BITCOIN}:{address}", message, signature, lenient=True)
        in_strict, in_lenient, reason = expected[outcome]
        assert (strict.valid, lenient.valid) == (in_strict, in_lenient), name
        assert reason is None or strict.reason == reason, name


@pytest.mark.parametrize("chain", BITCOIN_FAMILY)
@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_address_signs_on_every_network(chain, kind):
    if kind is not Kind.P2PKH and not bitcoin_facts(network_of(chain)).bech32_hrp:
        return
    account = bitcoin_account(kind, chain)
    signed = verify("bip-137", account, MESSAGE, text(bitcoin_signature(FIRST_HEADER[kind], chain)))
    assert signed[:5] == (True, "signed", "bip-137", account, account)


def test_another_networks_magic_makes_another_signature():
    litecoin = ChainId("bip122:12a765e31ffd4059bada1e25190f6e98")
    signature = text(bitcoin_signature(31, litecoin))
    assert verify("bip-137", bitcoin_account(Kind.P2PKH, litecoin), MESSAGE, signature).valid
    refused = verify("bip-137", bitcoin_account(Kind.P2PKH), MESSAGE, signature)
    assert (refused.valid, refused.reason) == (False, "signer-differs")


def test_the_header_must_fit_the_kind_of_address():
    for kind, header in FIRST_HEADER.items():
        for other, base in FIRST_HEADER.items():
            result = verify("bip-137", bitcoin_account(kind), MESSAGE, text(bitcoin_signature(base)))
            assert result.valid is (kind is other)
        result = verify("bip-137", bitcoin_account(kind), MESSAGE, text(bitcoin_signature(31)), lenient=True)
        assert (result.valid, result.reason) == (True, "signed" if header == 31 else "lenient-header")


def test_an_uncompressed_key_signs_for_its_own_address_only():
    signature = text(bitcoin_signature(27))
    assert verify("bip-137", bitcoin_account(Kind.P2PKH, compressed=False), MESSAGE, signature).valid
    assert not verify("bip-137", bitcoin_account(Kind.P2PKH), MESSAGE, signature).valid
    for kind in (Kind.P2SH_P2WPKH, Kind.P2WPKH):
        assert not verify("bip-137", bitcoin_account(kind), MESSAGE, signature, lenient=True).valid


def test_the_twin_with_a_high_s_is_valid_and_says_so():
    raw = bitcoin_signature(39)
    other = bytes([39 + ((raw[0] - 39) ^ 1)]) + twin(raw[1:])
    result = verify("bip-137", bitcoin_account(Kind.P2WPKH), MESSAGE, text(other))
    assert (result.valid, result.reason) == (True, "high-s")


def test_taproot_and_script_addresses_are_not_covered():
    for script in (b"\x51\x20" + bytes(32), b"\x00\x20" + bytes(32), b"\x51\x14" + bytes(20)):
        account = f"{BITCOIN}:{address_of_script(network_of(BITCOIN), script)}"
        result = verify("bip-137", account, MESSAGE, text(bitcoin_signature(39)), lenient=True)
        assert (result.valid, result.reason) == (False, "address-kind-not-covered")


@pytest.mark.parametrize("header", [0, 26, 43, 255])
def test_a_header_outside_the_standard_is_refused(header):
    raw = bytes([header]) + bitcoin_signature(31)[1:]
    assert verify("bip-137", bitcoin_account(Kind.P2PKH), MESSAGE, text(raw)).reason == "unknown-header"


@pytest.mark.parametrize("compact", [bytes(64), b"\xff" * 64, bytes(32) + b"\x01" * 32, b"\x01" * 32 + bytes(32)])
def test_values_no_key_can_sign_are_refused(compact):
    for recovery_id in range(4):
        result = verify("bip-137", bitcoin_account(Kind.P2PKH), MESSAGE, text(bytes([31 + recovery_id]) + compact))
        assert (result.valid, result.reason) == (False, "no-such-key")


def test_base64_has_one_spelling():
    good = text(bitcoin_signature(31))
    position = good.index("=") - 1
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spare = alphabet[alphabet.index(good[position]) ^ 1]
    spellings = [good + "\n", f" {good}", good.rstrip("="), good + "=", good[:position] + spare + "=", "", "é" * 88]
    for spelling in (*spellings, good[:40] + "\n" + good[40:], bitcoin_signature(31).hex()):
        result = verify("bip-137", bitcoin_account(Kind.P2PKH), MESSAGE, spelling)
        assert (result.valid, result.reason) == (False, "malformed-signature")


def test_btclib_agrees():
    from btclib.ecc import bms
    from btclib.exceptions import BTClibException

    def btclib_accepts(address, signature, message=MESSAGE):
        try:
            bms.assert_as_valid(message.encode(), address, signature)
        except BTClibException:
            return False
        return True

    for kind in Kind:
        account = bitcoin_account(kind)
        address = account.rpartition(":")[2]
        for base in FIRST_HEADER.values():
            signature = text(bitcoin_signature(base))
            ours = verify("bip-137", account, MESSAGE, signature, lenient=True).valid
            assert ours is btclib_accepts(address, signature), (kind, base)
        assert not btclib_accepts(address, text(bitcoin_signature(FIRST_HEADER[kind])), MESSAGE + "!")


@given(st.sampled_from(list(Kind)), st.integers(0, 64), st.integers(0, 7))
@settings(deadline=None, max_examples=300)
def test_one_flipped_bit_of_a_bitcoin_signature_is_refused(kind, position, bit):
    raw = bytearray(bitcoin_signature(FIRST_HEADER[kind]))
    raw[position] ^= 1 << bit
    assert not verify("bip-137", bitcoin_account(kind), MESSAGE, text(bytes(raw))).valid


def one_bit_off(text_, position, bit):
    raw = bytearray(text_.encode())
    raw[position % len(raw)] ^= 1 << bit
    return raw.decode("latin-1")


def still_valid(scheme, account, message, signature):
    try:
        return verify(scheme, account, message, signature).valid
    except ChainError:
        return False


@given(st.sampled_from(list(Kind)), st.integers(0, 200), st.integers(0, 7))
@settings(deadline=None, max_examples=300)
def test_one_flipped_bit_of_address_or_message_or_text_is_refused(kind, position, bit):
    account, signature = bitcoin_account(kind), text(bitcoin_signature(FIRST_HEADER[kind]))
    chain, _, address = account.rpartition(":")
    assert not still_valid("bip-137", f"{chain}:{one_bit_off(address, position, bit)}", MESSAGE, signature)
    assert not still_valid("bip-137", account, one_bit_off(MESSAGE, position, bit), signature)
    assert not still_valid("bip-137", account, MESSAGE, one_bit_off(signature, position, bit))


@pytest.mark.parametrize("length", [0, 252, 253, 65_535, 65_536])
def test_messages_of_every_length_prefix_are_signed(length):
    signature = text(bitcoin_signature(31, message="m" * length))
    assert verify("bip-137", bitcoin_account(Kind.P2PKH), "m" * length, signature).valid


# --- EIP-191 ---
def evm_account():
    from chains.evm.keccak import keccak256

    return "eip155:1:0x" + keccak256(KEY.public_key.format(compressed=False)[1:])[12:].hex()


def evm_signature(message=MESSAGE):
    return KEY.sign_recoverable(text_digest(message), hasher=None)


@pytest.mark.parametrize("offset", [0, 27])
@pytest.mark.parametrize("prefix", ["", "0x"])
def test_a_signed_text_is_valid_with_either_v_and_prefix(offset, prefix):
    raw = evm_signature()
    signature = prefix + (raw[:64] + bytes([raw[64] + offset])).hex()
    result = verify("eip-191", evm_account(), MESSAGE, signature)
    assert result[:5] == (True, "signed", "eip-191", evm_account(), evm_account())


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.binary(min_size=32, max_size=32))
@settings(deadline=None, max_examples=40)
def test_what_eth_account_signs_is_valid(message, seed):
    eth_account = pytest.importorskip("eth_account")
    from eth_account.messages import encode_defunct

    secret = (int.from_bytes(seed, "big") % (ORDER - 1) + 1).to_bytes(32, "big")
    signer = eth_account.Account.from_key(secret)
    signature = signer.sign_message(encode_defunct(text=message)).signature
    result = verify("eip-191", f"eip155:1:{signer.address}", message, f"0x{bytes(signature).hex()}")
    assert (result.valid, result.reason) == (True, "signed")
    assert result.signer == f"eip155:1:{signer.address.lower()}"


def test_the_twin_with_a_high_s_is_refused_on_ethereum():
    raw = evm_signature()
    other = twin(raw[:64]) + bytes([raw[64] ^ 1])
    assert coincurve.PublicKey.from_signature_and_message(other, text_digest(MESSAGE), hasher=None) == KEY.public_key
    assert verify("eip-191", evm_account(), MESSAGE, other.hex()).reason == "high-s"


@pytest.mark.parametrize("v", [2, 3, 26, 29, 35, 36, 255])
def test_a_v_outside_the_standard_is_refused(v):
    assert verify("eip-191", evm_account(), MESSAGE, (evm_signature()[:64] + bytes([v])).hex()).reason == "unknown-v"


def test_hex_is_read_strictly():
    good = evm_signature().hex()
    spellings = ["", "0x", good[:-2], good + "00", "0X" + good, f" {good}", f"{good}\n", "g" * 130, good[:-4] + "aAbB"]
    for spelling in spellings:
        assert verify("eip-191", evm_account(), MESSAGE, spelling).reason == "malformed-signature"


@given(st.integers(0, 64), st.integers(0, 7))
@settings(deadline=None, max_examples=300)
def test_one_flipped_bit_of_an_ethereum_signature_is_refused(position, bit):
    for offset in (0, 27):
        raw = bytearray(evm_signature())
        raw[64] += offset
        raw[position] ^= 1 << bit
        assert not verify("eip-191", evm_account(), MESSAGE, bytes(raw).hex()).valid


@given(st.integers(0, 200), st.integers(0, 7))
@settings(deadline=None, max_examples=300)
def test_one_flipped_bit_of_account_or_message_or_hex_is_refused(position, bit):
    account, signature = evm_account(), "0x" + evm_signature().hex()
    chain, _, address = account.rpartition(":")
    assert not still_valid("eip-191", f"{chain}:{one_bit_off(address, position, bit)}", MESSAGE, signature)
    assert not still_valid("eip-191", account, one_bit_off(MESSAGE, position, bit), signature)
    assert not still_valid("eip-191", account, MESSAGE, one_bit_off(signature, position, bit))


# --- the table ---
def example_of(scheme):
    """Return an account, a signature and the material of a scheme, in the form it takes them."""
    claims: list[Any] = [*CASES, *CLAIMS, *wallet_messages.claims()]
    claim = next((one for one in claims if one.scheme == scheme), None)
    if claim is not None:
        return claim.account, claim.signature, claim.material
    if scheme == "safe":
        return evm_account(), "0x", {"proof": "{}", "state_root": "0x" + "11" * 32}
    if scheme in ("bip-137", "bip-322", "bip-127"):
        return bitcoin_account(Kind.P2PKH), text(bitcoin_signature(31)), {}
    return evm_account(), evm_signature().hex(), {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_half_a_surrogate_pair_is_a_malformed_message(scheme):
    account, signature, material = example_of(scheme)
    assert verify(scheme, account, "\ud800", signature, **material).reason == "malformed-message"


def test_what_cannot_be_judged_fails_loudly():
    for scheme, account in (
        ("bip-9999", evm_account()),
        ("eip-191", bitcoin_account(Kind.P2PKH)),
        ("eip-191", "eip155:1:0x12"),
        ("eip-191", "nonsense"),
        ("bip-137", f"{BITCOIN}:1FvyAqqELFiQyaEWdhFbWF8MZapKPZS8J8"),
    ):
        with pytest.raises(IdentifierError):
            verify(scheme, account, MESSAGE, "")
    with pytest.raises(ChainError):
        verify("bip-137", evm_account(), MESSAGE, "")
