"""cakedefi (Bake) publishes its whole tree as one nested JSON value; rebuild every node of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from verifier.inclusion import numbers
from verifier.inclusion.finding import Finding
from verifier.inclusion.layout import OtherLayoutError, canonical_hash
from verifier.inclusion.numbers import Balances
from verifier.inclusion.recipe import PathProof, Recipe
from verifier.inclusion.wire import MalformedError

_SHOWN_FAULTS = 5


def read(recipe: Recipe, value: Any, facts: Mapping[str, str], companions: Sequence[Any]) -> list[PathProof]:
    """Read and rebuild a nested tree; a user's own leaf is looked for when `--fact leaf=` names it."""
    key = str(recipe.layout["hash"])
    if not isinstance(value, dict) or not {key, "assets", "left", "right"} <= value.keys():
        raise OtherLayoutError("left")
    root = canonical_hash(recipe, _hash(value, key), "the root")
    faults: list[Finding] = []
    leaves: dict[str, Balances] = {}
    for node in _nodes(value):
        if len(faults) < _SHOWN_FAULTS:
            faults.extend(_faults(recipe, node, key, leaves))
    own, wanted = {}, facts.get("leaf")
    if wanted is not None and wanted not in leaves:
        faults.append(Finding("leaf-not-found", f"the leaf {wanted} is not in this tree"))
    elif wanted is not None:
        own = _by_coin(leaves[wanted])
    unbound = tuple(sorted({str(name) for node in _nodes(value) for name in node} - {key, "assets", "left", "right"}))
    totals = _by_coin(_assets(value))
    note = Finding("rebuilt", f"all {len(leaves)} leaves were rebuilt to the root")
    return [
        PathProof({}, own, (), leaf=root, root=root, root_sums=totals, faults=tuple(faults), unbound=unbound,
                  notes=(note,), whole=wanted or "")
    ]  # fmt: skip


def _nodes(root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict):
            raise MalformedError("malformed", "a node of the tree is no object")
        yield node
        if node.get("left") is not None or node.get("right") is not None:
            waiting.extend((node.get("left"), node.get("right")))


def _faults(recipe: Recipe, node: Mapping[str, Any], key: str, leaves: dict[str, Balances]) -> Iterator[Finding]:
    name, assets = canonical_hash(recipe, _hash(node, key), "a node"), _assets(node)
    for coin, amount in assets.items():
        if amount < 0:
            yield Finding("negative-balance", f"node {name} holds {numbers.plain(amount)} {coin}")
    left, right = node.get("left"), node.get("right")
    if left is None and right is None:
        if name in leaves:
            yield Finding("duplicate-rows", f"the leaf {name} stands twice")
        leaves[name] = assets
        return
    if not isinstance(left, dict) or not isinstance(right, dict):
        raise MalformedError("partial-row", f"node {name} has only one child")
    message = json.dumps(
        [node["assets"], _hash(left, key), _hash(right, key)], separators=(",", ":"), ensure_ascii=False
    )
    if recipe.digest(message.encode("utf-8", "replace")) != name:
        yield Finding("hash-differs", f"node {name} is not the hash of its amounts and children")
    if numbers.add(_assets(left), _assets(right)) != assets:
        yield Finding("sums-differ", f"the amounts of node {name} are not the sum of its children's")


def _hash(node: Mapping[str, Any], key: str) -> str:
    value = node.get(key)
    if not isinstance(value, str):
        raise MalformedError("malformed", "a node has no hash")
    return value


def _assets(node: Mapping[str, Any]) -> Balances:
    assets = node.get("assets")
    if not isinstance(assets, dict) or not all(isinstance(table, dict) for table in assets.values()):
        raise MalformedError("malformed", "a node has no assets by class")
    pairs = [(f"{kind}/{coin}", text) for kind, table in assets.items() for coin, text in table.items()]
    if not all(isinstance(text, str) for _, text in pairs):
        raise MalformedError("malformed", "an amount is not a text")
    return {coin: amount for coin, (amount, _) in numbers.read_balances(pairs, "assets").items()}


def _by_coin(assets: Balances) -> Balances:
    total: Balances = {}
    for name, amount in assets.items():
        total = numbers.add(total, {name.partition("/")[2]: amount})
    return total
