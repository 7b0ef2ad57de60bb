"""Lemon Cash hands out a table with the path in braces, and the root in a file of variables."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from verifier.inclusion.finding import Finding
from verifier.inclusion.layout import MAX_STEPS, OtherLayoutError, canonical_hash
from verifier.inclusion.numbers import Balances, read_balances
from verifier.inclusion.recipe import PathProof, Recipe, Step
from verifier.inclusion.wire import MalformedError

_COLUMNS = {"id", "balances", "proof", "audit_id"}
_STEP = re.compile(r"\{(LEFT|RIGHT),([0-9a-f]{64}),([^{}]*)\}")
_EMPTY = "00" * 32
_MAX_ROWS = 1_000


def read(recipe: Recipe, value: Any, facts: Mapping[str, str], companions: Sequence[Any]) -> list[PathProof]:
    """Read a table with the columns id, balances, proof and audit_id; each row is one account's proof."""
    if not isinstance(value, str) or _COLUMNS - {name.strip() for name in value.partition("\n")[0].split(",")}:
        raise OtherLayoutError("columns")
    try:
        rows = list(csv.DictReader(value.splitlines(), strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise MalformedError("malformed", f"not a table: {error}") from error
    if not 0 < len(rows) <= _MAX_ROWS or any(None in row or None in row.values() for row in rows):
        raise MalformedError("malformed", "the table has no row, too many, or one of another width")
    root, totals = _root(recipe, facts, companions)
    known = {"root_hash", "root_balances", "hash_algorithm"}
    extra = tuple(f"variables.{key}" for one in filter(is_companion, companions) for key in one if key not in known)
    cleaned = [{key.strip(): text.strip() for key, text in row.items()} for row in rows]
    return [_proof(recipe, row, root, totals, extra) for row in cleaned]


def is_companion(value: Any) -> bool:
    """Say whether a file is Lemon's file of variables."""
    return isinstance(value, dict) and {"root_hash", "root_balances"} <= value.keys()


def _root(recipe: Recipe, facts: Mapping[str, str], companions: Sequence[Any]) -> tuple[str | None, Balances | None]:
    for variables in filter(is_companion, companions):
        if variables.get("hash_algorithm", "sha256") != "sha256" or not isinstance(variables["root_hash"], str):
            raise MalformedError("malformed", "the variables name another hash than sha256")
        return canonical_hash(recipe, variables["root_hash"], "root_hash"), _balances(
            variables["root_balances"], "root"
        )
    return facts.get("root"), None


def _proof(
    recipe: Recipe, row: Mapping[str, str], root: str | None, totals: Balances | None, extra: tuple[str, ...]
) -> PathProof:
    steps = tuple(_steps(row["proof"]))
    padded = [number for number, step in enumerate(steps) if step.hash == _EMPTY and step.balances]
    return PathProof(
        fields={"id": row["id"], "audit_id": row["audit_id"]},
        own=_balances(row["balances"], "balances"),
        steps=steps,
        root=root,
        root_sums=totals,
        run=row["audit_id"],
        account=row["id"],
        faults=tuple(Finding("padding-carries-value", f"step {number + 1} is padding with value") for number in padded),
        unbound=(*(key for key in row if key not in _COLUMNS), *extra),
    )


def _steps(text: str) -> Iterator[Step]:
    matches = list(_STEP.finditer(text))
    if len(matches) > MAX_STEPS or "[" + ",".join(match[0] for match in matches) + "]" != text.replace(", {", ",{"):
        raise MalformedError("malformed", "the proof is not a list of {SIDE,hash,balances}")
    for number, match in enumerate(matches):
        yield Step(match[2], _balances(match[3], f"step {number + 1}"), match[1] == "LEFT")


def _balances(text: Any, where: str) -> Balances:
    if not isinstance(text, str):
        raise MalformedError("malformed", f"{where}: expected COIN:amount|COIN:amount")
    pairs = [entry.partition(":")[::2] for entry in text.split("|")] if text else []
    found = read_balances(pairs, where, exponent=True)
    # As in the exchange's own tool, a coin of which nothing is held is not hashed.
    return {coin: amount for coin, (amount, _) in found.items() if amount}
