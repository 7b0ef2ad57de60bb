"""Read the description of an exchange's proof format, and rebuild a proof's path by it."""

import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from verifier.inclusion import numbers, template
from verifier.inclusion.finding import Finding
from verifier.inclusion.numbers import Balances, Style
from verifier.inclusion.wire import MalformedError

FOLDER = Path(__file__).parent / "formats"


@dataclass(frozen=True)
class Recipe:
    """One format: facts from its TOML file; docs/formats.md explains every key."""

    name: str
    data: Mapping[str, Any]

    @property
    def sums(self) -> str:
        """What a parent's hash commits to: `nothing`, `sum`, or `children` (each child's sum)."""
        return str(self.data["commits"])

    @property
    def hash(self) -> str:
        return str(self.data.get("hash", "sha256"))

    @property
    def layout(self) -> Mapping[str, Any]:
        layout: Mapping[str, Any] = self.data.get("layout", {})
        return layout

    @property
    def special(self) -> str | None:
        """The module under `special/` that reads this format, where no layout can state it."""
        name = self.data.get("special")
        return None if name is None else str(name)

    @cached_property
    def own_style(self) -> Style:
        return _style(self.data.get("own", {}))

    @cached_property
    def sum_style(self) -> Style:
        return _style(self.data.get("sum", {}))

    @cached_property
    def variants(self) -> tuple["Recipe", ...]:
        """This format's spellings that no field tells apart; the first that fits is taken."""
        return tuple(Recipe(self.name, _merged(self.data, variant)) for variant in self.data.get("variant", [{}]))

    def digest(self, message: bytes) -> str:
        return template.digest(self.hash, message)


class Step(NamedTuple):
    """A sibling on the path: its hash and amounts, whether it stands left, whether it is declared padding."""

    hash: str
    balances: Balances
    left: bool
    pad: bool = False


@dataclass(frozen=True)
class PathProof:
    """What a reader took from a user's file; nothing in it is believed until `walk` has rebuilt the root."""

    fields: Mapping[str, template.Value]
    own: Balances
    steps: tuple[Step, ...]
    own_text: Mapping[str, str] = field(default_factory=dict)
    leaf: str | None = None
    root: str | None = None
    root_sums: Balances | None = None
    height: int = 1
    run: str | None = None
    account: str | None = None
    scales: Mapping[str, int] | None = None
    faults: tuple[Finding, ...] = ()
    unbound: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()
    whole: str | None = None  # a whole tree instead of a path; the user's leaf in it, or empty


class Node(NamedTuple):
    """A place on the user's own path; `left` and `right` are the hashes below, empty for the leaf."""

    hash: str
    sums: Balances
    left: str = ""
    right: str = ""
    height: int = 0


class Walk(NamedTuple):
    """A rebuilt path: the nodes from the leaf to the root, what is wrong, and whether the hashes fit."""

    nodes: tuple[Node, ...]
    faults: tuple[Finding, ...]
    hashes_fit: bool
    notes: tuple[Finding, ...] = ()


def walk(recipe: Recipe, proof: PathProof) -> Walk:
    """Rebuild the path from leaf to root. Raises MalformedError for values that the format cannot hash."""
    faults, notes = [*proof.faults, *_negatives(proof)], list(proof.notes)
    # 1. The leaf
    node = Node(_leaf(recipe, proof), proof.own, height=proof.height)
    leaf_fits = proof.leaf is None or proof.leaf == node.hash
    if not leaf_fits:
        faults.append(
            Finding("leaf-differs", "the leaf's hash is not that of your id, nonce and balances in this file")
        )
    # 2. Up to the root
    nodes = climb(recipe, proof, node)
    for number, (below, step) in enumerate(zip(nodes, proof.steps, strict=False)):
        faults.extend(_pad_faults(recipe, below, step, number))
        notes.extend(_pad_notes(recipe, below, step, number))
    node = nodes[-1]
    # 3. The root and its totals
    root_fits = proof.root is None or proof.root == node.hash
    if not root_fits:
        faults.append(Finding("root-differs", "the hashes do not lead to the root in this file"))
    if (
        proof.root_sums is not None
        and proof.whole is None
        and recipe.sums != "nothing"
        and not same_amounts(proof.root_sums, node.sums)
    ):
        text = "the totals shown beside the root are not the sums of the path"
        faults.append(Finding("totals-differ", text))
    return Walk(nodes, tuple(faults), leaf_fits and root_fits, tuple(notes))


def climb(recipe: Recipe, proof: PathProof, start: Node) -> tuple[Node, ...]:
    """Return the nodes from a start up to the root, by the proof's steps."""
    nodes = [start]
    for step in proof.steps:
        nodes.append(_parent(recipe, proof, nodes[-1], step))
    return tuple(nodes)


def _leaf(recipe: Recipe, proof: PathProof) -> str:
    rule = recipe.data.get("leaf")
    if not rule:
        if not proof.leaf:
            raise MalformedError("malformed", "the leaf's hash is missing")
        return proof.leaf
    own = numbers.write(proof.own, recipe.own_style, proof.own_text, proof.scales)
    return recipe.digest(template.fill(rule, {**proof.fields, "own": own}))


def _parent(recipe: Recipe, proof: PathProof, node: Node, step: Step) -> Node:
    near, far = (step, node) if step.left else (node, step)
    padless = step.pad and recipe.data.get("pad", {}).get("rule") in ("empty", "absent")
    if padless:
        sums = dict(node.sums)
    else:
        _check_coins(recipe, near.balances if isinstance(near, Step) else near.sums, _amounts_of(far))
        sums = _sum(recipe, _amounts_of(near), _amounts_of(far))
    rule = recipe.data["pad"].get("node", recipe.data["node"]) if padless else recipe.data["node"]
    height = node.height + int(recipe.data.get("height", {}).get("step", 1))
    values: dict[str, template.Value] = {**proof.fields, "L": near.hash, "R": far.hash, "height": height}
    tables = {"sum": sums, "LB": _amounts_of(near), "RB": _amounts_of(far)}
    for name in template.names_in(rule) & tables.keys():
        values[name] = numbers.write(tables[name], recipe.sum_style, None, proof.scales)
    return Node(recipe.digest(template.fill(rule, values)), sums, near.hash, far.hash, height)


def _amounts_of(node: Node | Step) -> Balances:
    return node.balances if isinstance(node, Step) else node.sums


def _check_coins(recipe: Recipe, left: Balances, right: Balances) -> None:
    if recipe.sums != "nothing" and not recipe.data.get("coins_may_differ") and left.keys() != right.keys():
        odd = sorted(left.keys() ^ right.keys())[0]
        raise MalformedError("coins-differ", f"{odd} stands in one entry of the path and not in the next")


def _sum(recipe: Recipe, left: Balances, right: Balances) -> Balances:
    if recipe.sums == "nothing":
        return {}
    opened = {coin: numbers.ZERO for coin in recipe.data.get("sum_opens", ()) if coin not in left}
    return numbers.add({**left, **opened}, right, recipe.data.get("sum_decimals"))


def _pad_faults(recipe: Recipe, node: Node, step: Step, number: int) -> Iterator[Finding]:
    where = f"step {number + 1} of the path"
    rule = recipe.data.get("pad", {}).get("rule")
    zero = not any(step.balances.values())
    if step.pad:
        if not zero:
            yield Finding("padding-carries-value", f"{where} is padding and carries an amount")
        if rule == "copy" and step.hash != node.hash:
            yield Finding("padding-differs", f"{where} is called padding and is not a copy of its neighbour")
        if step.left:
            yield Finding("padding-left", f"{where} is padding to the left of an account")


def _pad_notes(recipe: Recipe, node: Node, step: Step, number: int) -> Iterator[Finding]:
    if step.hash == node.hash and not any(step.balances.values()) and not step.pad:
        text = f"step {number + 1} of the path is a copy of its neighbour, not called padding; its side is not bound"
        yield Finding("padding-undeclared", text)


def _negatives(proof: PathProof) -> Iterator[Finding]:
    places = [("your own balance", proof.own), ("the root", proof.root_sums or {})]
    places += [(f"step {number + 1} of the path", step.balances) for number, step in enumerate(proof.steps)]
    for where, balances in places:
        for coin, amount in balances.items():
            if amount < 0:
                text = f"{where} holds {numbers.plain(amount)} {coin}; a negative balance hides what is owed to others"
                yield Finding("negative-balance", text)


def same_amounts(left: Balances, right: Balances) -> bool:
    """Say whether two tables of amounts are equal; a coin that is missing counts as zero."""
    return left == right or all(
        left.get(coin, numbers.ZERO) == right.get(coin, numbers.ZERO) for coin in {*left, *right}
    )


def _style(data: Mapping[str, Any]) -> Style:
    return Style(**{**data, "wrap": tuple(data.get("wrap", ("", "")))})


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {key: value for key, value in base.items() if key != "variant"}
    for key, value in changes.items():
        table = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = {**merged[key], **value} if table else deepcopy(value)
    return merged


@cache
def recipes() -> Mapping[str, Recipe]:
    """Return every described format by name, in alphabetical order."""
    files = sorted(FOLDER.glob("*.toml"))
    return {path.stem: Recipe(path.stem, tomllib.loads(path.read_text("utf-8"))) for path in files}
