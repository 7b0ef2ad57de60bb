"""The log's files: tiles of 256 hashes and bundles of 256 entries, served by any static host as they are."""

from functools import lru_cache
from pathlib import Path

from verifier.errors import InputError, UnavailableError
from verifier.log.merkle import HASH_BYTES, leaf_hash, node_hash

WIDTH = 256
HEIGHT = 8
MAX_ENTRY = 2**16 - 1
MAX_BUNDLE = WIDTH * (2 + MAX_ENTRY)
ENTRIES = "entries"
CACHED = 1_024


def tile_name(level: int | str, index: int, width: int = WIDTH) -> str:
    """Return the path of a tile or, at level `entries`, of an entry bundle. Source: C2SP tlog-tiles."""
    groups = [f"{index % 1_000:03d}"]
    while index >= 1_000:
        index //= 1_000
        groups.insert(0, f"x{index % 1_000:03d}")
    partial = f".p/{width}" if width < WIDTH else ""
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def width_of(level: int, index: int, size: int) -> int:
    """Return how many hashes the tile at a place has in a tree of `size` leaves; 0 when there is none."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - index * WIDTH))


def split_bundle(content: bytes, where: str) -> list[bytes]:
    """Return the entries of a bundle. Raises InputError when lengths and bytes do not fit."""
    entries: list[bytes] = []
    place = 0
    while place < len(content):
        length = int.from_bytes(content[place : place + 2])
        entry = content[place + 2 : place + 2 + length]
        if len(content) < place + 2 + length or len(entries) == WIDTH:
            raise InputError(f"{where}: breaks off, or holds more than {WIDTH} entries")
        entries.append(entry)
        place += 2 + length
    return entries


def join_bundle(entries: list[bytes]) -> bytes:
    """Return a bundle of entries."""
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def full_tile_root(hashes: list[bytes]) -> bytes:
    """Return the root over the hashes of a full tile."""
    row = hashes
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


class TreeFiles:
    """Read one tree of `size` leaves from a folder of tiles; nothing in them is trusted before a root is compared."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        self._rows = lru_cache(CACHED)(self._read_rows)

    def node(self, level: int, index: int) -> bytes:
        """Return the root of the complete subtree of 2^level leaves at a place. Raises UnavailableError, InputError."""
        tile_level, above = divmod(level, HEIGHT)
        first = index << above
        rows = self._rows(tile_level, first // WIDTH)
        within = first % WIDTH >> above
        if above >= len(rows) or within >= len(rows[above]):
            raise InputError(f"{self.folder}: there is no subtree {index} of level {level} in {self.size} entries")
        return rows[above][within]

    def entries(self, bundle: int) -> list[bytes]:
        """Return the entries of a bundle, as far as they belong to the tree; not compared with any hash."""
        width = width_of(0, bundle, self.size)
        content = self._read(ENTRIES, bundle, width, MAX_BUNDLE)
        found = split_bundle(content, tile_name(ENTRIES, bundle, width))
        if len(found) < width:
            raise InputError(f"{tile_name(ENTRIES, bundle, width)}: holds {len(found)} entries, not {width}")
        return found[:width]

    def entry(self, index: int) -> bytes:
        """Return one entry, compared with its leaf hash. Raises InputError when they differ."""
        if not 0 <= index < self.size:
            raise InputError(f"there is no entry {index} in a log of {self.size}")
        found = self.entries(index // WIDTH)[index % WIDTH]
        if leaf_hash(found) != self.node(0, index):
            raise InputError(f"{self.folder}: the entry {index} is not the one the tree holds")
        return found

    def hashes(self, level: int, index: int) -> list[bytes]:
        """Return the hashes of a tile, in order."""
        return list(self._rows(level, index)[0])

    def _read_rows(self, level: int, index: int) -> list[list[bytes]]:
        """Return a tile's hashes, and above them the rows of complete subtrees inside the tile."""
        width = width_of(level, index, self.size)
        if not width:
            raise InputError(f"{self.folder}: a tree of {self.size} entries has no tile {index} at level {level}")
        content = self._read(level, index, width, WIDTH * HASH_BYTES)[: width * HASH_BYTES]
        if len(content) < width * HASH_BYTES:
            raise InputError(f"{tile_name(level, index, width)}: holds less than {width} hashes")
        rows = [[content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]]
        while len(rows[-1]) > 1:
            below = rows[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            rows.append([node_hash(left, right) for left, right in pairs])
        return rows

    def _read(self, level: int | str, index: int, width: int, most: int) -> bytes:
        """Read a tile at its width, or the full one that has replaced it."""
        for name in dict.fromkeys((tile_name(level, index, width), tile_name(level, index))):
            path = self.folder / name
            try:
                with path.open("rb") as file:
                    content = file.read(most + 1)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error
            if len(content) > most:
                raise InputError(f"{path}: larger than {most:,} bytes")
            return content
        raise InputError(f"{self.folder / tile_name(level, index, width)}: is missing")
