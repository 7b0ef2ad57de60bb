"""The trees of distributors are those of OpenZeppelin's own program: same root, same proofs, for trees of any size."""

import json
import os
import subprocess
from typing import Any

import pytest

from chains.ids import ChainId
from tests.live.require import nodes_home, require_binary
from tests.verifier.payouts import evm_address
from verifier.compensation.payments.claim_hashes import Kind, claim_hash
from verifier.compensation.payments.distributor import Distributor, make_distributor
from verifier.compensation.payments.payees import Payees, Payment
from verifier.inclusion.commitment import TreeAsset

HOW = "run `python tests/live/install_distributor.py`"
PROGRAM = """
const { StandardMerkleTree, SimpleMerkleTree } = require("@openzeppelin/merkle-tree");
const { kind, values } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const standard = kind === "standard";
const tree = standard ? StandardMerkleTree.of(values, ["address", "uint256"]) : SimpleMerkleTree.of(values);
console.log(JSON.stringify({ root: tree.root, proofs: values.map((_, place) => tree.getProof(place)) }));
"""


def theirs(kind: Kind, values: list[Any]) -> dict[str, Any]:
    """Return root and proofs as OpenZeppelin's program gives them; skips visibly when it is not installed."""
    node, folder = require_binary("node", "install Node.js"), nodes_home() / "distributor" / "merkle-tree"
    if not folder.exists():
        if os.environ.get("POR_REQUIRE_NODES") == "1":
            pytest.fail(f"OpenZeppelin's merkle-tree is not installed; {HOW}")
        pytest.skip(f"OpenZeppelin's merkle-tree is not installed; {HOW}")
    asked = json.dumps({"kind": kind, "values": values})
    done = subprocess.run([node, "-e", PROGRAM], input=asked, cwd=folder, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ours(kind: Kind, count: int) -> Distributor:
    asset = TreeAsset("eip155:1/erc20:0x" + "11" * 20, "X", 6)
    units = [2**128 - 1, 1, *range(10**18, 10**18 + count)]
    payments = sorted(Payment(evm_address(str(number)), units[number], ()) for number in range(count))
    return make_distributor(Payees(ChainId("eip155:1"), asset, "", tuple(payments), ()), kind)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 21, 100, 257])
@pytest.mark.parametrize("kind", list(Kind))
def test_root_and_every_proof_are_those_of_another_program(kind: Kind, count: int) -> None:
    made = ours(kind, count)
    paid = list(enumerate(made.payees.payments))
    if kind is Kind.STANDARD:
        values: list[Any] = [[one.address, str(one.units)] for _, one in paid]
    else:
        values = ["0x" + claim_hash(kind, number, one.address, one.units).hex() for number, one in paid]
    found = theirs(kind, values)
    assert made.to_record()["merkleRoot"] == found["root"]
    assert [made.claim(number)["proof"] for number, _ in paid] == found["proofs"]
