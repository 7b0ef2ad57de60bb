"""Read what an exchange owes each account from a CSV table, exactly; whatever is doubtful is refused with its place."""

import csv
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from verifier.errors import InputError, UnavailableError
from verifier.files import read_file
from verifier.inclusion import wire
from verifier.inclusion.amounts import format_amount, parse_amount
from verifier.inclusion.commitment import TreeAsset, read_assets
from verifier.inclusion.sum_tree import MAX_ACCOUNT_BYTES, MAX_UNITS, Sums
from verifier.inclusion.wire import MalformedError

MAX_ASSETS_FILE = 4 * 1024 * 1024
MAX_LINE_BYTES = 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Account(NamedTuple):
    """One account with what it is owed, in base units, in the order of the asset table."""

    id: str
    units: Sums


def load_assets(path: Path) -> tuple[TreeAsset, ...]:
    """Read the asset table: a JSON list of {asset, symbol, decimals}, or a TOML file with [[assets]] tables.

    Raises UnavailableError when it cannot be read, InputError naming the file and the field.
    """
    content = read_file(path, MAX_ASSETS_FILE)
    value: Any
    if path.suffix.lower() == ".toml":
        try:
            value = tomllib.loads(content.decode("utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            raise InputError(f"{path}: not TOML: {error}") from error
    else:
        value = wire.read_json(content, str(path))
    if isinstance(value, dict):
        value = value.get("assets")
    try:
        return read_assets(value, "assets")
    except MalformedError as error:
        raise InputError(f"{path}: {error}") from error


def read_accounts(path: Path, assets: Sequence[TreeAsset]) -> Iterator[Account]:
    """Yield the accounts of a CSV table with the header `account,<SYMBOL>…`; amounts are whole coins.

    Each asset has exactly one column, in any order. Raises UnavailableError when the file cannot be read, and
    InputError with file, row, column and reason for the first row that is doubtful (the header is row 1).
    """
    try:
        with path.open("rb") as file:
            rows = _rows(file, path)
            order = _columns(next(rows, []), assets, path)
            yield from _accounts(rows, order, assets, path)
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error


def write_accounts(path: Path, assets: Sequence[TreeAsset], accounts: Iterable[Account]) -> None:
    """Write a table that `read_accounts` reads back; only its owner may read the file."""
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["account", *(asset.symbol for asset in assets)])
        for account in accounts:
            amounts = zip(account.units, assets, strict=True)
            writer.writerow([account.id, *(format_amount(units, asset.decimals) for units, asset in amounts)])


def _rows(file: IO[bytes], path: Path) -> Iterator[list[str]]:
    reader = csv.reader(_lines(file, path), strict=True)
    row = 0
    while True:
        row += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{path}:{row}: not CSV: {error}") from error
        yield cells


def _lines(file: IO[bytes], path: Path) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise InputError(f"{path}: line {number} is longer than {MAX_LINE_BYTES:,} bytes")
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: line {number} is not UTF-8 at byte {error.start + 1}") from error


def _columns(header: list[str], assets: Sequence[TreeAsset], path: Path) -> list[int]:
    """Return the column of each asset."""
    if not header or header[0] != "account":
        found = wire.show(header[0]) if header else "an empty file"
        raise InputError(f"{path}:1: the first column must be `account`, found {found}")
    symbols = {asset.symbol for asset in assets}
    for number, symbol in enumerate(header[1:], 1):
        if symbol not in symbols:
            raise InputError(f"{path}:1: unknown asset {wire.show(symbol)}; the asset table has no such symbol")
        if header.index(symbol, 1) != number:
            raise InputError(f"{path}:1: the column {symbol} appears twice")
    for asset in assets:
        if asset.symbol not in header[1:]:
            raise InputError(f"{path}:1: the column {asset.symbol} is missing")
    return [header.index(asset.symbol, 1) for asset in assets]


def _accounts(
    rows: Iterator[list[str]], order: list[int], assets: Sequence[TreeAsset], path: Path
) -> Iterator[Account]:
    columns = list(zip(order, assets, strict=True))
    first_row: dict[str, int] = {}
    for row, cells in enumerate(rows, 2):
        if len(cells) != len(columns) + 1:
            raise InputError(f"{path}:{row}: {_misfit(len(cells), columns)}")
        account = _account_id(cells[0], f"{path}:{row}:account")
        if account in first_row:
            raise InputError(f"{path}:{row}:account: {wire.show(account)} was already on row {first_row[account]}")
        first_row[account] = row
        yield Account(account, tuple(_units(cells[column], asset, path, row) for column, asset in columns))


def _misfit(cells: int, columns: list[tuple[int, TreeAsset]]) -> str:
    missing = [asset.symbol for column, asset in columns if column >= cells]
    lacks = f"the column {missing[0]} is missing; " if missing else ""
    return f"{lacks}{cells} cells where the header has {len(columns) + 1}"


def _account_id(text: str, where: str) -> str:
    try:
        return wire.read_text(text, where, MAX_ACCOUNT_BYTES)
    except MalformedError as error:
        raise InputError(str(error)) from error


def _units(text: str, asset: TreeAsset, path: Path, row: int) -> int:
    try:
        units = parse_amount(text, asset.decimals)
    except InputError as error:
        raise InputError(f"{path}:{row}:{asset.symbol}: {error}") from error
    if units > MAX_UNITS:
        raise InputError(f"{path}:{row}:{asset.symbol}: {wire.show(text)} exceeds 2^128 - 1 base units")
    return units
