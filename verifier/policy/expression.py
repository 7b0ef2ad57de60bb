"""What a rule computes, as a lawyer can read it: `client_controlled >= coverage_ratio * owed`.

The grammar is a small part of Python's: names, the numbers 0 and 1, + - * /, min and max, step bands called by their
name, comparisons, and, or. Everything else is refused. A text is parsed, never run.
"""

import ast
from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from verifier.errors import InputError

MAX_LENGTH = 1_000
MAX_NODES = 200


class Relation(StrEnum):
    AT_LEAST = ">="
    AT_MOST = "<="
    ABOVE = ">"
    BELOW = "<"
    EQUAL = "=="


class Number(NamedTuple):
    value: Fraction


class Name(NamedTuple):
    """A quantity of the vocabulary, a statement, or a parameter of the pack."""

    name: str


class Sum(NamedTuple):
    """`left` plus `sign` × `right`; the sign is 1 or -1."""

    left: "Amount"
    right: "Amount"
    sign: int


class Product(NamedTuple):
    left: "Amount"
    right: "Amount"


class Quotient(NamedTuple):
    left: "Amount"
    right: "Amount"


class Extreme(NamedTuple):
    """The lowest (`highest` False) or the highest of several amounts."""

    items: tuple["Amount", ...]
    highest: bool


class Step(NamedTuple):
    """The value of a step band at an amount."""

    band: str
    at: "Amount"


class Comparison(NamedTuple):
    left: "Amount"
    relation: Relation
    right: "Amount"


class Junction(NamedTuple):
    """All (`every` True) or at least one of several statements."""

    items: tuple["Statement", ...]
    every: bool


Amount = Number | Name | Sum | Product | Quotient | Extreme | Step
Statement = Comparison | Junction

_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.GtE: Relation.AT_LEAST,
    ast.LtE: Relation.AT_MOST,
    ast.Gt: Relation.ABOVE,
    ast.Lt: Relation.BELOW,
    ast.Eq: Relation.EQUAL,
}
_PLAIN_NUMBERS = {0, 1}


def parse_statement(text: str) -> Statement:
    """Parse a rule's `check` or `when`. Raises InputError naming the part that is no statement of the grammar."""
    if len(text) > MAX_LENGTH:
        raise InputError(f"an expression of {len(text)} characters; at most {MAX_LENGTH} are allowed")
    try:
        body = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{text[:80]!r} is no expression: {error}") from error
    if sum(1 for _ in ast.walk(body)) > MAX_NODES:
        raise InputError(f"{text[:80]!r}: more than {MAX_NODES} parts; split the rule")
    return _statement(body)


def _statement(node: ast.expr) -> Statement:
    if isinstance(node, ast.BoolOp):
        return Junction(tuple(_statement(item) for item in node.values), isinstance(node.op, ast.And))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _RELATIONS:
        return Comparison(_amount(node.left), _RELATIONS[type(node.ops[0])], _amount(node.comparators[0]))
    raise InputError(f"{ast.unparse(node)!r}: expected one comparison (>= <= > < ==), or several joined by and / or")


def _amount(node: ast.expr) -> Amount:  # noqa: PLR0911 -- one return per kind of amount
    if isinstance(node, ast.Name):
        return Name(node.id)
    if isinstance(node, ast.Constant):
        return _number(node)
    if isinstance(node, ast.Call):
        return _call(node)
    if isinstance(node, ast.BinOp):
        left, right = _amount(node.left), _amount(node.right)
        match node.op:
            case ast.Add():
                return Sum(left, right, 1)
            case ast.Sub():
                return Sum(left, right, -1)
            case ast.Mult():
                return Product(left, right)
            case ast.Div():
                return Quotient(left, right)
    raise InputError(f"{ast.unparse(node)!r}: expected names, + - * /, min, max or a band")


def _number(node: ast.Constant) -> Number:
    if type(node.value) is not int or node.value not in _PLAIN_NUMBERS:
        raise InputError(f"{ast.unparse(node)!r}: only 0 and 1 are written plainly; a number of the law is a parameter")
    return Number(Fraction(node.value))


def _call(node: ast.Call) -> Amount:
    if not isinstance(node.func, ast.Name) or node.keywords or not node.args:
        raise InputError(f"{ast.unparse(node)!r}: expected min(...), max(...) or BAND(amount)")
    items = tuple(_amount(item) for item in node.args)
    if node.func.id in ("min", "max"):
        return Extreme(items, node.func.id == "max")
    if len(items) != 1:
        raise InputError(f"{ast.unparse(node)!r}: a band takes one amount")
    return Step(node.func.id, items[0])


def names_of(tree: Statement | Amount) -> Iterator[str]:
    """Yield every name in a tree, left to right, repeated as often as it is used."""
    if isinstance(tree, Name):
        yield tree.name
    for part in _parts(tree):
        yield from names_of(part)


def bands_of(tree: Statement | Amount) -> Iterator[str]:
    """Yield every band a tree asks."""
    if isinstance(tree, Step):
        yield tree.band
    for part in _parts(tree):
        yield from bands_of(part)


def comparisons_of(statement: Statement) -> Iterator[Comparison]:
    """Yield the comparisons of a statement, left to right."""
    if isinstance(statement, Comparison):
        yield statement
    else:
        for item in statement.items:
            yield from comparisons_of(item)


def write(tree: Statement | Amount) -> str:  # noqa: PLR0911 -- one return per kind of amount
    """Return a tree as text of the grammar, fully bracketed where it matters."""
    match tree:
        case Number():
            return str(tree.value)
        case Name():
            return tree.name
        case Sum():
            return f"{write(tree.left)} {'+' if tree.sign > 0 else '-'} {_bracketed(tree.right)}"
        case Product():
            return f"{_bracketed(tree.left)} * {_bracketed(tree.right)}"
        case Quotient():
            return f"{_bracketed(tree.left)} / {_bracketed(tree.right)}"
        case Extreme():
            return f"{'max' if tree.highest else 'min'}({', '.join(write(item) for item in tree.items)})"
        case Step():
            return f"{tree.band}({write(tree.at)})"
        case Comparison():
            return f"{write(tree.left)} {tree.relation} {write(tree.right)}"
        case Junction():
            word = " and " if tree.every else " or "
            return word.join(f"({write(i)})" if isinstance(i, Junction) else write(i) for i in tree.items)


def _bracketed(tree: Amount) -> str:
    return f"({write(tree)})" if isinstance(tree, Sum | Product | Quotient) else write(tree)


def _parts(tree: Statement | Amount) -> tuple[Statement | Amount, ...]:
    match tree:
        case Number() | Name():
            return ()
        case Step():
            return (tree.at,)
        case Extreme() | Junction():
            return tree.items
        case Sum() | Product() | Quotient() | Comparison():
            return (tree.left, tree.right)
