"""Write what contradicts between users' proofs into one small file, and check such a file: nobody need be trusted."""

from collections.abc import Mapping, Sequence
from typing import Any

from verifier.inclusion import numbers, template
from verifier.inclusion.finding import Finding
from verifier.inclusion.layout import MAX_STEPS
from verifier.inclusion.numbers import Balances
from verifier.inclusion.recipe import Node, PathProof, Recipe, Step, climb, recipes, same_amounts
from verifier.inclusion.result import Fraud, InclusionResult, LineClaim, PathEvidence, ProofVerdict, Seen
from verifier.inclusion.wire import MalformedError, show

FRAUD_FORMAT = "reserve-verifier/fraud-proof/1"
_KINDS = ("node-with-two-sums", "two-roots", "leaf-claimed-twice", "overlapping-lines")


def two_sums(node: str, first: Seen, second: Seen) -> dict[str, Any]:
    """Return the evidence that one node has two sums: two partial paths, each from that node or its neighbour up.

    Nothing below the node is told: no id and no nonce, unless the node is a user's own leaf.
    """
    return _record("node-with-two-sums", first.evidence, {
        "node": node,
        "sums": [numbers.amounts(first.sums), numbers.amounts(second.sums)],
        "proofs": [_partial(seen.evidence, seen.below) for seen in (first, second)],
    })  # fmt: skip


def two_roots(run: str, first: PathEvidence, second: PathEvidence) -> dict[str, Any]:
    """Return the evidence that one run has two roots; that both belong to the run is the files' word."""
    # A parent that commits to each child's sum opens only with both children: start at the bare leaf there.
    bare = first.recipe.sums == "children"
    proofs = [_partial(entry, 0 if bare else min(1, len(entry.proof.steps)), bare) for entry in (first, second)]
    return _record("two-roots", first, {"run": run, "proofs": proofs})


def shared_leaf(first: PathEvidence, second: PathEvidence) -> dict[str, Any]:
    """Return the evidence that two files end in one leaf at one place."""
    proofs = [_partial(entry, 0, bare=True) for entry in (first, second)]
    return _record("leaf-claimed-twice", first, {"node": first.walk.nodes[0].hash, "proofs": proofs})


def overlapping_lines(one: LineClaim, other: LineClaim) -> dict[str, Any]:
    """Return two overlapping ranges of lines under one root, counted from 0, the end not included."""
    ranges = [[claim.start, claim.end] for claim in (one, other)]
    return {"format": FRAUD_FORMAT, "kind": "overlapping-lines", "root": one.root, "lines": ranges}


def _record(kind: str, entry: PathEvidence, parts: dict[str, Any]) -> dict[str, Any]:
    root = entry.walk.nodes[-1].hash
    return {"format": FRAUD_FORMAT, "kind": kind, "proof_format": entry.recipe.name, "root": root, **parts}


def _partial(entry: PathEvidence, below: int, bare: bool = False) -> dict[str, Any]:
    node, proof, recipe = entry.walk.nodes[below], entry.proof, entry.recipe
    start: dict[str, Any] = {"hash": node.hash, "height": node.height, "sums": _texts(node.sums)}
    if below:
        start |= {"left": node.left, "right": node.right}
    elif not bare and "leaf" in recipe.data:
        wanted = template.names_in(recipe.data["leaf"]) - {"own"}
        start["fields"] = {name: proof.fields[name] for name in sorted(wanted)}
        start["own_text"] = dict(proof.own_text)
    used = template.names_in(recipe.data["node"]) - {"L", "R", "sum", "LB", "RB", "height"}
    found: dict[str, Any] = {"start": start, "steps": [_step_record(step) for step in proof.steps[below:]]}
    if used:
        found["fields"] = {name: proof.fields[name] for name in sorted(used)}
    if proof.scales is not None:
        found["scales"] = dict(proof.scales)
    return found


def _step_record(step: Step) -> dict[str, Any]:
    return {"hash": step.hash, "sums": _texts(step.balances), "left": step.left, "pad": step.pad}


def _texts(balances: Balances) -> dict[str, str]:
    # The scale of a number matters where its text is hashed.
    return {coin: format(amount, "f") for coin, amount in balances.items()}


def check_fraud(value: Mapping[str, Any], file: str) -> InclusionResult:
    """Check a fraud proof by itself. One that holds is refused as a proof and reported as fraud; else unrecognised."""
    try:
        text, root = _verified(value), str(value["root"])
    except (MalformedError, LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        finding = Finding("fraud-proof-does-not-hold", f"{file}: this fraud proof shows nothing: {show(str(error))}")
        return InclusionResult(file, FRAUD_FORMAT, ProofVerdict.UNRECOGNISED, findings=(finding,))
    kind = str(value["kind"])
    return InclusionResult(
        file,
        FRAUD_FORMAT,
        ProofVerdict.REFUSED,
        root,
        findings=(Finding("fraud-proof-holds", text),),
        fraud=(Fraud(kind, text, (file,)),),
    )


def _verified(value: Mapping[str, Any]) -> str:
    kind = value["kind"]
    if kind not in _KINDS:
        raise MalformedError("malformed", f"unknown kind {show(kind)}")
    if kind == "overlapping-lines":
        (start, end), (other_start, other_end) = value["lines"]
        if not all(type(number) is int for number in (start, end, other_start, other_end)):
            raise MalformedError("malformed", "lines are not numbers")
        if not (0 <= start < other_end and 0 <= other_start < end and start < end and other_start < other_end):
            raise MalformedError("malformed", "the lines do not overlap")
        return "two users were given overlapping lines of one list"
    recipe = recipes()[value["proof_format"]]
    proofs = value["proofs"]
    if not isinstance(proofs, list) or len(proofs) != 2:
        raise MalformedError("malformed", "two partial proofs are needed")
    for variant in recipe.variants:
        first, second = (_rebuilt(variant, partial) for partial in proofs)
        if first is not None and second is not None:
            return _judged(kind, value, variant, first, second)
    raise MalformedError("malformed", "a partial proof does not lead up")


def _judged(
    kind: str, value: Mapping[str, Any], recipe: Recipe, first: tuple[Node, ...], second: tuple[Node, ...]
) -> str:
    roots = [first[-1].hash, second[-1].hash]
    if kind == "two-roots":
        if roots[0] == roots[1]:
            raise MalformedError("malformed", "both paths lead to one root")
        return f"run {show(value['run'])} has two roots, {roots[0]} and {roots[1]}, if both files are of this run"
    if roots != [value["root"]] * 2:
        raise MalformedError("malformed", "the paths do not lead to the root")
    if kind == "leaf-claimed-twice":
        sides = [[step["left"] for step in partial["steps"]] for partial in value["proofs"]]
        if first[0].hash != second[0].hash or sides[0] != sides[1]:
            raise MalformedError("malformed", "the leaves or their places differ")
        return f"two users claim the leaf {first[0].hash} at one place, if the files belong to two users"
    shown = [
        _sums_of(value["node"], path, partial) for path, partial in zip((first, second), value["proofs"], strict=True)
    ]
    if same_amounts(*shown) or recipe.sums != "sum":
        raise MalformedError("malformed", "the node has one sum")
    return f"the node {value['node']} has two different sums under the root {roots[0]}: the total is understated"


def _sums_of(node: str, path: tuple[Node, ...], partial: Mapping[str, Any]) -> Balances:
    if path[0].hash == node:
        return path[0].sums
    step = partial["steps"][0]
    if step["hash"] != node or step["pad"]:
        raise MalformedError("malformed", "the node is on neither path")
    return _balances(step["sums"])


def _rebuilt(recipe: Recipe, partial: Mapping[str, Any]) -> tuple[Node, ...] | None:
    """Return the nodes from the start upwards, or None when the start is not what its parts hash to."""
    start, steps = partial["start"], partial["steps"]
    if not isinstance(steps, list) or len(steps) > MAX_STEPS:
        raise MalformedError("malformed", "too many steps")
    sums, height = _balances(start["sums"]), int(start["height"])
    fields = {**partial.get("fields", {}), **start.get("fields", {})}
    scales = partial.get("scales")
    if "left" in start:
        values = {**fields, "L": start["left"], "R": start["right"], "height": height}
        values["sum"] = numbers.write(sums, recipe.sum_style, None, scales)
        padded = recipe.data.get("pad", {}).get("node") if not start["right"] else None
        hash_text = recipe.digest(template.fill(padded or recipe.data["node"], values))
    elif "fields" in start:
        own = numbers.write(sums, recipe.own_style, start["own_text"], scales)
        hash_text = recipe.digest(template.fill(recipe.data["leaf"], {**fields, "own": own}))
    else:
        hash_text = start["hash"]
    if hash_text != start["hash"] or (sums and min(sums.values()) < 0):
        return None
    path = tuple(
        Step(step["hash"], _balances(step["sums"]), step["left"] is True, step["pad"] is True) for step in steps
    )
    proof = PathProof(fields=fields, own=sums, steps=path, scales=scales)
    return climb(recipe, proof, Node(hash_text, sums, height=height))


def _balances(value: Any) -> Balances:
    return {coin: amount for coin, (amount, _) in numbers.read_balances(value.items(), "sums").items()}


def fraud_records(found: Sequence[Fraud]) -> list[Mapping[str, Any]]:
    """Return the evidence of every contradiction that can stand alone."""
    return [entry.evidence for entry in found if entry.evidence is not None]
