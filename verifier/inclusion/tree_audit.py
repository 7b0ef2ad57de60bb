"""Rebuild a published tree or leaf list completely, holding no more than a few nodes in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn, cast

from verifier.inclusion import numbers, template
from verifier.inclusion.finding import Finding
from verifier.inclusion.recipe import Recipe, same_amounts
from verifier.inclusion.rows import Amount, Row, read_rows, tail_of
from verifier.inclusion.wire import MalformedError

Watch = Callable[[int], None]
OnLeaf = Callable[[Row, int], None]


class Tree(NamedTuple):
    """A tree that was rebuilt: root hash, total, number of real leaves, and what padding adds to the total."""

    root: str
    total: Amount
    leaves: int
    padding: int = 0


def audit_tree(recipe: Recipe, path: Path, on_leaf: OnLeaf, watch: Watch | None = None) -> Tree:
    """Rebuild every node of a file; `on_leaf` sees each real leaf with its place from the left.

    Memory stays constant: two readers walk through one file. Raises MalformedError at the first row that does not
    fit.
    """
    order = recipe.data["rows"]["order"]
    if order == "leaves":
        return _fold(recipe, read_rows(recipe, path, watch), on_leaf)
    if order == "root-first":
        return _downwards(recipe, path, on_leaf, watch)
    return _upwards(recipe, path, on_leaf, watch)


def _downwards(recipe: Recipe, path: Path, on_leaf: OnLeaf, watch: Watch | None) -> Tree:
    mirrored = bool(recipe.data["rows"].get("right_to_left"))
    parents, children = _Peek(read_rows(recipe, path)), _Peek(read_rows(recipe, path, watch))
    root = children.take("the root")
    inner = 0
    while (parent := parents.take("a node")) and children.next is not None:
        if mirrored and _is_copy(parent, parents.next):
            continue  # a copy of its neighbour has no children of its own
        if parent.level == 1:
            _refuse("trailing-rows", children.next, "stands after the last leaf")
        first, second = children.take("a child"), children.take("the second child")
        left, right = (second, first) if mirrored else (first, second)
        _check_node(recipe, parent, left, right)
        inner += 1
    if not mirrored and inner & (inner + 1):
        raise MalformedError("partial-row", f"{inner + 1} leaves do not fill a tree; rows are missing or added")
    if mirrored and parent.level != 1:
        raise MalformedError("partial-row", f"the list ends above its leaves, at height {parent.level}")
    leaves = _leaves_below(parent, parents, on_leaf, mirrored)
    return Tree(root.hash, root.amount, leaves)


def _leaves_below(first: Row, rows: "_Peek", on_leaf: OnLeaf, mirrored: bool) -> int:
    count, row = 0, first
    while True:
        if not (mirrored and _is_copy(row, rows.next)):
            on_leaf(row, count)
            count += 1
        if rows.next is None:
            return count
        row = rows.take("a leaf")


def _upwards(recipe: Recipe, path: Path, on_leaf: OnLeaf, watch: Watch | None) -> Tree:
    rule = recipe.data["rows"]
    children = _Peek(read_rows(recipe, path))
    parents = _Peek(row for row in read_rows(recipe, path, watch) if row.level)
    leaves = padding = owed = 0
    last_hash = ""
    childless = -1  # the line of the last row that has no children below it: only padding may
    while parents.next is not None and children.next is not None:
        if parents.next.level == children.next.level:
            childless = parents.take("padding").line
            continue
        left, right = children.take("a node"), children.take("its neighbour")
        parent = parents.take("a parent")
        last = children.next is None or children.next.level != right.level
        pad = last and (
            right.hash == left.hash if rule["odd"] == "copy" else right.amount == 0 and right.line == childless
        )
        if (right.hash == left.hash or childless in (left.line, right.line)) and not pad:
            _refuse("duplicate-rows", right, "repeats the row before it, or has nothing below it")
        _check_node(recipe, parent, left, right)
        if left.level == 0:
            for leaf in (left,) if pad else (left, right):
                if rule.get("sorted") and leaf.hash < last_hash:
                    _refuse("order-differs", leaf, "does not stand in the order of the format")
                last_hash = leaf.hash
                on_leaf(leaf, leaves)
                leaves, owed = leaves + 1, owed + cast(int, leaf.amount)
        if pad:
            padding += cast(int, right.amount)
    root = children.take("the root")
    if children.next is not None:
        incomplete = root.level == 0
        code, what = (
            ("incomplete-tree", "has no parents in this list") if incomplete else ("trailing-rows", "is left over")
        )
        _refuse(code, children.next, what)
    if leaves == 0 and root.level == 0:
        on_leaf(root, 0)
        leaves, owed = 1, cast(int, root.amount)
    if "tail" in rule:
        _check_tail(recipe, path, (leaves, owed, padding, root.level or 0))
    return Tree(root.hash, root.amount, leaves, cast(int, root.amount) - owed)


def _check_tail(recipe: Recipe, path: Path, found: tuple[int, int, int, int]) -> None:
    tail = tail_of(recipe, path)
    if tail is not None and tuple(int(tail[name]) for name in ("users", "sum", "padding", "levels")) != found:
        raise MalformedError("summary-differs", "the last line does not tell what the rows add up to")


def _check_node(recipe: Recipe, parent: Row, left: Row, right: Row) -> None:
    for child in (left, right):
        if parent.level is not None and child.level != parent.level - 1:
            _refuse("order-differs", child, f"is of level {child.level} where a child of level {parent.level} belongs")
    total = _plus(recipe, left.amount, right.amount)
    if recipe.sums != "nothing" and not _same(total, parent.amount):
        _refuse("sums-differ", parent, "is not the sum of its two children")
    if node_hash(recipe, left.hash, left.amount, right.hash, right.amount, parent.level) != parent.hash:
        _refuse("hash-differs", parent, "is not the hash of its two children")


def node_hash(
    recipe: Recipe, left: str, left_amount: Amount, right: str, right_amount: Amount, height: int | None
) -> str:
    """Return the hash of two nodes' parent by the format's rule."""
    values: dict[str, template.Value] = {"L": left, "R": right, "height": height or 0}
    if recipe.sums != "nothing":
        total = _plus(recipe, left_amount, right_amount)
        for name, amount in (("LB", left_amount), ("RB", right_amount), ("sum", total)):
            values[name] = amount if isinstance(amount, int) else numbers.write(amount, recipe.sum_style)
    algorithm = str(recipe.data.get("node_hash", recipe.hash))
    return template.digest(algorithm, template.fill(recipe.data["node"], values))


def _plus(recipe: Recipe, left: Amount, right: Amount) -> Amount:
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    assert isinstance(left, dict)
    assert isinstance(right, dict)
    return numbers.add(left, right, recipe.data.get("sum_decimals"))


def _same(left: Amount, right: Amount) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return same_amounts(left, right)
    return left == right


def _fold(recipe: Recipe, rows: Iterator[Row], on_leaf: OnLeaf) -> Tree:
    """Join a leaf list upwards, keeping one node per level; an odd last node is promoted, or joined with itself."""
    odd, place, total = recipe.data["rows"]["odd"], 0, None
    open_nodes: list[tuple[int, str]] = []
    depth = ""
    for row in rows:
        depth = depth or row.parts.get("depth", "")
        for name, wanted in (("index", str(place)), ("depth", depth)):
            if row.parts.get(name, wanted) not in (wanted, ""):
                _refuse("order-differs", row, f"has the {name} {row.parts[name]} where {wanted} belongs")
        on_leaf(row, place)
        total = row.amount if total is None else numbers_sum(recipe, total, row.amount)
        _close(recipe, open_nodes, 0, row.hash)
        place, last = place + 1, row
    if total is None:
        raise MalformedError("incomplete-tree", "the list has no leaf")
    levels = 1 if place == 1 else (place - 1).bit_length() + 1
    if last.parts.get("depth") and int(last.parts["depth"]) != levels:
        _refuse("partial-row", last, f"says the tree has {last.parts['depth']} levels; {place} leaves make {levels}")
    while len(open_nodes) > 1:
        height, node = open_nodes.pop()
        target = open_nodes[-1][0]
        for _ in range(height, target) if odd == "double" else ():
            node = node_hash(recipe, node, 0, node, 0, None)
        _close(recipe, open_nodes, target, node)
    return Tree(open_nodes[0][1], total, place)


def numbers_sum(recipe: Recipe, left: Amount, right: Amount) -> Amount:
    """Add two amounts of a leaf list, which need not hold the same coins."""
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    assert isinstance(left, dict)
    assert isinstance(right, dict)
    return numbers.add(left, right)


def _close(recipe: Recipe, open_nodes: list[tuple[int, str]], height: int, node: str) -> None:
    while open_nodes and open_nodes[-1][0] == height:
        left = open_nodes.pop()[1]
        if left == node and recipe.data["rows"]["odd"] == "double":
            raise MalformedError(
                "duplicate-rows", "a part of the list is repeated: two lists of different totals have this root"
            )
        node = node_hash(recipe, left, 0, node, 0, None)
        height += 1
    open_nodes.append((height, node))


def _is_copy(row: Row, neighbour: Row | None) -> bool:
    """Whether a row at the right end is a copy of its left neighbour without value."""
    if neighbour is None or row.level != neighbour.level or row.hash != neighbour.hash:
        return False
    return not any(row.amount.values()) if isinstance(row.amount, dict) else row.amount == 0


def _refuse(code: str, row: Row | None, what: str) -> NoReturn:
    raise MalformedError(code, f"line {row.line if row else 0} {what}")


class _Peek:
    """Rows with a look at the next one."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self.next: Row | None = next(rows, None)

    def take(self, what: str) -> Row:
        row = self.next
        if row is None:
            raise MalformedError("partial-row", f"the list ends where {what} belongs")
        self.next = next(self._rows, None)
        return row


def shown(recipe: Recipe, amount: Amount) -> dict[str, str]:
    """Return an amount as plain texts by coin."""
    if isinstance(amount, dict):
        return numbers.amounts(amount)
    coin = recipe.data["rows"].get("coin")
    return {coin: str(amount)} if coin else {}


def padding_note(recipe: Recipe, tree: Tree) -> list[Finding]:
    """Say what padding adds to the total, where the format counts it."""
    if not tree.padding:
        return []
    coin = recipe.data["rows"].get("coin", "units")
    text = f"padding repeats real balances: the total shown is {tree.padding} {coin} above the sum of the accounts"
    return [Finding("padding-carries-value", text)]
