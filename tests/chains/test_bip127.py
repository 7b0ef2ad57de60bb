"""BIP-127: proofs of reserves over coins of every kind, all forms of the commitment, and every rule broken once."""

import base64
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.errors import IdentifierError
from chains.signatures import verify
from chains.signatures.bip127 import Commitment, commitments, prove
from chains.signatures.bip322 import GivenCoin
from chains.signatures.bip322.transactions import Coin, serialized_coin
from tests.builders import wallet_lists as make
from tests.chains import bip322_signer as sign
from tests.chains.bip127_proofs import DUMMY, FINAL, Reserves
from tests.chains.bip322_signer import KINDS, MESSAGE, How

pytest.importorskip("pbk")


def reason(reserves, message=MESSAGE, lock=KINDS[1], **material):
    text = reserves if isinstance(reserves, str) else reserves.text()
    result = verify("bip-127", lock.account, message, text, **material)
    assert result.valid is (result.reason in ("signed", "valid-at"))
    return result.reason


@pytest.mark.parametrize("lock", KINDS, ids=lambda lock: lock.name)
def test_every_owner_of_a_coin_is_shown(lock):
    found = prove(lock.account, MESSAGE, Reserves().text())
    assert (found.result.valid, found.result.reason, found.result.signer) == (True, "signed", lock.account)
    assert found.commitment is Commitment.SHA256
    assert [coin.units for coin in found.coins] == [10_000 + number for number in range(len(KINDS))]
    assert {coin.script for coin in found.coins} == {each.script for each in KINDS}


def test_every_form_of_the_commitment_is_read_and_named():
    forms = commitments(MESSAGE.encode())
    once = sha256(b"Proof-of-Reserves: " + MESSAGE.encode()).digest()
    assert forms[once] is Commitment.SHA256
    assert forms[once[::-1]] is Commitment.SHA256_SHOWN
    assert forms[sha256(once).digest()[::-1]] is Commitment.TWICE_SHOWN
    assert forms[sha256(MESSAGE.encode()).digest()] is Commitment.BARE
    assert set(forms.values()) == set(Commitment)
    for txid, form in forms.items():
        found = prove(KINDS[1].account, MESSAGE, Reserves(KINDS[:2], txid=txid).text())
        assert (found.result.reason, found.commitment) == ("signed", form)
        assert reason(Reserves(KINDS[:2], txid=txid), MESSAGE + "!") == "commitment-differs"


def test_the_commitment_is_the_first_input_and_spends_nothing():
    assert reason(Reserves(KINDS[:2], vout=1)) == "commitment-differs"
    assert reason(Reserves(KINDS[:2], txid=bytes(32))) == "commitment-differs"
    reserves = Reserves(KINDS[:2])
    first, *rest = reserves.transaction.inputs
    reserves.transaction = reserves.transaction._replace(inputs=(*rest, first))
    reserves.fields = [*reserves.fields[1:], DUMMY]
    assert reason(reserves) == "commitment-differs"
    for opened in ({"script": b"\x51"}, {"witness": (b"\x01",)}):
        reserves = Reserves(KINDS[:2])
        reserves.transaction = reserves.transaction._replace(inputs=(first._replace(**opened), *rest))
        assert reason(reserves) == "commitment-not-empty"
    for coin in (Coin(1, b"\x51"), Coin(0, b"\x52"), Coin(0, KINDS[1].script)):
        reserves = Reserves(KINDS[:2])
        reserves.fields[0] = {b"\x01": serialized_coin(coin)}
        assert reason(reserves) == "commitment-coin"


def test_the_message_in_the_file_is_the_message():
    reserves = Reserves(KINDS[:2])
    reserves.fields[0] = {**DUMMY, b"\x09": MESSAGE.encode()}
    assert reason(reserves) == "signed"
    reserves.fields[0] = {**DUMMY, b"\x09": b"another"}
    assert reason(reserves) == "message-differs"


def test_one_output_holds_the_exact_sum():
    total = 10_000 + 10_001
    assert reason(Reserves(KINDS[:2], outputs=(Coin(total, b"\x51"),))) == "signed"
    for difference in (-1, 1):
        assert reason(Reserves(KINDS[:2], outputs=(Coin(total + difference, b"\x6a"),))) == "sum-differs"
    halves = (Coin(total - 1, b"\x6a"), Coin(1, b"\x6a"))
    assert reason(Reserves(KINDS[:2], outputs=halves)) == "extra-output"
    assert reason(Reserves((), outputs=(Coin(0, b"\x6a"),))) == "no-reserves"


@pytest.mark.parametrize("lock", KINDS, ids=lambda lock: lock.name)
def test_signatures_cover_the_commitment_and_everything_else(lock):
    for hash_type in (2, 3, 0x81, 0x82):
        assert reason(Reserves((lock,), How(hash_type)), lock=lock) == "sighash-not-all"
    reserves = Reserves((lock,))
    other = sha256(sha256(b"Proof-of-Reserves: " + MESSAGE.encode()).digest()).digest()
    first, *rest = reserves.transaction.inputs
    reserves.transaction = reserves.transaction._replace(inputs=(first._replace(txid=other), *rest))
    assert reason(reserves, lock=lock) == "not-signed"
    unsigned = rest[0]._replace(script=b"", witness=())
    reserves.transaction = reserves.transaction._replace(inputs=(first, unsigned))
    assert reason(reserves, lock=lock) in ("not-signed", "witness-missing", "coin-transaction-missing")


def test_the_account_must_own_one_of_the_coins():
    assert reason(Reserves(KINDS[:1])) == "account-not-spent"
    assert reason(Reserves(KINDS[:1]), lock=KINDS[0]) == "signed"


def test_one_input_that_is_not_unlocked_spoils_the_whole():
    reserves = Reserves(KINDS[:4])
    *rest, last = reserves.transaction.inputs
    spoilt = last._replace(witness=(bytes([last.witness[0][0] ^ 1]) + last.witness[0][1:],))
    reserves.transaction = reserves.transaction._replace(inputs=(*rest, spoilt))
    assert reason(reserves) == "not-signed"
    twice = Reserves(KINDS[:2])
    twice.transaction = twice.transaction._replace(inputs=(*twice.transaction.inputs, twice.transaction.inputs[1]))
    twice.fields.append(twice.fields[1])
    assert reason(twice) == "repeated-input"


def test_amounts_that_signatures_do_not_cover_need_their_transactions():
    reserves = Reserves(KINDS[:2])
    coin = reserves.paid[0].outputs[1]
    reserves.fields[1] = {b"\x01": serialized_coin(coin)}
    assert reason(reserves) == "coin-transaction-missing"
    told = (GivenCoin(reserves.paid[0].id[::-1].hex(), 1, *coin),)
    assert reason(reserves, coins=told) == "signed"
    reserves.fields[1] = {}
    assert reason(reserves) == "coin-missing"
    reserves = Reserves(KINDS[:2], outputs=(Coin(10_000 + 10_002, b"\x6a"),))
    reserves.fields[2] = {b"\x01": serialized_coin(reserves.paid[1].outputs[1]._replace(units=10_002))}
    assert reason(reserves) == "not-signed"


def test_locks_are_told():
    assert reason(Reserves(KINDS[:2], lock_time=FINAL)) == "signed"  # final inputs: the lock binds nobody
    reserves = Reserves((KINDS[1],))
    first, second = reserves.transaction.inputs
    bare = reserves.transaction._replace(inputs=(first, second._replace(sequence=144)))
    coins = [Coin(0, b"\x51"), reserves.paid[0].outputs[1]]
    reserves.transaction = sign.open_all(bare, coins, reserves.locks, start=1)
    found = prove(KINDS[1].account, MESSAGE, reserves.text())
    assert (found.result.reason, found.coins[0].valid_from_age) == ("valid-at", 144)


def test_what_is_no_proof_is_refused():
    for text in ("", "cHNidP8=", "cHNidP8A", "nonsense", Reserves(KINDS[:2]).text() + "\n"):
        assert reason(text) == "malformed-psbt"
    assert reason(Reserves(KINDS[:2]), "\ud800") == "malformed-message"
    litecoin = f"{make.BITCOIN}:{make.p2wpkh(make.LITECOIN, 7)}"
    assert verify("bip-127", litecoin, MESSAGE, "").reason == "wrong-network"
    with pytest.raises(IdentifierError):
        verify("bip-127", f"{make.DOGECOIN}:{make.p2pkh(make.DOGECOIN, 7)}", MESSAGE, "")


def test_btclib_reads_the_same_proof():
    from btclib_wallet.psbt import Psbt

    reserves = Reserves()
    read = Psbt.b64decode(reserves.text())
    assert [one.previous_tx_id for one in read.inputs[1:]] == [each.id[::-1] for each in reserves.paid]


SAMPLE = Reserves(tuple(KINDS[number] for number in (0, 1, 3, 5)))
TEXT = SAMPLE.text()
PROVEN = prove(KINDS[1].account, MESSAGE, TEXT)


def test_the_proof_whose_bits_are_flipped_is_valid():
    assert PROVEN.result.reason == "signed"


@given(st.integers(0, len(TEXT)), st.integers(0, 7))
@settings(deadline=None, max_examples=500)
def test_one_flipped_bit_never_proves_anything_else(position, bit):
    raw = bytearray(base64.b64decode(TEXT))
    raw[position % len(raw)] ^= 1 << bit
    found = prove(KINDS[1].account, MESSAGE, base64.b64encode(raw).decode())
    # only the name of a field that is not needed may change, which makes it one we do not know
    assert found == PROVEN if found.result.valid else found.coins == ()


@given(st.integers(0, 100), st.integers(0, 7))
@settings(deadline=None, max_examples=50)
def test_one_flipped_bit_of_the_message_is_never_valid(position, bit):
    raw = bytearray(MESSAGE.encode())
    raw[position % len(raw)] ^= 1 << bit
    assert not verify("bip-127", KINDS[1].account, raw.decode("latin-1"), TEXT).valid


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=200)
def test_no_bytes_whatever_stop_the_reader(raw):
    assert not verify("bip-127", KINDS[1].account, MESSAGE, sign.text(raw)).valid
    assert not verify("bip-127", KINDS[1].account, MESSAGE, sign.text(b"psbt\xff" + raw)).valid
