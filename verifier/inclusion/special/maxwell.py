"""The first published scheme (Maxwell, 2014) hands out the tree with everything cut off that is not beside the path."""

from collections.abc import Mapping, Sequence
from typing import Any

from verifier.inclusion import numbers
from verifier.inclusion.layout import MAX_STEPS, OtherLayoutError, canonical_hash
from verifier.inclusion.recipe import PathProof, Recipe, Step
from verifier.inclusion.wire import MalformedError

_COIN = "sum"


def read(recipe: Recipe, value: Any, facts: Mapping[str, str], companions: Sequence[Any]) -> list[PathProof]:
    """Read a partial tree; the root comes from another file or with --root."""
    tree = value.get("partial_tree") if isinstance(value, dict) else None
    if not isinstance(tree, dict):
        raise OtherLayoutError("partial_tree")
    own, steps = _descend(recipe, tree)
    amount, text = numbers.read_amount(own.get("sum"), "sum")
    if not all(isinstance(own.get(name), (str, int)) for name in ("user", "nonce")):
        raise MalformedError("malformed", "user or nonce is missing")
    root, totals = facts.get("root"), None
    for companion in companions:
        if isinstance(companion, dict) and isinstance(companion.get("root"), dict):
            root = canonical_hash(recipe, str(companion["root"].get("hash")), "root")
            totals = {_COIN: numbers.read_amount(companion["root"].get("sum"), "root.sum")[0]}
    return [
        PathProof(
            fields={"user": own["user"], "nonce": own["nonce"]},
            own={_COIN: amount},
            own_text={_COIN: text},
            steps=tuple(steps),
            root=root,
            root_sums=totals,
            account=str(own["user"])[:200],
            unbound=(*(key for key in value if key != "partial_tree"), *sorted(_unread(tree))),
        )
    ]


def _descend(recipe: Recipe, tree: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Step]]:
    """Return the user's own data and the siblings from the leaf upwards."""
    steps: list[Step] = []
    node: Any = tree
    while isinstance(node, dict) and ("left" in node or "right" in node):
        left, right = node.get("left"), node.get("right")
        if not isinstance(left, dict) or not isinstance(right, dict) or len(steps) >= MAX_STEPS:
            raise MalformedError("malformed", "a node above your entry does not have two children")
        mine = [child for child in (left, right) if _holds_user(child)]
        if len(mine) != 1:
            raise MalformedError("malformed", "the tree must hold one entry with a user")
        other = right if mine[0] is left else left
        data = other.get("data")
        if not isinstance(data, dict) or "left" in other or "right" in other:
            raise MalformedError("malformed", "a neighbour of the path has no sum and hash")
        amount, _ = numbers.read_amount(data.get("sum"), "sum")
        steps.insert(
            0, Step(canonical_hash(recipe, str(data.get("hash")), "a neighbour"), {_COIN: amount}, other is left)
        )
        node = mine[0]
    data = node.get("data") if isinstance(node, dict) else None
    if not isinstance(data, dict):
        raise MalformedError("malformed", "your entry has no data")
    return data, steps


def _holds_user(node: Mapping[str, Any]) -> bool:
    """An inner node on the path has children; the user's own entry names the user."""
    data = node.get("data")
    return "left" in node or "right" in node or (isinstance(data, dict) and "user" in data)


def _unread(node: Any, depth: int = 0) -> set[str]:
    """Name the keys that nothing reads; what stands in inner nodes is computed anew."""
    if not isinstance(node, dict) or depth > MAX_STEPS:
        return set()
    found = {str(key) for key in node if key not in ("data", "left", "right")}
    data, inner = node.get("data"), "left" in node or "right" in node
    if inner and data is not None:
        found.add("data")
    if isinstance(data, dict):
        read = ("user", "sum", "nonce") if "user" in data else ("sum", "hash")
        found |= {str(key) for key in data if key not in read}
    return found | _unread(node.get("left"), depth + 1) | _unread(node.get("right"), depth + 1)
