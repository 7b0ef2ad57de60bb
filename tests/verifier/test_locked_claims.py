"""A script that opens only later shows no control today, however well it is signed."""

import pytest

from chains.bitcoin.address import address_of_script
from chains.ids import AccountId, ChainId
from chains.network import network_of
from chains.signatures.bip322.scripts import encode_number, push
from chains.signatures.bip322.transactions import Transaction
from tests.builders import wallet_lists as make
from tests.chains import bip322_signer as sign
from tests.chains.bip322_signer import CHECKSIG, DROP, Lock, p2wsh
from verifier.declaration import Declaration, DeclaredAsset, Exchange, OwnershipClaim, Pool, Wallet, utc_seconds
from verifier.ownership.claims import Control, Ownership, check_ownership

CHAIN = ChainId(make.BITCOIN)
AS_OF = "2026-11-22T00:00:00Z"
TEXT = f"locked.example, {AS_OF}"
KEY = push(sign.public(11))


def claimed(lock_time: int, height: int | None) -> Ownership:
    script = push(encode_number(lock_time)) + sign.CLTV + DROP + KEY + CHECKSIG
    lock = p2wsh(script, lambda signer: [signer(11)])
    return judged(lock, sign.message_transaction(lock, TEXT, lock_time=lock_time), height)


def aged(sequence: int, height: int | None, coin: int | None) -> Ownership:
    """Judge a claim by a script for coins of an age, for an account whose newest coin is of the block at `coin`."""
    lock = p2wsh(push(encode_number(sequence)) + sign.CSV + DROP + KEY + CHECKSIG, lambda signer: [signer(11)])
    return judged(lock, sign.message_transaction(lock, TEXT, sequence=sequence, version=2), height, coin)


def judged(lock: Lock, signed: Transaction, height: int | None, coin: int | None = None) -> Ownership:
    account = AccountId(f"{CHAIN}:{address_of_script(network_of(CHAIN), lock.script)}")
    signature = sign.full(signed)
    native = network_of(CHAIN).native_asset
    declaration = Declaration(
        format="reserve-verifier/declaration/1",
        exchange=Exchange(name="Locked", id="locked.example"),
        as_of=AS_OF,
        assets=[DeclaredAsset(asset=native, symbol="BTC", decimals=8)],
        wallets=[Wallet(account=account, assets=[native], pool=Pool.CLIENT_COLD)],
        ownership=[OwnershipClaim(account=account, scheme="bip-322", message=TEXT, signature=signature)],
    )
    heights = {} if height is None else {CHAIN: height}
    newest = {} if coin is None else {account: coin}
    (found,) = check_ownership(declaration, heights=heights, newest=newest).values()
    return found


@pytest.mark.parametrize(
    ("lock_time", "height", "control"),
    [
        (900_000, 900_000, Control.SIGNED),
        (900_001, 900_000, Control.REFUSED),
        (900_000, None, Control.UNKNOWN),
        (utc_seconds(AS_OF), None, Control.SIGNED),
        (utc_seconds(AS_OF) + 1, 900_000, Control.REFUSED),
    ],
)
def test_a_lock_counts_as_of_the_declaration(lock_time: int, height: int | None, control: Control) -> None:
    found = claimed(lock_time, height)
    assert found.control is control
    assert ("locked until" in found.reason) is (control is Control.REFUSED)


@pytest.mark.parametrize(
    ("sequence", "height", "coin", "control"),
    [
        (144, 900_000, 899_857, Control.SIGNED),
        (144, 900_000, 899_858, Control.REFUSED),
        (144, 900_000, 0, Control.SIGNED),
        (144, 900_000, None, Control.UNKNOWN),
        (144, None, 1, Control.UNKNOWN),
        (1 << 22 | 3, 900_000, 1, Control.UNKNOWN),
    ],
)
def test_a_script_for_old_coins_counts_once_the_newest_is_old(
    sequence: int, height: int | None, coin: int | None, control: Control
) -> None:
    found = aged(sequence, height, coin)
    assert found.control is control
    assert found.reason.startswith("time-locked") is (control is Control.REFUSED)
    assert ("1536 seconds" in found.reason) is bool(sequence >> 22)
