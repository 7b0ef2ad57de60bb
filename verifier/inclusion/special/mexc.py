"""MEXC leaves out the levels where an account has no neighbour; put them back as padding."""

from collections.abc import Mapping, Sequence
from typing import Any

from verifier.inclusion.layout import MAX_STEPS, OtherLayoutError, read_path
from verifier.inclusion.recipe import PathProof, Recipe
from verifier.inclusion.wire import MalformedError, show


def read(recipe: Recipe, value: Any, facts: Mapping[str, str], companions: Sequence[Any]) -> list[PathProof]:
    """Read a MEXC file: path entries name their level, the root stands last with the level that is the depth."""
    path = value.get("pathList") if isinstance(value, dict) else None
    if not isinstance(path, list) or not path or not all(isinstance(entry, dict) for entry in path):
        raise OtherLayoutError("pathList")
    levels = [entry.get("level") for entry in path]
    depth = levels[-1]
    if type(depth) is not int or not 0 < depth <= MAX_STEPS or len(path) > MAX_STEPS:
        raise MalformedError("malformed", f"the root's level is {show(depth)}")
    if any(type(level) is not int for level in levels) or levels != sorted({*levels}) or levels[0] < 0:
        raise MalformedError("height-differs", "the levels of the path are not in order, or one stands twice")
    by_level = dict(zip(levels, path, strict=True))
    steps = [by_level.get(level, {"level": level, "type": 2, "hash": "", "balances": {}}) for level in range(depth)]
    return [read_path(recipe, {**value, "pathList": [*steps, path[-1]]}, facts)]
