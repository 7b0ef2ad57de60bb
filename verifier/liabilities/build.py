"""Build the tree of what an exchange owes, and draw one user's proof from it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

from verifier.errors import InputError
from verifier.inclusion import sum_tree, wire
from verifier.inclusion.commitment import Commitment, TreeAsset, commitment_of, read_run_id
from verifier.inclusion.own_proof import check_proof
from verifier.inclusion.proof import InclusionProof, LeafProof
from verifier.inclusion.result import ProofVerdict
from verifier.inclusion.sum_tree import MAX_ACCOUNT_BYTES, Node, Sums
from verifier.liabilities.accounts import Account


class TreeLeaf(NamedTuple):
    """One part of an account at its place in the tree, with the salt that keeps its hash from being guessed."""

    account: str
    part: int
    salt: bytes
    units: Sums


class _Keys(NamedTuple):
    """What decides every leaf's salt, place and part of a balance."""

    salt: bytes
    split: bytes


@dataclass(frozen=True)
class LiabilitiesTree:
    """A whole tree in memory. Secret except for `commitment`: it names every account and its balances.

    `levels[0]` holds the leaves in the order of their position keys, the last level the root; padding is not stored.
    `places` says at which of them each account stands, in the order of its parts.
    """

    commitment: Commitment
    leaves: tuple[TreeLeaf, ...] = field(repr=False)
    levels: tuple[list[Node], ...] = field(repr=False)
    places: dict[str, tuple[int, ...]] = field(repr=False)

    def accounts(self) -> list[str]:
        """Return every account id, in the order of their first parts' leaves."""
        return list(self.places)

    def owed(self, account: str) -> Sums:
        """Return what an account is owed: the sum over its leaves, in base units."""
        return reduce(sum_tree.add_sums, [self.leaves[place].units for place in self.places[account]])

    def prove(self, account: str) -> InclusionProof:
        """Return an account's proof, checked by the code that users run. Raises InputError for an unknown account."""
        return prove(self, account)


def build(
    accounts: Iterable[Account],
    assets: Sequence[TreeAsset],
    run_id: str,
    as_of: str,
    secret: bytes,
    parts: int = 1,
) -> LiabilitiesTree:
    """Build the tree of all accounts, `parts` leaves each; the same accounts give the same root in any order.

    Raises InputError for no account, a duplicate account, an amount or sum outside 0 … 2^128 - 1, a malformed run id
    or time, and for parts outside 1 … 16.
    """
    # 1. Cut every balance, salt every part and let a keyed hash of the account id and the part decide its place
    keys = _keys(secret, read_run_id(run_id, "run id"))
    wire.read_count(parts, "leaves per account", 1, sum_tree.MAX_PARTS)
    placed = sorted(leaf for account in accounts for leaf in _placed(account, keys, len(assets), parts))
    _refuse_duplicates(placed)
    leaves = tuple(leaf for _, leaf in placed)
    if not leaves:
        raise InputError("there is no account: a tree needs at least one")
    # 2. Hash the leaves, then level upon level
    levels = [[_node(run_id, leaf) for leaf in leaves]]
    while len(levels[-1]) > 1:
        levels.append(sum_tree.fold_level(levels[-1], len(levels) - 1))
    # 3. Commit to the root together with everything that gives it a meaning
    root = levels[-1][0]
    depth = sum_tree.depth_of(len(leaves))
    header = Commitment(run_id, as_of, tuple(assets), parts, len(leaves), depth, root.hash, root.sums)
    commitment = commitment_of(header.to_record())  # refuses a header that no reader would accept
    return LiabilitiesTree(commitment, leaves, tuple(levels), _places(leaves, parts))


def prove(tree: LiabilitiesTree, account: str) -> InclusionProof:
    """Return an account's proof, checked by the code that users run. Raises InputError for an unknown account."""
    if account not in tree.places:
        raise InputError(f"{wire.show(account)}: no such account in run {tree.commitment.run_id}")
    leaves = tuple(_leaf_proof(tree, place) for place in tree.places[account])
    proof = InclusionProof(tree.commitment, tree.commitment.digest, account, leaves)
    result = check_proof(proof)
    if result.verdict is not ProofVerdict.ACCEPTED:
        raise InputError(f"{wire.show(account)}: the stored tree is damaged: {result.findings[0].text}; build it again")
    return proof


def _leaf_proof(tree: LiabilitiesTree, index: int) -> LeafProof:
    leaf, assets = tree.leaves[index], len(tree.commitment.assets)
    path = tuple(_sibling(nodes, index >> height, height, assets) for height, nodes in enumerate(tree.levels[:-1]))
    return LeafProof(leaf.salt, leaf.units, index, path)


def _keys(secret: bytes, run_id: str) -> _Keys:
    if len(secret) != sum_tree.SECRET_BYTES:
        raise InputError(f"the run secret has {len(secret)} bytes; expected {sum_tree.SECRET_BYTES}")
    return _Keys(sum_tree.salt_key(secret, run_id), sum_tree.split_key(secret, run_id))


def _placed(account: Account, keys: _Keys, assets: int, parts: int) -> Iterator[tuple[bytes, TreeLeaf]]:
    where = wire.show(account.id)
    name = wire.read_text(account.id, where, MAX_ACCOUNT_BYTES).encode()
    if len(account.units) != assets:
        raise InputError(f"{where}: {len(account.units)} amounts for {assets} assets")
    for part, units in enumerate(sum_tree.split_units(keys.split, name, account.units, parts)):
        salt, position = sum_tree.salt_and_position(keys.salt, name, part)
        yield position, TreeLeaf(account.id, part, salt, units)


def _places(leaves: Sequence[TreeLeaf], parts: int) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {leaf.account: [0] * parts for leaf in leaves if leaf.part == 0}
    for place, leaf in enumerate(leaves):
        found[leaf.account][leaf.part] = place
    return {account: tuple(places) for account, places in found.items()}


def _refuse_duplicates(placed: Sequence[tuple[bytes, TreeLeaf]]) -> None:
    for (key, leaf), (next_key, _) in pairwise(placed):
        if key == next_key:
            raise InputError(f"{wire.show(leaf.account)}: the account is listed twice")


def _node(run_id: str, leaf: TreeLeaf) -> Node:
    return Node(sum_tree.leaf_hash(run_id, leaf.salt, leaf.account.encode(), leaf.units, leaf.part), leaf.units)


def _sibling(nodes: Sequence[Node], index: int, height: int, assets: int) -> Node:
    beside = index ^ 1
    return nodes[beside] if beside < len(nodes) else sum_tree.padding(height, assets)
