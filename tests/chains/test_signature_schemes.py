"""Every scheme published lists use: valid claims hold, changed ones do not, and an unbound key never passes."""

import base64

import coincurve
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bitcoin.address import version_bytes
from chains.errors import ChainError, IdentifierError, NetworkDataError
from chains.evm.keccak import keccak256
from chains.network import networks
from chains.signatures import UNBOUND, verify
from chains.signatures.coins import coins
from chains.signatures.ed25519 import ORDER as EDWARDS_ORDER
from chains.signatures.key_addresses import address_facts
from chains.signatures.recovered_account import escape
from chains.signatures.secp256k1 import ORDER
from tests.builders import wallet_lists as make
from tests.chains.signature_cases import CASES, MESSAGE, SCRIPT, Case

IDS = [case.name for case in CASES]


def check(case: Case, **changes):
    fields = case._replace(**{name: changes.pop(name) for name in ("account", "signature") if name in changes})
    message = changes.pop("message", MESSAGE)
    return verify(fields.scheme, fields.account, message, fields.signature, **{**fields.material, **changes})


def valid(case: Case, **changes) -> bool:
    try:
        return check(case, **changes).valid
    except ChainError:
        return False


def flipped(text: str, position: int, bit: int) -> str:
    raw = bytearray(text.encode())
    raw[position % len(raw)] ^= 1 << bit
    return raw.decode("latin-1")


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_claim_by_the_wallets_own_key_is_valid(case):
    result = check(case)
    assert (result.valid, result.reason, result.scheme) == (True, "signed", case.scheme)
    assert result.signer == case.account


@given(st.sampled_from(CASES), st.integers(0, 300), st.integers(0, 7))
@settings(deadline=None, max_examples=400)
def test_one_flipped_bit_of_account_or_message_or_signature_is_never_valid(case, position, bit):
    chain, _, address = case.account.rpartition(":")
    assert not valid(case, account=f"{chain}:{flipped(address, position, bit)}")
    assert not valid(case, message=flipped(MESSAGE, position, bit))
    changed = flipped(case.signature, position, bit)
    if changed.lower() != case.signature.lower():  # capital hex digits are the same digits
        assert not valid(case, signature=changed)


@given(st.sampled_from(CASES), st.integers(0, 64), st.integers(0, 7))
@settings(deadline=None, max_examples=400)
def test_one_flipped_bit_of_the_signatures_bytes_is_never_valid(case, position, bit):
    is_hex = case.signature.startswith("0x")
    raw = bytearray(bytes.fromhex(case.signature[2:]) if is_hex else base64.b64decode(case.signature))
    raw[position % len(raw)] ^= 1 << bit
    assert not valid(case, signature="0x" + raw.hex() if is_hex else base64.b64encode(raw).decode())


@given(st.sampled_from([case for case in CASES if case.material]), st.integers(0, 300), st.integers(0, 7))
@settings(deadline=None, max_examples=200)
def test_one_flipped_bit_of_key_script_or_second_signature_is_never_valid(case, position, bit):
    for name, value in case.material.items():
        text = value if isinstance(value, str) else value[0]
        changed = flipped(text, position, bit)
        if changed.lower() != text.lower():
            assert not valid(case, **{name: changed if isinstance(value, str) else (changed,)})


@pytest.mark.parametrize("case", [c for c in CASES if c.signature.startswith("0x") and "25519" not in c.scheme][:9])
def test_the_twin_with_a_high_s_is_refused_with_its_own_reason(case):
    raw = bytes.fromhex(case.signature[2:])
    twin = raw[:32] + (ORDER - int.from_bytes(raw[32:64], "big")).to_bytes(32, "big") + bytes([raw[64] ^ 7])
    twin = twin[:64] + bytes([27 + (raw[64] - 27 ^ 1)])
    assert check(case, signature="0x" + twin.hex()).reason == "high-s"


@pytest.mark.parametrize("case", [c for c in CASES if c.scheme == "bitcoin-message"][:5])
def test_a_bitcoin_message_with_a_high_s_is_refused(case):
    raw = base64.b64decode(case.signature)
    twin = bytes([(raw[0] - 27 ^ 1) + 27]) + raw[1:33] + (ORDER - int.from_bytes(raw[33:], "big")).to_bytes(32, "big")
    assert check(case, signature=base64.b64encode(twin).decode()).reason == "high-s"


def test_schemes_do_not_accept_each_others_signatures():
    forms = ("eip-191", "eip-191-hash", "keccak", "okx-keccak")
    for signed in forms:
        signature = make.sign(1, signed, MESSAGE)
        accepted = [form for form in forms if verify(form, f"eip155:1:{make.evm(1)}", MESSAGE, signature).valid]
        assert accepted == [signed]


def test_eth_account_signs_what_we_check():
    eth_account = pytest.importorskip("eth_account")
    from eth_account.messages import encode_defunct

    signer = eth_account.Account.from_key(make.key(1).secret)
    hashed = signer.sign_message(encode_defunct(keccak256(MESSAGE.encode()))).signature
    assert verify("eip-191-hash", f"eip155:1:{signer.address}", MESSAGE, f"0x{bytes(hashed).hex()}").valid
    bare = signer.unsafe_sign_hash(keccak256(MESSAGE.encode())).signature
    assert verify("keccak", f"eip155:1:{signer.address}", MESSAGE, f"0x{bytes(bare).hex()}").valid


def test_btclib_agrees_about_bitcoin_messages():
    from btclib.ecc import bms
    from btclib.exceptions import BTClibException

    from chains.signatures.bitcoin_message import _segwit_addresses

    def btclib_accepts(address, signature):
        try:
            bms.assert_as_valid(MESSAGE.encode(), address, signature)
        except BTClibException:
            return False
        return True

    coin, digest = coins()[make.BITCOIN], make.hash160(make.key(7).public_key.format())
    for address in (make.p2pkh(make.BITCOIN, 7), *_segwit_addresses(coin, digest)):
        for header in (27, 31, 35, 39):
            signature = make.sign_bitcoin(7, make.BITCOIN, MESSAGE, header)
            account = f"{make.BITCOIN}:{address}"
            ours = verify("bitcoin-message", account, MESSAGE, signature, lenient=True).valid
            assert ours is btclib_accepts(address, signature), (address, header)


# --- Bitcoin and its relatives ---
def multisig(required, keys, signers, chain=make.BITCOIN, start="3"):
    script = make.multisig(required, *keys)
    first, *more = [make.sign_bitcoin(number, chain, MESSAGE) for number in signers]
    account = f"{chain}:{escape(make.script_address(chain, script, start))}"
    return verify("bitcoin-message", account, MESSAGE, first, script=script, more_signatures=tuple(more))


def test_m_different_keys_must_sign():
    assert multisig(2, (11, 12, 13), (13, 11)).valid
    assert multisig(3, (11, 12, 13), (11, 12, 13)).valid
    assert multisig(2, (11, 12, 13), (11, 11)).reason == "too-few-signers"
    assert multisig(2, (11, 12, 13), (11,)).reason == "too-few-signers"
    assert multisig(2, (11, 12, 13), (11, 14)).reason == "signer-differs"
    assert multisig(1, (11, 12, 13), (11, 14)).reason == "signer-differs"


def test_scripts_that_ask_for_nothing_are_refused():
    assert multisig(0, (11, 12), (11,)).reason == "empty-multisig"
    assert multisig(3, (11, 12), (11, 12)).reason == "empty-multisig"
    assert multisig(2, (11, 11), (11, 11)).reason == "repeated-key"


def test_a_key_outside_the_curve_in_a_script_is_refused():
    script = "5121" + "02" + "ff" * 32 + "21" + make.key(11).public_key.format().hex() + "52ae"
    account = f"{make.BITCOIN}:{make.script_address(make.BITCOIN, script, '3')}"
    result = verify("bitcoin-message", account, MESSAGE, make.sign_bitcoin(11, make.BITCOIN, MESSAGE), script=script)
    assert result.reason == "no-such-key"


def test_a_script_must_be_the_addresss_own_and_a_multisig():
    account = f"{make.BITCOIN}:{make.script_address(make.BITCOIN, SCRIPT, '3')}"
    signature = make.sign_bitcoin(11, make.BITCOIN, MESSAGE)
    more = (make.sign_bitcoin(12, make.BITCOIN, MESSAGE),)
    other = make.multisig(2, 11, 12, 14)
    for script, reason in ((other, "script-differs"), ("zz", "malformed-script"), ("51", "script-differs")):
        result = verify("bitcoin-message", account, MESSAGE, signature, script=script, more_signatures=more)
        assert result.reason == reason
    drop = "7551"  # anyone can spend
    account = f"{make.BITCOIN}:{make.script_address(make.BITCOIN, drop, '3')}"
    result = verify("bitcoin-message", account, MESSAGE, signature, script=drop, more_signatures=more)
    assert result.reason == "not-a-multisig-script"


def test_an_address_that_stands_for_a_script_needs_the_script():
    for start in ("3", "bc1"):
        account = f"{make.BITCOIN}:{make.script_address(make.BITCOIN, SCRIPT, start)}"
        result = verify("bitcoin-message", account, MESSAGE, make.sign_bitcoin(11, make.BITCOIN, MESSAGE))
        assert result.reason == "script-missing"


def test_another_networks_address_is_refused_with_its_own_reason():
    signature = make.sign_bitcoin(7, make.LITECOIN, MESSAGE)
    for address in (make.p2pkh(make.DOGECOIN, 7), make.p2wpkh(make.BITCOIN, 7)):
        assert verify("bitcoin-message", f"{make.LITECOIN}:{address}", MESSAGE, signature).reason == "wrong-network"
    cash = "bitcoincash%3Aqpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"
    ecash = make.sign_bitcoin(7, make.BITCOIN_CASH, MESSAGE)
    assert verify("bitcoin-message", f"slip44:1899:{cash}", MESSAGE, ecash).reason == "wrong-network"
    for nonsense in ("nonsense", "1" * 34, "bc1"):
        result = verify("bitcoin-message", f"{make.LITECOIN}:{nonsense}", MESSAGE, signature)
        assert result.reason in ("malformed-address", "wrong-network")


def test_the_second_magic_of_a_coin_is_read_too():
    chain = "slip44:1899"
    for magic in (0, 1):
        signature = make.sign_bitcoin(7, chain, MESSAGE, magic=magic)
        assert verify("bitcoin-message", f"{chain}:{make.p2pkh(chain, 7)}", MESSAGE, signature).valid


def test_an_electrum_header_is_valid_only_when_asked_for():
    signature = make.sign_bitcoin(7, make.BITCOIN, MESSAGE, 31)
    account = f"{make.BITCOIN}:{make.p2wpkh(make.BITCOIN, 7)}"
    assert not verify("bitcoin-message", account, MESSAGE, signature).valid
    result = verify("bitcoin-message", account, MESSAGE, signature, lenient=True)
    assert (result.valid, result.reason) == (True, "lenient-header")


def test_an_uncompressed_key_has_its_own_address():
    from chains.base_codecs import base58_check

    address = base58_check(b"\0" + make.hash160(make.key(7).public_key.format(compressed=False)))
    for header, is_valid in ((27, True), (31, False)):
        signature = make.sign_bitcoin(7, make.BITCOIN, MESSAGE, header)
        assert verify("bitcoin-message", f"{make.BITCOIN}:{address}", MESSAGE, signature).valid is is_valid


def test_the_facts_of_coins_and_networks_agree():
    assert {chain for chain, network in networks().items() if network.bitcoin} <= coins().keys()
    for chain, network in networks().items():
        if network.bitcoin:
            assert coins()[chain].p2pkh == (version_bytes(network.bitcoin.p2pkh_prefix),)


# --- ed25519 ---
def test_a_key_that_signs_everything_is_refused():
    identity = "01" + "00" * 31
    result = verify("ed25519", f"{make.APTOS}:0x{'ab' * 32}", MESSAGE, identity + "00" * 32, public_key=identity)
    assert (result.valid, result.reason) == (False, "weak-key")


def test_s_has_one_value():
    raw = make.sign_edwards(3, "ed25519", MESSAGE)
    more = int.from_bytes(raw[32:], "little") + EDWARDS_ORDER
    other = raw[:32] + more.to_bytes(32, "little")
    account = f"{make.SOLANA}:{make.solana(3)}"
    assert verify("ed25519", account, MESSAGE, raw.hex()).valid
    assert verify("ed25519", account, MESSAGE, other.hex()).reason == "non-canonical"


@pytest.mark.parametrize("make_address", [make.solana, make.algorand])
def test_a_key_inside_the_address_need_not_be_named(make_address):
    chain = make.SOLANA if make_address is make.solana else make.ALGORAND
    signature = base64.b64encode(make.sign_edwards(3, "ed25519", MESSAGE)).decode()
    assert verify("ed25519", f"{chain}:{make_address(3)}", MESSAGE, signature).valid
    assert verify("ed25519", f"{chain}:{make_address(4)}", MESSAGE, signature).reason == "not-signed"
    assert verify("ed25519", f"{chain}:{make_address(3)}", MESSAGE, signature, public_key=make.solana(3)).valid
    other = {"public_key": make.edwards_public(3).hex()}
    assert verify("ed25519", f"{chain}:{make_address(4)}", MESSAGE, signature, **other).reason == "signer-differs"


def test_an_address_that_does_not_follow_from_the_key_is_unbound_and_never_valid():
    signature = make.sign_edwards(3, "okx-ed25519", MESSAGE).hex()
    material = {"public_key": make.edwards_public(3).hex()}
    for account in (f"{make.APTOS}:0x{'de' * 32}", "hedera:mainnet:0.0.1234", "near:mainnet:exchange.near"):
        result = verify("okx-ed25519", account, MESSAGE, signature, **material)
        assert (result.valid, result.reason) == (False, UNBOUND)
    named = make.key(1).public_key.format().hex()
    ripple = verify("okx-keccak", "xrpl:0:rrrrrrrrrrrrrrrrrrrrrhoLvTp", MESSAGE, make.sign(1, "okx-keccak", MESSAGE))
    assert (ripple.valid, ripple.reason) == (False, "signer-differs")
    unbound = verify(
        "okx-keccak",
        "xrpl:0:rrrrrrrrrrrrrrrrrrrrrhoLvTp",
        MESSAGE,
        make.sign(1, "okx-keccak", MESSAGE),
        public_key=named,
    )
    assert (unbound.valid, unbound.reason) == (False, UNBOUND)


def test_the_named_public_key_must_be_the_one_that_signed():
    account = f"eip155:66:{make.evm(1)}"
    signature = make.sign(1, "okx-keccak", MESSAGE)
    for number, is_valid in ((1, True), (2, False)):
        for compressed in (True, False):
            named = make.key(number).public_key.format(compressed=compressed).hex()
            result = verify("okx-keccak", account, MESSAGE, signature, public_key=named)
            assert result.valid is is_valid
            assert is_valid or result.reason == "public-key-differs"


def test_what_cannot_be_judged_fails_loudly():
    with pytest.raises(IdentifierError):
        verify("ed25519", f"eip155:1:{make.evm(1)}", MESSAGE, "00" * 64)
    with pytest.raises(IdentifierError):
        verify("tron-v2", f"eip155:1:{make.evm(1)}", MESSAGE, make.sign(1, "tron-v2", MESSAGE))
    with pytest.raises(NetworkDataError):
        verify("bitcoin-message", "bip122:ffffffffffffffffffffffffffffffff:1abc", MESSAGE, "")


def test_an_account_has_one_spelling():
    address = min(a for a in _ton() if "_" in a)
    signature = make.sign_edwards(3, "ed25519", MESSAGE).hex()
    material = {"public_key": make.edwards_public(3).hex()}
    assert verify("ed25519", f"tvm:-239:{escape(address)}", MESSAGE, signature, **material).valid
    for other in (escape(address).replace("%5F", "%5f"), escape(address).replace("A", "%41", 1)):
        if other != escape(address):
            with pytest.raises(IdentifierError):
                verify("ed25519", f"tvm:-239:{other}", MESSAGE, signature, **material)


def _ton():
    from chains.signatures.ton_wallets import ton_addresses

    return ton_addresses(make.edwards_public(3))


def test_every_rule_of_the_chains_table_exists():
    from chains.signatures import key_addresses

    for facts in address_facts().values():
        assert facts.rule in (key_addresses._SECP256K1 if facts.curve == "secp256k1" else key_addresses._ED25519)


def test_the_point_at_infinity_is_no_key():
    with pytest.raises(ValueError):
        coincurve.PublicKey(b"\0" * 33)
    assert check(CASES[0], signature="0x" + "00" * 65).reason == "no-such-key"
