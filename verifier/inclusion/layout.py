"""Find the user's entry, the path and the root in a file, by the layout that a format's description states."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from verifier.inclusion import layout_checks, numbers, template
from verifier.inclusion.numbers import Balances
from verifier.inclusion.recipe import PathProof, Recipe, Step
from verifier.inclusion.wire import MalformedError, show

MAX_STEPS = 256
_MAX_TEXT = 10_000
_PLACE = re.compile(r"([A-Za-z_.]*)(?:\[(-?\d*)(:?)(-?\d*)\])?")
_HEX = re.compile(r"[0-9a-f]+")


class OtherLayoutError(Exception):
    """The file does not have this format's layout; another format may fit."""


def read_path(recipe: Recipe, value: Any, facts: Mapping[str, str]) -> PathProof:
    """Read a path file. Raises OtherLayoutError when it is laid out differently, MalformedError for a bad value."""
    layout = recipe.layout
    own = _object(find(value, layout["self"]), "self") if "self" in layout else _object(value, "the file")
    entries = _entries(recipe, find(value, layout["path"]))
    root = find(value, layout["root"], optional=bool(layout.get("envelope"))) if "root" in layout else None
    _require(recipe, own)
    fields = _fields(recipe, own, value, facts)
    balances = balances_of(recipe, own.get(layout.get("balances", "balances"), {}), "self")
    own_sums = {coin: amount for coin, (amount, _) in balances.items()}
    steps = list(_steps(recipe, entries, own))
    own_written = numbers.write(own_sums, recipe.own_style, {coin: text for coin, (_, text) in balances.items()})
    side = own.get(recipe.data.get("side", {}).get("key", ""))
    start, height_faults = layout_checks.heights(recipe, own, entries, root, steps)
    return PathProof(
        fields=fields,
        own=own_sums,
        own_text={coin: text for coin, (_, text) in balances.items()},
        steps=tuple(steps),
        leaf=_leaf_hash(recipe, own),
        root=root_hash(recipe, root, facts),
        root_sums=_root_sums(recipe, root),
        height=start,
        run=_text_or_none(find(value, layout["run"], optional=True)) if "run" in layout else None,
        account=_text_or_none(find(value, layout["account"], optional=True)) if "account" in layout else None,
        scales=_scales(recipe, own, root),
        faults=(
            *layout_checks.side_faults(recipe, side, steps),
            *layout_checks.index_faults(recipe, own, entries),
            *layout_checks.root_side(recipe, root),
            *height_faults,
            *layout_checks.spelling_faults(recipe, balances, _scales(recipe, own, root)),
            *layout_checks.repeat_faults(recipe, value, {**fields, "own": own_written}),
        ),
        unbound=tuple(layout_checks.unbound(recipe, value, own, entries, root)),
    )


def find(value: Any, place: str, optional: bool = False) -> Any:
    """Return what stands at a place such as `self.nonce`, `data[-1]` or `path[:-1]`."""
    match = _PLACE.fullmatch(place)
    assert match is not None, place
    for key in filter(None, match[1].split(".")):
        if not isinstance(value, dict) or key not in value:
            if optional:
                return None
            raise OtherLayoutError(place)
        value = value[key]
    if match[2] is None:
        return value
    if not isinstance(value, list) or not value:
        raise OtherLayoutError(place)
    if match[3]:
        return value[int(match[2]) if match[2] else None : int(match[4]) if match[4] else None]
    return value[int(match[2])]


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OtherLayoutError(where)
    return value


def _require(recipe: Recipe, own: Mapping[str, Any]) -> None:
    layout = recipe.layout
    needed = {*layout.get("requires", ())}
    if own.keys() & {*layout.get("forbids", ())} or not needed <= own.keys():
        raise OtherLayoutError(recipe.name)
    coins = own.get(layout.get("balances", "balances"))
    low, high = layout.get("coins", (0, numbers.MAX_COINS))
    if isinstance(coins, (dict, list)) and not low <= len(coins) <= high:
        raise OtherLayoutError(recipe.name)


def _entries(recipe: Recipe, path: Any) -> list[Any]:
    if isinstance(path, str):
        if len(path) > MAX_STEPS * 100:
            raise MalformedError("too-long", "the path is too long")
        path = [entry.strip() for entry in path.strip().strip("[]").split(",") if entry.strip()]
    if not isinstance(path, list):
        raise OtherLayoutError("path")
    if len(path) > MAX_STEPS:
        raise MalformedError("too-long", f"the path has {len(path)} steps; at most {MAX_STEPS} are read")
    pattern = recipe.layout.get("step_pattern")
    return [_matched(entry, pattern, number) for number, entry in enumerate(path)] if pattern else path


def _matched(entry: Any, pattern: str, number: int) -> dict[str, Any]:
    if not isinstance(entry, str):
        raise OtherLayoutError("path")
    match = re.fullmatch(pattern, entry[:_MAX_TEXT])
    if not match:
        raise MalformedError("malformed", f"path.{number}: {show(entry)} is not a step of this format")
    return match.groupdict()


def _fields(recipe: Recipe, own: Mapping[str, Any], value: Any, facts: Mapping[str, str]) -> dict[str, template.Value]:
    fields: dict[str, template.Value] = {}
    for source in (facts, value if isinstance(value, dict) else {}, own):
        for name, entry in source.items():
            if type(entry) is int or (isinstance(entry, str) and len(entry) <= _MAX_TEXT):
                if isinstance(entry, str) and not entry.isprintable():
                    raise MalformedError("malformed", f"{show(name)}: holds characters that cannot be printed")
                fields[name] = entry
    for rule in recipe.data.get("derive", ()):
        if template.names_in(rule["text"]) | template.names_in(rule.get("key", "")) <= fields.keys():
            text = template.fill(rule["text"], fields)
            keyed = "key" in rule
            fields[rule["name"]] = (
                template.keyed(template.fill(rule["key"], fields), text) if keyed else template.digest("sha256", text)
            )
    wanted = template.names_in(recipe.data.get("leaf", "")) - {"own"}
    if not wanted <= fields.keys():
        raise OtherLayoutError(sorted(wanted - fields.keys())[0])
    return fields


def balances_of(recipe: Recipe, value: Any, where: str) -> dict[str, tuple[Decimal, str]]:
    """Read balances in the shape of the format: an object, a list of records, or a text such as `BTC:1,ETH:2`."""
    kind = recipe.layout.get("balances_kind", "object")
    exponent = bool(recipe.layout.get("exponent"))
    if kind == "text":
        if not isinstance(value, str) or len(value) > _MAX_TEXT:
            raise OtherLayoutError(where)
        pairs: Any = [entry.rpartition(":")[::2] for entry in value.split(",")] if value else []
    elif kind == "records":
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise OtherLayoutError(where)
        coin, amount = recipe.layout["record_keys"]
        pairs = [(entry.get(coin), entry.get(amount)) for entry in value]
    else:
        if not isinstance(value, dict):
            raise OtherLayoutError(where)
        pairs = value.items()
    found = numbers.read_balances(pairs, where, exponent)
    fixed = recipe.data.get("coins")
    if fixed is None:
        return found
    if found.keys() != {*fixed}:
        raise OtherLayoutError(where) if where == "self" else MalformedError("coins-differ", f"{where}: not {fixed}")
    return {coin: found[coin] for coin in fixed}


def _hash_of(recipe: Recipe, entry: Mapping[str, Any], where: str) -> str:
    value = entry.get(recipe.layout.get("hash", "hash"))
    if not isinstance(value, str):
        raise MalformedError("malformed", f"{where}: the hash is missing")
    return canonical_hash(recipe, value, where)


def canonical_hash(recipe: Recipe, value: str, where: str) -> str:
    """Return a hash as the hex text that this format hashes. Raises MalformedError for another length or spelling."""
    if recipe.layout.get("hash_encoding") == "base64":
        try:
            value = base64.b64decode(value.encode("ascii", "replace"), validate=True).hex()
        except binascii.Error as error:
            raise MalformedError("malformed", f"{where}: {show(value)} is not base64") from error
    upper = recipe.hash.endswith("^")
    text = value.lower() if upper and value == value.upper() else value
    if 4 * len(text) != template.digest_bits(recipe.hash) or not _HEX.fullmatch(text):
        digits = template.digest_bits(recipe.hash) // 4
        raise MalformedError("malformed", f"{where}: expected a hash of {digits} hex digits, found {show(value)}")
    return value if upper else text


def _leaf_hash(recipe: Recipe, own: Mapping[str, Any]) -> str | None:
    key = recipe.layout.get("leaf_hash", recipe.layout.get("hash", "hash"))
    if key not in own:
        if recipe.layout.get("leaf_hash_may_be_absent") or not key:
            return None
        raise OtherLayoutError(key)
    if not isinstance(own[key], str):
        raise MalformedError("malformed", f"self.{key}: expected a hash")
    return canonical_hash(recipe, own[key], f"self.{key}")


def root_hash(recipe: Recipe, root: Any, facts: Mapping[str, str]) -> str | None:
    """Return the root that the file names, or the one that the user gave."""
    if isinstance(root, dict):
        return _hash_of(recipe, root, "the root")
    if isinstance(root, str):
        text = root if root not in (root.lower(), root.upper()) else root.lower()
        text = text.upper() if recipe.hash.endswith("^") else text
        if 4 * len(text) != template.digest_bits(recipe.hash) or not _HEX.fullmatch(
            text.lower() if root in (root.lower(), root.upper()) else text
        ):
            raise MalformedError("malformed", f"the root: {show(root)} is no hash of this format")
        return text
    given = facts.get("root")
    return None if given is None else given.upper() if recipe.hash.endswith("^") else given


def _root_sums(recipe: Recipe, root: Any) -> Balances | None:
    if recipe.sums == "nothing" or not isinstance(root, dict):
        return None
    key = recipe.layout.get("balances", "balances")
    if key not in root:
        raise MalformedError("malformed", "the root's totals are missing")
    return {coin: amount for coin, (amount, _) in balances_of(recipe, root[key], "root").items()}


def _steps(recipe: Recipe, entries: list[Any], own: Mapping[str, Any]) -> Iterator[Step]:
    side, layout = recipe.data["side"], recipe.layout
    index = own.get(side.get("index", ""), 0)
    empty = recipe.data.get("pad", {}).get("rule") in ("empty", "absent")
    for number, entry in enumerate(entries):
        where = f"path.{number}"
        if not isinstance(entry, dict):
            raise OtherLayoutError(where)
        nothing = empty and entry.get(layout.get("hash", "hash"), "") == ""
        left, pad = _side(side, entry, index, number, nothing)
        value = entry.get(layout.get("balances", "balances"), {}) if recipe.sums != "nothing" else None
        if nothing:
            yield Step("", _plain_balances(recipe, value or {}, where), left, True)
            continue
        balances = {} if value is None else _plain_balances(recipe, value, where)
        yield Step(_hash_of(recipe, entry, where), balances, left, pad)


def _side(
    side: Mapping[str, Any], entry: Mapping[str, Any], index: Any, number: int, nothing: bool
) -> tuple[bool, bool]:
    """Return whether a step stands left and whether it is declared padding."""
    if "index" in side:
        if type(index) is not int or index < 0:
            raise MalformedError("malformed", f"{show(index)} is no position of a leaf")
        return bool(index >> number & 1), False
    mark = entry.get(side["key"])
    if nothing and mark is None:
        return False, True
    pads = side.get("pad", ())
    if isinstance(mark, bool) or mark not in (*side["left"], *side["right"], *pads):
        raise MalformedError("malformed", f"path.{number}.{side['key']}: {show(mark)} is no side")
    return mark in side["left"], mark in pads


def _plain_balances(recipe: Recipe, value: Any, where: str) -> Balances:
    try:
        return {coin: amount for coin, (amount, _) in balances_of(recipe, value, where).items()}
    except OtherLayoutError as error:
        raise MalformedError("malformed", f"{where}: the balances are missing") from error


def _scales(recipe: Recipe, own: Mapping[str, Any], root: Any) -> Mapping[str, int] | None:
    key = recipe.layout.get("scales")
    if key is None:
        return None
    if key == "@root":  # each coin has as many decimals as its total
        totals = balances_of(recipe, _object(root, "root").get(recipe.layout.get("balances", "balances")), "root")
        return {coin: len(text.partition(".")[2]) for coin, (_, text) in totals.items()}
    table = own.get(key)
    if not isinstance(table, dict) or not all(type(value) is int and 0 <= value <= 40 for value in table.values()):
        raise MalformedError("malformed", f"self.{key}: expected the decimals of each coin")
    if table.keys() != own.get(recipe.layout.get("balances", "balances"), {}).keys():
        raise MalformedError("coins-differ", f"self.{key}: not the coins of the balances")
    return table


def _text_or_none(value: Any) -> str | None:
    return str(value)[:200] if isinstance(value, (str, int)) and not isinstance(value, bool) else None
