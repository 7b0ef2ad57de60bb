"""The accounts table on disk, cut into pieces for one task each: Parquet row groups, or shards of what is coarser."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from verifier.errors import InputError, UnavailableError
from verifier.inclusion.commitment import TreeAsset
from verifier.liabilities.publisher.kernels import record_width
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.table import check_columns

PIECE_ROWS = 131_072
PIECE_BYTES = 48 * 1024 * 1024
MAX_FILES = 100_000


class Piece(NamedTuple):
    """One row group of one file; `first_row` is where its first account stands in the file `named`, as a person counts.

    A CSV table's header is row 1 and its first account row 2; the first account of a Parquet file is row 1.
    """

    number: int
    folder: Place
    file: str
    group: int
    rows: int
    named: str
    first_row: int

    def read(self) -> pa.Table:
        """Return the piece's rows."""
        with self.folder.open(self.file) as file:
            checked = pq.ParquetFile(file, page_checksum_verification=True)
            return checked.read_row_group(self.group, use_threads=False)


class Source(NamedTuple):
    """A Parquet or CSV table, or a folder of Parquet files, at a path or URL; `rows` is the most a task shall hold."""

    url: str
    rows: int

    def identity(self) -> list[list[str | int]]:
        """Return what tells this table from another, or from itself after a change. Raises UnavailableError."""
        try:
            return Place(self.url).identity()
        except FileNotFoundError as error:
            raise UnavailableError(f"{Place(self.url).shown}: there is no such table") from error
        except OSError as error:
            raise UnavailableError(f"{Place(self.url).shown}: cannot be read: {error}") from error

    def pieces(self, assets: Sequence[TreeAsset], shards: Place) -> Iterator[Piece]:
        """Yield the pieces, first those that are there already; what is too coarse is cut into files under `shards`.

        Raises InputError when the source is no table with the columns of the assets.
        """
        if self._is_csv:
            yield from _numbered(self._shard_csv(assets, shards), self.url, 2)
            return
        number = 0
        for name in self._files():
            for piece in self._parquet(name, assets, shards.below(f"{number:06d}")):
                yield piece._replace(number=number)
                number += 1

    def row_estimate(self) -> int:
        """Return about how many rows there are: exact for Parquet, from the size for CSV."""
        if not self._is_csv:
            return sum(_footer(self._folder, name).metadata.num_rows for name in self._files())
        size = int(self.identity()[0][1])
        with self._folder.open(self._name) as file:
            head = bytes(file.read(1 << 16))
        return size * max(1, head.count(b"\n")) // max(1, len(head))

    @property
    def _is_csv(self) -> bool:
        return self._name.lower().endswith(".csv")

    @property
    def _folder(self) -> Place:
        return Place(self.url) if self._is_folder else Place(self.url).above()[0]

    @property
    def _is_folder(self) -> bool:
        return not self._name.lower().endswith((".csv", ".parquet", ".pq"))

    @property
    def _name(self) -> str:
        return Place(self.url).above()[1]

    def _files(self) -> list[str]:
        if not self._is_folder:
            return [self._name]
        found = sorted(str(name) for name, *_ in self.identity() if str(name).endswith((".parquet", ".pq")))
        if not 0 < len(found) <= MAX_FILES:
            raise InputError(f"{self.url}: {len(found):,} Parquet files; expected 1 to {MAX_FILES:,}, or one .csv file")
        return found

    def _parquet(self, name: str, assets: Sequence[TreeAsset], shards: Place) -> Iterator[Piece]:
        folder = self._folder
        file = _footer(folder, name)
        check_columns(f"{self.url}" if not self._is_folder else f"{self.url}/{name}", file.schema_arrow, assets)
        groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
        if max(groups, default=0) > 2 * self.rows:
            batches = file.iter_batches(batch_size=self.rows, use_threads=False)
            yield from _numbered(_write_shards(batches, file.schema_arrow, self.rows, shards), name, 1)
            return
        row = 1
        for group, rows in enumerate(groups):
            if rows:
                yield Piece(0, folder, name, group, rows, name, row)
            row += rows

    def _shard_csv(self, assets: Sequence[TreeAsset], shards: Place) -> Iterator[Piece]:
        """Stream a CSV table into shards of unjudged bytes, so that its parts can be read at once."""
        convert = csv.ConvertOptions(strings_can_be_null=False)
        reading, parsing = csv.ReadOptions(block_size=1 << 20), csv.ParseOptions(newlines_in_values=True)
        try:
            with self._folder.open(self._name) as file:
                names = csv.open_csv(file, reading, parsing).schema.names
            check_columns(self.url, pa.schema([(name, pa.binary()) for name in names]), assets)
            convert.column_types = dict.fromkeys(names, pa.binary())
            with self._folder.open(self._name) as file:
                reader = csv.open_csv(file, csv.ReadOptions(block_size=1 << 24), parsing, convert)
                yield from _write_shards(reader, reader.schema, self.rows, shards)
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise InputError(f"{self.url}: not a table of rows of one length: {error}") from error


def rows_per_task(assets: int, parts: int) -> int:
    """Return how many accounts a task shall hold, so that its memory does not depend on the number of assets."""
    return max(1_024, min(PIECE_ROWS, PIECE_BYTES // (record_width(assets) * parts)))


def _footer(folder: Place, name: str) -> Any:
    try:
        return pq.ParquetFile(folder.open(name))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{folder.url}/{name}: not a Parquet table: {error}") from error


def _write_shards(batches: Any, schema: pa.Schema, rows: int, shards: Place) -> Iterator[Piece]:
    """Write every `rows` rows as a file of its own; a file that is there is left as it is."""
    shards.make()
    there = shards.names()
    waiting: list[pa.RecordBatch] = []
    held = number = 0
    for batch in batches:
        waiting.append(batch)
        held += len(batch)
        while held >= rows:
            table = pa.Table.from_batches(waiting, schema)
            yield _write_shard(table[:rows], shards, number, there)
            waiting, held, number = table[rows:].to_batches(), held - rows, number + 1
    if held:
        yield _write_shard(pa.Table.from_batches(waiting, schema), shards, number, there)


def _write_shard(table: pa.Table, shards: Place, number: int, there: set[str]) -> Piece:
    name = f"{number:06d}.parquet"
    if name not in there:
        with shards.writing(name) as stream:
            pq.write_table(table, stream, compression="none", use_dictionary=False, write_page_checksum=True)
    return Piece(number, shards, name, 0, len(table), "", 0)


def _numbered(pieces: Iterator[Piece], named: str, first_row: int) -> Iterator[Piece]:
    row = first_row
    for piece in pieces:
        yield piece._replace(named=named, first_row=row)
        row += piece.rows
