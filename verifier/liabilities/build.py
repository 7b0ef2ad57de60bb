"""Build the tree of what an exchange owes, and draw one user's proof from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from verifier.errors import InputError
from verifier.inclusion import sum_tree, wire
from verifier.inclusion.check import check_proof
from verifier.inclusion.commitment import Commitment, TreeAsset, commitment_of, read_run_id
from verifier.inclusion.proof import InclusionProof
from verifier.inclusion.result import ProofVerdict
from verifier.inclusion.sum_tree import MAX_ACCOUNT_BYTES, Node, Sums
from verifier.liabilities.accounts import Account


class TreeLeaf(NamedTuple):
    """One account at its place in the tree, with the salt that keeps its hash from being guessed."""

    account: str
    salt: bytes
    units: Sums


@dataclass(frozen=True)
class LiabilitiesTree:
    """A whole tree in memory. Secret except for `commitment`: it names every account and its balances.

    `levels[0]` holds the leaves in the order of their position keys, the last level the root; padding is not stored.
    """

    commitment: Commitment
    leaves: tuple[TreeLeaf, ...] = field(repr=False)
    levels: tuple[list[Node], ...] = field(repr=False)
    index_of: dict[str, int] = field(repr=False)

    def accounts(self) -> list[str]:
        """Return every account id, in the order of the leaves."""
        return list(self.index_of)

    def prove(self, account: str) -> InclusionProof:
        """Return an account's proof, checked by the code that users run. Raises InputError for an unknown account."""
        return prove(self, account)


def build(
    accounts: Iterable[Account], assets: Sequence[TreeAsset], run_id: str, as_of: str, secret: bytes
) -> LiabilitiesTree:
    """Build the tree of all accounts; the same accounts give the same root in any order.

    Raises InputError for no account, a duplicate account, an amount or sum outside 0 … 2^128 - 1, a malformed run id
    or time.
    """
    # 1. Salt every leaf and let a keyed hash of the account id decide its place
    key = sum_tree.salt_key(_checked_secret(secret), read_run_id(run_id, "run id"))
    placed = sorted(_placed(account, key, len(assets)) for account in accounts)
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
    header = Commitment(run_id, as_of, tuple(assets), len(leaves), depth, root.hash, root.sums)
    commitment = commitment_of(header.to_record())  # refuses a header that no reader would accept
    index_of = {leaf.account: index for index, leaf in enumerate(leaves)}
    return LiabilitiesTree(commitment, leaves, tuple(levels), index_of)


def prove(tree: LiabilitiesTree, account: str) -> InclusionProof:
    """Return an account's proof, checked by the code that users run. Raises InputError for an unknown account."""
    if account not in tree.index_of:
        raise InputError(f"{wire.show(account)}: no such account in run {tree.commitment.run_id}")
    index = tree.index_of[account]
    leaf = tree.leaves[index]
    assets = len(tree.commitment.assets)
    path = tuple(_sibling(nodes, index >> height, height, assets) for height, nodes in enumerate(tree.levels[:-1]))
    proof = InclusionProof(tree.commitment, tree.commitment.digest, account, leaf.salt, leaf.units, index, path)
    result = check_proof(proof)
    if result.verdict is not ProofVerdict.ACCEPTED:
        raise InputError(f"{wire.show(account)}: the stored tree is damaged: {result.findings[0].text}; build it again")
    return proof


def _placed(account: Account, key: bytes, assets: int) -> tuple[bytes, TreeLeaf]:
    where = wire.show(account.id)
    name = wire.read_text(account.id, where, MAX_ACCOUNT_BYTES).encode()
    if len(account.units) != assets:
        raise InputError(f"{where}: {len(account.units)} amounts for {assets} assets")
    leaf = TreeLeaf(account.id, sum_tree.salt_of(key, name), account.units)
    return sum_tree.position_of(leaf.salt, name), leaf


def _refuse_duplicates(placed: Sequence[tuple[bytes, TreeLeaf]]) -> None:
    for (key, leaf), (next_key, _) in pairwise(placed):
        if key == next_key:
            raise InputError(f"{wire.show(leaf.account)}: the account is listed twice")


def _node(run_id: str, leaf: TreeLeaf) -> Node:
    return Node(sum_tree.leaf_hash(run_id, leaf.salt, leaf.account.encode(), leaf.units), leaf.units)


def _sibling(nodes: Sequence[Node], index: int, height: int, assets: int) -> Node:
    beside = index ^ 1
    return nodes[beside] if beside < len(nodes) else sum_tree.padding(height, assets)


def _checked_secret(secret: bytes) -> bytes:
    if len(secret) != sum_tree.SECRET_BYTES:
        raise InputError(f"the run secret has {len(secret)} bytes; expected {sum_tree.SECRET_BYTES}")
    return secret
