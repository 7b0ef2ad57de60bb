"""Tell which leaves are not in a published leaf list, after rebuilding it to its commitment."""

from collections.abc import Collection, Iterable
from pathlib import Path

from verifier.errors import InputError
from verifier.inclusion.commitment import load_commitment
from verifier.inclusion.dispute import LeafList
from verifier.inclusion.sum_tree import Node
from verifier.liabilities.audit import audit_leaves
from verifier.liabilities.inspect import has_leaf_list
from verifier.liabilities.leaves import read_leaves
from verifier.liabilities.places import COMMITMENT, LEAVES


def open_listed(folder: Path) -> LeafList | None:
    """Return the leaf list of a tree's folder or of a bundle, or None when it has none. Nothing is read yet."""
    inside = folder if (folder / COMMITMENT).is_file() else folder / "liabilities"
    if not (inside / COMMITMENT).is_file() or not (has_leaf_list(inside) or (inside / LEAVES).is_file()):
        return None
    commitment = load_commitment(inside / COMMITMENT)

    def missing(wanted: Collection[bytes]) -> frozenset[bytes]:
        left = set(wanted)
        audit = audit_leaves(commitment, _noting(_nodes(inside), left))
        if audit.findings:
            raise InputError(f"{inside}: the leaf list is not the committed one: {audit.findings[0].text}")
        return frozenset(left)

    return LeafList(commitment, missing)


def _nodes(folder: Path) -> Iterable[Node]:
    if not has_leaf_list(folder):
        return read_leaves(folder / LEAVES, load_commitment(folder / COMMITMENT).assets)
    from verifier.liabilities.publisher.opening import open_leaf_list

    return open_leaf_list(folder).nodes()


def _noting(leaves: Iterable[Node], left: set[bytes]) -> Iterable[Node]:
    for leaf in leaves:
        left.discard(leaf.hash)
        yield leaf
