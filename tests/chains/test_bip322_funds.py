"""BIP-322 proofs of funds: which coins they show control of, and what their PSBTs may not say."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.errors import IdentifierError
from chains.signatures import verify
from chains.signatures.bip322 import GivenCoin, prove
from chains.signatures.bip322.transactions import MAX_UNITS, Coin, Input, serialized_coin, to_sign, to_spend
from tests.chains import bip322_signer as sign
from tests.chains.bip322_signer import EVERYTHING, KINDS, MESSAGE, How, Lock, coin_fields, funding

pytest.importorskip("pbk")
OWNER = KINDS[3]
LEGACY = [lock for lock in KINDS if lock.rules == "legacy"]


def opened(owner=OWNER, locks=tuple(KINDS), how=EVERYTHING, sequence=0, **numbers):
    """Return to_sign with a further input per lock, opened, and the transactions that paid the coins."""
    paid = [funding(lock, 1_000 + number, number) for number, lock in enumerate(locks)]
    spent = to_spend(MESSAGE.encode(), owner.script)
    unsigned = to_sign(spent)._replace(**numbers)
    more = [Input(each.id, 1, b"", sequence) for each in paid]
    unsigned = unsigned._replace(inputs=(*unsigned.inputs, *more))
    coins = [spent.outputs[0], *(each.outputs[1] for each in paid)]
    return sign.open_all(unsigned, coins, [owner, *locks], how), paid


def proof(transaction, paid, locks=tuple(KINDS), owner=OWNER, **changes):
    virtual = {b"\x01": serialized_coin(Coin(0, owner.script))}
    fields = [virtual, *(coin_fields(lock, each) for lock, each in zip(locks, paid, strict=True))]
    return "pof" + sign.psbt(transaction, fields, **changes)


def reason(signature, **material):
    return verify("bip-322", OWNER.account, MESSAGE, signature, **material).reason


@pytest.mark.parametrize("owner", KINDS, ids=lambda lock: lock.name)
def test_coins_of_every_kind_are_proven_beside_any_address(owner):
    transaction, paid = opened(owner)
    found = prove(owner.account, MESSAGE, proof(transaction, paid, owner=owner))
    assert (found.result.valid, found.result.reason) == (True, "signed")
    assert [(coin.txid, coin.vout, coin.units, coin.script) for coin in found.coins] == [
        (each.id[::-1].hex(), 1, 1_000 + number, KINDS[number].script) for number, each in enumerate(paid)
    ]
    assert [coin.shown for coin in found.coins] == [lock.rules == "legacy" for lock in KINDS]
    assert prove(owner.account, MESSAGE + "!", proof(transaction, paid, owner=owner)) == (
        found.result._replace(valid=False, reason="to-spend-differs", signer=None),
        (),
    )


def test_btclib_agrees_about_proofs_of_funds():
    from btclib.exceptions import BTClibException
    from btclib_wallet import bip322

    transaction, paid = opened()
    bip322.assert_as_valid(MESSAGE.encode(), OWNER.address, proof(transaction, paid))
    with pytest.raises((BTClibException, ValueError)):
        bip322.assert_as_valid(MESSAGE.encode() + b"!", OWNER.address, proof(transaction, paid))


def test_coins_may_be_told_by_the_caller_instead():
    transaction, paid = opened()
    coins = tuple(GivenCoin(each.id[::-1].hex(), 1, *each.outputs[1]) for each in paid)
    for prefix in ("ful", ""):
        found = prove(OWNER.account, MESSAGE, sign.full(transaction, prefix), coins=coins)
        assert (found.result.reason, len(found.coins)) == ("signed", len(KINDS))
    assert reason(proof(transaction, paid), coins=coins) == "signed"
    assert reason(sign.full(transaction), coins=coins[1:]) == "coin-missing"
    wrong = (coins[0]._replace(units=coins[0].units + 1), *coins[1:])
    assert reason(proof(transaction, paid), coins=wrong) == "coin-differs"
    with pytest.raises(IdentifierError):
        reason(sign.full(transaction), coins=(coins[0]._replace(txid="zz"),))


def test_a_coin_of_before_segwit_needs_the_transaction_that_made_it():
    lock = LEGACY[0]
    transaction, (paid,) = opened(locks=(lock,))
    bare = {b"\x01": serialized_coin(paid.outputs[1])}
    assert reason("pof" + sign.psbt(transaction, [{}, bare])) == "coin-transaction-missing"
    told = (GivenCoin(paid.id[::-1].hex(), 1, *paid.outputs[1]),)
    assert reason("pof" + sign.psbt(transaction, [{}, bare]), coins=told) == "signed"
    both = {b"\x00": paid.serialize(), **bare}
    assert reason("pof" + sign.psbt(transaction, [{}, both])) == "signed"
    other = {b"\x00": paid.serialize(), b"\x01": serialized_coin(Coin(7, paid.outputs[1].script))}
    assert reason("pof" + sign.psbt(transaction, [{}, other])) == "coin-differs"
    stranger = {b"\x00": paid._replace(lock_time=1).serialize()}
    assert reason("pof" + sign.psbt(transaction, [{}, stranger])) == "coin-differs"
    assert reason("pof" + sign.psbt(transaction, [{}, {}])) == "coin-missing"


def test_a_transaction_shown_once_serves_later_inputs():
    lock = LEGACY[0]
    paid = funding(lock, 1_000)
    paid = paid._replace(outputs=(*paid.outputs, Coin(2_000, lock.script)))
    spent = to_spend(MESSAGE.encode(), OWNER.script)
    unsigned = to_sign(spent)
    unsigned = unsigned._replace(inputs=(*unsigned.inputs, Input(paid.id, 1), Input(paid.id, 2)))
    transaction = sign.open_all(unsigned, [spent.outputs[0], *paid.outputs[1:]], [OWNER, lock, lock])
    shown = {b"\x00": paid.serialize()}
    assert reason("pof" + sign.psbt(transaction, [{}, shown, {}])) == "signed"
    assert reason("pof" + sign.psbt(transaction, [{}, {}, shown])) == "coin-missing"


def test_an_amount_that_was_not_signed_is_refused():
    for lock in KINDS:
        if lock.rules == "legacy":
            continue
        transaction, (paid,) = opened(locks=(lock,))
        more = {b"\x01": serialized_coin(paid.outputs[1]._replace(units=1_001))}
        assert reason("pof" + sign.psbt(transaction, [{}, more])) == "not-signed", lock.name
        huge = {b"\x01": serialized_coin(paid.outputs[1]._replace(units=MAX_UNITS + 1))}
        assert reason("pof" + sign.psbt(transaction, [{}, huge])) == "coin-amount"


def test_every_input_is_held_to_the_rules():
    for lock in KINDS:
        for hash_type in (2, 0x81):
            transaction, paid = opened(locks=(lock,), how=How(hash_type))
            assert reason(proof(transaction, paid, (lock,))) == "sighash-not-all"
        transaction, paid = opened(locks=(lock,))
        kept = transaction.inputs[1]._replace(script=b"", witness=())
        unsigned = transaction._replace(inputs=(transaction.inputs[0], kept))
        assert not verify("bip-322", OWNER.account, MESSAGE, proof(unsigned, paid, (lock,))).valid
    anyone = sign.p2wsh(b"\x51", lambda _: [])
    transaction, paid = opened(locks=(anyone,))
    assert reason(proof(transaction, paid, (anyone,))) == "no-signature"


def test_what_the_file_says_of_the_first_input_is_true():
    transaction, (paid,) = opened(locks=(KINDS[1],))
    spent = to_spend(MESSAGE.encode(), OWNER.script)
    for first, expected in (
        ({b"\x01": serialized_coin(spent.outputs[0])}, "signed"),
        ({b"\x00": spent.serialize()}, "signed"),
        ({b"\x01": serialized_coin(Coin(1, OWNER.script))}, "coin-differs"),
        ({b"\x01": serialized_coin(Coin(0, KINDS[1].script))}, "coin-differs"),
        ({b"\x00": paid.serialize()}, "coin-differs"),
    ):
        assert reason("pof" + sign.psbt(transaction, [first, coin_fields(KINDS[1], paid)])) == expected


def test_the_sum_of_all_coins_exists():
    lock = KINDS[1]
    paid = [funding(lock, MAX_UNITS - 1, number) for number in range(2)]
    spent = to_spend(MESSAGE.encode(), OWNER.script)
    unsigned = to_sign(spent)
    unsigned = unsigned._replace(inputs=(*unsigned.inputs, *(Input(each.id, 1) for each in paid)))
    coins = [spent.outputs[0], *(each.outputs[1] for each in paid)]
    transaction = sign.open_all(unsigned, coins, [OWNER, lock, lock])
    assert reason(proof(transaction, paid, (lock, lock))) == "coin-amount"


def test_signatures_that_would_take_too_long_are_not_checked():
    fifteen = sign.multisig(1, *range(100, 115))
    lock = sign.p2sh(fifteen, lambda _: [])
    unlocking = b"\0" + sign.push(bytes.fromhex("300602010102010101")) + sign.push(fifteen)
    transaction, _ = opened(locks=())
    inputs = [Input(number.to_bytes(32), 0, unlocking) for number in range(1, 901)]
    coins = tuple(GivenCoin(each.txid[::-1].hex(), 0, 1, lock.script) for each in inputs)
    many = transaction._replace(inputs=(*transaction.inputs, *inputs))
    assert reason(sign.full(many), coins=coins) == "inconclusive-too-costly"
    short = sign.p2wsh((sign.push(sign.public(11)) + b"\xad") * 60 + b"\x51", lambda signer: [signer(11)] * 60)
    coins = tuple(GivenCoin(each.txid[::-1].hex(), 0, 1, short.script) for each in inputs)
    element = bytes.fromhex("300602010102010101")
    opened_by = tuple(each._replace(script=b"", witness=(*[element] * 60, short.code)) for each in inputs[:350])
    checks = transaction._replace(inputs=(*transaction.inputs, *opened_by))
    assert reason(sign.full(checks), coins=coins) == "inconclusive-too-costly"
    large = checks._replace(
        inputs=(*transaction.inputs, *(each._replace(witness=(bytes(4000),)) for each in opened_by))
    )
    assert reason("pof" + sign.psbt(large, [{}] * 351), coins=coins) == "transaction-too-large"
    coins = tuple(GivenCoin(each.txid[::-1].hex(), 0, 1, lock.script) for each in inputs)
    few = transaction._replace(inputs=(*transaction.inputs, *inputs[:100]))
    assert reason(sign.full(few), coins=coins) == "not-signed"


def test_a_locked_coin_says_so():
    transaction, paid = opened(locks=(KINDS[1],), version=2, sequence=144)
    found = prove(OWNER.account, MESSAGE, proof(transaction, paid, (KINDS[1],)))
    assert (found.result.reason, found.result.valid_from_age, found.coins[0].valid_from_age) == ("valid-at", 0, 144)


def test_the_message_in_the_file_is_the_message():
    transaction, paid = opened()
    assert reason(proof(transaction, paid, x09=MESSAGE.encode())) == "signed"
    assert reason(proof(transaction, paid, x09=b"another")) == "message-differs"


def test_malformed_psbts_are_refused():
    transaction, paid = opened()
    good = base64.b64decode(proof(transaction, paid)[3:])
    for changed in (good[:-1], good + b"\0", b"psbt\xfe" + good[5:], b"psbt\xff\0", good[:5] + good[5:60] + good[61:]):
        assert reason("pof" + sign.text(changed)) == "malformed-psbt"
    assert reason(proof(transaction, paid, xfb=b"\x01\0\0\0")) == "psbt-version"
    signed_already = {b"\x00": transaction._replace(inputs=transaction.inputs[:1]).serialize()}
    both = b"psbt\xff" + sign.map_bytes(signed_already) + sign.map_bytes({}) * 2
    assert reason("pof" + sign.text(both)) == "malformed-psbt"
    bare = coin_fields(KINDS[0], paid[0])
    twice = sign.map_bytes({b"\x0c": b"1"})[:-1] * 2 + b"\0"
    whole = base64.b64decode(sign.psbt(transaction, [{}, bare, *({} for _ in paid[1:])]))
    assert reason("pof" + sign.text(whole[:-1] + twice)) == "malformed-psbt"


def test_the_second_version_of_psbts_is_read():
    transaction, paid = opened(locks=(KINDS[1],))
    number = lambda value: value.to_bytes(4, "little")  # noqa: E731
    whole = {b"\x02": number(0), b"\x04": b"\x02", b"\x05": b"\x01", b"\xfb": number(2)}
    maps = [whole]
    for spent, own in zip(transaction.inputs, [{}, coin_fields(KINDS[1], paid[0])], strict=True):
        place = {b"\x0e": spent.txid, b"\x0f": number(spent.vout), b"\x10": number(spent.sequence)}
        maps.append({**place, **own, **sign.final_fields(spent)})
    maps.append({b"\x03": bytes(8), b"\x04": b"\x6a"})

    def text(changes):
        changed = [{**fields, **changes.get(place, {})} for place, fields in enumerate(maps)]
        return "pof" + sign.text(b"psbt\xff" + b"".join(map(sign.map_bytes, changed)))

    assert reason(text({})) == "signed"
    assert reason(text({0: {b"\x03": number(5)}})) == "not-signed"
    assert reason(text({1: {b"\x12": number(5)}})) == "not-signed"
    assert reason(text({1: {b"\x12": number(5)}, 2: {b"\x11": number(5)}})) == "malformed-psbt"
    assert reason(text({1: {b"\x0e": b"short"}})) == "malformed-psbt"
    assert reason(text({3: {b"\x03": b"short"}})) == "malformed-psbt"
    assert reason(text({0: {b"\x04": b""}})) == "malformed-psbt"


TRANSACTION, PAID = opened(locks=(KINDS[0], KINDS[1], KINDS[3], KINDS[5]))
LOCKS: tuple[Lock, ...] = (KINDS[0], KINDS[1], KINDS[3], KINDS[5])
PROOF = proof(TRANSACTION, PAID, LOCKS)
PROVEN = prove(OWNER.account, MESSAGE, PROOF)


@given(st.integers(0, len(PROOF)), st.integers(0, 7))
@settings(deadline=None, max_examples=500)
def test_one_flipped_bit_of_a_proof_never_proves_anything_else(position, bit):
    raw = bytearray(base64.b64decode(PROOF[3:]))
    raw[position % len(raw)] ^= 1 << bit
    found = prove(OWNER.account, MESSAGE, "pof" + base64.b64encode(raw).decode())
    # only the name of a field that is not needed may change, which makes it one we do not know
    assert found == PROVEN if found.result.valid else found.coins == ()
    assert PROVEN.result.valid
