"""The common frame of lists in CSV: a summary of totals, a header that names the columns, and one row per wallet."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from verifier.errors import InputError
from verifier.wallet_lists.cells import amount_of, height_of, text_of
from verifier.wallet_lists.lines import LineReader
from verifier.wallet_lists.record import DeclaredTotal

MAX_SUMMARY_ROWS = 5_000
MAX_COLUMNS = 64
# The spellings of each column in the published lists, compared without case and spaces.
COLUMNS = {
    "coin": "asset",
    "digitalasset": "asset",
    "network": "network",
    "chain": "chain",
    "type": "kind",
    "snapshotheight": "height",
    "address": "address",
    "amount": "amount",
    "balance": "amount",
    "message": "message",
    "signature": "signature1",
    "signature1": "signature1",
    "signedmessage": "signature1",
    "signature2": "signature2",
    "signedmessage2": "signature2",
    "redeemscript/publickey": "material",
    "redeemscript": "material",
    "publickey": "material",
    "eoa1": "owner1",
    "owner1": "owner1",
    "eoa2": "owner2",
    "owner2": "owner2",
}


class Table(NamedTuple):
    """An opened table: its totals, its columns in order, and its rows as line number and cells by column name."""

    path: Path
    totals: tuple[DeclaredTotal, ...]
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, dict[str, str]]]


def open_table(reader: LineReader) -> Table | None:
    """Read up to the header of the wallets; None when the file holds no such header among its first lines.

    Raises InputError with file and row for a summary that cannot be read.
    """
    rows = reader.rows()
    totals: list[DeclaredTotal] = []
    for line, cells in rows:
        columns = _columns(cells)
        if "address" in columns:
            _check_columns(columns, f"{reader.path}:{line}")
            return Table(reader.path, tuple(_grouped(totals)), columns, _wallet_rows(rows, columns, reader.path))
        if any(cells) and not {"asset", "amount"} <= set(columns):
            total = _total(cells, f"{reader.path}:{line}", line) if line > 1 else None
            if total is None:
                return None
            totals.append(total)
        if len(totals) > MAX_SUMMARY_ROWS:
            return None
    return None


def is_group(label: str) -> bool:
    """Tell whether a label stands for all networks of an asset: `BTC(ALL)`."""
    return label.lower().endswith("(all)")


def _columns(cells: list[str]) -> tuple[str, ...]:
    return tuple(COLUMNS.get("".join(cell.lower().split()), "") for cell in cells[:MAX_COLUMNS])


def _check_columns(columns: tuple[str, ...], where: str) -> None:
    for name in set(columns) - {""}:
        if columns.count(name) > 1:
            raise InputError(f"{where}: two columns mean {name!r}")
    for name in ("asset", "message", "signature1"):
        if name not in columns:
            raise InputError(f"{where}: a list of wallets needs a column for {name!r}; found none")


def _total(cells: list[str], where: str, line: int) -> DeclaredTotal | None:
    """Return a summary row `label, height, amount` or `label, amount`; None when it is of another shape."""
    filled = cells
    while filled and not filled[-1]:
        filled = filled[:-1]
    if len(filled) not in (2, 3) or not filled[0]:
        return None
    amount = amount_of(filled[-1], where)
    if amount is None:
        return None
    return DeclaredTotal(line, filled[0], amount, height_of(filled[1]) if len(filled) == 3 else None)


def _grouped(totals: list[DeclaredTotal]) -> Iterator[DeclaredTotal]:
    """Give each `X(ALL)` the labels that follow it up to the next one."""
    for place, total in enumerate(totals):
        parts: list[str] = []
        if is_group(total.label):
            for later in totals[place + 1 :]:
                if is_group(later.label):
                    break
                parts.append(later.label)
        yield total._replace(parts=tuple(parts))


def _wallet_rows(
    rows: Iterator[tuple[int, list[str]]], columns: tuple[str, ...], path: Path
) -> Iterator[tuple[int, dict[str, str]]]:
    for line, raw in rows:
        cells = raw if len(raw) <= len(columns) else _joined(raw)
        if not any(cells) or _columns(cells) == columns:
            continue  # an empty line, or the header again in a file put together from several
        if any(text_of(cell) for cell in cells[len(columns) :]):
            raise InputError(f"{path}:{line}: {len(cells)} cells where the header has {len(columns)}")
        yield line, {name: text_of(cell) for name, cell in zip(columns, cells, strict=False) if name}


def _joined(cells: list[str]) -> list[str]:
    """Put a cell in brackets together again: some lists write [a,b] or {a,b} without quotes."""
    joined: list[str] = []
    depth = 0
    for cell in cells:
        if depth > 0:
            joined[-1] += f",{cell}"
        else:
            joined.append(cell)
        depth = max(0, depth + sum(cell.count(letter) for letter in "[{") - sum(cell.count(letter) for letter in "]}"))
    return joined
