"""Bitcoin-family addresses: one spelling, the right network, no undetected typing error, no secret repeated."""

import random

import pytest
from btclib import base58, bech32
from hypothesis import assume, given
from hypothesis import strategies as st

from chains.bitcoin.address import address_of_script, bitcoin_facts, canonical_address, script_of
from chains.bitcoin.private_keys import refuse_private_keys
from chains.errors import IdentifierError
from chains.network import Network, networks

FAMILY = [network for network in networks().values() if network.bitcoin]
BY_NAME = {network.name: network for network in FAMILY}
BITCOIN, LITECOIN = BY_NAME["Bitcoin"], BY_NAME["Litecoin"]
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
LEGACY = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"


def _witness(version: int, program: bytes) -> bytes:
    return bytes([0x50 + version if version else 0, len(program)]) + program


hash160 = st.binary(min_size=20, max_size=20)
scripts = st.one_of(
    hash160.map(lambda value: b"\x76\xa9\x14" + value + b"\x88\xac"),
    hash160.map(lambda value: b"\xa9\x14" + value + b"\x87"),
    hash160.map(lambda value: _witness(0, value)),
    st.binary(min_size=32, max_size=32).map(lambda value: _witness(0, value)),
    st.tuples(st.integers(1, 16), st.binary(min_size=2, max_size=40)).map(lambda pair: _witness(*pair)),
)


@given(scripts, st.sampled_from(FAMILY))
def test_script_to_address_and_back_is_the_identity(script: bytes, network: Network) -> None:
    address = address_of_script(network, script)
    assume(address is not None or bitcoin_facts(network).bech32_hrp)  # without SegWit there are fewer addresses
    assert address is not None
    assert script_of(network, address) == script
    assert canonical_address(network, address) == address


@given(scripts, st.sampled_from(FAMILY), st.data())
def test_any_changed_character_is_refused(script: bytes, network: Network, data: st.DataObject) -> None:
    address = address_of_script(network, script) or ""
    assume(address or bitcoin_facts(network).bech32_hrp)
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l" if address == address.lower() else "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    position = data.draw(st.integers(0, len(address) - 1))
    other = data.draw(st.sampled_from(alphabet).filter(lambda character: character != address[position]))
    with pytest.raises(IdentifierError):
        canonical_address(network, address[:position] + other + address[position + 1 :])


@given(st.text(max_size=100), st.sampled_from(FAMILY))
def test_any_text_is_an_address_or_an_identifier_error(text: str, network: Network) -> None:
    try:
        script_of(network, text)
    except IdentifierError:
        return
    assert address_of_script(network, script_of(network, text)) == canonical_address(network, text)


@given(st.binary(max_size=45), st.sampled_from(FAMILY))
def test_any_script_has_a_readable_address_or_none(script: bytes, network: Network) -> None:
    address = address_of_script(network, script)
    assert address is None or script_of(network, address) == script


def test_capital_letters_are_lowered_and_mixed_case_is_refused() -> None:
    assert canonical_address(BITCOIN, SEGWIT.upper()) == SEGWIT
    with pytest.raises(IdentifierError, match="mixed case"):
        canonical_address(BITCOIN, SEGWIT[:10] + SEGWIT[10:].upper())


@pytest.mark.parametrize(
    ("network", "address", "belongs"),
    [
        (LITECOIN, SEGWIT, "Bitcoin"),
        (LITECOIN, LEGACY, "Bitcoin"),
        (BITCOIN, "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", "Litecoin"),
        (BITCOIN, "LVuDpNCSSj6pQ7t9Pv6d6sUkLKoqDEVUnJ", "Litecoin"),
        (BITCOIN, "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "signet"),
        (BITCOIN, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "regtest"),
    ],
)
def test_another_networks_address_is_named_as_such(network: Network, address: str, belongs: str) -> None:
    with pytest.raises(IdentifierError, match=f"address of .*{belongs}.* not of {network.name}"):
        canonical_address(network, address)


@pytest.mark.parametrize(("version", "checksum"), [(0, bech32.BECH32_M_CONST), (1, bech32.BECH32_1_CONST)])
def test_a_witness_version_under_the_other_versions_checksum_is_refused(version: int, checksum: int) -> None:
    address = bech32.encode("bc", [version, *[0] * 52], checksum).decode()
    with pytest.raises(IdentifierError, match="invalid checksum"):
        script_of(BITCOIN, address)


@pytest.mark.parametrize(
    "digits",
    [[0], [0, *[0] * 31], [17, *[0] * 32], [1, 0, 0], [0, *[0] * 33], [0, *[0] * 51, 1]],
    ids=["no program", "19 bytes", "version 17", "1 byte", "a digit too many", "padding that is not zero"],
)
def test_a_right_checksum_over_no_witness_program_is_refused(digits: list[int]) -> None:
    with pytest.raises(IdentifierError, match=r"witness program|checksum"):
        script_of(BITCOIN, bech32.encode("bc", digits).decode())


def test_a_base58_payload_of_the_wrong_length_is_refused() -> None:
    for length in (19, 21):
        with pytest.raises(IdentifierError):
            script_of(BITCOIN, base58.encode(bytes([0]) + bytes(length)).decode())


def test_a_private_key_in_place_of_an_address_is_not_repeated() -> None:
    secret = base58.encode(b"\x80" + b"\x07" * 32 + b"\x01").decode()
    with pytest.raises(IdentifierError, match="private key") as caught:
        canonical_address(BITCOIN, secret)
    assert secret[5:] not in str(caught.value)


def test_an_address_is_never_taken_for_a_private_key() -> None:
    # between its zeros this one holds 52 characters of Base58 that start as a key in wallet import format does
    tricky = "bc1qlymttv099e78xp37u6yv2q6pycgmnccwgx3q9qwj9d64xvusf2rsy5cap4"
    assert canonical_address(BITCOIN, tricky) == tricky
    numbers = random.Random(20261122)
    for _ in range(3000):
        script = _witness(0, numbers.randbytes(32))
        address = address_of_script(BITCOIN, script) or ""
        refuse_private_keys(f"addr({address})")
        assert script_of(BITCOIN, address) == script


def test_scripts_without_an_address_have_none() -> None:
    for script in (b"", b"\x6a\x01\x00", b"\x21" + b"\x02" * 33 + b"\xac", b"\x00\x15" + bytes(21)):
        assert address_of_script(BITCOIN, script) is None


def test_every_network_of_the_family_has_its_own_prefixes_described() -> None:
    without_segwit = {network.symbol for network in FAMILY if not bitcoin_facts(network).bech32_hrp}
    assert without_segwit == {"BCH", "DOGE", "DASH", "ZEC"}


BCH = BY_NAME["Bitcoin Cash"]
HASH = "76a04053bda0a88bda5177b86a15c3b29f559873"
P2PKH, P2SH = "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq"


# the specification's own table: with and without prefix, in capitals, and as the older address
@pytest.mark.parametrize(
    ("spelling", "canonical", "script"),
    [
        (f"bitcoincash:{P2PKH}", P2PKH, f"76a914{HASH}88ac"),
        (P2PKH.upper(), P2PKH, f"76a914{HASH}88ac"),
        ("1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu", P2PKH, f"76a914{HASH}88ac"),
        ("3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC", P2SH, f"a914{HASH}87"),
    ],
)
def test_bitcoin_cash_has_one_spelling_for_each_script(spelling: str, canonical: str, script: str) -> None:
    assert (canonical_address(BCH, spelling), script_of(BCH, spelling).hex()) == (canonical, script)


def test_a_32_byte_script_hash_of_bitcoin_cash_comes_back() -> None:
    script = b"\xaa\x20" + bytes(range(32)) + b"\x87"
    assert script_of(BCH, str(address_of_script(BCH, script))) == script


@pytest.mark.parametrize("address", [f"bitcoincash:Q{P2PKH[1:]}", f"bchtest:{P2PKH}", SEGWIT])
def test_what_is_no_address_of_bitcoin_cash_is_refused(address: str) -> None:
    with pytest.raises(IdentifierError):
        canonical_address(BCH, address)


def test_a_transparent_zcash_address_has_a_prefix_of_two_bytes() -> None:
    zcash = BY_NAME["Zcash"]
    script = b"\x76\xa9\x14" + bytes(range(20)) + b"\x88\xac"
    address = address_of_script(zcash, script)
    assert str(address).startswith("t1")
    assert script_of(zcash, str(address)) == script
