"""The forms of Tron: ids of blocks from their headers, names of networks, addresses, the name of an event."""

from typing import Any

import pytest

from chains.addresses import canonical_account
from chains.errors import IdentifierError
from chains.evm.keccak import keccak256
from chains.ids import AccountId
from chains.network import network_of, networks
from chains.tron.address import canonical_address
from chains.tron.header import block_id
from chains.tron.tokens import TRANSFER
from tests.live.simulated_tron import CHAIN, GENESIS


def test_the_id_of_a_block_the_documentation_shows_is_recomputed() -> None:
    header = {
        "number": 66_987_565,
        "txTrieRoot": "faf8fe3858339ead25cc892461c82a59b84dca4a51c45b026676bf3f45a352a2",
        "witness_address": "41b2f713d57dbcec679d93a8849fa0cd0e4db594ba",
        "parentHash": "0000000003fe262c85cd6b02033f4c3e5c1efa35de256a17bd906dc61fb1aeed",
        "version": 34,
        "timestamp": 1_777_445_121_000,
    }
    assert block_id(header) == "0000000003fe262d52bfa4b2814f816fd2e57af5b98a33d60d8630a03a908e0e"


def test_the_first_block_of_shasta_is_recomputed() -> None:
    canary = network_of(CHAIN).canary
    assert canary is not None
    assert block_id(GENESIS) == canary.hash


@pytest.mark.parametrize("network", [one for name, one in networks().items() if name.startswith("tron:")])
def test_a_network_is_named_by_the_last_four_bytes_of_its_first_block(network: Any) -> None:
    assert network.chain == f"tron:{int(network.canary.hash[-8:], 16)}"


@pytest.mark.parametrize(
    "header",
    [
        None,
        [],
        {"number": True},
        {"number": -1},
        {"number": 2**63},
        {"number": "1"},
        {"parentHash": 5},
        {"parentHash": "abc"},
        {"x": 1},
    ],
)
def test_what_is_no_header_has_no_id(header: Any) -> None:
    assert block_id(header) is None


def test_the_transfer_event_is_named_by_its_hash() -> None:
    assert "0x" + keccak256(b"Transfer(address,address,uint256)").hex() == TRANSFER


NO_ADDRESSES = ["", "T", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv9", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "T" * 200]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        canonical_address(text)


@pytest.mark.parametrize(
    "text", ["41dd791d6b49e190062d650e6a23c575510d35f2f9", "0xdd791d6b49e190062d650e6a23c575510d35f2f9"]
)
def test_the_hexadecimal_form_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(IdentifierError, match="Base58Check"):
        canonical_address(text)


def test_an_account_of_tron_keeps_its_spelling() -> None:
    account = AccountId("tron:728126428:TJRabPrwbZy45sbavfcjinPJC18kjpRTv8")
    assert canonical_account(account) == account
