"""Append to a log: whatever happens in between, the published head and all it covers stay whole."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from verifier.errors import InputError, UnavailableError
from verifier.log.checkpoint import Checkpoint, trusted_checkpoint
from verifier.log.merkle import EMPTY_ROOT, leaf_hash, tree_root
from verifier.log.note import MAX_NOTE, Note, Signer, parse_note, sign_note
from verifier.log.tiles import (
    ENTRIES,
    HEIGHT,
    MAX_ENTRY,
    WIDTH,
    TreeFiles,
    full_tile_root,
    join_bundle,
    tile_name,
    width_of,
)

CHECKPOINT = "checkpoint"
LOCK = ".lock"


def create_log(folder: Path, signer: Signer) -> Note:
    """Start an empty log in a folder that holds none, named as its signer. Raises InputError when there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        if (folder / CHECKPOINT).exists():
            raise InputError(f"{folder}: holds a log already")
        return _publish(folder, Checkpoint(signer.name, 0, EMPTY_ROOT), signer)


def append_entries(folder: Path, entries: Sequence[bytes], signer: Signer) -> Note:
    """Append entries and return the new signed head; what it covers is on disk before it is.

    1. One writer at a time; 2. the head as published, checked against the tiles; 3. bundles and tiles, each whole or
    not at all; 4. the head. An append that was cut off leaves files no head speaks of; the next one writes them anew.
    Raises InputError for an entry that is too large, a head that is not the signer's, or a damaged log.
    """
    too_large = next((len(entry) for entry in entries if len(entry) > MAX_ENTRY), None)
    if too_large is not None:
        raise InputError(f"an entry of {too_large:,} bytes; at most {MAX_ENTRY:,} are allowed")
    with _locked(folder):  # 1.
        note = read_head(folder)
        head = trusted_checkpoint(note, signer.key(), str(folder / CHECKPOINT))  # 2.
        if tree_root(TreeFiles(folder, head.size).node, head.size) != head.root:
            raise InputError(f"{folder}: the tiles do not lead to the published root; nothing was appended")
        if not entries:
            return note
        size = head.size + len(entries)
        _write_entries(folder, head.size, entries)  # 3.
        _write_tiles(folder, head.size, [leaf_hash(entry) for entry in entries])
        root = tree_root(TreeFiles(folder, size).node, size)
        return _publish(folder, Checkpoint(signer.name, size, root), signer)  # 4.


def read_head(folder: Path) -> Note:
    """Read the published head as a note; no signature is checked. Raises InputError, UnavailableError."""
    path = folder / CHECKPOINT
    try:
        with path.open("rb") as file:
            return parse_note(file.read(MAX_NOTE + 1), str(path))
    except FileNotFoundError as error:
        raise InputError(f"{folder}: holds no log; start one with `por log init`") from error
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error


def replace_head(folder: Path, note: Note, expected: Note) -> None:
    """Publish the same head with more signatures. Raises InputError when another head was published meanwhile."""
    with _locked(folder):
        if read_head(folder).text != expected.text or note.text != expected.text:
            raise InputError(f"{folder}: another head was published meanwhile; ask again")
        write_whole(folder / CHECKPOINT, str(note).encode())


def _publish(folder: Path, head: Checkpoint, signer: Signer) -> Note:
    note = sign_note(head.text, [signer])
    write_whole(folder / CHECKPOINT, str(note).encode())
    return note


def _write_entries(folder: Path, old: int, entries: Sequence[bytes]) -> None:
    before = TreeFiles(folder, old)
    for bundle in range(old // WIDTH, (old + len(entries) - 1) // WIDTH + 1):
        kept = before.entries(bundle) if bundle * WIDTH < old else []
        start = bundle * WIDTH + len(kept) - old
        content = [*kept, *entries[start : start + WIDTH - len(kept)]]
        write_whole(folder / tile_name(ENTRIES, bundle, len(content)), join_bundle(content))


def _write_tiles(folder: Path, old: int, hashes: list[bytes]) -> None:
    """Write the tiles that new leaf hashes fill, and above them those of the roots of full tiles, level by level."""
    before, level = TreeFiles(folder, old), 0
    while hashes:
        had = old >> HEIGHT * level
        full: list[bytes] = []
        for tile in range(had // WIDTH, (had + len(hashes) - 1) // WIDTH + 1):
            kept = before.hashes(level, tile) if width_of(level, tile, old) else []
            start = tile * WIDTH + len(kept) - had
            content = [*kept, *hashes[start : start + WIDTH - len(kept)]]
            write_whole(folder / tile_name(level, tile, len(content)), b"".join(content))
            if len(content) == WIDTH:
                full.append(full_tile_root(content))
        hashes, level = full, level + 1


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in place whole: written aside, forced to disk, and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".new")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep every other writer of the folder out. Raises InputError when there is one."""
    try:
        with (folder / LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(f"{folder}: somebody else is writing to this log") from error
            yield
    except OSError as error:
        raise UnavailableError(f"{folder}: cannot be written: {error.strerror}") from error
