"""A tree on disk: what is published, what a regulator gets, and what never leaves the exchange."""

import secrets
from pathlib import Path

from verifier.errors import InputError, UnavailableError
from verifier.files import read_file
from verifier.inclusion import wire
from verifier.inclusion.commitment import TreeAsset
from verifier.inclusion.sum_tree import SECRET_BYTES
from verifier.inclusion.wire import MalformedError
from verifier.liabilities.accounts import Account, read_accounts, write_accounts
from verifier.liabilities.build import LiabilitiesTree, build
from verifier.liabilities.commitment import load_commitment, save_commitment
from verifier.liabilities.leaves import write_leaves
from verifier.liabilities.places import ACCOUNTS, COMMITMENT, LEAVES, PRIVATE, SECRET, SPILL


def build_folder(
    accounts: Path,
    assets: tuple[TreeAsset, ...],
    run_id: str,
    as_of: str,
    out: Path,
    secret_file: Path | None = None,
    parts: int = 1,
) -> LiabilitiesTree:
    """Build the tree of an accounts table and write `commitment.json`, `leaves.csv` and `private/` to a new folder.

    `parts` is the number of leaves per account, 1 to 16.
    The secret is read from `secret_file`, or made there (default `private/secret`) readable by its owner only.
    Raises InputError when the folder is not empty or the table is doubtful, UnavailableError when it cannot write.
    """
    # 1. Judge all input before anything is written
    _refuse_full(out)
    secret = choose_secret(secret_file)
    tree = build(read_accounts(accounts, assets), assets, run_id, as_of, secret, parts)
    # 2. The private part first, the commitment last: a folder without it is no tree
    try:
        make_private(out, secret, secret_file)
        write_accounts(out / ACCOUNTS, assets, (Account(name, tree.owed(name)) for name in tree.accounts()))
        write_leaves(out / LEAVES, assets, tree.levels[0])
        save_commitment(out / COMMITMENT, tree.commitment)
    except OSError as error:
        raise UnavailableError(f"{error.filename or out}: cannot be written: {error.strerror}") from error
    return tree


def open_folder(folder: Path) -> LiabilitiesTree:
    """Build a folder's tree again from its private part; it must give the published commitment.

    Raises UnavailableError when a part cannot be read, InputError when the parts do not belong together.
    """
    published = load_commitment(folder / COMMITMENT)
    secret = read_secret(folder / SECRET)
    accounts = read_accounts(folder / ACCOUNTS, published.assets)
    tree = build(accounts, published.assets, published.run_id, published.as_of, secret, published.parts)
    if tree.commitment != published:
        raise InputError(f"{folder}: {PRIVATE}/ does not belong to {COMMITMENT}: it gives {tree.commitment.digest}")
    return tree


def read_secret(path: Path) -> bytes:
    """Read a run's 32-byte secret. Raises UnavailableError when it cannot be read, InputError when it is malformed."""
    text = read_file(path, 2 * SECRET_BYTES + 2).decode("ascii", errors="replace").strip()
    try:
        return wire.read_hex(text, "secret", SECRET_BYTES)
    except MalformedError:
        # `from None`: the cause would repeat the secret's text.
        raise InputError(f"{path}: expected {2 * SECRET_BYTES} lower-case hex digits and nothing else") from None


def _refuse_full(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        unfinished = (out / SPILL).exists() and not (out / COMMITMENT).exists()
        what = (
            "holds an unfinished run of a large table: finish or remove it" if unfinished else "is not an empty folder"
        )
        raise InputError(f"{out}: {what}; a tree that was published must not be overwritten")


def choose_secret(secret_file: Path | None) -> bytes:
    """Return the secret that the publisher has, or a new one."""
    if secret_file is not None and secret_file.exists():
        return read_secret(secret_file)
    return secrets.token_bytes(SECRET_BYTES)


def make_private(out: Path, secret: bytes, secret_file: Path | None) -> None:
    """Make the folder and its private part, with the secret in it and in the publisher's own file."""
    out.mkdir(parents=True, exist_ok=True)
    (out / PRIVATE).mkdir(mode=0o700, exist_ok=True)
    for path in (out / SECRET, secret_file):
        if path is not None and not path.exists():
            _write_private(path, secret)


def _write_private(path: Path, value: bytes) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(f"{value.hex()}\n", "ascii")
    partial.replace(path)
