"""Files of payments: never over another file, complete or not there at all, and safe to open in a spreadsheet."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from verifier.compensation.payments.payees import Payees
from verifier.errors import InputError, UnavailableError
from verifier.files import spreadsheet_cell

UNPAID_HEADER = ("leaf", "units", "amount", "reason")


@contextmanager
def new_file(path: Path) -> Iterator[IO[str]]:
    """Open a text file that appears under its name once it is whole, readable by its owner only.

    Raises InputError when there is one already, UnavailableError when it cannot be written.
    """
    refuse_existing(path)
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield file
        partial.rename(path)
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def refuse_existing(path: Path) -> None:
    """Raise InputError when a file of payments would be written over another file."""
    if path.exists():
        raise InputError(f"{path}: exists already; payments are not written over another file, name a new one")


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV whose cells no spreadsheet runs as a formula."""
    with new_file(path) as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows([spreadsheet_cell(one) for one in row] for row in rows)


def write_list(path: Path, head: Mapping[str, Any], name: str, brackets: str, items: Iterable[str]) -> None:
    """Write a JSON object whose last field holds many items, each on a line of its own, without keeping them all."""
    with new_file(path) as file:
        file.write("{\n")
        file.writelines(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
        file.write(f"{json.dumps(name)}: {brackets[0]}")
        for number, item in enumerate(items):
            file.write(f"{',' if number else ''}\n{item}")
        file.write(f"\n{brackets[1]}\n}}\n")


def unpaid_file(out: Path) -> Path:
    """Return where the leaves that are not paid are listed, beside the payments."""
    return out.with_name(f"{out.name}.unpaid.csv")


def write_unpaid(payees: Payees, out: Path) -> None:
    """List every leaf that is not paid, with the reason; a file with nothing but a header says there is none."""
    rows = ([one.leaf.hex(), str(one.units), payees.amount(one.units), one.reason] for one in payees.unpaid)
    write_rows(unpaid_file(out), UNPAID_HEADER, rows)
