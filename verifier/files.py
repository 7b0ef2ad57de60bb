"""Read files that strangers wrote: regular ones only, never more than a bound; and write our own."""

import re
import stat
from pathlib import Path

from verifier.errors import InputError, UnavailableError

# Source: OWASP, CSV Injection; the wide forms are taken for the narrow ones by some programs.
FORMULA = re.compile("[\\s\"']*[=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20]")


def read_file(path: Path, max_bytes: int) -> bytes:
    """Return a regular file's bytes. Raises UnavailableError when unreadable, InputError when it is too large."""
    content = read_head(path, max_bytes + 1)
    if len(content) > max_bytes:
        raise InputError(f"{path}: larger than {max_bytes:,} bytes")
    return content


def read_head(path: Path, size: int) -> bytes:
    """Return a regular file's first bytes. Raises UnavailableError when unreadable, InputError when no regular file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path}: not a regular file")
        with path.open("rb") as file:
            return file.read(size)
    except (OSError, ValueError) as error:
        raise UnavailableError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file. Raises UnavailableError when it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror}") from error


def spreadsheet_cell(text: str) -> str:
    """Return a cell of a CSV with an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{text}" if FORMULA.match(text) else text
