"""bifinance lists both nodes of every level; walk up from the user's own entry, which its own tool never looks at."""

from collections.abc import Mapping, Sequence
from typing import Any

from verifier.inclusion import template
from verifier.inclusion.finding import Finding
from verifier.inclusion.layout import MAX_STEPS, OtherLayoutError, canonical_hash
from verifier.inclusion.numbers import read_balances
from verifier.inclusion.recipe import PathProof, Recipe, Step
from verifier.inclusion.wire import MalformedError, show

_KEYS = {"merkelLeaf", "level", "role"}


def read(recipe: Recipe, value: Any, facts: Mapping[str, str], companions: Sequence[Any]) -> list[PathProof]:
    """Read a bifinance file: `path` and `self`, levels counted down to the root at level 0."""
    own, path = _parts(value)
    nodes = _levels(recipe, [*path, own])
    if 0 not in nodes or len(nodes[0]) != 1 or sorted(nodes) != list(range(len(nodes))):
        raise MalformedError("malformed", "the levels do not count down to one root at level 0")
    hash_text, steps = canonical_hash(recipe, own["merkelLeaf"], "self"), []
    if own["level"] != max(nodes):
        raise MalformedError("leaf-not-on-path", "your entry does not stand on the lowest level")
    for level in range(own["level"], 0, -1):
        step, hash_text = _climb(recipe, nodes[level], hash_text, level)
        steps.append(step)
    balances = own.get("balances") or {}
    if not isinstance(balances, dict):
        raise OtherLayoutError("balances")
    extra = sorted({f"path.{key}" for entry in path for key in entry if key not in {*_KEYS, "parentMerkelLeaf"}})
    return [
        PathProof(
            fields={},
            own={coin: amount for coin, (amount, _) in read_balances(balances.items(), "self").items()},
            steps=tuple(steps),
            leaf=canonical_hash(recipe, own["merkelLeaf"], "self"),
            root=nodes[0][0][0],
            run=str(own.get("auditId", ""))[:200] or None,
            account=str(own.get("encryptUid", ""))[:200] or None,
            faults=tuple(_parents(recipe, [*path, own], nodes)),
            unbound=(*(f"self.{key}" for key in own if key not in {*_KEYS, "parentMerkelLeaf"}), *extra),
        )
    ]


def _parts(value: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    own, path = (value.get("self"), value.get("path")) if isinstance(value, dict) else (None, None)
    if not isinstance(own, dict) or not isinstance(path, list) or not own.keys() >= _KEYS:
        raise OtherLayoutError("self")
    if not all(isinstance(entry, dict) and entry.keys() >= _KEYS for entry in path):
        raise OtherLayoutError("path")
    if len(path) > 2 * MAX_STEPS or not isinstance(own["merkelLeaf"], str) or len(own["merkelLeaf"]) != 64:
        raise OtherLayoutError("path")
    if min([entry["level"] for entry in path if type(entry["level"]) is int], default=1) != 0:
        raise OtherLayoutError("level")
    return own, path


def _levels(recipe: Recipe, entries: list[dict[str, Any]]) -> dict[int, list[tuple[str, int]]]:
    """Return hash and role of the nodes by level; an entry that repeats another is one node."""
    levels: dict[int, list[tuple[str, int]]] = {}
    for number, entry in enumerate(entries):
        level, role = entry["level"], entry["role"]
        if type(level) is not int or type(role) is not int or not 0 <= level <= MAX_STEPS:
            raise MalformedError("malformed", f"path.{number}: level {show(level)}, role {show(role)}")
        if role not in (1, 2, 3) or (role == 3) != (level == 0) or not isinstance(entry["merkelLeaf"], str):
            raise MalformedError("malformed", f"path.{number}: role {show(role)} at level {level}")
        node = (canonical_hash(recipe, entry["merkelLeaf"], f"path.{number}"), role)
        found = levels.setdefault(level, [])
        if node not in found:
            found.append(node)
    return levels


def _climb(recipe: Recipe, nodes: list[tuple[str, int]], own: str, level: int) -> tuple[Step, str]:
    mine = next((node for node in nodes if node[0] == own), None)
    if mine is None or len(nodes) > 2 or len({role for _, role in nodes}) != len(nodes):
        raise MalformedError("leaf-not-on-path", f"level {level} does not hold your path and its one neighbour")
    others = [node for node in nodes if node != mine]
    step = Step(others[0][0], {}, others[0][1] == 1) if others else Step(own, {}, False, True)
    pair = {"L": step.hash, "R": own} if step.left else {"L": own, "R": step.hash}
    return step, recipe.digest(template.fill(recipe.data["node"], pair))


def _parents(
    recipe: Recipe, entries: list[dict[str, Any]], nodes: Mapping[int, list[tuple[str, int]]]
) -> list[Finding]:
    for entry in entries:
        parent = entry.get("parentMerkelLeaf")
        above = {node[0] for node in nodes.get(entry["level"] - 1, [])}
        if parent and (not isinstance(parent, str) or parent not in above):
            return [Finding("parent-differs", f"an entry of level {entry['level']} names a parent that is not there")]
    return []
