"""Read a text file that strangers wrote line by line: bounded, in UTF-8, and saying where it breaks."""

import csv
import stat
from collections.abc import Iterator
from pathlib import Path

from verifier.errors import InputError, UnavailableError

MAX_LINE_BYTES = 64 * 1024
MAX_LINES = 5_000_000
MAX_CELL = 16 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class LineReader:
    """The lines of a file with their numbers; `done` tells how many bytes were read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0
        self.done = 0
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: not a regular file")
        self.size = status.st_size

    def lines(self) -> Iterator[str]:
        """Yield the lines without their ends.

        Raises InputError with file and line for another encoding, a line or file beyond the bounds; UnavailableError
        when the file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                while line := file.readline(MAX_LINE_BYTES + 1):
                    self.number += 1
                    self.done += len(line)
                    yield self._text(line)
        except OSError as error:
            raise UnavailableError(f"{self.path}: cannot be read: {error.strerror}") from error

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row of comma-separated cells, stripped of spaces, with the number of its last line."""
        reader = csv.reader(self.lines(), strict=True)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise InputError(f"{self.path}:{self.number}: not CSV: {error}") from error
            if len(max(cells, key=len, default="")) > MAX_CELL:
                raise InputError(f"{self.path}:{self.number}: a cell longer than {MAX_CELL:,} characters")
            yield self.number, [cell.strip() for cell in cells]

    def _text(self, line: bytes) -> str:
        where = f"{self.path}:{self.number}"
        if len(line) > MAX_LINE_BYTES:
            raise InputError(f"{where}: longer than {MAX_LINE_BYTES:,} bytes")
        if self.number > MAX_LINES:
            raise InputError(f"{self.path}: more than {MAX_LINES:,} lines")
        if self.number == 1:
            if line[:2] in _OTHER_MARKS:
                raise InputError(f"{where}: {_OTHER_MARKS[line[:2]]} text; save it as UTF-8")
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if b"\0" in line:
            raise InputError(f"{where}: holds a zero byte; a wallet list is text in UTF-8")
        try:
            return line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: not UTF-8 at byte {error.start + 1}; save it as UTF-8") from error
