"""Bitcoin Knots signs messages and reserves with BIP-322 and BIP-127, and checks ours: a real node as the oracle."""

import base64
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.base_codecs import base58_check
from chains.bitcoin.address import address_of_script, script_of
from chains.signatures import verify
from chains.signatures.bip127 import Commitment, prove
from chains.signatures.bip322.transactions import Coin, Input, Transaction, serialized_coin
from tests.builders import wallet_lists as make
from tests.chains import bip322_signer as sign
from tests.chains.bip127_proofs import DUMMY, FINAL, TXID
from tests.chains.bip322_signer import KINDS, MESSAGE
from tests.live.bitcoind import BITCOIN_REGTEST, Node, knots

pytest.importorskip("pbk")
pytestmark = pytest.mark.real_bitcoind
SINGLE = ("legacy", "p2sh-segwit", "bech32", "bech32m")
MANY = ("wsh(multi(2,{0},{1},{2}))", "sh(wsh(multi(2,{0},{1},{2})))", "sh(multi(2,{0},{1},{2}))", "tr({x},pk({0}))")
SPENDABLE_HEIGHT = 101


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with knots() as running_node:
        running_node.call("createwallet", "scripts", False, True)
        running_node.mine(SPENDABLE_HEIGHT)
        yield running_node


@pytest.fixture(scope="module")
def addresses(node: Node) -> dict[str, str]:
    """Return one address of every kind and the wallet that signs for it: the four of a key, and scripts of several."""
    found = {node.call("getnewaddress", "", kind, wallet="holders"): "holders" for kind in SINGLE}
    secrets = [base58_check(b"\xef" + make.key(number).secret + b"\x01") for number in (11, 12)]
    for form in MANY:
        bare = form.format(*secrets, sign.public(13).hex(), x=sign.x_only(50).hex())
        checksum = node.call("getdescriptorinfo", bare)["checksum"]
        (imported,) = node.call(
            "importdescriptors", [{"desc": f"{bare}#{checksum}", "timestamp": "now"}], wallet="scripts"
        )
        assert imported["success"], imported
        (address,) = node.call("deriveaddresses", node.call("getdescriptorinfo", bare)["descriptor"])
        found[address] = "scripts"
    return found


def test_what_the_node_signs_holds(node: Node, addresses: dict[str, str]) -> None:
    for address, wallet in addresses.items():
        account = f"{BITCOIN_REGTEST}:{address}"
        signature = node.call("signmessage", address, MESSAGE, wallet=wallet)
        result = verify("bip-322", account, MESSAGE, signature)
        assert (result.valid, result.reason) == (True, "signed"), (address, signature)
        assert not verify("bip-322", account, MESSAGE + "!", signature).valid
        for other in addresses:
            assert other == address or not verify("bip-322", f"{BITCOIN_REGTEST}:{other}", MESSAGE, signature).valid


@pytest.mark.parametrize("lock", KINDS, ids=lambda lock: lock.name)
def test_the_node_accepts_what_we_sign(node: Node, lock: sign.Lock) -> None:
    address = address_of_script(node.network, lock.script)
    transaction = sign.message_transaction(lock)
    signature = sign.simple(transaction, "") if lock.is_native else sign.full(transaction, "")
    assert verify("bip-322", f"{BITCOIN_REGTEST}:{address}", MESSAGE, signature).reason == "signed"
    assert node.call("verifymessage", address, signature, MESSAGE) is True
    assert node.call("verifymessage", address, signature, MESSAGE + "!") is False


@pytest.fixture(scope="module")
def reserves(node: Node, addresses: dict[str, str]) -> str:
    """Return a proof over one coin of every kind of address, signed by the node's wallets."""
    amounts = {address: f"0.{number:08}" for number, address in enumerate(addresses, 10_000)}
    txid = node.call("sendmany", "", amounts, wallet="miner")
    node.mine()
    paid = node.call("decoderawtransaction", node.call("gettransaction", txid, wallet="miner")["hex"])
    places = [out["n"] for out in paid["vout"] if out["scriptPubKey"].get("address") in addresses]
    total = sum(int(Decimal(amount) * 100_000_000) for amount in amounts.values())
    inputs = (Input(TXID, 0, b"", FINAL), *(Input(bytes.fromhex(txid)[::-1], n, b"", FINAL) for n in places))
    unsigned = Transaction(2, inputs, (Coin(total, b"\x6a"),))
    first = {**DUMMY, b"\x09": MESSAGE.encode()}
    text = sign.psbt(unsigned, [first, *({} for _ in places)])
    for wallet in ("holders", "scripts"):
        text = node.call("walletprocesspsbt", text, wallet=wallet)["psbt"]
    return text


def test_reserves_signed_by_the_node_hold(addresses: dict[str, str], node: Node, reserves: str) -> None:
    scripts = {script_of(node.network, address) for address in addresses}
    for address in addresses:
        found = prove(f"{BITCOIN_REGTEST}:{address}", MESSAGE, reserves)
        assert (found.result.reason, found.commitment) == ("signed", Commitment.SHA256)
        assert {coin.script for coin in found.coins} == scripts
        assert sum(coin.units for coin in found.coins) == sum(range(10_000, 10_000 + len(addresses)))
    for coin in found.coins:  # that they are unspent is the node's word, not the proof's
        unspent = node.call("gettxout", coin.txid, coin.vout)
        assert int(Decimal(str(unspent["value"])) * 100_000_000) == coin.units
    assert verify("bip-127", f"{BITCOIN_REGTEST}:{address}", MESSAGE + "!", reserves).reason == "commitment-differs"


def test_no_flipped_bit_of_the_nodes_reserves_proves_anything_else(addresses: dict[str, str], reserves: str) -> None:
    account = f"{BITCOIN_REGTEST}:{next(iter(addresses))}"
    proven = prove(account, MESSAGE, reserves)
    raw = base64.b64decode(reserves)

    @given(st.integers(0, len(raw) - 1), st.integers(0, 7))
    @settings(deadline=None, max_examples=300)
    def flip(position: int, bit: int) -> None:
        changed = bytearray(raw)
        changed[position] ^= 1 << bit
        found = prove(account, MESSAGE, base64.b64encode(changed).decode())
        # A field's key is no part of what was signed: without the transaction that made a coin it is not shown.
        bare = tuple(coin._replace(shown=True) for coin in found.coins)
        assert (bare == proven.coins) if found.result.valid else found.coins == ()

    flip()


def test_without_the_dummy_coin_the_nodes_taproot_coins_stay_unsigned(
    node: Node, addresses: dict[str, str], reserves: str
) -> None:
    taproot = next(
        address for address, wallet in addresses.items() if address.startswith("bcrt1p") and wallet == "holders"
    )
    coin = next(
        coin
        for coin in prove(f"{BITCOIN_REGTEST}:{taproot}", MESSAGE, reserves).coins
        if coin.script == script_of(node.network, taproot)
    )
    inputs = (Input(TXID, 0, b"", FINAL), Input(bytes.fromhex(coin.txid)[::-1], coin.vout, b"", FINAL))
    unsigned = Transaction(2, inputs, (Coin(coin.units, b"\x6a"),))
    shown = {b"\x01": serialized_coin(Coin(coin.units, coin.script))}
    for first, expected in (({}, "witness-missing"), (DUMMY, "signed")):
        text = node.call("walletprocesspsbt", sign.psbt(unsigned, [first, shown]), wallet="holders")["psbt"]
        assert verify("bip-127", f"{BITCOIN_REGTEST}:{taproot}", MESSAGE, text).reason == expected
