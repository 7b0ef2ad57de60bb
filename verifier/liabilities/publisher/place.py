"""A folder of the publisher's files: a local path, or a URL of any filesystem Arrow knows (s3://bucket/folder)."""

import posixpath
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import fs

from verifier.errors import UnavailableError
from verifier.liabilities.publisher.kernels import Bytes


class Place(NamedTuple):
    """A folder by its path or URL; a file in it is there whole or not at all.

    What stands behind a `?` in a URL are options of the filesystem, as Arrow takes them.
    """

    url: str

    def below(self, name: str) -> "Place":
        """Return a folder inside this one."""
        path, mark, options = self.url.partition("?")
        return Place(posixpath.join(path, name) + mark + options)

    def above(self) -> tuple["Place", str]:
        """Return the folder this file or folder lies in, and its name there."""
        path, mark, options = self.url.partition("?")
        folder, name = posixpath.split(path)
        return Place((folder or ".") + mark + options), name

    @property
    def shown(self) -> str:
        """The place as a person reads it: without options, which may be long."""
        return self.url.partition("?")[0].removeprefix("./")

    def make(self) -> None:
        """Make the folder and those above it; object stores have none and need none."""
        filesystem, root = self._resolve()
        filesystem.create_dir(root, recursive=True)

    def write(self, name: str, *contents: bytes | Bytes) -> None:
        """Write a file from its parts, under another name first where the filesystem can rename."""
        with self.writing(name) as stream:
            for content in contents:
                stream.write(content)

    def writing(self, name: str) -> "_Whole":
        """Open a file for writing; it gets its name when the `with` block ends well."""
        filesystem, root = self._resolve()
        return _Whole(filesystem, posixpath.join(root, name))

    def read(self, name: str) -> bytes:
        """Return a file's bytes. Raises UnavailableError."""
        with self.open(name) as file:
            return bytes(file.read())

    def read_range(self, name: str, start: int, size: int) -> Bytes:
        """Return some of a file's bytes. Raises UnavailableError when they are not there."""
        with self.open(name) as file:
            found = np.frombuffer(file.read_at(size, start), dtype=np.uint8)
        if len(found) != size:
            raise UnavailableError(f"{self.below(name).shown}: is cut off; build the tree again")
        return found

    def open(self, name: str) -> Any:
        """Open a file for random reading. Raises UnavailableError."""
        filesystem, root = self._resolve()
        try:
            return filesystem.open_input_file(posixpath.join(root, name))
        except FileNotFoundError as error:
            raise UnavailableError(f"{self.below(name).shown}: there is no such file") from error
        except OSError as error:
            raise UnavailableError(f"{self.below(name).shown}: cannot be read: {error}") from error

    def names(self) -> set[str]:
        """Return the names of the files in this folder."""
        filesystem, root = self._resolve()
        found = filesystem.get_file_info(fs.FileSelector(root, allow_not_found=True))
        return {entry.base_name for entry in found if entry.type == fs.FileType.File}

    def identity(self) -> list[list[str | int]]:
        """Return name, size and time of change of this file, or of each file in this folder."""
        filesystem, root = self._resolve()
        entry = filesystem.get_file_info(root)
        found = [entry] if entry.type == fs.FileType.File else filesystem.get_file_info(fs.FileSelector(root))
        return sorted([item.base_name, item.size, item.mtime_ns or 0] for item in found if item.is_file)

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        filesystem, root = self._resolve()
        filesystem.delete_dir(root)

    def _resolve(self) -> tuple[Any, str]:
        return _filesystem(self.url)


class _Whole:
    """A file that appears under its name only when everything was written."""

    def __init__(self, filesystem: Any, path: str) -> None:
        self._filesystem, self._path = filesystem, path
        self._renames = isinstance(filesystem, fs.LocalFileSystem)

    def __enter__(self) -> Any:
        local = self._renames
        self._stream = self._filesystem.open_output_stream(self._partial) if local else pa.BufferOutputStream()
        return self._stream

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._renames:
            self._stream.close()
            if kind is None:
                self._filesystem.move(self._partial, self._path)
        elif kind is None:
            with self._filesystem.open_output_stream(self._path) as target:
                target.write(self._stream.getvalue())

    @property
    def _partial(self) -> str:
        return f"{self._path}.partial"


@lru_cache(maxsize=64)
def _filesystem(url: str) -> tuple[Any, str]:
    if "://" not in url:
        return fs.LocalFileSystem(), str(Path(url).absolute())
    try:
        found: tuple[Any, str] = fs.FileSystem.from_uri(url)
    except (pa.ArrowException, OSError) as error:
        raise UnavailableError(f"{url}: not a filesystem Arrow can reach: {error}") from error
    return found
