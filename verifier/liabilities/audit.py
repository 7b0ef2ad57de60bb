"""Rebuild a whole tree from its leaf list and compare it with what was published."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from verifier.inclusion import sum_tree
from verifier.inclusion.commitment import Commitment
from verifier.inclusion.finding import Finding
from verifier.inclusion.sum_tree import Node, Sums


class Audit(NamedTuple):
    """What a rebuilt tree shows; `findings` is empty when it is the published one.

    It covers arithmetic and completeness of the list. Without ids and salts it cannot say whose a leaf is.
    """

    leaf_count: int
    totals: Sums
    root: bytes
    findings: tuple[Finding, ...]

    @property
    def matches(self) -> bool:
        return not self.findings


def audit_leaves(commitment: Commitment, leaves: Iterable[Node]) -> Audit:
    """Rebuild root, totals and count from the leaves and compare; every leaf hash must be unique and no padding.

    Keeps one node per level and the 32-byte hash of every leaf. Raises InputError when there is no leaf or a sum
    exceeds 2^128 - 1.
    """
    found: dict[str, Finding] = {}
    count, top = sum_tree.fold_leaves(_watched(leaves, found), len(commitment.assets))
    return Audit(count, top.sums, top.hash, (*found.values(), *differences(commitment, count, top)))


def _watched(leaves: Iterable[Node], found: dict[str, Finding]) -> Iterator[Node]:
    """Pass the leaves on, and note the first one of each kind that no honest list has."""
    seen: set[bytes] = set()
    empty = sum_tree.padding(0, 1).hash
    for number, leaf in enumerate(leaves):
        if leaf.hash in seen:
            text = f"leaf number {number} appears a second time: {leaf.hash.hex()}"
            found.setdefault("leaf-repeated", Finding("leaf-repeated", text))
        if leaf.hash == empty:
            found.setdefault("padding-listed", Finding("padding-listed", f"leaf number {number} is padding"))
        seen.add(leaf.hash)
        yield leaf


def differences(commitment: Commitment, count: int, top: Node) -> Iterator[Finding]:
    """Say where a rebuilt tree is not the published one."""
    if count != commitment.leaf_count:
        yield Finding("leaf-count-differs", f"the list has {count} leaves, the commitment says {commitment.leaf_count}")
    if commitment.leaf_count % commitment.parts:
        text = f"{commitment.leaf_count} leaves are no multiple of {commitment.parts} leaves per account"
        yield Finding("parts-differ", text)
    if commitment.depth != sum_tree.depth_of(commitment.leaf_count):
        yield Finding("depth-differs", f"the commitment's depth {commitment.depth} does not fit its leaf count")
    if top.sums != commitment.totals:
        text = ", ".join(
            f"{asset.symbol} {listed} instead of {published} base units"
            for asset, listed, published in zip(commitment.assets, top.sums, commitment.totals, strict=True)
            if listed != published
        )
        yield Finding("totals-differ", f"the leaves add up to {text}")
    if top.hash != commitment.root:
        yield Finding("root-differs", f"the leaves lead to {top.hash.hex()}, not to the published root")
