"""The networks of the Bitcoin family are described as the real nodes know them."""

import pytest

from chains.bitcoin.address import bitcoin_facts, script_of
from chains.errors import NetworkDataError
from chains.ids import chain_id
from chains.network import network_of
from tests.live.bitcoind import KNOTS_HOW, LITECOIND_HOW, running
from tests.live.require import require_binary

PUBLIC_KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
BITCOIN_CHAINS = {
    "-chain=main": "bip122:000000000019d6689c085ae165831e93",
    "-chain=testnet4": "bip122:00000000da84f2bafbbc53dee25a72ae",
    "-chain=signet": "bip122:00000008819873e925422c1ff0f99f7c",
    "-chain=regtest": "bip122:0f9188f13cb7b2c71f2a335e3a4fc328",
}
LITECOIN_CHAINS = {
    "-chain=main": "bip122:12a765e31ffd4059bada1e25190f6e98",
    "-chain=regtest": "bip122:530827f38f93b43ed12af0b3ad25a288",
}


def _check(program: str, how: str, selector: str, chain: str) -> None:
    network = network_of(chain_id(chain))
    with running(require_binary(program, how), chain, selector=selector, wallets=False) as node:
        genesis = node.call("getblockhash", 0)
        assert f"bip122:{genesis[:32]}" == network.chain
        if network.canary and network.canary.height == 0:
            assert genesis == network.canary.hash
        for form in ("pkh({})", "sh(wpkh({}))", "wpkh({})"):
            descriptor = node.call("getdescriptorinfo", form.format(PUBLIC_KEY))["descriptor"]
            (address,) = node.call("deriveaddresses", descriptor)
            assert script_of(network, address).hex() == node.call("validateaddress", address)["scriptPubKey"]


@pytest.mark.real_bitcoind
@pytest.mark.parametrize(("selector", "chain"), BITCOIN_CHAINS.items())
def test_a_bitcoin_network_is_what_knots_says(selector: str, chain: str) -> None:
    _check("bitcoind", KNOTS_HOW, selector, chain)


@pytest.mark.real_litecoind
@pytest.mark.parametrize(("selector", "chain"), LITECOIN_CHAINS.items())
def test_a_litecoin_network_is_what_litecoind_says(selector: str, chain: str) -> None:
    _check("litecoind", LITECOIND_HOW, selector, chain)


@pytest.mark.parametrize("chain", [*BITCOIN_CHAINS.values(), *LITECOIN_CHAINS.values()])
def test_test_networks_never_share_the_asset_of_real_money(chain: str) -> None:
    network = network_of(chain_id(chain))
    coin_type = network.native_asset.rpartition(":")[2]
    assert (coin_type == "1") is network.test_network
    assert network.native_asset.startswith(f"{chain}/slip44:")


def test_litecoin_declares_what_cannot_be_seen() -> None:
    assert "MWEB" in bitcoin_facts(network_of(chain_id(LITECOIN_CHAINS["-chain=main"]))).invisible


def test_a_network_of_another_family_has_no_bitcoin_facts() -> None:
    with pytest.raises(NetworkDataError, match="not of the Bitcoin family"):
        bitcoin_facts(network_of(chain_id("eip155:1")))


def test_bitcoin_and_bitcoin_cash_are_told_apart_by_the_first_block_they_do_not_share() -> None:
    bitcoin, cash = (
        network_of(chain_id(f"bip122:{name}"))
        for name in ("000000000019d6689c085ae165831e93", "000000000000000000651ef99cb9fcbe")
    )
    assert bitcoin.canary is not None
    assert cash.canary is not None
    assert bitcoin.canary.height == cash.canary.height == bitcoin_facts(cash).identity_height == 478_559
    assert bitcoin.canary.hash != cash.canary.hash
    assert cash.canary.hash.startswith(cash.chain.removeprefix("bip122:"))
