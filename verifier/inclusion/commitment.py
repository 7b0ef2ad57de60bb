"""What an exchange publishes about its tree of liabilities: the run, the assets, the totals and the root."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from chains.errors import IdentifierError
from chains.ids import asset_id
from verifier.errors import InputError
from verifier.files import read_file
from verifier.inclusion import sum_tree, wire
from verifier.inclusion.amounts import format_amount
from verifier.inclusion.wire import MalformedError

MAX_BYTES = 4 * 1024 * 1024
MAX_DECIMALS = 36
_KEYS = frozenset({"format", "run_id", "as_of", "assets", "parts", "leaf_count", "depth", "root", "totals"})
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+$-]{0,31}")
_PLACES = (Path("commitment.json"), Path("liabilities") / "commitment.json")


class TreeAsset(NamedTuple):
    """One column of the tree: CAIP-19 asset, symbol, and the number of decimals of its base unit."""

    asset: str
    symbol: str
    decimals: int


@dataclass(frozen=True)
class Commitment:
    """The header of a liabilities tree; its digest is what everybody compares.

    `parts` is the number of leaves each account has, `root` the 32-byte hash of the tree's top node, `totals` its sums
    in base units, in the order of `assets`.
    """

    run_id: str
    as_of: str
    assets: tuple[TreeAsset, ...]
    parts: int
    leaf_count: int
    depth: int
    root: bytes
    totals: sum_tree.Sums

    @cached_property
    def digest(self) -> str:
        """The published 64 hex digits: a tagged SHA-256 of the header's canonical JSON."""
        return sum_tree.commitment_digest(self.to_json())

    def to_json(self) -> bytes:
        """Return the header as canonical JSON (RFC 8785).

        Its values are ASCII texts and integers below 2^53, which the standard library writes canonically, in a tenth
        of the time; a test holds it against a full implementation.
        """
        return json.dumps(self.to_record(), sort_keys=True, separators=(",", ":")).encode("ascii")

    def to_record(self) -> dict[str, Any]:
        """Return the header as JSON values; amounts are decimal texts."""
        return {
            "format": sum_tree.TREE_FORMAT,
            "run_id": self.run_id,
            "as_of": self.as_of,
            "assets": [asset._asdict() for asset in self.assets],
            "parts": self.parts,
            "leaf_count": self.leaf_count,
            "depth": self.depth,
            "root": self.root.hex(),
            "totals": [str(units) for units in self.totals],
        }

    @cached_property
    def total_amounts(self) -> dict[str, str]:
        """The totals as whole coins by symbol."""
        return self.amounts(self.totals)

    def amounts(self, units: sum_tree.Sums) -> dict[str, str]:
        """Return base units as whole coins by symbol."""
        return {
            asset.symbol: format_amount(value, asset.decimals) for asset, value in zip(self.assets, units, strict=True)
        }


def commitment_of(value: Any, where: str = "commitment") -> Commitment:
    """Read a commitment from JSON values. Raises MalformedError naming the field."""
    record = wire.read_object(value, where, _KEYS)
    if record["format"] != sum_tree.TREE_FORMAT:
        raise MalformedError("malformed", f"{where}.format: expected {sum_tree.TREE_FORMAT!r}")
    assets = read_assets(record["assets"], f"{where}.assets")
    return Commitment(
        run_id=read_run_id(record["run_id"], f"{where}.run_id"),
        as_of=wire.read_utc(record["as_of"], f"{where}.as_of"),
        assets=assets,
        parts=wire.read_count(record["parts"], f"{where}.parts", 1, sum_tree.MAX_PARTS),
        leaf_count=wire.read_count(record["leaf_count"], f"{where}.leaf_count", 1, sum_tree.MAX_LEAVES),
        depth=wire.read_count(record["depth"], f"{where}.depth", 0, sum_tree.MAX_DEPTH),
        root=wire.read_hex(record["root"], f"{where}.root", sum_tree.HASH_BYTES),
        totals=wire.read_amounts(record["totals"], f"{where}.totals", len(assets)),
    )


def read_run_id(value: Any, where: str) -> str:
    """Return a run id: 1 to 128 letters, digits and `._:-`."""
    return wire.read_pattern(value, where, _RUN_ID, "a run id of letters, digits and ._:- such as 2026-11")


def read_assets(value: Any, where: str) -> tuple[TreeAsset, ...]:
    """Read an asset table from JSON values; each asset and each symbol appears once."""
    entries = wire.read_list(value, where, 1, sum_tree.MAX_ASSETS)
    assets = tuple(_asset(entry, f"{where}.{number}") for number, entry in enumerate(entries))
    for kind, names in (("asset", [asset.asset for asset in assets]), ("symbol", [asset.symbol for asset in assets])):
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise MalformedError("malformed", f"{where}: the {kind} {twice} is listed twice")
    return assets


def _asset(value: Any, where: str) -> TreeAsset:
    record = wire.read_object(value, where, frozenset(TreeAsset._fields))
    text = wire.read_text(record["asset"], f"{where}.asset", 200)
    try:
        canonical = asset_id(text)
    except IdentifierError as error:
        raise MalformedError("malformed", f"{where}.asset: {error}") from error
    if canonical != text:
        raise MalformedError("malformed", f"{where}.asset: write {canonical!r}")
    return TreeAsset(
        text,
        wire.read_pattern(record["symbol"], f"{where}.symbol", _SYMBOL, "a symbol such as BTC"),
        wire.read_count(record["decimals"], f"{where}.decimals", 0, MAX_DECIMALS),
    )


def load_commitment(path: Path) -> Commitment:
    """Read a published commitment: the file itself, or a folder (a tree or a run's bundle) that holds it.

    Raises UnavailableError when it cannot be read, InputError naming the file and the field when it is malformed.
    """
    if path.is_dir():
        found = [path / place for place in _PLACES if (path / place).is_file()]
        if not found:
            raise InputError(f"{path}: holds neither {_PLACES[0]} nor {_PLACES[1]}")
        path = found[0]
    value = wire.read_json(read_file(path, MAX_BYTES), str(path))
    try:
        return commitment_of(value)
    except MalformedError as error:
        raise InputError(f"{path}: {error}") from error
