"""Make a liabilities tree from a table of accounts, whatever its size; the same table, run and secret give one root."""

import shutil
from pathlib import Path

from verifier.errors import InputError
from verifier.inclusion.commitment import Commitment, TreeAsset, load_commitment
from verifier.liabilities.folder import build_folder
from verifier.liabilities.inspect import BooksFile, Effort, inspect_folder
from verifier.liabilities.places import COMMITMENT, SECRET
from verifier.liabilities.progress import Progress, silent

LARGE_BYTES = 16 * 1024 * 1024


def is_large(accounts: str) -> bool:
    """Tell whether a table is one for the engine that works in pieces: a URL, Parquet, or a CSV above 16 MiB."""
    if "://" in accounts or not accounts.lower().endswith(".csv"):
        return True
    path = Path(accounts)
    return path.is_file() and path.stat().st_size > LARGE_BYTES


def make_tree(
    accounts: str,
    assets: tuple[TreeAsset, ...],
    run_id: str,
    as_of: str,
    out: Path,
    secret_file: Path | None = None,
    progress: Progress = silent,
) -> Commitment:
    """Return the commitment of a table's tree in the folder `out`, which is made unless it is there already.

    A tree that is there must be of this very run and table: every leaf is compared with the books. The same call after
    a kill goes on. Raises InputError when the tree is another one or the table is doubtful.
    """
    if (out / COMMITMENT).exists():
        return _same(accounts, run_id, as_of, out, progress)
    if is_large(accounts):
        from verifier.liabilities.publisher.folder import THIS_MACHINE, Terms, publish_folder

        terms = Terms(assets, run_id, as_of)
        return publish_folder(accounts, terms, out, secret_file, THIS_MACHINE, progress).commitment
    aside = out.with_name(out.name + ".partial")
    shutil.rmtree(aside, ignore_errors=True)  # a small tree is made anew: nobody has seen this one
    tree = build_folder(Path(accounts), assets, run_id, as_of, aside, secret_file)
    aside.rename(out)
    return tree.commitment


def _same(accounts: str, run_id: str, as_of: str, out: Path, progress: Progress) -> Commitment:
    there = load_commitment(out / COMMITMENT)
    if (there.run_id, there.as_of) != (run_id, as_of):
        raise InputError(f"{out}: holds the tree of {there.run_id} as of {there.as_of}; name another folder (--tree)")
    found = inspect_folder(out, BooksFile(accounts, out / SECRET), None, Effort(), progress)
    if found.findings:
        raise InputError(f"{out}: holds a tree of other books: {found.findings[0].text}; name another folder (--tree)")
    return there
