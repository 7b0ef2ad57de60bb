"""The EVM networks we ship: facts that hold together."""

import importlib.util
from pathlib import Path

import pytest

from chains.evm.address import canonical_address
from chains.network import Network, networks
from tests.live.require import nodes_home

EVM = [network for chain, network in networks().items() if chain.startswith("eip155:")]

TEST_NETWORKS = {"eip155:11155111", "eip155:84532", "eip155:31337", "eip155:131277322940537"}
MAIN = (1, 10, 25, 56, 61, 100, 137, 146, 196, 204, 250, 324, 5000, 8453, 42161, 42220, 43114, 59144, 81457, 534352)

WITHOUT_CANARY = {"eip155:5000"}  # no source names a past block of Mantle's


def test_the_networks_exchanges_use_are_shipped() -> None:
    names = {network.chain for network in EVM}
    assert names >= TEST_NETWORKS | {f"eip155:{number}" for number in MAIN}


@pytest.mark.parametrize("network", EVM, ids=lambda network: network.name)
def test_the_facts_of_a_network_hold_together(network: Network) -> None:
    assert network.native_asset.startswith(f"{network.chain}/slip44:")
    assert network.decimals == 18
    assert network.evm is not None
    assert canonical_address(network.evm.multicall3) == network.evm.multicall3
    assert (network.finality.rule == "tip" or network.chain in WITHOUT_CANARY) == (network.canary is None)
    assert network.test_network == (network.chain in TEST_NETWORKS)
    assert not network.evm.wrapped_native or canonical_address(network.evm.wrapped_native) == network.evm.wrapped_native


def test_a_network_without_reorganisation_protection_says_so() -> None:
    for network in EVM:
        if network.finality.rule == "tip":
            assert "nothing protects" in network.finality.meaning


def test_the_installer_puts_anvil_where_the_tests_look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "live" / "install_anvil.py"
    specification = importlib.util.spec_from_file_location("install_anvil", script)
    assert specification is not None
    assert specification.loader is not None
    installer = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(installer)
    assert installer.nodes_home() == nodes_home()
    monkeypatch.setenv("POR_NODES", str(tmp_path))
    assert installer.nodes_home() == nodes_home() == tmp_path
