"""Hotcoin hashes lists of texts under a byte per kind of node, and publishes root and totals in a separate anchor."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from verifier.inclusion import numbers
from verifier.inclusion.finding import Finding
from verifier.inclusion.layout import OtherLayoutError, balances_of, read_path
from verifier.inclusion.recipe import PathProof, Recipe
from verifier.inclusion.wire import MalformedError

_ANCHOR = {"protocol", "assets", "snapshotId", "root", "leafCount", "userTotals"}
_PROTOCOL = "HOTCOIN-POR-SUM"


def is_companion(value: Any) -> bool:
    """Say whether a file is the published anchor."""
    return isinstance(value, dict) and value.keys() >= {"protocol", "snapshotId", "root", "userTotals"}


def read(recipe: Recipe, value: Any, facts: Mapping[str, str], companions: Sequence[Any]) -> list[PathProof]:
    """Read a proof; the anchor comes as another file or with --anchor."""
    if not isinstance(value, dict) or not {"protocol", "assets", "self", "path"} <= value.keys():
        raise OtherLayoutError("protocol")
    own = value["self"]
    if not isinstance(own, dict) or value["protocol"] != _PROTOCOL:
        raise OtherLayoutError("protocol")
    decimals = _decimals(value["assets"])
    config = _list(3, [_PROTOCOL, *(text for coin, places in decimals.items() for text in (coin, str(places)))])
    texts = {"protocol": _PROTOCOL, "config": recipe.digest(config)}
    texts |= {name: own[name] for name in ("snapshotId", "accountId", "nonce") if isinstance(own.get(name), str)}
    encoded = {f"{name}_json": json.dumps(text, ensure_ascii=False) for name, text in texts.items()}
    proof = read_path(recipe, _ordered(value, list(decimals)), {**facts, **encoded})
    padding = recipe.digest(_list(2, [_PROTOCOL, texts.get("snapshotId", ""), texts["config"]]))
    faults = [*_places(own, proof, padding), *_amounts(decimals, proof)]
    # leafIndex and leafCount fix the sides and where padding stands, the rest is hashed.
    bound = {"self.snapshotId", "self.leafIndex", "self.leafCount", "protocol", "assets"}
    unbound = tuple(name for name in proof.unbound if name not in bound)
    found = replace(proof, faults=(*proof.faults, *faults), unbound=unbound)
    return [_against_anchor(recipe, value, found, [one for one in companions if is_companion(one)])]


def _decimals(assets: Any) -> dict[str, int]:
    if not isinstance(assets, list) or not 0 < len(assets) <= 32:
        raise OtherLayoutError("assets")
    found = {}
    for asset in assets:
        coin, places = (asset.get("coin"), asset.get("decimals")) if isinstance(asset, dict) else (None, None)
        if not isinstance(coin, str) or type(places) is not int or not 0 <= places <= 30 or coin in found:
            raise MalformedError("malformed", "assets: expected coin and decimals, each coin once")
        found[coin] = places
    return found


def _ordered(value: Mapping[str, Any], coins: Sequence[str]) -> dict[str, Any]:
    """Put every entry's balances into the order of the asset table, which is the order that is hashed."""

    def one(entry: Any) -> Any:
        balances = entry.get("balances") if isinstance(entry, dict) else None
        if not isinstance(balances, dict) or balances.keys() != {*coins}:
            raise MalformedError("coins-differ", "an entry does not hold exactly the coins of the asset table")
        return {**entry, "balances": {coin: balances[coin] for coin in coins}}

    path = value["path"]
    if not isinstance(path, list):
        raise OtherLayoutError("path")
    return {**value, "self": one(value["self"]), "path": [one(entry) for entry in path[:300]]}


def _places(own: Mapping[str, Any], proof: PathProof, padding: str) -> Iterator[Finding]:
    index, width = own.get("leafIndex"), own.get("leafCount")
    if type(index) is not int or type(width) is not int or not 0 <= index < width < 2**31:
        yield Finding("index-beyond-tree", "leafIndex lies beyond leafCount")
        return
    for number, step in enumerate(proof.steps):
        if width <= 1:
            yield Finding("path-length", "the path is longer than a tree of so many leaves")
            return
        if step.left != bool(index & 1):
            yield Finding("side-differs", f"step {number + 1} stands on the wrong side for this leafIndex")
        if index ^ 1 >= width and (step.hash != padding or any(step.balances.values())):
            yield Finding("padding-carries-value", f"step {number + 1} lies beyond the last leaf and is not empty")
        index, width = index // 2, (width + 1) // 2
    if width > 1:
        yield Finding("path-length", "the path is shorter than a tree of so many leaves")


def _amounts(decimals: Mapping[str, int], proof: PathProof) -> Iterator[Finding]:
    for balances in (proof.own, *(step.balances for step in proof.steps)):
        for coin, amount in balances.items():
            if -int(amount.as_tuple().exponent) > decimals[coin] or str(amount) != numbers.plain(amount):
                yield Finding("non-canonical-number", f"{amount} {coin} is not in its one spelling")


def _against_anchor(recipe: Recipe, value: Mapping[str, Any], proof: PathProof, anchors: Sequence[Any]) -> PathProof:
    if not anchors:
        return proof
    own, anchor = value["self"], anchors[0]
    if not anchor.keys() >= _ANCHOR:
        raise MalformedError("malformed", "the anchor lacks a part")
    same = (own.get("snapshotId"), own.get("leafCount"), value["assets"], value["protocol"])
    said = (anchor["snapshotId"], anchor["leafCount"], anchor["assets"], anchor["protocol"])
    faults = (
        [] if same == said else [Finding("anchor-differs", "the anchor is of another snapshot, size or asset table")]
    )
    totals = {coin: amount for coin, (amount, _) in balances_of(recipe, anchor["userTotals"], "userTotals").items()}
    if not isinstance(anchor["root"], str):
        raise MalformedError("malformed", "the anchor's root is no text")
    return replace(proof, root=anchor["root"], root_sums=totals, faults=(*proof.faults, *faults))


def _list(kind: int, fields: Sequence[str]) -> bytes:
    return bytes([kind]) + json.dumps(list(fields), ensure_ascii=False, separators=(",", ":")).encode()
