"""Challenges signed by software of others: Bitcoin Knots takes the PSBT, one key or two of three."""

from collections.abc import Iterator

import pytest

from chains.base_codecs import base58_check
from chains.embedded.bitcoin_transaction import Key
from chains.ids import AccountId
from tests.live.bitcoind import Node, knots
from verifier.declaration import Declaration, DeclaredAsset, Exchange, OwnershipClaim, Pool, Wallet
from verifier.ownership.binding import Binding, terms_of
from verifier.ownership.challenge import challenge_record, challenges
from verifier.ownership.claims import Control, check_claim

pytestmark = pytest.mark.real_bitcoind


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with knots() as running:
        yield running


def declare(node: Node, address: str) -> Declaration:
    native = node.network.native_asset
    return Declaration(
        format="reserve-verifier/declaration/1",
        exchange=Exchange(name="Hardware Exchange", id="hardware.example"),
        as_of="2026-11-22T00:00:00Z",
        assets=[DeclaredAsset(asset=native, symbol="BTC", decimals=8)],
        wallets=[Wallet(account=f"{node.network.chain}:{address}", assets=[native], pool=Pool.CLIENT_COLD)],
    )


def judged(declaration: Declaration, message: str, psbt: str) -> tuple[Control, Binding, str]:
    account = declaration.wallets[0].account or ""
    claim = OwnershipClaim(account=account, scheme="bip-322", message=message, signature=f"pof{psbt}")
    found = check_claim(terms_of(declaration), claim)
    return found.control, found.binding, found.reason


def batch_entry(declaration: Declaration) -> dict[str, str]:
    account = AccountId(declaration.wallets[0].account or "")
    record = challenge_record(declaration, challenges(declaration, [(account, Pool.CLIENT_COLD, "")]))
    entry: dict[str, str] = record["challenges"][0]
    return entry


@pytest.mark.parametrize("kind", ["bech32", "bech32m", "p2sh-segwit", "legacy"])
def test_a_wallet_signs_the_psbt_of_its_challenge(node: Node, kind: str) -> None:
    declaration = declare(node, node.call("getnewaddress", "", kind, wallet="holders"))
    entry = batch_entry(declaration)
    signed = node.call(
        "walletprocesspsbt", entry["psbt"], True, "ALL" if kind != "bech32m" else "DEFAULT", wallet="holders"
    )
    final = node.call("finalizepsbt", signed["psbt"], False)["psbt"]
    assert judged(declaration, entry["message"], final) == (Control.SIGNED, Binding.ATTESTATION, "signed")
    assert judged(declaration, entry["message"] + " ", final)[0] is Control.REFUSED
    assert judged(declaration, entry["message"], entry["psbt"])[0] is Control.REFUSED


def signer(node: Node, name: str, mine: int, keys: list[Key]) -> str:
    """Make a wallet that holds one of three keys of a script; return the script's address."""
    node.call("createwallet", name, False, True)
    parts = [
        base58_check(b"\xef" + key.secret + b"\x01") if place == mine else key.public.hex()
        for place, key in enumerate(keys)
    ]
    text = f"wsh(multi(2,{','.join(parts)}))"
    checksum = node.call("getdescriptorinfo", text)["checksum"]
    (done,) = node.call("importdescriptors", [{"desc": f"{text}#{checksum}", "timestamp": "now"}], wallet=name)
    assert done["success"], done
    public = f"wsh(multi(2,{','.join(key.public.hex() for key in keys)}))"
    (address,) = node.call("deriveaddresses", f"{public}#{node.call('getdescriptorinfo', public)['checksum']}")
    return str(address)


def test_two_of_three_keys_sign_one_after_the_other_and_one_alone_does_not_do(node: Node) -> None:
    keys = [Key(bytes([number]) * 32) for number in (21, 22, 23)]
    addresses = {signer(node, name, mine, keys) for mine, name in enumerate(("first", "second"))}
    (address,) = addresses
    declaration = declare(node, address)
    entry = batch_entry(declaration)
    psbt = entry["psbt"]
    for wallet, control in (("first", Control.REFUSED), ("second", Control.SIGNED)):
        psbt = node.call("walletprocesspsbt", psbt, True, "ALL", wallet=wallet)["psbt"]
        psbt = node.call("finalizepsbt", psbt, False)["psbt"]
        assert judged(declaration, entry["message"], psbt)[0] is control
