"""BIP-322: every kind of address signs, and whatever was changed is refused, each change with its own reason."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bitcoin.address import address_of_script
from chains.errors import ChainError, IdentifierError
from chains.network import network_of
from chains.signatures import verify
from chains.signatures.bip322.transactions import parse_transaction
from chains.signatures.secp256k1 import ORDER
from tests.builders import wallet_lists as make
from tests.chains import bip322_signer as sign
from tests.chains.bip322_signer import KINDS, MESSAGE, How

pytest.importorskip("pbk")
IDS = [lock.name for lock in KINDS]
BY_NAME = {lock.name: lock for lock in KINDS}
SIGNED = [(lock, sign.signed(lock)) for lock in KINDS]
WPKH = BY_NAME["p2wpkh"]


def reason(lock, signature, message=MESSAGE, **material):
    result = verify("bip-322", lock.account, message, signature, **material)
    assert result.valid is (result.reason in ("signed", "valid-at"))
    return result.reason


def valid(account, message, signature):
    try:
        return verify("bip-322", account, message, signature).valid
    except ChainError:
        return False


def twin(signature):
    """The other s, in its own encoding, which the same key seems to have made too."""
    size = signature[3]
    s = ORDER - int.from_bytes(signature[6 + size : -1])
    number = s.to_bytes(s.bit_length() // 8 + 1)
    body = signature[2 : 4 + size] + bytes([2, len(number)]) + number
    return b"\x30" + bytes([len(body)]) + body + signature[-1:]


# --- what holds ---
@pytest.mark.parametrize("lock", KINDS, ids=IDS)
def test_every_kind_of_address_signs(lock):
    result = verify("bip-322", lock.account, MESSAGE, sign.signed(lock))
    assert (result.valid, result.reason, result.signer, result.scheme) == (True, "signed", lock.account, "bip-322")
    assert (result.valid_from_time, result.valid_from_age, result.inconclusive) == (0, 0, False)


@pytest.mark.parametrize("lock", KINDS, ids=IDS)
def test_the_full_form_serves_every_kind_with_and_without_a_prefix(lock):
    for prefix in ("ful", ""):
        assert reason(lock, sign.full(sign.message_transaction(lock), prefix)) == "signed"


@pytest.mark.parametrize("name", ["p2wpkh", "p2tr", "p2wsh-multisig", "p2tr-script"])
def test_the_simple_form_needs_no_prefix(name):
    assert reason(BY_NAME[name], sign.simple(sign.message_transaction(BY_NAME[name]), "")) == "signed"


@pytest.mark.parametrize("name", ["p2sh-p2wpkh", "p2sh-p2wsh-multisig"])
def test_wrapped_segwit_may_use_the_simple_form_of_before_the_prefixes_only(name):
    transaction = sign.message_transaction(BY_NAME[name])
    assert reason(BY_NAME[name], sign.simple(transaction, "")) == "signed"
    assert reason(BY_NAME[name], sign.simple(transaction, "smp")) == "simple-form-not-for-address"


@pytest.mark.parametrize("name", ["p2tr", "p2tr-script", "p2tr-script-2of2"])
def test_taproot_may_leave_the_byte_for_everything_out(name):
    for hash_type in (0, 1):
        assert reason(BY_NAME[name], sign.signed(BY_NAME[name], how=How(hash_type))) == "signed"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
@settings(deadline=None, max_examples=30)
def test_any_text_can_be_signed_and_no_other_text_is(message):
    signature = sign.signed(WPKH, message)
    assert reason(WPKH, signature, message) == "signed"
    assert reason(WPKH, signature, message + " ") == "not-signed"


def test_an_old_address_may_use_the_old_form():
    lock = BY_NAME["p2pkh"]
    compact = make.sign_bitcoin(7, make.BITCOIN, MESSAGE)
    assert reason(lock, compact) == "signed"
    assert reason(lock, compact, MESSAGE + "!") == "signer-differs"
    assert reason(WPKH, make.sign_bitcoin(7, make.BITCOIN, MESSAGE, 39)) == "compact-form-not-for-address"
    raw = base64.b64decode(compact)
    high = bytes([27 + (raw[0] - 27 ^ 1)]) + raw[1:33] + (ORDER - int.from_bytes(raw[33:])).to_bytes(32)
    assert reason(lock, base64.b64encode(high).decode()) == "high-s"


# --- what does not ---
@given(st.sampled_from(SIGNED), st.integers(0, 2000), st.integers(0, 7))
@settings(deadline=None, max_examples=300)
def test_one_flipped_bit_of_the_signature_is_never_valid(case, position, bit):
    lock, signature = case
    raw = bytearray(base64.b64decode(signature[3:]))
    raw[position % len(raw)] ^= 1 << bit
    changed = signature[:3] + base64.b64encode(raw).decode()
    result = verify("bip-322", lock.account, MESSAGE, changed)
    assert not result.valid, result


@given(st.sampled_from(SIGNED), st.integers(0, 2000), st.integers(0, 7))
@settings(deadline=None, max_examples=300)
def test_one_flipped_bit_of_any_text_is_never_valid(case, position, bit):
    lock, signature = case

    def flipped(text):
        raw = bytearray(text.encode())
        raw[position % len(raw)] ^= 1 << bit
        return raw.decode("latin-1")

    assert not valid(lock.account, flipped(MESSAGE), signature)
    assert not valid(lock.account, MESSAGE, flipped(signature))
    assert not valid(f"{make.BITCOIN}:{flipped(lock.address)}", MESSAGE, signature)


@given(st.sampled_from(SIGNED), st.integers(0, 159), st.integers(0, 7))
@settings(deadline=None, max_examples=200)
def test_one_flipped_bit_of_what_the_address_stands_for_is_never_valid(case, position, bit):
    lock, signature = case
    script = bytearray(lock.script)
    start = 3 if lock.name == "p2pkh" else 2
    script[start + position % 20] ^= 1 << bit
    address = address_of_script(network_of(make.BITCOIN), bytes(script))
    assert not valid(f"{make.BITCOIN}:{address}", MESSAGE, signature)


@pytest.mark.parametrize("lock", [lock for lock in KINDS if "taproot" not in lock.rules], ids=lambda lock: lock.name)
def test_a_high_s_is_refused(lock):
    assert reason(lock, sign.signed(lock, how=How(change=twin))) == "high-s"


@pytest.mark.parametrize("lock", [lock for lock in KINDS if "taproot" not in lock.rules], ids=lambda lock: lock.name)
def test_a_signature_in_another_encoding_is_refused(lock):
    longer = How(change=lambda raw: b"\x30" + bytes([raw[1] + 1]) + raw[2:3] + bytes([raw[3] + 1, 0]) + raw[4:])
    assert reason(lock, sign.signed(lock, how=longer)) == "non-canonical-der"


@pytest.mark.parametrize("lock", KINDS, ids=IDS)
def test_a_signature_must_cover_everything(lock):
    for hash_type in (2, 3, 0x81, 0x82, 0x83, 0x40):
        assert reason(lock, sign.signed(lock, how=How(hash_type))) == "sighash-not-all"


def test_elements_too_many_or_too_few_are_refused():
    def changed(name, change):
        transaction = sign.message_transaction(BY_NAME[name])
        first = transaction.inputs[0]
        spent = first._replace(witness=change(first.witness))
        return reason(BY_NAME[name], sign.full(transaction._replace(inputs=(spent,))))

    assert changed("p2wpkh", lambda witness: (b"\x01", *witness)) == "extra-witness"
    assert changed("p2wpkh", lambda witness: witness[1:]) == "witness-missing"
    assert changed("p2wsh-multisig", lambda witness: (b"\x01", *witness)) == "stack-not-clean"
    assert changed("p2tr-script", lambda witness: (b"\x01", *witness)) == "stack-not-clean"
    assert changed("p2tr", lambda witness: (*witness, b"\x01")) == "malformed-control-block"
    assert changed("p2pkh", lambda witness: (b"\x01",)) == "extra-witness"
    assert changed("p2wpkh", lambda witness: (b"", witness[1])) == "not-signed"
    assert changed("p2wsh-multisig", lambda witness: (b"", b"", b"", witness[3])) == "not-signed"
    assert changed("p2wsh-multisig", lambda witness: (b"", witness[1], b"", witness[3])) == "null-fail"
    assert changed("p2wsh-multisig", lambda witness: (b"\x01", *witness[1:])) == "extra-not-empty"


def test_one_signature_does_not_count_twice():
    for lock in (
        sign.p2wsh(sign.multisig(2, 11, 12), lambda signer: [b"", signer(11), signer(11)]),
        sign.p2sh(sign.multisig(2, 11, 11), lambda signer: [b"", signer(11), signer(11)]),
    ):
        assert reason(lock, sign.signed(lock)) == "repeated-signature"


def test_signatures_in_another_order_than_their_keys_are_refused():
    lock = sign.p2wsh(sign.TWO_OF_THREE, lambda signer: [b"", signer(13), signer(11)])
    assert reason(lock, sign.signed(lock)) == "not-signed"


def test_what_asks_for_no_signature_shows_nothing():
    empty = sign.p2wsh(sign.multisig(0, 11, 12), lambda _: [b""])
    anyone = sign.p2wsh(b"\x51", lambda _: [])
    secret = sign.p2wsh(b"\xa8" + sign.push(sign.sha256(b"secret").digest()) + b"\x87", lambda _: [b"secret"])
    for lock, expected in ((empty, "empty-multisig"), (anyone, "no-signature"), (secret, "no-signature")):
        assert reason(lock, sign.signed(lock)) == expected


def test_keys_that_are_no_points_are_refused():
    def by(key):
        return sign.p2wsh(sign.push(key) + sign.CHECKSIG, lambda signer: [signer(11)])

    for key, expected in (
        (b"\x00" * 33, "malformed-key"),
        (b"\x00", "malformed-key"),
        (b"\x06" + make.key(11).public_key.format(False)[1:], "malformed-key"),
        (b"\x02" + b"\xff" * 32, "no-such-key"),
    ):
        assert reason(by(key), sign.signed(by(key))) == expected
    nowhere = BY_NAME["p2tr"]._replace(script=b"\x51\x20" + b"\xff" * 32)
    assert reason(nowhere, sign.signed(nowhere)) == "no-such-key"


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("p2pkh", "76a914" + "01" * 20 + "88ac", "signer-differs"),
        ("p2wpkh", "0014" + "01" * 20, "signer-differs"),
        ("p2sh-multisig", "a914" + "01" * 20 + "87", "script-differs"),
        ("p2sh-p2wsh-multisig", "a914" + "01" * 20 + "87", "script-differs"),
        ("p2wsh-multisig", "0020" + "01" * 32, "script-differs"),
        ("p2tr-script", BY_NAME["p2tr"].script.hex(), "script-differs"),
        ("p2tr", BY_NAME["p2tr-script"].script.hex(), "not-signed"),
    ],
)
def test_another_owner_is_named_as_such(name, other, expected):
    lock = BY_NAME[name]._replace(script=bytes.fromhex(other))
    assert reason(lock, sign.full(sign.message_transaction(lock))) == expected


def test_the_two_transactions_have_one_shape():
    transaction = sign.message_transaction(WPKH)
    (first,), (output,) = transaction.inputs, transaction.outputs
    for changes, expected in (
        ({"outputs": (output, output)}, "extra-output"),
        ({"outputs": (output._replace(units=1),)}, "output-not-op-return"),
        ({"outputs": (output._replace(script=b"\x6a\x00"),)}, "output-not-op-return"),
        ({"outputs": (output._replace(script=WPKH.script),)}, "output-not-op-return"),
        ({"inputs": (first._replace(txid=b"\x01" * 32),)}, "to-spend-differs"),
        ({"inputs": (first._replace(vout=1),)}, "to-spend-differs"),
        ({"inputs": (first._replace(script=b"\x00"),)}, "script-sig-not-empty"),
        ({"inputs": (first, first)}, "repeated-input"),
        ({"inputs": (first, first._replace(txid=b"\x01" * 32))}, "coin-missing"),
        ({"inputs": (first, first._replace(txid=bytes(32), vout=0xFFFFFFFF))}, "no-outpoint"),
    ):
        assert reason(WPKH, sign.full(transaction._replace(**changes))) == expected, expected


def test_the_address_must_be_one_of_the_network():
    signature = sign.signed(WPKH)
    litecoin = make.p2wpkh(make.LITECOIN, 7)
    for address, expected in (
        (litecoin, "wrong-network"),
        (make.p2pkh(make.DOGECOIN, 7), "wrong-network"),
        ("nonsense", "malformed-address"),
        (WPKH.address[:-1] + "q", "malformed-address"),
    ):
        assert verify("bip-322", f"{make.BITCOIN}:{address}", MESSAGE, signature).reason == expected
    assert verify("bip-322", f"{make.LITECOIN}:{litecoin}", MESSAGE, signature).valid
    with pytest.raises(IdentifierError):
        verify("bip-322", f"{make.DOGECOIN}:{make.p2pkh(make.DOGECOIN, 7)}", MESSAGE, signature)


def test_what_is_no_signature_is_refused():
    good = sign.signed(WPKH)
    for text in ("", "smp", "ful", "pof", "smpAA", "smp" + good, good[3:] + "\n", good + "=", "ful" + good[3:]):
        assert reason(WPKH, text).startswith("malformed-"), text
    raw = sign.message_transaction(WPKH).serialize()
    for changed in (raw + b"\0", raw[:-1], raw[:4] + b"\x00\x02" + raw[6:], raw[:6] + b"\xfd\x01\x00" + raw[7:]):
        assert reason(WPKH, "ful" + sign.text(changed)) == "malformed-signature"
    old = sign.message_transaction(BY_NAME["p2pkh"]).serialize()
    marked = old[:4] + b"\x00\x01" + old[4:-4] + b"\x00" + old[-4:]  # it says that witnesses follow, and none does
    assert reason(BY_NAME["p2pkh"], "ful" + sign.text(old)) == "signed"
    assert reason(BY_NAME["p2pkh"], "ful" + sign.text(marked)) == "malformed-signature"
    assert reason(WPKH, "smp" + "A" * 1_400_000) == "signature-too-large"
    assert reason(WPKH, good, "\ud800") == "malformed-message"


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=300)
def test_no_bytes_whatever_stop_the_reader(raw):
    for prefix in ("", "smp", "ful", "pof"):
        assert not verify("bip-322", WPKH.account, MESSAGE, prefix + sign.text(raw)).valid
    assert reason(WPKH, "pof" + sign.text(b"psbt\xff" + raw)) == "malformed-psbt"


@pytest.mark.parametrize("lock", KINDS, ids=IDS)
def test_transactions_round_trip(lock):
    transaction = sign.message_transaction(lock, sequence=5, lock_time=6, version=2)
    assert parse_transaction(transaction.serialize(), "") == transaction
