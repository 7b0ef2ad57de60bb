"""Two other engines on the same scripts: Bitcoin Core's for the steps of a script, btclib's for whole signatures."""

import base64
import sys
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.errors import MissingExtraError
from chains.signatures import verify
from chains.signatures.bip322 import engine
from chains.signatures.bip322.engine import check_spends
from chains.signatures.bip322.operations import take
from chains.signatures.bip322.scripts import (
    decode_number,
    encode_number,
    is_minimal_push,
    operations,
    push,
    succeeds_whatever_follows,
    witness_program,
)
from chains.signatures.bip322.trace import Rules, Trace
from chains.signatures.bip322.transactions import Coin, RefusedError
from tests.chains import bip322_signer as sign
from tests.chains.bip322_signer import CHECKSIG, DROP, KINDS, MESSAGE, How, p2sh, p2tr_script, p2wsh

pytest.importorskip("pbk")
KEY, X = push(sign.public(11)), push(sign.x_only(11))
BY_ONE = lambda signer: [signer(11)]  # noqa: E731


def result(lock, signature):
    return verify("bip-322", lock.account, MESSAGE, signature)


def second_opinion(address, signature, message=MESSAGE):
    """Return what btclib says: valid, inconclusive or invalid."""
    from btclib.exceptions import BTClibException, InconclusiveError
    from btclib_wallet import bip322
    from ecc.exceptions import EccException

    try:
        bip322.assert_as_valid(message.encode(), address, signature)
    except InconclusiveError:
        return "inconclusive"
    except (BTClibException, EccException, ValueError):
        return "invalid"
    return "valid"


def state(found):
    return "valid" if found.valid else "inconclusive" if found.inconclusive else "invalid"


# --- btclib, which has an engine of its own ---
@given(st.sampled_from(KINDS), st.integers(0, 2000), st.integers(0, 7), st.sampled_from(("ful", "")))
@settings(deadline=None, max_examples=150)
def test_btclib_agrees_about_flipped_signatures(lock, position, bit, prefix):
    raw = bytearray(sign.message_transaction(lock).serialize())
    raw[position % len(raw)] ^= 1 << bit
    signature = prefix + base64.b64encode(raw).decode()
    ours = state(result(lock, signature))
    # btclib reads what has no prefix as the simple form alone; a node writes the full form so, and we read both
    if prefix:
        assert ours == second_opinion(lock.address, signature)
    assert ours != "valid"


@pytest.mark.parametrize("lock", KINDS, ids=lambda lock: lock.name)
def test_btclib_agrees_about_valid_and_malleated_signatures(lock):
    for hash_type in (0, 1, 2, 3, 0x81):
        signature = sign.signed(lock, how=How(hash_type))
        assert state(result(lock, signature)) == second_opinion(lock.address, signature), hash_type
    for numbers in ({"version": 1}, {"version": 2, "lock_time": 5}, {"version": 2, "sequence": 9}):
        signature = sign.full(sign.message_transaction(lock, **numbers))
        assert state(result(lock, signature)) == second_opinion(lock.address, signature), numbers
    assert second_opinion(lock.address, sign.signed(lock), MESSAGE + "!") == "invalid"


OPEN_TO_OTHER_READINGS = [
    # BIP-322 asks for something that is signed only by implication; what opens without a signature would "sign"
    # any message, so we refuse it
    (p2wsh(b"\x51", lambda _: []), "valid", "no-signature"),
    (p2wsh(sign.multisig(0, 11), lambda _: [b""]), "valid", "empty-multisig"),
    # one signature for two places of one key: consensus allows it, we count signatures once
    (p2wsh(sign.multisig(2, 11, 11), lambda signer: [b"", signer(11), signer(11)]), "valid", "repeated-signature"),
    # MINIMALIF: the standard makes no exception for scripts before SegWit; btclib's engine flag covers SegWit alone
    (
        p2sh(b"\x63" + KEY + CHECKSIG + b"\x67\x00\x68", lambda signer: [signer(11), b"\x02"]),
        "valid",
        "if-not-minimal",
    ),
    # an output anyone can spend (BIP-433) has no key: btclib takes it for a rule it knows, we leave it open
    (KINDS[3]._replace(script=b"\x51\x02\x4e\x73", unlock=lambda _: []), "valid", "inconclusive-witness-version"),
]


@pytest.mark.parametrize(("lock", "theirs", "ours"), OPEN_TO_OTHER_READINGS)
def test_where_btclib_and_we_differ_is_known(lock, theirs, ours):
    signature = sign.full(sign.message_transaction(lock))
    assert second_opinion(lock.address, signature) == theirs
    assert result(lock, signature).reason == ours


CASES = [
    p2sh(KEY + CHECKSIG + b"\x00" + KEY + CHECKSIG + b"\x93", BY_ONE),
    p2wsh(b"\x63" + KEY + CHECKSIG + b"\x67\x00\x68", lambda signer: [signer(11), b"\x02"]),
    p2wsh(b"\x01\x05" + DROP + KEY + CHECKSIG, BY_ONE),
    p2sh(KEY + CHECKSIG, lambda signer: [b"\x01", signer(11)]),
    p2wsh(b"\x00\x63\xab\x68" + KEY + CHECKSIG, BY_ONE),
    p2wsh(b"\xb0" + KEY + CHECKSIG, BY_ONE),
    p2tr_script(b"\x50" + X + CHECKSIG, BY_ONE),
    p2tr_script(X + CHECKSIG, BY_ONE, leaf=0xC2),
    p2tr_script(push(sign.public(11)) + CHECKSIG, BY_ONE),
    KINDS[3]._replace(script=b"\x52\x20" + b"\x07" * 32),
    p2wsh(sign.TWO_OF_THREE, lambda signer: [b"", signer(13), signer(11)]),
    p2wsh(sign.TWO_OF_THREE, lambda signer: [b"", signer(11), b""]),
    p2wsh(KEY + CHECKSIG + b"\x91", lambda signer: [signer(12)]),
]


@pytest.mark.parametrize("lock", CASES)
def test_btclib_agrees_about_the_rules_themselves(lock):
    signature = sign.full(sign.message_transaction(lock))
    assert state(result(lock, signature)) == second_opinion(lock.address, signature)
    assert state(result(lock, signature)) != "valid"


STRICTER = ("no-signature", "empty-multisig", "repeated-signature", "if-not-minimal")  # as explained above
PARTS = [
    *("11ac", "12ac", "11ad", "12ad", "11ac", "12ac", "many ae", "many af", "11ba"),
    *("76", "75", "7c", "78", "73", "91", "9a", "9b", "93", "69", "63", "64", "67", "68", "51", "00", "b0", "87", "88"),
]


def part(name, key):
    if name.startswith("many"):
        return sign.multisig(1, 11, 12)[:-1] + bytes.fromhex(name[5:])
    return push(key(int(name[:2]))) + bytes.fromhex(name[2:]) if len(name) == 4 else bytes.fromhex(name)


@given(
    st.sampled_from((p2wsh, p2sh, p2tr_script)),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=5),
    st.lists(st.sampled_from((11, 12, b"", b"\x01")), max_size=4),
)
@settings(deadline=None, max_examples=400)
def test_btclib_agrees_about_scripts_that_nobody_would_write(lock_of, parts, given_elements):
    code = b"".join(part(name, sign.x_only if lock_of is p2tr_script else sign.public) for name in parts)
    lock = lock_of(code, lambda signer: [signer(one) if isinstance(one, int) else one for one in given_elements])
    signature = sign.full(sign.message_transaction(lock))
    found = result(lock, signature)
    assert found.reason in STRICTER or state(found) == second_opinion(lock.address, signature)


# --- the pieces ---
@given(st.integers(-(2**31) + 1, 2**31 - 1))
@settings(deadline=None)
def test_numbers_round_trip(value):
    assert decode_number(encode_number(value)) == value


@given(st.binary(max_size=600))
@settings(deadline=None)
def test_pushes_round_trip(data):
    (operation,) = operations(push(data))
    assert operation.data == data
    assert is_minimal_push(operation)


STEPS = [*range(0x61, 0x65), 0x67, 0x68, 0x69, *range(0x6B, 0x7E), 0x82, 0x87, 0x88, *range(0x8B, 0xAB), 0xB1, 0xB2]


def engine_accepts(script, elements):
    """Tell whether Bitcoin Core's engine takes a P2SH coin's script with these elements."""
    lock = p2sh(script, lambda _: list(elements))
    transaction = sign.message_transaction(lock, sequence=0xFFFFFFFF)
    try:
        check_spends(transaction.serialize(), [Coin(0, lock.script)])
    except RefusedError:
        return False
    return True


@given(st.lists(st.integers(-3, 4), max_size=8), st.lists(st.sampled_from(STEPS), max_size=8))
@settings(deadline=None, max_examples=1500)
def test_our_steps_leave_the_stack_that_the_engine_has(numbers, codes):
    elements, script = [encode_number(number) for number in numbers], bytes(codes)
    trace = Trace(list(elements), Rules.LEGACY)
    try:
        trace.run(script)
    except RefusedError as error:
        if str(error) == "script-fails":
            assert not engine_accepts(script + b"\x51", elements)
        return
    if not any(code in (0xB1, 0xB2) for code in codes):  # locks are the engine's alone
        expected = b"".join(push(element) + b"\x88" for element in reversed(trace.stack))
        assert engine_accepts(b"".join([script, expected, b"\x51"]), elements)


@pytest.mark.parametrize("code", [code for code in STEPS if code not in (0x63, 0x64, 0x67, 0x68)])
def test_each_step_leaves_the_stack_that_the_engine_has(code):
    lists = [(1, 2, 3, 4, 5, 6), *product((-1, 0, 1, 2), repeat=3)]
    for elements in [list(map(encode_number, numbers)) for numbers in lists]:
        trace = Trace(list(elements), Rules.LEGACY)
        try:
            trace.run(bytes([code]))
        except RefusedError:
            assert not engine_accepts(bytes([code, 0x51]), elements)
            continue
        expected = b"".join(push(element) + b"\x88" for element in reversed(trace.stack))
        if code not in (0xB1, 0xB2):
            assert engine_accepts(bytes([code]) + expected + b"\x51", elements)


def test_the_opcodes_kept_for_later_are_those_of_the_engine():
    for code in range(0x4F, 0x100):
        lock = p2tr_script(bytes([code, 0x6A]), lambda _: [])  # RETURN fails whatever comes before, but for these
        spent = sign.message_transaction(lock)
        try:
            check_spends(spent.serialize(), [Coin(0, lock.script)])
        except RefusedError:
            assert not succeeds_whatever_follows(code), code
        else:
            assert succeeds_whatever_follows(code), code


def test_taking_too_many_elements_is_refused():
    with pytest.raises(RefusedError):
        take([b""], 2)
    with pytest.raises(RefusedError):
        take([b""], -1)
    assert witness_program(b"\x51") is None


def test_without_the_engine_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pbk", None)
    engine._library.cache_clear()
    with pytest.raises(MissingExtraError, match=r"reserve-verifier\[bitcoin\]"):
        result(KINDS[1], sign.signed(KINDS[1]))
