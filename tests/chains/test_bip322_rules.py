"""BIP-322's rules beyond consensus, one by one, and its time locks."""

import pytest

from chains.signatures import verify
from chains.signatures.bip322.scripts import (
    encode_number,
    push,
)
from tests.builders import wallet_lists as make
from tests.chains import bip322_signer as sign
from tests.chains.bip322_signer import CHECKSIG, DROP, EVERYTHING, KINDS, MESSAGE, How, p2sh, p2tr_script, p2wsh

pytest.importorskip("pbk")
KEY, X = push(sign.public(11)), push(sign.x_only(11))
BY_ONE = lambda signer: [signer(11)]  # noqa: E731
# Four of BIP-322's own generated vectors (CC0): address, message, lock time and relative lock 2016, full form.
LOCKED = [
    (
        "164P4mbDkPcyvRnFGAZd1ThjxSj7Fbsywz",
        "GI2SVNWVCWTEEIMFZFFZYAQNSA",
        "AgAAAAGEmHuloQANVIqnpMegGLNFKwAGE0Urv0a/uMiHnJ+FQwAAAABrSDBFAiEAr8VdqPCZU/oVqKKj2WwHfeCX/lzp+Rfk8d59cS9xdGECIA"
        "ar0nievDdeVstmIgjfM7kzMepL6HrecBuJtgEitFxBASECzgU8WF30ffzpbdClcw/0NBkTCkuRbiEzr+CTXePjiPfgBwAAAQAAAAAAAAAAAWrg"
        "BwAA",
    ),
    (
        "bc1peeyux4l3g6wmq23hsl6hytndlu89emtvqrw0k222hgnfvys8yw8sehzpun",
        "5WCQVNSZADVB2U447BH2A44Y4X",
        "AgAAAAABARTMGFokvM/viA990Uz2acpongloH+NqLgjm1grzw7C1AAAAAADgBwAAAQAAAAAAAAAAAWoEQAl8+ry6NBWeMu08ZpB9fJVnTiWQJy"
        "1i5LOfmtDr8DLWVvSUyKAwNQK7EyIPJlQhATz/7cw3Oywj0+dF0NHS9mMAS2MgrYfXhOkh0CvwuJpB+O3tal2ECfO0v7k1/A4PTlGcQiBnAuAH"
        "snUg15isG0dq0JWAnqDPzUnq+bMlf+cWyLUGg00iNZeg0D5orCHB15isG0dq0JWAnqDPzUnq+bMlf+cWyLUGg00iNZeg0D7gBwAA",
    ),
    (
        "37HVPoc7ZsU5C9Z2VKcCkSLzEknYXCzm3s",
        "OQXDXSR5SN5N7WRXSPTI462HKH",
        "AgAAAAABAbtjBsUTHnoyuNG4NGbx6cI1Z01QLlfGHJX/WIRCAU6/AAAAABcWABTGXFmsgRqCkic6D+eE4AKm1iyVhuAHAAABAAAAAAAAAAABag"
        "JHMEQCIBp/IMJTnnhI6YrHJwIQbfucoizq0esZ35QRxtpXuk7fAiAGx6kSd9BuPDY+R0sHTJU0ZFtScJI8ASojEHwrClKxDQEhAl3boe/68fHv"
        "tuYzRkaS3GOSxnUTJwejjrubm+czK+Yi4AcAAA==",
    ),
    (
        "bc1q9dtw8dz93e7w6v5w8tra2et0vhz3wct3hpvl4tk5vrac9xz8szwqtvf0e2",
        "TOJXD6LSM3XO5OQ4QBQSL56I22",
        "AgAAAAABARVzK6W+9P3uKAmwv5xuqaftTkpGVj+1VWPgnqAVBFPyAAAAAADgBwAAAQAAAAAAAAAAAWoDSDBFAiEA82QBQkW16bqrm2mfKOLubq"
        "M2XHM+042kNMIor103anACICxp8esh++3RqSzqeefA+nlZoejw4pJJeubRTC9d6kZaAQBNYyEDrYfXhOkh0CvwuJpB+O3tal2ECfO0v7k1/A4P"
        "TlGcQiBnAuAHsnUhAyTbIAnLsvFRwT/A4kYwUNI0ny1pwRQ5KkFkMopLD5q4aKzgBwAA",
    ),
]


def result(lock, signature):
    return verify("bip-322", lock.account, MESSAGE, signature)


def reason(lock, how=EVERYTHING, **numbers):
    return result(lock, sign.full(sign.message_transaction(lock, how=how, **numbers))).reason


# --- required rules ---
def test_conditions_are_spelled_in_one_way_under_all_three_generations():
    for lock_of, key in ((p2wsh, KEY), (p2sh, KEY), (p2tr_script, X)):
        code = b"\x63" + key + CHECKSIG + b"\x67\x00\x68"
        for condition, expected in ((b"\x01", "signed"), (b"\x02", "if-not-minimal"), (b"\x01\x00", "if-not-minimal")):
            lock = lock_of(code, lambda signer, condition=condition: [signer(11), condition])
            assert reason(lock) == expected


def test_pushes_are_the_shortest_ones():
    for lock_of, key in ((p2wsh, KEY), (p2sh, KEY), (p2tr_script, X)):
        for pushed, expected in ((b"\x4c" + key[:1], "push-not-minimal"), (key[:1], "signed")):
            assert reason(lock_of(pushed + key[1:] + CHECKSIG, BY_ONE)) == expected
        assert reason(lock_of(b"\x01\x05" + DROP + key + CHECKSIG, BY_ONE)) == "push-not-minimal"
    lock = p2sh(KEY + CHECKSIG, BY_ONE)
    transaction = sign.message_transaction(lock)
    (spent,) = transaction.inputs
    longer = transaction._replace(inputs=(spent._replace(script=b"\x4c" + spent.script),))
    assert result(lock, sign.full(longer)).reason == "push-not-minimal"


def test_numbers_are_the_shortest_ones():
    code = b"\x51\x9d" + KEY + CHECKSIG  # 1 NUMEQUALVERIFY key CHECKSIG
    for number, expected in ((b"\x01", "signed"), (b"\x01\x00", "number-not-minimal")):
        assert reason(p2wsh(code, lambda signer, number=number: [signer(11), number])) == expected


def test_one_element_remains():
    for lock_of in (p2wsh, p2sh):
        assert reason(lock_of(KEY + CHECKSIG, lambda signer: [b"\x01", signer(11)])) == "stack-not-clean"


def test_a_bad_signature_that_the_script_forgives_is_refused():
    forgiving = [lock for lock in KINDS if lock.name.endswith("forgiving")]
    for lock in forgiving:
        code = sign.push(sign.public(12)) + CHECKSIG + b"\x91"  # true when the signature is bad
        inverted = (p2wsh if lock.rules == "segwit" else p2sh)(code, lambda signer: [signer(11)])
        assert reason(inverted) == "script-fails"
        later = lock._replace(unlock=lambda signer: [signer(11), signer(13)])
        assert reason(later, version=2, sequence=10) != "signed"
        nothing = lock._replace(unlock=lambda signer: [signer(11), b""])
        assert reason(nothing, version=2, sequence=10) == "valid-at"
    either = sign.push(sign.public(12)) + CHECKSIG + b"\x7c" + KEY + CHECKSIG + b"\x9b"  # one of two, both tried
    for lock_of in (p2wsh, p2sh):
        assert reason(lock_of(either, lambda signer: [signer(11), signer(12)])) == "signed"
        assert reason(lock_of(either, lambda signer: [b"", signer(12)])) == "signed"
        assert reason(lock_of(either, lambda signer: [signer(13), signer(12)])) == "null-fail"


def test_the_code_separator_is_refused_even_where_it_is_not_reached():
    for lock_of, key in ((p2wsh, KEY), (p2sh, KEY), (p2tr_script, X)):
        assert reason(lock_of(b"\x00\x63\xab\x68" + key + CHECKSIG, BY_ONE)) == "code-separator"


def test_a_signature_does_not_stand_in_the_script_it_signs():
    inside = sign.push(b"\x30\x06\x02\x01\x01\x02\x01\x01\x01")
    assert reason(p2sh(inside + KEY + CHECKSIG, lambda _: [])) == "signature-in-script"
    nothing = KEY + CHECKSIG + b"\x00" + KEY + CHECKSIG + b"\x93"  # the signature that is not given is a push, too
    assert reason(p2sh(nothing, BY_ONE)) == "signature-in-script"
    assert reason(p2wsh(nothing, BY_ONE)) == "signed"


def test_input_scripts_only_push():
    lock = KINDS[0]
    transaction = sign.message_transaction(lock)
    (spent,) = transaction.inputs
    changed = transaction._replace(inputs=(spent._replace(script=spent.script + b"\x61"),))
    assert result(lock, sign.full(changed)).reason == "script-sig-not-push"


def test_malformed_scripts_are_refused():
    assert reason(p2wsh(KEY + CHECKSIG + b"\x05ab", BY_ONE)) == "malformed-script"
    assert reason(p2wsh(b"\x63" + KEY + CHECKSIG, lambda signer: [signer(11), b"\x01"])) == "script-fails"
    assert reason(p2wsh(KEY + CHECKSIG + b"\x68", BY_ONE)) == "script-fails"
    assert reason(p2wsh(KEY + CHECKSIG + b"\x7a", BY_ONE)) == "script-fails"
    assert reason(p2tr_script(sign.TWO_OF_THREE, sign.BY_TWO)) == "script-fails"


def test_a_schnorr_signature_has_one_form():
    lock = KINDS[3]
    for change in (lambda raw: raw[:63], lambda raw: raw + b"\x01", lambda raw: raw[:64] + b"\x00"):
        assert reason(lock, How(change=change)) == "malformed-schnorr"


# --- upgradeable rules ---
@pytest.mark.parametrize(
    ("lock", "numbers", "expected"),
    [
        (KINDS[1], {"version": 1}, "version"),
        (KINDS[1], {"version": 3}, "version"),
        (KINDS[3]._replace(script=b"\x52\x20" + b"\x07" * 32), {}, "witness-version"),
        (KINDS[3]._replace(script=b"\x51\x02\x4e\x73"), {}, "witness-version"),
        (p2wsh(b"\xb0" + KEY + CHECKSIG, BY_ONE), {}, "reserved-nop"),
        (p2sh(b"\xb9" + KEY + CHECKSIG, BY_ONE), {}, "reserved-nop"),
        (p2tr_script(b"\x50" + X + CHECKSIG, BY_ONE), {}, "op-success"),
        (p2tr_script(X + CHECKSIG + b"\xfe\x4e", BY_ONE), {}, "op-success"),
        (p2tr_script(X + CHECKSIG, BY_ONE, leaf=0xC2), {}, "leaf-version"),
        (p2tr_script(push(sign.public(11)) + CHECKSIG, BY_ONE), {}, "key-type"),
    ],
)
def test_what_later_rules_may_settle_is_inconclusive_and_not_valid(lock, numbers, expected):
    found = result(lock, sign.full(sign.message_transaction(lock, **numbers)))
    assert (found.valid, found.inconclusive, found.reason) == (False, True, f"inconclusive-{expected}")


def test_an_annex_is_inconclusive_when_it_is_signed_and_refused_when_it_was_added():
    for lock in (KINDS[3], p2tr_script(X + CHECKSIG, BY_ONE)):
        assert reason(lock, How(annex=b"\x50annex")) == "inconclusive-annex"
        transaction = sign.message_transaction(lock)
        (spent,) = transaction.inputs
        added = spent._replace(witness=(*spent.witness, b"\x50annex"))
        assert result(lock, sign.full(transaction._replace(inputs=(added,)))).reason == "not-signed"


def test_a_broken_rule_weighs_more_than_an_open_one():
    lock = p2wsh(b"\xb0" + KEY + CHECKSIG, lambda signer: [b"\x01", signer(11)])
    assert reason(lock) == "stack-not-clean"
    assert reason(KINDS[1], How(hash_type=2), version=1) == "sighash-not-all"


# --- time locks ---
@pytest.mark.parametrize(("address", "message", "signature"), LOCKED)
def test_the_standards_locked_signatures_say_from_when_they_hold(address, message, signature):
    for prefix in ("", "ful"):
        found = verify("bip-322", f"{make.BITCOIN}:{address}", message, prefix + signature)
        assert (found.valid, found.reason) == (True, "valid-at")
        assert (found.valid_from_time, found.valid_from_age) == (2016, 2016)
        assert not verify("bip-322", f"{make.BITCOIN}:{address}", message + "!", prefix + signature).valid


def test_a_lock_in_the_script_needs_the_transaction_to_be_locked():
    after = p2wsh(push(encode_number(700)) + sign.CLTV + DROP + KEY + CHECKSIG, BY_ONE)
    older = p2wsh(push(encode_number(144)) + sign.CSV + DROP + KEY + CHECKSIG, BY_ONE)
    assert reason(after, lock_time=699) == "not-signed"
    assert reason(after, lock_time=700) == "valid-at"
    assert reason(older, version=2, sequence=143) == "not-signed"
    assert reason(older, version=0, sequence=144) == "not-signed"
    assert reason(older, version=2, sequence=144) == "valid-at"
    assert result(after, sign.simple(sign.message_transaction(after))).reason == "not-signed"


def test_locks_that_bind_nobody_are_not_reported():
    found = result(KINDS[1], sign.full(sign.message_transaction(KINDS[1], sequence=0xFFFFFFFF, lock_time=700)))
    assert (found.reason, found.valid_from_time, found.valid_from_age) == ("signed", 0, 0)
    found = result(
        KINDS[1], sign.full(sign.message_transaction(KINDS[1], sequence=0xFFFFFFFD, lock_time=700, version=2))
    )
    assert (found.reason, found.valid_from_time, found.valid_from_age) == ("valid-at", 700, 0)
