"""Addresses are read strictly, nobody is dropped, and a distributor's proofs hold for their claim alone."""

import json
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chains.ids import ChainId
from tests.verifier.cases import case, position
from verifier.compensation.batches import csv_batch, json_batch, safe_batch
from verifier.compensation.distributor import Claim, Kind, build_distributor, holds
from verifier.compensation.payees import Payment, Payments, read_payees
from verifier.compensation.psbt import psbt_batches
from verifier.declaration import Pool
from verifier.errors import InputError
from verifier.inclusion.commitment import TreeAsset

CHAIN = ChainId("eip155:1")
ADDRESS, OTHER = "0x" + "0a" * 20, "0x" + "0b" * 20
LEAF = "ab" * 32
TOKEN = TreeAsset("eip155:1/erc20:0x" + "7e" * 20, "USD", 6)
BITCOIN = TreeAsset("bip122:000000000019d6689c085ae165831e93/slip44:0", "BTC", 8)
PAID = st.dictionaries(st.integers(1, 2**160 - 1), st.integers(1, 2**128 - 1), min_size=1, max_size=40).map(
    lambda found: [Payment(f"0x{address:040x}", units, (LEAF,)) for address, units in sorted(found.items())]
)
KINDS = pytest.mark.parametrize("kind", ["indexed", "standard"])


@KINDS
@given(paid=PAID)
def test_every_proof_holds_for_its_own_claim_and_no_other(kind: Kind, paid: list[Payment]) -> None:
    built = build_distributor(paid, kind)
    assert built.total == sum(one.units for one in paid)
    assert sorted(one.address.lower() for one in built.claims) == [one.address for one in paid]
    for one in built.claims:
        assert holds(kind, built.root, one)
        assert not holds(kind, built.root, one._replace(units=one.units + 1))
        assert not holds(kind, built.root, one._replace(address=OTHER if one.address.lower() != OTHER else ADDRESS))
        assert not one.proof or not holds(kind, built.root, one._replace(proof=one.proof[:-1]))


@given(paid=PAID)
def test_leaves_are_what_the_contracts_hash(paid: list[Payment]) -> None:
    """The same leaf computed by another library, for a tree of one, whose root is its leaf."""
    one = paid[0]
    packed = (0).to_bytes(32) + bytes.fromhex(one.address[2:]) + one.units.to_bytes(32)
    assert build_distributor([one], "indexed").root == keccak(packed)
    assert build_distributor([one], "standard").root == keccak(
        keccak(encode(["address", "uint256"], [one.address, one.units]))
    )


def test_nothing_and_too_much_make_no_distributor() -> None:
    with pytest.raises(InputError):
        build_distributor([], "indexed")
    with pytest.raises(InputError, match="256 bits"):
        build_distributor([Payment(ADDRESS, 2**256, ())], "indexed")
    assert not holds("indexed", bytes(32), Claim(0, ADDRESS, 1, ()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("address,leaf\n", ":1: expected the header"), (f"leaf,address\n{LEAF}\n", ":2: expected two cells"),
        (f"leaf,address\n{LEAF},0x12\n", ":2: "), (f"leaf,address\nAB,{ADDRESS}\n", ":2: 'AB' is no leaf"),
        (f"leaf,address\n{LEAF},{ADDRESS}\n{LEAF},{OTHER}\n", ":3: .* has two addresses"),
        ("account,address\nalice," + ADDRESS + "\n", ":1: expected the header"), ("", ":1: expected the header"),
        ("leaf,address\n" + "x" * 5_000 + "\n", ":2: longer than"), ('leaf,address\n"open,\n', "CSV"),
    ],
)  # fmt: skip
def test_a_doubtful_table_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    table = tmp_path / "addresses.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=said):
        read_payees(table, CHAIN)


def test_accounts_are_named_by_their_ids_where_the_tree_is_there(tmp_path: Path) -> None:
    table = tmp_path / "addresses.csv"
    table.write_text(f"account,address\nalice,{ADDRESS.upper().replace('X', 'x')}\n")
    leaves = {"alice": (LEAF, "cd" * 32)}
    assert read_payees(table, CHAIN, leaves) == {LEAF: ADDRESS, "cd" * 32: ADDRESS}
    table.write_text(f"account,address\nmallory,{ADDRESS}\n")
    with pytest.raises(InputError, match="no account of the tree"):
        read_payees(table, CHAIN, leaves)


def payments(count: int) -> Payments:
    return Payments(TOKEN, tuple(Payment(f"0x{number:040x}", number, (LEAF,)) for number in range(1, count + 1)), ())


def test_batches_add_up_to_what_is_paid() -> None:
    paid = payments(450)
    rows = csv_batch(paid).splitlines()[1:]
    assert sum(int(row.split(",")[2]) for row in rows) == paid.total
    assert sum(int(one["units"]) for one in json_batch(paid)["payments"]) == paid.total
    calls = safe_batch(paid, ADDRESS)["transactions"]
    assert [one["payments"] for one in calls] == [200, 200, 50]
    assert sum(int(one["total"]) for one in calls) == paid.total
    assert all(one["data"].startswith("0x8d80ff0a") for one in calls)  # multiSend(bytes)


def test_a_cell_that_could_be_a_formula_is_text() -> None:
    paid = Payments(TOKEN, (Payment("=cmd()", 1, (LEAF,)), Payment("@x", 2, (LEAF,))), ())
    assert [row.split(",")[0] for row in csv_batch(paid).splitlines()[1:]] == ["'=cmd()", "'@x"]


def test_a_safe_pays_no_bitcoin_and_a_psbt_needs_recorded_coins() -> None:
    with pytest.raises(InputError, match="EVM chains"):
        safe_batch(
            payments(1)._replace(asset=TreeAsset("bip122:000000000019d6689c085ae165831e93/slip44:0", "BTC", 8)), ADDRESS
        )
    made = case(position(Pool.RESERVE_FUND, 100))
    with pytest.raises(InputError, match="no wallet of this run"):
        psbt_batches(made, "bip122:000000000019d6689c085ae165831e93:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", [], 1)  # type: ignore[arg-type]
    assert json.dumps(json_batch(payments(1)))
