"""Compare users' proofs of one run with each other: what no single proof can show."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from verifier.inclusion import numbers
from verifier.inclusion.recipe import same_amounts
from verifier.inclusion.result import (
    Claim,
    Fraud,
    InclusionResult,
    LineClaim,
    PathEvidence,
    PoolReport,
    PoolVerdict,
    Seen,
)

_UNSIGNED = "This is evidence as strong as the origin of the files: a proof file carries no signature."


def pool_claims(claims: Sequence[Claim], files: int) -> PoolReport:
    """Compare the claims of intact proofs; `files` is how many were looked at, intact or not."""
    return _report(tuple(_contradictions(claims)), files)


def pool_results(results: Sequence[InclusionResult]) -> PoolReport:
    """Compare accepted proofs of any format. A fraud proof among the files stands as found."""
    evidence = [entry for result in results for entry in result.evidence]
    found = (
        *(fraud for result in results for fraud in result.fraud),
        *_contradictions([claim for result in results for claim in result.claims]),
        *_two_sums(evidence),
        *_two_roots(evidence),
        *_shared_leaves(evidence),
        *_overlaps([result.lines for result in results if result.lines]),
    )
    return _report(found, len(results))


def _report(found: tuple[Fraud, ...], files: int) -> PoolReport:
    if found:
        return PoolReport(PoolVerdict.FRAUD, found)
    return PoolReport(PoolVerdict.SINGLE if files <= 1 else PoolVerdict.CONSISTENT, ())


def _two_sums(evidence: Iterable[PathEvidence]) -> Iterator[Fraud]:
    """The same node hash with two different sums: the operator shows less to one of them."""
    nodes: dict[tuple[str, str], Seen] = {}
    told = set()
    for entry in evidence:
        if entry.recipe.sums != "sum":
            continue  # nothing to contradict, or each child's sum is in its parent's hash
        top = entry.walk.nodes[-1].hash
        for hash_text, seen in _nodes_of(entry):
            first = nodes.setdefault((entry.recipe.name, hash_text), seen)
            pair = (hash_text, top)
            if pair in told or same_amounts(first.sums, seen.sums):
                continue
            if first.evidence.walk.nodes[-1].hash == top:
                told.add(pair)
                yield _contradiction(hash_text, first, seen)


def _nodes_of(entry: PathEvidence) -> Iterator[tuple[str, Seen]]:
    copies = {step.hash for step in entry.proof.steps if step.pad}
    for number, node in enumerate(entry.walk.nodes):
        yield node.hash, Seen(entry, node.sums, number, True)
    for number, step in enumerate(entry.proof.steps):
        near = entry.walk.nodes[number].hash
        # Padding is a copy of its neighbour without value: no contradiction.
        if step.hash not in copies and step.hash != near:
            yield step.hash, Seen(entry, step.balances, number, False)


def _contradiction(hash_text: str, first: Seen, second: Seen) -> Fraud:
    from verifier.inclusion.fraud import two_sums

    coin = next(
        coin
        for coin in {**first.sums, **second.sums}
        if not same_amounts({coin: first.sums.get(coin, numbers.ZERO)}, {coin: second.sums.get(coin, numbers.ZERO)})
    )
    shown = [numbers.plain(seen.sums.get(coin, numbers.ZERO)) for seen in (first, second)]
    text = (
        f"the node {hash_text} holds {shown[0]} {coin} for one user and {shown[1]} {coin} for the other, "
        "under one root: the exchange understates what it owes."
    )
    files = (first.evidence.file, second.evidence.file)
    return Fraud("node-with-two-sums", text, files, two_sums(hash_text, first, second))


def _two_roots(evidence: Iterable[PathEvidence]) -> Iterator[Fraud]:
    runs: dict[tuple[str, str], dict[str, PathEvidence]] = defaultdict(dict)
    for entry in evidence:
        if entry.proof.run:
            top = str(entry.proof.fields.get("published_root") or entry.walk.nodes[-1].hash)
            runs[entry.recipe.name, entry.proof.run].setdefault(top, entry)
    for (name, run), roots in runs.items():
        if len(roots) > 1:
            from verifier.inclusion.fraud import two_roots

            text = f"run {run!a} of {name} has {len(roots)} roots: users were shown different books. {_UNSIGNED}"
            entries = list(roots.values())
            files = tuple(entry.file for entry in entries)
            yield Fraud("two-roots", text, files, two_roots(run, entries[0], entries[1]))


def _shared_leaves(evidence: Sequence[PathEvidence]) -> Iterator[Fraud]:
    """One leaf at one place for two users; a format that names no user cannot tell a file handed in twice apart."""
    places: dict[tuple[str, ...], PathEvidence] = {}
    for entry in evidence:
        sides = "".join("r" if step.left else "l" for step in entry.proof.steps)
        place = (entry.recipe.name, entry.walk.nodes[-1].hash, sides, entry.walk.nodes[0].hash)
        first = places.setdefault(place, entry)
        if first is entry or (entry.proof.account and entry.proof.account == first.proof.account):
            continue
        from verifier.inclusion.fraud import shared_leaf

        text = "two files claim one leaf: if they belong to two users, one of them is not counted."
        files = (first.file, entry.file)
        yield Fraud("leaf-claimed-twice", f"{text} {_UNSIGNED}", files, shared_leaf(first, entry))


def _overlaps(claims: Sequence[LineClaim]) -> Iterator[Fraud]:
    for one, other in combinations(claims, 2):
        if one.root == other.root and one.start < other.end and other.start < one.end:
            from verifier.inclusion.fraud import overlapping_lines

            text = (
                f"two users were given overlapping lines of one list, {one.start + 1} to {one.end} and "
                f"{other.start + 1} to {other.end}: some lines serve both. {_UNSIGNED}"
            )
            yield Fraud("overlapping-lines", text, (one.file, other.file), overlapping_lines(one, other))


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
    by_part: dict[tuple[str, int], Claim] = {}
    told: set[tuple[str, str, str, str]] = set()  # a split account contradicts itself in every part: say it once
    for claim in members:
        holder = by_index.setdefault(claim.leaf_index, claim)
        pair = (holder.account, claim.account, holder.file, claim.file)
        if holder.account != claim.account and pair not in told:
            told.add(pair)
            text = f"run {run_id}: two accounts were given one leaf, number {claim.leaf_index}: one is missing."
            yield Fraud("leaf-claimed-twice", f"{text} {_UNSIGNED}", (holder.file, claim.file))
        earlier = by_part.setdefault((claim.account, claim.part), claim)
        pair = (earlier.account, claim.account, earlier.file, claim.file)
        if earlier.leaf_index != claim.leaf_index and pair not in told:
            told.add(pair)
            numbers_of = f"numbers {earlier.leaf_index} and {claim.leaf_index}"
            text = f"run {run_id}: one account has two leaves for one part of its balance, {numbers_of}."
            yield Fraud("account-counted-twice", f"{text} {_UNSIGNED}", (earlier.file, claim.file))
