"""Check what a path file says beside its hashes: sides, heights, spellings, repeated and unread fields."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from verifier.inclusion import template
from verifier.inclusion.finding import Finding
from verifier.inclusion.recipe import Recipe, Step
from verifier.inclusion.wire import MalformedError, show


def side_faults(recipe: Recipe, own_side: Any, steps: list[Step]) -> Iterator[Finding]:
    """Check that the user and the first neighbour stand on opposite sides."""
    side = recipe.data["side"]
    own = side.get("own", {"left": side.get("left"), "right": side.get("right")})
    if own_side is None or "key" not in side or not steps:
        return
    stands_left = own_side in own["left"] and not isinstance(own_side, bool)
    if stands_left == steps[0].left or (not stands_left and own_side not in own["right"]):
        yield Finding("side-differs", "your entry and its neighbour do not stand on opposite sides")


def root_side(recipe: Recipe, root: Any) -> Iterator[Finding]:
    """Check that the entry taken for the root is called so."""
    side = recipe.data.get("side", {})
    if "root" in side and isinstance(root, dict) and root.get(side["key"], side["root"]) != side["root"]:
        yield Finding("side-differs", "the last entry of the path is not called the root")


def index_faults(recipe: Recipe, own: Mapping[str, Any], entries: list[Any]) -> Iterator[Finding]:
    """Check that the position lies inside a tree of so many levels."""
    key = recipe.data.get("side", {}).get("index")
    if key and type(own.get(key)) is int and own[key] >> len(entries):
        text = f"position {own[key]} lies beyond a tree of {len(entries)} levels"
        yield Finding("index-beyond-tree", text)


def heights(
    recipe: Recipe, own: Mapping[str, Any], entries: list[Any], root: Any, steps: list[Step]
) -> tuple[int, list[Finding]]:
    """Return the user's own height, and what is wrong with the heights along the path."""
    rule = recipe.data.get("height")
    if rule is None:
        return 1, []
    key, step = rule["key"], rule.get("step", 1)
    start = rule.get("start", own.get(key))
    if type(start) is not int or abs(start) > 10_000:
        raise MalformedError("malformed", f"self.{key}: {show(start)} is no height")
    faults = []
    for number, entry in enumerate([own, *entries[: len(steps)], root]):
        expected = start + step * max(0, number - 1) if number else start
        given = entry.get(key) if isinstance(entry, dict) else None
        if given is not None and (given != expected or isinstance(given, bool)):
            faults.append(Finding("height-differs", f"{show(given)} stands as height where {expected} belongs"))
    end = start + step * len(steps)
    if rule.get("end", end) != end:
        faults.append(Finding("height-differs", f"the path ends at height {end} and not at {rule['end']}"))
    return start, faults


def spelling_faults(
    recipe: Recipe, balances: Mapping[str, tuple[Decimal, str]], scales: Mapping[str, int] | None
) -> Iterator[Finding]:
    """Check that amounts which are hashed without separators have their fixed number of decimals."""
    decimals = recipe.data.get("own_decimals")
    for coin, (_, text) in balances.items() if decimals is not None else ():
        wanted = (scales or {}).get(coin, 8) if decimals == "scales" else decimals
        if len(text.partition(".")[2]) != wanted:
            said = f"{text} {coin} does not have {wanted} decimals; unseparated, it could be read as another amount"
            yield Finding("non-canonical-number", said)


def repeat_faults(recipe: Recipe, value: Any, fields: Mapping[str, template.Value]) -> Iterator[Finding]:
    """A field that repeats what others say must say the same."""
    for key, rule in recipe.layout.get("repeats", {}).items():
        if isinstance(value, dict) and key in value:
            said = value[key]
            if not isinstance(said, str) or said.encode("utf-8", "replace") != template.fill(rule, fields):
                yield Finding("field-differs", f"{key} does not say what the other fields say")


def unbound(recipe: Recipe, value: Any, own: Mapping[str, Any], entries: list[Any], root: Any) -> Iterator[str]:
    """Name the keys of a file that nothing reads or hashes."""
    layout, side = recipe.layout, recipe.data.get("side", {})
    common = {
        layout.get("hash", "hash"),
        layout.get("balances", "balances"),
        side.get("key"),
        recipe.data.get("height", {}).get("key"),
    }
    used = {*common, side.get("index"), layout.get("leaf_hash"), layout.get("scales"), "format"}
    used |= {
        name for rule in recipe.data.get("derive", ()) for name in template.names_in(rule["text"] + rule.get("key", ""))
    }
    used |= template.names_in(recipe.data.get("leaf", "")) | {*layout.get("repeats", ())}
    tops = {layout.get(place, "").partition("[")[0].partition(".")[0] for place in ("self", "path", "root")}
    prefix = "self." if "self" in layout else ""
    yield from (f"{prefix}{key}" for key in own if key not in used and (prefix or key not in tops))
    if prefix and isinstance(value, dict):
        yield from (key for key in value if key not in tops and key not in used)
    kept = {key for key in common if key}
    yield from sorted(
        {f"path.{key}" for entry in entries if isinstance(entry, dict) for key in entry if key not in kept}
    )
    if isinstance(root, dict):
        yield from (f"root.{key}" for key in root if key not in kept)
