"""Codecs agree with a second library (wallycore), which shares no code with the one we use."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.base_codecs import base58_check
from chains.bitcoin.address import address_of_script, script_of
from chains.bitcoin.descriptor import expand
from chains.errors import IdentifierError
from chains.ids import chain_id
from chains.network import network_of
from chains.signatures.multisig import Multisig, parse_multisig
from tests.builders.wallet_lists import key
from tests.chains import bip322_signer as sign
from tests.chains.test_bitcoin_descriptor import RANGED, REGTEST

wally = pytest.importorskip("wallycore")

BITCOIN = network_of(chain_id("bip122:000000000019d6689c085ae165831e93"))
WITNESS_VERSION_1 = 0x51


def scripts() -> st.SearchStrategy[bytes]:
    program = st.binary(min_size=20, max_size=20)
    long = st.binary(min_size=32, max_size=32)
    return st.one_of(
        program.map(lambda one: b"\x76\xa9\x14" + one + b"\x88\xac"),
        program.map(lambda one: b"\xa9\x14" + one + b"\x87"),
        program.map(lambda one: b"\x00\x14" + one),
        long.map(lambda one: b"\x00\x20" + one),
        long.map(lambda one: bytes([WITNESS_VERSION_1]) + b"\x20" + one),
    )


def theirs(script: bytes) -> str:
    if script[0] in (0, WITNESS_VERSION_1):
        return str(wally.addr_segwit_from_bytes(script, "bc", 0))
    return str(wally.scriptpubkey_to_address(script, wally.WALLY_NETWORK_BITCOIN_MAINNET))


@given(scripts())
def test_scripts_have_the_same_addresses_and_back(script: bytes) -> None:
    address = address_of_script(BITCOIN, script)
    assert address == theirs(script)
    assert script_of(BITCOIN, address) == script
    if script[0] in (0, WITNESS_VERSION_1):
        assert wally.addr_segwit_to_bytes(address, "bc", 0) == script
    else:
        assert wally.address_to_scriptpubkey(address, wally.WALLY_NETWORK_BITCOIN_MAINNET) == script


@given(scripts(), st.data())
def test_what_one_refuses_the_other_refuses(script: bytes, data: st.DataObject) -> None:
    address = theirs(script)
    place = data.draw(st.integers(0, len(address) - 1))
    letter = data.draw(st.sampled_from("023456789acdefghjklmnpqrstuvwxyzABCDEFGH1b"))
    changed = address[:place] + letter + address[place + 1 :]

    def ours() -> bytes | None:
        try:
            return script_of(BITCOIN, changed)
        except IdentifierError:
            return None

    def other() -> bytes | None:
        try:
            if changed.lower().startswith("bc1"):
                return bytes(wally.addr_segwit_to_bytes(changed, "bc", 0))
            return bytes(wally.address_to_scriptpubkey(changed, wally.WALLY_NETWORK_BITCOIN_MAINNET))
        except ValueError:
            return None

    assert ours() == other()


@given(st.binary(min_size=1, max_size=80))
def test_base58_with_a_checksum_is_the_same_text(content: bytes) -> None:
    assert base58_check(content) == wally.base58check_from_bytes(content)


# wallycore reads no script trees of Taproot; those are compared with what a real node derives.
READ_BY_BOTH = [one for one in RANGED if not one.startswith("tr(") or "," not in one]


@pytest.mark.parametrize("descriptor", READ_BY_BOTH)
def test_descriptors_stand_for_the_same_addresses(descriptor: str) -> None:
    parsed = wally.descriptor_parse(descriptor, None, wally.WALLY_NETWORK_BITCOIN_REGTEST, 0)
    variants, paths = wally.descriptor_get_num_variants(parsed), wally.descriptor_get_num_paths(parsed)
    first = 1 if descriptor.startswith("combo(") else 0  # its first form is a bare key, which has no address
    found = {
        wally.descriptor_to_address(parsed, variant, path, index, 0)
        for variant in range(first, variants)
        for path in range(paths)
        for index in range(3)
    }
    assert set(expand(REGTEST, descriptor, 0, 2)) == found


@given(st.integers(1, 5), st.lists(st.integers(1, 60), min_size=5, max_size=5, unique=True))
def test_multisig_scripts_are_read_as_they_are_written(required: int, numbers: list[int]) -> None:
    keys = [sign.public(number) for number in numbers]
    script = wally.scriptpubkey_multisig_from_bytes(b"".join(keys), required, 0)
    assert parse_multisig(bytes(script)) == Multisig(required, tuple(keys))


@given(st.binary(min_size=32, max_size=32))
def test_signatures_are_the_same_and_each_verifies_the_others(digest: bytes) -> None:
    secret = key(7)
    made = wally.ec_sig_from_bytes(secret.secret, digest, wally.EC_FLAG_ECDSA)
    assert wally.ec_sig_to_der(made) == secret.sign(digest, hasher=None)
    wally.ec_sig_verify(secret.public_key.format(), digest, wally.EC_FLAG_ECDSA, made)
    assert Decimal(len(made)) == 64
