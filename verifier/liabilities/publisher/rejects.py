"""What is refused of a table: cell by cell, and accounts that stand in it more than once."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.sum_tree import UNIT_BYTES
from verifier.inclusion.wire import show
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.sources import Piece
from verifier.liabilities.publisher.table import ACCOUNT, Reject, read_rows
from verifier.liabilities.publisher.tasks import Job, read_rejects, rejects_name

SHOWN = 5


class RejectedError(InputError):
    """The table has doubtful cells or accounts listed twice; `write` lists all of them, however many."""

    def __init__(self, source: str, spill: Place, pieces: Iterable[Piece], count: int) -> None:
        self._spill, self._pieces = spill, sorted(pieces)
        self.count = count
        shown = "; ".join(
            f"{piece.named}:{item.row}:{item.column}: {item.reason}" for piece, item in islice(self._all(), SHOWN)
        )
        rest = f"; and {count - SHOWN:,} more (--report-rejects FILE lists all)" if count > SHOWN else ""
        super().__init__(f"{source}: {count:,} cells are refused: {shown}{rest}")

    @property
    def rejects(self) -> list[Reject]:
        """All rejects, in the order of the table."""
        return [item for _, item in self._all()]

    def write(self, path: Path) -> None:
        """Write a CSV of file, row, column and reason."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "row", "column", "reason"])
            writer.writerows([piece.named, *item] for piece, item in self._all())

    def _all(self) -> Iterator[tuple[Piece, Reject]]:
        for piece in self._pieces:
            for item in read_rejects(self._spill, piece.number):
                yield piece, item


class Found(NamedTuple):
    """A row of the table whose account has a position that is looked for."""

    position: bytes
    row: int
    account: str
    units: tuple[int, ...]


def locate(job: Job, piece: Piece, positions: frozenset[bytes]) -> list[Found]:
    """Return the rows of a piece whose accounts have one of these positions (of any of their leaves)."""
    batch = read_rows(piece.read(), piece.first_row, job.assets)
    if isinstance(batch, list):
        return []
    data, starts = batch.ids.data.tobytes(), batch.ids.starts.tolist()
    found = []
    for row, (begin, end) in enumerate(pairwise(starts)):
        account = data[begin:end]
        for part in range(job.parts):
            position = sum_tree.salt_and_position(job.key, account, part)[1]
            if position in positions:
                raw = batch.units[row].tobytes()
                units = tuple(int.from_bytes(raw[at : at + UNIT_BYTES], "big") for at in range(0, len(raw), UNIT_BYTES))
                found.append(Found(position, piece.first_row + row, account.decode(), units))
    return found


def locate_doubled(
    source: str, job: Job, pieces: Sequence[Piece], positions: frozenset[bytes], executor: Executor
) -> RejectedError:
    """Find the rows of accounts listed more than once; return the error that names every row after the first."""
    first: dict[str, str] = {}
    refused: dict[int, list[Reject]] = {}
    tasks = [executor.submit(locate, job, piece, positions) for piece in pieces]
    for piece, task in zip(pieces, tasks, strict=True):
        for row, account in sorted({(found.row, found.account) for found in task.result()}):
            if account in first:
                text = f"{show(account)} is listed twice, first in {first[account]}"
                refused.setdefault(piece.number, []).append(Reject(row, ACCOUNT, text))
            else:
                first[account] = f"{piece.named}:{row}"
    for number, rejects in refused.items():
        job.spill.write(rejects_name(number), json.dumps(rejects).encode())
    named = [piece for piece in pieces if piece.number in refused]
    return RejectedError(source, job.spill, named, sum(map(len, refused.values())))
