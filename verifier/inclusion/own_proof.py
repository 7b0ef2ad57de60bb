"""Judge a proof in our own format: is this balance inside the liabilities tree the exchange committed to?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from verifier.inclusion import sum_tree, wire
from verifier.inclusion.commitment import Commitment
from verifier.inclusion.finding import Finding
from verifier.inclusion.grading import LIMITS, NEVER_PROVEN
from verifier.inclusion.proof import PROOF_FORMAT, InclusionProof, LeafProof
from verifier.inclusion.result import Claim, Grade, InclusionResult, ProofVerdict
from verifier.inclusion.sum_tree import Join, SumError

DEFAULT_MAX_AGE = timedelta(days=35)


@dataclass(frozen=True)
class Question:
    """What the checker knows from elsewhere: the published digest, the own balance, what time it is."""

    root: str | None = None
    expected: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None
    max_age: timedelta = DEFAULT_MAX_AGE


NOTHING_KNOWN = Question()


def check_proof(
    proof: InclusionProof, question: Question = NOTHING_KNOWN, file: str = "", join: Join = sum_tree.parent
) -> InclusionResult:
    """Judge one proof; pure. A proof that was damaged or forged is refused with the reasons.

    `join` joins two nodes; who checks many proofs of one tree passes a `sum_tree.parent` that remembers its results.
    """
    commitment = proof.commitment
    # 1. Every leaf's path leads to the root, no sum wraps, padding is empty, no leaf is missing or told twice
    faults = list(_faults(proof, join))
    included = not faults
    # 2. The root is the published one; the balance is the expected one
    anchored = included and question.root == commitment.digest
    if included and question.root is not None and not anchored:
        faults.append(_not_published(commitment, question.root))
    if included:
        faults.extend(_unexpected(proof, question.expected))
    # 3. The snapshot is recent
    fresh = included and question.now is not None and _is_fresh(commitment, question.now, question.max_age)
    grade = Grade(included, included, included, anchored, fresh)
    notes = [] if fresh or question.now is None or not included else [_stale(commitment, question)]
    claims = tuple(_claims(proof, file)) if included else ()
    return InclusionResult(
        file=file,
        format=PROOF_FORMAT,
        verdict=ProofVerdict.REFUSED if faults else ProofVerdict.ACCEPTED,
        root=commitment.digest,
        leaf=claims[0].leaf if included else None,
        own=commitment.amounts(proof.balances) if included else None,
        totals=commitment.total_amounts if included else None,
        grade=grade,
        findings=(*faults, *notes),
        does_not_prove=() if faults else tuple(_limits(grade, question)),
        account=proof.account,
        run_id=commitment.run_id,
        as_of=commitment.as_of,
        claims=claims,
    )


def _claims(proof: InclusionProof, file: str) -> Iterator[Claim]:
    run_id, root = proof.commitment.run_id, proof.commitment.digest
    for part, leaf in enumerate(proof.leaves):
        yield Claim(file, run_id, root, leaf.index, proof.node(part).hash.hex(), proof.account, part)


def _faults(proof: InclusionProof, join: Join) -> Iterator[Finding]:
    commitment = proof.commitment
    if proof.commitment_digest != commitment.digest:
        yield Finding("commitment-differs", "the header in this file was changed: its digest is not the one beside it")
    # 1. Header and leaves have the shape that the header's counts ask for
    shape = [*_header_faults(commitment), *_leaf_count_faults(proof)]
    for part, leaf in enumerate(proof.leaves):
        shape.extend(_shape_faults(proof, leaf, _named(proof, part)))
    shape = shape or list(_sum_faults(proof))
    if shape:
        yield from shape
        return
    # 2. Each leaf, with its part number, leads to the root, and what it holds is counted there
    for part, leaf in enumerate(proof.leaves):
        yield from _padding_faults(proof, leaf, _named(proof, part))
        yield from _root_faults(proof, part, join)


def _named(proof: InclusionProof, part: int) -> str:
    return f"leaf {part + 1} of {len(proof.leaves)}: " if len(proof.leaves) > 1 else ""


def _header_faults(commitment: Commitment) -> Iterator[Finding]:
    depth = sum_tree.depth_of(commitment.leaf_count)
    if commitment.depth != depth:
        text = f"{commitment.leaf_count} leaves need depth {depth}, the header says {commitment.depth}"
        yield Finding("depth-differs", text)
    if commitment.parts < 1 or commitment.leaf_count % commitment.parts:
        text = f"{commitment.leaf_count} leaves in the header are no multiple of {commitment.parts} leaves per account"
        yield Finding("parts-differ", text)
    if len(commitment.totals) != len(commitment.assets):
        yield Finding("malformed", f"the header does not have one total for each of {len(commitment.assets)} assets")


def _leaf_count_faults(proof: InclusionProof) -> Iterator[Finding]:
    if len(proof.leaves) != proof.commitment.parts:
        text = f"the file has {len(proof.leaves)} leaves; in this tree every account has {proof.commitment.parts}"
        yield Finding("parts-differ", text)
    seen: set[int] = set()
    for leaf in proof.leaves:
        if leaf.index in seen:
            text = f"leaf number {leaf.index} stands in the file more than once: one balance would be counted twice"
            yield Finding("leaf-repeated", text)
        seen.add(leaf.index)


def _shape_faults(proof: InclusionProof, leaf: LeafProof, named: str) -> Iterator[Finding]:
    leaf_count, assets = proof.commitment.leaf_count, len(proof.commitment.assets)
    depth = sum_tree.depth_of(leaf_count)
    if len(leaf.path) != depth:
        yield Finding("path-length", f"{named}the path has {len(leaf.path)} steps; this tree needs {depth}")
    if not 0 <= leaf.index < leaf_count:
        text = f"{named}leaf number {leaf.index} lies beyond the {leaf_count} leaves of the tree"
        yield Finding("index-beyond-tree", text)
    if any(len(sums) != assets for sums in (leaf.balances, *(node.sums for node in leaf.path))):
        yield Finding("malformed", f"{named}an entry does not have one amount for each of the {assets} assets")


def _sum_faults(proof: InclusionProof) -> Iterator[Finding]:
    try:
        _ = proof.balances
    except SumError as error:
        yield Finding("sum-overflow", f"the account's leaves together: {error}")


def _padding_faults(proof: InclusionProof, leaf: LeafProof, named: str) -> Iterator[Finding]:
    assets, leaf_count = len(proof.commitment.assets), proof.commitment.leaf_count
    for height, sibling in enumerate(leaf.path):
        first_place = (leaf.index >> height ^ 1) << height
        empty = sum_tree.padding(height, assets)
        if first_place >= leaf_count:
            if sibling != empty:
                text = f"{named}step {height + 1} of the path lies beyond the last leaf and is not empty"
                yield Finding("padding-carries-value", text)
        elif sibling.hash == empty.hash:
            text = f"{named}step {height + 1} of the path is padding in a place where the header counts leaves"
            yield Finding("padding-inside", text)


def _root_faults(proof: InclusionProof, part: int, join: Join) -> Iterator[Finding]:
    commitment, leaf, named = proof.commitment, proof.leaves[part], _named(proof, part)
    try:
        top = sum_tree.fold_path(proof.node(part), leaf.index, leaf.path, join)
    except SumError as error:
        yield Finding("sum-overflow", f"{named}{error}")
        return
    if top.hash != commitment.root:
        text = f"{named}the hashes do not lead to the root: the account, a balance or the path was changed"
        yield Finding("root-differs", text)
    if top.sums != commitment.totals:
        yield Finding("totals-differ", f"{named}the sums on the path do not add up to the totals in the header")


def _not_published(commitment: Commitment, root: str) -> Finding:
    if root == commitment.root.hex():
        text = f"{root} is the tree's top hash; compare the commitment digest, here {commitment.digest}"
    else:
        text = f"the exchange published {root}, this proof belongs to {commitment.digest}"
    return Finding("root-not-published", text)


def _unexpected(proof: InclusionProof, expected: Mapping[str, str]) -> Iterator[Finding]:
    assets, balances = proof.commitment.assets, proof.balances
    for name, amount in expected.items():
        column = next((number for number, asset in enumerate(assets) if name in (asset.asset, asset.symbol)), None)
        if column is None:
            if Fraction(amount) != 0:
                yield Finding("balance-differs", f"you expect {amount} {name}, but this tree does not cover {name}")
            continue
        if Fraction(amount) != Fraction(balances[column], 10 ** assets[column].decimals):
            counted = proof.commitment.amounts(balances)[assets[column].symbol]
            yield Finding("balance-differs", f"you expect {amount} {name}, but the exchange counted {counted}")


def _is_fresh(commitment: Commitment, now: datetime, max_age: timedelta) -> bool:
    return timedelta(0) <= now - wire.utc(commitment.as_of) <= max_age


def _stale(commitment: Commitment, question: Question) -> Finding:
    if question.now is not None and question.now < wire.utc(commitment.as_of):
        return Finding("as-of-in-future", f"the tree says it is of {commitment.as_of}, which lies in the future")
    return Finding("stale", f"the tree is of {commitment.as_of}, more than {question.max_age.days} days ago")


def _limits(grade: Grade, question: Question) -> Iterator[str]:
    if not grade.root_anchored:
        yield LIMITS["tree-not-compared"]
    if not question.expected:
        yield LIMITS["balance-not-compared"]
    if not grade.fresh:
        yield LIMITS["not-recent"]
    yield from (LIMITS[code] for code in NEVER_PROVEN)
