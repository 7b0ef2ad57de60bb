"""A root that published Merkle distributor contracts take: everybody claims the own amount on the chain, by a proof."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from chains.evm.address import checksum_address
from chains.evm.keccak import keccak256
from verifier.compensation.payees import Payment
from verifier.errors import InputError

FORMAT = "reserve-verifier/distributor/1"
MAX_CLAIMS = 5_000_000
_MAX_UNITS = 2**256 - 1

Kind = Literal["indexed", "standard"]


class Claim(NamedTuple):
    """One address's claim: its number in the tree, base units, and the siblings from the leaf up."""

    number: int
    address: str
    units: int
    proof: tuple[bytes, ...]

    def to_record(self) -> dict[str, Any]:
        return {
            "index": self.number,
            "amount": hex(self.units),
            "units": str(self.units),
            "proof": [f"0x{one.hex()}" for one in self.proof],
        }


class Distributor(NamedTuple):
    """A tree of claims for a contract, and what it has to be funded with, in base units."""

    kind: Kind
    root: bytes
    total: int
    claims: tuple[Claim, ...]


def build_distributor(payments: Sequence[Payment], kind: Kind) -> Distributor:
    """Return the tree over payments to EVM addresses, in the order of their checksummed spelling.

    `indexed`: leaf = keccak256(index ‖ address ‖ amount), packed, leaves sorted, an odd one goes up as it is (Uniswap's
    merkle-distributor). `standard`: leaf = keccak256(keccak256(abi.encode(address, amount))), a complete binary tree
    (OpenZeppelin's StandardMerkleTree). Pairs are sorted before they are hashed. Raises InputError for no payment.
    """
    if not 0 < len(payments) <= MAX_CLAIMS:
        raise InputError(f"{len(payments):,} payments; a distributor takes 1 to {MAX_CLAIMS:,}")
    named = sorted(((checksum_address(one.address), one.units) for one in payments), key=lambda one: one[0])
    if any(units > _MAX_UNITS for _, units in named):
        raise InputError("an amount does not fit 256 bits")
    leaves = [_leaf(kind, index, address, units) for index, (address, units) in enumerate(named)]
    levels = _indexed_levels(leaves) if kind == "indexed" else []
    proofs = [_climb(levels, leaf) for leaf in leaves] if kind == "indexed" else _standard_proofs(leaves)
    root = levels[-1][0] if kind == "indexed" else _standard_tree(leaves)[0]
    claims = (
        Claim(number, address, units, proof)
        for number, ((address, units), proof) in enumerate(zip(named, proofs, strict=True))
    )
    return Distributor(kind, root, sum(units for _, units in named), tuple(claims))


def holds(kind: Kind, root: bytes, claim: Claim) -> bool:
    """Tell whether a claim's proof leads to a root, as the contracts do."""
    node = _leaf(kind, claim.number, claim.address, claim.units)
    for sibling in claim.proof:
        node = _pair(node, sibling)
    return node == root


def _leaf(kind: Kind, index: int, address: str, units: int) -> bytes:
    raw = bytes.fromhex(address[2:])
    if kind == "indexed":
        return keccak256(index.to_bytes(32) + raw + units.to_bytes(32))
    return keccak256(keccak256(bytes(12) + raw + units.to_bytes(32)))


def _pair(one: bytes, other: bytes) -> bytes:
    return keccak256(min(one, other) + max(one, other))


def _indexed_levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    levels = [sorted(set(leaves))]
    while len(levels[-1]) > 1:
        below = levels[-1]
        joined = [_pair(*below[at : at + 2]) if at + 1 < len(below) else below[at] for at in range(0, len(below), 2)]
        levels.append(joined)
    return levels


def _climb(levels: Sequence[Sequence[bytes]], leaf: bytes) -> tuple[bytes, ...]:
    at, proof = _place(levels[0], leaf), []
    for level in levels[:-1]:
        beside = at ^ 1
        if beside < len(level):
            proof.append(level[beside])
        at //= 2
    return tuple(proof)


def _place(ordered: Sequence[bytes], leaf: bytes) -> int:
    return bisect_left(ordered, leaf)


def _standard_tree(leaves: Sequence[bytes]) -> list[bytes]:
    """Return the nodes of the complete tree, the root first; the sorted leaves stand at the end, from the last on."""
    ordered = sorted(leaves)
    nodes = [b""] * (len(ordered) - 1) + ordered[::-1]
    for at in reversed(range(len(ordered) - 1)):
        nodes[at] = _pair(nodes[2 * at + 1], nodes[2 * at + 2])
    return nodes


def _standard_proofs(leaves: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    nodes, ordered, proofs = _standard_tree(leaves), sorted(leaves), []
    for leaf in leaves:
        at, proof = len(nodes) - 1 - _place(ordered, leaf), []
        while at:
            proof.append(nodes[at + 1 if at % 2 else at - 1])
            at = (at - 1) // 2
        proofs.append(tuple(proof))
    return proofs
