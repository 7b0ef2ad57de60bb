"""Write users' proofs: a file for each, or one archive whose index finds any of them."""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from verifier.errors import InputError, UnavailableError

_LONGEST_NAME = 200

Write = Callable[[str, bytes], None]


def file_name(account: str) -> str:
    """Return the file name of an account's proof: the id with all but letters, digits and `_.-~` as %XX."""
    name = quote(account, safe="")
    return f"{name if len(name) <= _LONGEST_NAME else sha256(account.encode()).hexdigest()}.json"


def write_receipts(out: Path, receipts: Iterable[tuple[str, bytes]]) -> int:
    """Write (account, proof) pairs below a folder, or into one archive `FILE.zip`; return how many.

    Only the owner may read them. Proofs that are in the folder already are left as they are; an archive appears under
    its name when it is whole. Raises InputError when the archive is there already, UnavailableError when it cannot be
    written.
    """
    count = 0
    try:
        with _writer(out) as write:
            for account, content in receipts:
                write(file_name(account), content)
                count += 1
    except OSError as error:
        raise UnavailableError(f"{error.filename or out}: cannot be written: {error.strerror}") from error
    return count


def write_receipt(path: Path, content: bytes) -> None:
    """Write one new file that only its owner may read. Raises UnavailableError, also when it is there already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(content)
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror}") from error


@contextmanager
def _writer(out: Path) -> Iterator[Write]:
    if out.suffix.lower() == ".zip":
        with _archive(out) as write:
            yield write
        return
    out.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write_file(name: str, content: bytes) -> None:
        path = out / name
        if path.exists():
            return
        partial = path.with_name(f"{name}.partial")
        partial.touch(mode=0o600)
        partial.write_bytes(content)
        partial.replace(path)

    yield write_file


@contextmanager
def _archive(out: Path) -> Iterator[Write]:
    if out.exists():
        raise InputError(f"{out}: is there already; name another archive")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f"{out.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        yield lambda name, content: archive.writestr(zipfile.ZipInfo(name), content)
    partial.replace(out)
