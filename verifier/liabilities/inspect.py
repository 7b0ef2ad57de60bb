"""Audit a tree's folder, small or large: rebuild it, compare it with the books, draw leaves by a beacon."""

from pathlib import Path
from typing import Literal, NamedTuple

from verifier.inclusion.commitment import load_commitment
from verifier.liabilities.draw import draw_leaves
from verifier.liabilities.folder import read_secret
from verifier.liabilities.places import COMMITMENT, ELSEWHERE, LEAF_LIST
from verifier.liabilities.progress import Progress, silent
from verifier.liabilities.reconcile import Reconciliation, audit_folder


class BooksFile(NamedTuple):
    """The exchange's own table of accounts (a path or URL) and the file with the run's secret."""

    source: str
    secret: Path
    base_units: bool = False


class Draw(NamedTuple):
    """How many leaves to show, and the public value that came after the digest and decides which."""

    leaves: int
    beacon: str


class Effort(NamedTuple):
    """How a large tree is audited; nothing here changes the result."""

    workers: int = 2
    engine: Literal["plain", "fast"] = "plain"


def inspect_folder(
    folder: Path, books: BooksFile | None, draw: Draw | None, effort: Effort, progress: Progress = silent
) -> Reconciliation:
    """Rebuild a tree from its leaf list; with the books and the run's secret, explain every leaf.

    Raises UnavailableError when a part cannot be read, InputError when one is malformed or the draw makes no sense.
    """
    commitment = load_commitment(folder / COMMITMENT)
    numbers = [] if draw is None else draw_leaves(draw.beacon, commitment.digest, commitment.leaf_count, draw.leaves)
    if not has_leaf_list(folder):
        plain_books = None if books is None else (Path(books.source), books.secret)
        return audit_folder(folder, plain_books, numbers)
    from verifier.liabilities.publisher.books import Books
    from verifier.liabilities.publisher.executors import executor_of
    from verifier.liabilities.publisher.inspect import inspect
    from verifier.liabilities.publisher.opening import open_leaf_list

    table = None if books is None else Books(books.source, read_secret(books.secret), books.base_units)
    with executor_of(None, effort.workers, effort.engine) as executor:
        return inspect(open_leaf_list(folder), table, numbers, executor, progress, effort.engine)


def has_leaf_list(folder: Path) -> bool:
    """Say whether a folder holds a large tree's leaf list, or says where it lies."""
    return (folder / LEAF_LIST).is_dir() or (folder / ELSEWHERE).is_file()
