"""Compare users' proofs of one run with each other: what no single proof can show."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from verifier.inclusion.result import Claim, Fraud, PoolReport, PoolVerdict

_UNSIGNED = "This is evidence as strong as the origin of the files: a proof file carries no signature."


def pool_claims(claims: Sequence[Claim], files: int) -> PoolReport:
    """Compare the claims of intact proofs; `files` is how many were looked at, intact or not."""
    fraud = tuple(_contradictions(claims))
    if fraud:
        return PoolReport(PoolVerdict.FRAUD, fraud)
    return PoolReport(PoolVerdict.SINGLE if files <= 1 else PoolVerdict.CONSISTENT, ())


def _contradictions(claims: Iterable[Claim]) -> Iterator[Fraud]:
    runs: dict[str, list[Claim]] = defaultdict(list)
    trees: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        runs[claim.run_id].append(claim)
        trees[claim.run_id, claim.root].append(claim)
    for run_id, members in runs.items():
        roots = {claim.root: claim.file for claim in reversed(members)}
        if len(roots) > 1:
            text = f"run {run_id} has {len(roots)} different published digests: users were shown different books."
            yield Fraud("two-roots", f"{text} {_UNSIGNED}", tuple(sorted(roots.values())))
    for (run_id, _), members in trees.items():
        yield from _within_one_tree(run_id, members)


def _within_one_tree(run_id: str, members: Sequence[Claim]) -> Iterator[Fraud]:
    by_index: dict[int, Claim] = {}
    by_account: dict[str, Claim] = {}
    for claim in members:
        holder = by_index.setdefault(claim.leaf_index, claim)
        if holder.account != claim.account:
            text = f"run {run_id}: two accounts were given one leaf, number {claim.leaf_index}: one is missing."
            yield Fraud("leaf-claimed-twice", f"{text} {_UNSIGNED}", (holder.file, claim.file))
        earlier = by_account.setdefault(claim.account, claim)
        if earlier.leaf_index != claim.leaf_index:
            text = f"run {run_id}: one account has two leaves, numbers {earlier.leaf_index} and {claim.leaf_index}."
            yield Fraud("account-counted-twice", f"{text} {_UNSIGNED}", (earlier.file, claim.file))
