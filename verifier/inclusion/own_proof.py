"""Judge a proof in our own format: is this balance inside the liabilities tree the exchange committed to?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from verifier.inclusion import sum_tree, wire
from verifier.inclusion.commitment import Commitment
from verifier.inclusion.finding import Finding
from verifier.inclusion.proof import PROOF_FORMAT, InclusionProof
from verifier.inclusion.result import Claim, Grade, InclusionResult, ProofVerdict
from verifier.inclusion.sum_tree import SumError

DEFAULT_MAX_AGE = timedelta(days=35)


@dataclass(frozen=True)
class Question:
    """What the checker knows from elsewhere: the published digest, the own balance, what time it is."""

    root: str | None = None
    expected: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None
    max_age: timedelta = DEFAULT_MAX_AGE


NOTHING_KNOWN = Question()


def check_proof(proof: InclusionProof, question: Question = NOTHING_KNOWN, file: str = "") -> InclusionResult:
    """Judge one proof; pure. A proof that was damaged or forged is refused with the reasons."""
    commitment = proof.commitment
    # 1. The path leads to the root, no sum wraps, padding is empty
    faults = list(_faults(proof))
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
    leaf = proof.leaf.hash.hex() if included else None
    return InclusionResult(
        file=file,
        format=PROOF_FORMAT,
        verdict=ProofVerdict.REFUSED if faults else ProofVerdict.ACCEPTED,
        root=commitment.digest,
        leaf=leaf,
        own=commitment.amounts(proof.balances) if included else None,
        totals=commitment.amounts(commitment.totals) if included else None,
        grade=grade,
        findings=(*faults, *notes),
        does_not_prove=() if faults else tuple(_limits(grade, question)),
        account=proof.account,
        run_id=commitment.run_id,
        as_of=commitment.as_of,
        claim=Claim(file, commitment.run_id, commitment.digest, proof.index, leaf, proof.account) if leaf else None,
    )


def _faults(proof: InclusionProof) -> Iterator[Finding]:
    commitment = proof.commitment
    if proof.commitment_digest != commitment.digest:
        yield Finding("commitment-differs", "the header in this file was changed: its digest is not the one beside it")
    shape = list(_shape_faults(proof))
    if shape:
        yield from shape
        return
    yield from _padding_faults(proof)
    try:
        top = sum_tree.fold_path(proof.leaf, proof.index, proof.path)
    except SumError as error:
        yield Finding("sum-overflow", str(error))
        return
    if top.hash != commitment.root:
        text = "the hashes do not lead to the root: the account, a balance or the path was changed"
        yield Finding("root-differs", text)
    if top.sums != commitment.totals:
        yield Finding("totals-differ", "the sums on the path do not add up to the totals in the header")


def _shape_faults(proof: InclusionProof) -> Iterator[Finding]:
    commitment, assets = proof.commitment, len(proof.commitment.assets)
    depth = sum_tree.depth_of(commitment.leaf_count)
    if commitment.depth != depth:
        text = f"{commitment.leaf_count} leaves need depth {depth}, the header says {commitment.depth}"
        yield Finding("depth-differs", text)
    if len(proof.path) != depth:
        yield Finding("path-length", f"the path has {len(proof.path)} steps; this tree needs {depth}")
    if not 0 <= proof.index < commitment.leaf_count:
        text = f"leaf number {proof.index} lies beyond the {commitment.leaf_count} leaves of the tree"
        yield Finding("index-beyond-tree", text)
    if any(len(sums) != assets for sums in (proof.balances, commitment.totals, *(node.sums for node in proof.path))):
        yield Finding("malformed", f"an entry does not have one amount for each of the {assets} assets")


def _padding_faults(proof: InclusionProof) -> Iterator[Finding]:
    assets, leaf_count = len(proof.commitment.assets), proof.commitment.leaf_count
    for height, sibling in enumerate(proof.path):
        first_place = (proof.index >> height ^ 1) << height
        empty = sum_tree.padding(height, assets)
        if first_place >= leaf_count:
            if sibling != empty:
                text = f"step {height + 1} of the path lies beyond the last leaf and is not empty"
                yield Finding("padding-carries-value", text)
        elif sibling.hash == empty.hash:
            text = f"step {height + 1} of the path is padding in a place where the header counts leaves"
            yield Finding("padding-inside", text)


def _not_published(commitment: Commitment, root: str) -> Finding:
    if root == commitment.root.hex():
        text = f"{root} is the tree's top hash; compare the commitment digest, here {commitment.digest}"
    else:
        text = f"the exchange published {root}, this proof belongs to {commitment.digest}"
    return Finding("root-not-published", text)


def _unexpected(proof: InclusionProof, expected: Mapping[str, str]) -> Iterator[Finding]:
    assets = proof.commitment.assets
    for name, amount in expected.items():
        column = next((number for number, asset in enumerate(assets) if name in (asset.asset, asset.symbol)), None)
        if column is None:
            if Fraction(amount) != 0:
                yield Finding("balance-differs", f"you expect {amount} {name}, but this tree does not cover {name}")
            continue
        if Fraction(amount) != Fraction(proof.balances[column], 10 ** assets[column].decimals):
            counted = proof.commitment.amounts(proof.balances)[assets[column].symbol]
            yield Finding("balance-differs", f"you expect {amount} {name}, but the exchange counted {counted}")


def _is_fresh(commitment: Commitment, now: datetime, max_age: timedelta) -> bool:
    return timedelta(0) <= now - wire.utc(commitment.as_of) <= max_age


def _stale(commitment: Commitment, question: Question) -> Finding:
    if question.now is not None and question.now < wire.utc(commitment.as_of):
        return Finding("as-of-in-future", f"the tree says it is of {commitment.as_of}, which lies in the future")
    return Finding("stale", f"the tree is of {commitment.as_of}, more than {question.max_age.days} days ago")


def _limits(grade: Grade, question: Question) -> Iterator[str]:
    if not grade.root_anchored:
        yield (
            "that this is the tree the exchange published: the root was read from your own file; compare it with the "
            "published one (--root or --anchor)"
        )
    if not question.expected:
        yield "that the balance is right: compare the amounts with your own records (--expect)"
    if not grade.fresh:
        yield "that the tree is recent"
    yield "that other users are counted: an account the exchange left out is found only when its owner asks for a proof"
    yield "that everybody is shown the same root: compare it with others, or use a public log"
    yield "that the exchange holds the coins: that is what `por verify` checks"
