"""A script that opens only later shows no control today, however well it is signed."""

import pytest

from chains.bitcoin.address import address_of_script
from chains.ids import ChainId
from chains.network import network_of
from chains.signatures.bip322.scripts import encode_number, push
from tests.builders import wallet_lists as make
from tests.chains import bip322_signer as sign
from tests.chains.bip322_signer import CHECKSIG, DROP, p2wsh
from verifier.declaration import Declaration, DeclaredAsset, Exchange, OwnershipClaim, Pool, Wallet, utc_seconds
from verifier.ownership.claims import Control, Ownership, check_ownership

CHAIN = ChainId(make.BITCOIN)
AS_OF = "2026-11-22T00:00:00Z"
TEXT = f"locked.example, {AS_OF}"
KEY = push(sign.public(11))


def claimed(lock_time: int, height: int | None) -> Ownership:
    script = push(encode_number(lock_time)) + sign.CLTV + DROP + KEY + CHECKSIG
    lock = p2wsh(script, lambda signer: [signer(11)])
    account = f"{CHAIN}:{address_of_script(network_of(CHAIN), lock.script)}"
    signature = sign.full(sign.message_transaction(lock, TEXT, lock_time=lock_time))
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
    (found,) = check_ownership(declaration, heights=heights).values()
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
