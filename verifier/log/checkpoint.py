"""The head of a log: its origin, its size and its root, in a signed note."""

import base64
import binascii
import re
from typing import NamedTuple

from verifier.errors import InputError
from verifier.log.merkle import HASH_BYTES
from verifier.log.note import Note, VerifierKey, verified_by

MAX_SIZE = 2**63 - 1
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class Checkpoint(NamedTuple):
    """A log's head. Source: C2SP tlog-checkpoint; extension lines are not written, and kept as they come."""

    origin: str
    size: int
    root: bytes
    extension: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extension)
        return "".join(f"{line}\n" for line in lines)


def read_checkpoint(note: Note, where: str) -> Checkpoint:
    """Return what a note says as a checkpoint; whose it is must be asked of its signatures. Raises InputError."""
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise InputError(f"{where}: is no checkpoint: expected origin, size and root, a line each")
    origin, size, encoded = lines[:3]
    try:
        root = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        root = b""
    if not _NUMBER.fullmatch(size) or int(size) > MAX_SIZE or len(root) != HASH_BYTES:
        raise InputError(f"{where}: is no checkpoint: {size[:40]!r} and {encoded[:60]!r} are no size and root")
    if base64.b64encode(root).decode() != encoded:
        raise InputError(f"{where}: the root is not written the usual way")
    return Checkpoint(origin, int(size), root, tuple(lines[3:]))


def trusted_checkpoint(note: Note, log: VerifierKey, where: str) -> Checkpoint:
    """Return a checkpoint that the log's key signed. Raises InputError when it did not, or is of another log."""
    found = read_checkpoint(note, where)
    if found.origin != log.name:
        raise InputError(f"{where}: is of the log {found.origin!r}, not of {log.name!r}")
    if not verified_by(note, [log]):
        raise InputError(f"{where}: carries no signature of {log.name}")
    return found
