"""The EVM networks we ship: facts that hold together."""

import importlib.util
from pathlib import Path

import pytest

from chains.evm.address import canonical_address
from chains.network import Network, networks
from tests.live.require import nodes_home

EVM = [network for chain, network in networks().items() if chain.startswith("eip155:")]


def test_the_four_networks_are_shipped() -> None:
    names = {network.chain for network in EVM}
    assert {"eip155:1", "eip155:11155111", "eip155:31337", "eip155:131277322940537"} <= names


@pytest.mark.parametrize("network", EVM, ids=lambda network: network.name)
def test_the_facts_of_a_network_hold_together(network: Network) -> None:
    assert network.native_asset == f"{network.chain}/slip44:60"
    assert network.decimals == 18
    assert network.evm is not None
    assert canonical_address(network.evm.multicall3) == network.evm.multicall3
    assert (network.finality.rule == "tip") == (network.canary is None)
    assert network.test_network == (network.chain != "eip155:1")


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
