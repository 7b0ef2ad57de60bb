"""Columns of many numbers, kept small: in memory while they are few, on disk when they are millions."""

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

MANY = 1_000_000
_WIDTH = 16  # a leaf's amount of one asset is below 2^128
_CHUNK = 65_536


class StoredColumn:
    """Numbers below 2^128 in a temporary file that vanishes with the process; read from the start each time."""

    def __init__(self, values: Iterable[int]) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="por-column-")  # noqa: SIM115 -- lives as long as this does
        for value in values:
            self._file.write(value.to_bytes(_WIDTH))

    def __iter__(self) -> Iterator[int]:
        self._file.seek(0)
        while cells := self._file.read(_WIDTH * _CHUNK):
            yield from (int.from_bytes(cells[at : at + _WIDTH]) for at in range(0, len(cells), _WIDTH))


def kept(values: Sequence[int]) -> Iterable[int]:
    """Return the same numbers, to be walked through as often as is needed."""
    return StoredColumn(values) if len(values) > MANY else values


def packed(values: Sequence[int]) -> Sequence[int]:
    """Return the same numbers in eight bytes each, where all fit."""
    try:
        return array("Q", values)
    except OverflowError:
        return values
