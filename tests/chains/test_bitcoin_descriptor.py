"""Descriptors stand for exactly the addresses a real node derives, and never hold a secret."""

import pytest
from btclib import base58
from btclib_wallet.bip32 import bip32
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin.descriptor import (
    EXTENDED_KEYS,
    MAX_ADDRESSES,
    MAX_INDEX,
    MAX_LENGTH,
    descriptor_of_extended_key,
    expand,
    is_ranged,
)
from chains.errors import IdentifierError
from chains.ids import chain_id
from chains.network import network_of
from tests.live.bitcoind import knots

BITCOIN = network_of(chain_id("bip122:000000000019d6689c085ae165831e93"))
REGTEST = network_of(chain_id("bip122:0f9188f13cb7b2c71f2a335e3a4fc328"))
LITECOIN = network_of(chain_id("bip122:12a765e31ffd4059bada1e25190f6e98"))

ROOTS = [bip32.rootxprv_from_seed(bytes([number]) * 32, bytes.fromhex("04358394")) for number in (1, 2, 3)]
A, B, C = (bip32.xpub_from_xprv(bip32.derive(root, "m/48h/1h/0h")) for root in ROOTS)
MAIN_ROOT = bip32.rootxprv_from_seed(b"\x04" * 32, bytes.fromhex("0488ade4"))
MAIN = bip32.xpub_from_xprv(MAIN_ROOT)
K1 = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
K2 = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
UNCOMPRESSED = (
    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
)
RANGED = [
    f"pkh({A}/0/*)",
    f"wpkh({A}/1/*)",
    f"wpkh([d34db33f/84h/1h/0h]{A}/0/*)",
    f"sh(wpkh({A}/0/*))",
    f"sh(multi(2,{A}/0/*,{B}/0/*))",
    f"sh(sortedmulti(1,{A}/0/*,{K1}))",
    f"wsh(multi(2,{A}/0/*,{B}/0/*,{C}/0/*))",
    f"wsh(sortedmulti(2,{A}/0/*,{B}/0/*,{C}/0/*))",
    f"sh(wsh(sortedmulti(2,{C}/0/*,{B}/0/*,{A}/0/*)))",
    f"wsh(and_v(v:pk({A}/0/*),older(144)))",
    f"tr({A}/0/*)",
    f"tr({A}/0/*,pk({B}/0/*))",
    f"tr({A}/0/*,{{pk({B}/0/*),multi_a(1,{C}/0/*,{B}/1/*)}})",
    f"combo({A}/0/*)",
    f"wpkh({A}/<0;1>/*)",
    f"wsh(sortedmulti(2,{A}/<0;1>/*,{B}/<2;3>/*))",
]
SINGLE = [
    f"pkh({K1})",
    f"pkh({UNCOMPRESSED})",
    f"wpkh({K1})",
    f"sh(wsh(pkh({K2})))",
    f"tr({K1[2:]})",
    f"rawtr({K1[2:]})",
    f"combo({K1})",
    f"sh(sortedmulti(1,{K2},{K1}))",
]


def _flat(answer: list[object]) -> tuple[object, ...]:
    """Flatten what deriveaddresses answers: a list per path for a multipath descriptor."""
    return tuple(item for part in answer for item in (part if isinstance(part, list) else [part]))


@pytest.mark.real_bitcoind
def test_every_form_gives_the_addresses_that_knots_derives() -> None:
    with knots() as node:
        for descriptor in RANGED:
            checked = f"{descriptor}#{node.call('getdescriptorinfo', descriptor)['checksum']}"
            expected = _flat(node.call("deriveaddresses", checked, [3, 12]))
            assert expand(REGTEST, checked, 3, 12) == expected, descriptor
            assert is_ranged(REGTEST, checked)
        for descriptor in SINGLE:
            checked = f"{descriptor}#{node.call('getdescriptorinfo', descriptor)['checksum']}"
            assert expand(REGTEST, checked) == _flat(node.call("deriveaddresses", checked)), descriptor
            assert not is_ranged(REGTEST, checked)


@pytest.mark.real_litecoind
def test_litecoin_addresses_follow_from_the_same_descriptors() -> None:
    from tests.live.bitcoind import litecoind

    with litecoind() as node:
        for descriptor in (f"pkh({A}/0/*)", f"wpkh({A}/0/*)", f"sh(wpkh({A}/0/*))", f"wsh(multi(1,{A}/0/*,{K1}))"):
            checked = node.call("getdescriptorinfo", descriptor)["descriptor"]
            assert expand(node.network, checked, 0, 4) == _flat(node.call("deriveaddresses", checked, [0, 4]))


def test_a_wrong_checksum_is_refused_and_the_right_one_named() -> None:
    right = descriptor_of_extended_key(MAIN).rpartition("#")
    with pytest.raises(IdentifierError, match=right[2]):
        expand(BITCOIN, f"{right[0]}#qqqqqqqq")
    assert expand(BITCOIN, "".join(right)) == expand(BITCOIN, right[0])


@given(st.integers(0, len(MAIN) + 20), st.sampled_from("abcdefgh0123456789()/*"))
def test_any_changed_character_breaks_the_checksum(position: int, other: str) -> None:
    descriptor = descriptor_of_extended_key(MAIN)
    position %= len(descriptor)
    changed = descriptor[:position] + other + descriptor[position + 1 :]
    if changed != descriptor:
        with pytest.raises(IdentifierError):
            expand(BITCOIN, changed)


WIF = base58.encode(b"\x80" + b"\x07" * 32 + b"\x01").decode()
SECRETS = {
    "xprv": f"wpkh({MAIN_ROOT}/0/*)",
    "xprv in a multisig": f"wsh(multi(1,{MAIN}/0/*,{MAIN_ROOT}/0/*))",
    "damaged xprv": f"wpkh({MAIN_ROOT[:-1]}q/0/*)",
    "WIF": f"wpkh({WIF})",
    "damaged WIF": f"wpkh({WIF[:-1]}1)",
    "uncompressed WIF": f"pkh({base58.encode(bytes([0x80]) + bytes([7]) * 32).decode()})",
    "test WIF": f"wpkh({base58.encode(bytes([0xEF]) + bytes([7]) * 32 + bytes([1])).decode()})",
    "Litecoin WIF": f"wpkh({base58.encode(bytes([0xB0]) + bytes([7]) * 32 + bytes([1])).decode()})",
}


@pytest.mark.parametrize("descriptor", SECRETS.values(), ids=SECRETS.keys())
def test_a_private_key_is_refused_and_not_repeated(descriptor: str) -> None:
    with pytest.raises(IdentifierError, match="private key") as caught:
        expand(BITCOIN, descriptor)
    message = str(caught.value)
    for secret in (MAIN_ROOT, WIF):
        assert secret[4:20] not in message


def test_a_script_without_an_address_is_refused() -> None:
    for descriptor in (f"pk({K1})", f"multi(1,{K1},{K2})", "raw(6a0100)"):
        with pytest.raises(IdentifierError, match="without an address"):
            expand(BITCOIN, descriptor)


def test_addr_stands_for_its_address_of_this_network_only() -> None:
    address = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
    assert expand(BITCOIN, f"addr({address.upper()})") == (address,)
    with pytest.raises(IdentifierError, match="not of Litecoin"):
        expand(LITECOIN, f"addr({address})")


def test_keys_of_test_networks_are_refused_for_real_money() -> None:
    with pytest.raises(IdentifierError):
        expand(BITCOIN, f"wpkh({A}/0/*)")
    with pytest.raises(IdentifierError):
        expand(REGTEST, f"wpkh({MAIN}/0/*)")


def test_ranges_are_bounded_before_anything_is_derived() -> None:
    ranged = f"wpkh({MAIN}/0/*)"
    for first, last in ((0, MAX_ADDRESSES), (-1, 0), (5, 4), (MAX_INDEX, MAX_INDEX + 1)):
        with pytest.raises(IdentifierError):
            expand(BITCOIN, ranged, first, last)
    with pytest.raises(IdentifierError, match="2 path"):
        expand(BITCOIN, f"wpkh({MAIN}/<0;1>/*)", 0, MAX_ADDRESSES // 2)
    with pytest.raises(IdentifierError, match="no index 1"):
        expand(BITCOIN, f"wpkh({K1})", 0, 1)
    assert len(expand(BITCOIN, ranged, MAX_INDEX, MAX_INDEX)) == 1


def test_a_hardened_step_needs_the_private_key_and_says_so() -> None:
    with pytest.raises(IdentifierError, match="cannot be derived"):
        expand(BITCOIN, f"wpkh({MAIN}/0h/*)")


@pytest.mark.parametrize(
    "text", ["", "x" * (MAX_LENGTH + 1), "(" * 5000, "wsh(" * 60, "tr({{{{", "é", "addr()", "wpkh()", "#"]
)
def test_what_is_no_descriptor_is_an_identifier_error(text: str) -> None:
    with pytest.raises(IdentifierError):
        expand(BITCOIN, text)


@given(st.text(alphabet="wpkhstrcombu(){},/*<;>#0123456789'h[]", max_size=60))
def test_any_text_is_a_descriptor_or_an_identifier_error(text: str) -> None:
    try:
        expand(BITCOIN, text)
    except IdentifierError:
        return


@pytest.mark.parametrize(
    ("version", "script"), [("0488b21e", "pkh"), ("049d7cb2", "sh(wpkh"), ("04b24746", "wpkh"), ("019da462", "pkh")]
)
def test_an_extended_key_names_its_wallet(version: str, script: str) -> None:
    key = base58.encode(bytes.fromhex(version) + base58.decode(MAIN)[4:]).decode()
    descriptor = descriptor_of_extended_key(key)
    assert descriptor.startswith(f"{script}({MAIN}/<0;1>/*)")
    assert len(expand(BITCOIN, descriptor, 0, 1)) == 4


def test_a_multisig_prefix_or_a_private_extended_key_names_no_wallet() -> None:
    for version, prefix in EXTENDED_KEYS.items():
        if not prefix.template:
            with pytest.raises(IdentifierError, match="multisig"):
                descriptor_of_extended_key(base58.encode(version + base58.decode(MAIN)[4:]).decode())
    for secret in (MAIN_ROOT, ROOTS[0]):
        with pytest.raises(IdentifierError, match="private key"):
            descriptor_of_extended_key(secret)
    for text in ("", "xpub", MAIN[:-1] + "1", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"):
        with pytest.raises(IdentifierError):
            descriptor_of_extended_key(text)


def test_the_published_example_of_bip_84_gives_its_published_addresses() -> None:
    zpub = (
        "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNf"
        "E3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
    )
    assert expand(BITCOIN, descriptor_of_extended_key(zpub), 0, 1) == (
        "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
        "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g",
        "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el",
        "bc1qggnasd834t54yulsep6fta8lpjekv4zj6gv5rf",
    )
