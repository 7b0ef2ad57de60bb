"""A proof that an entry is in a log, in one text file that is checked offline. Source: C2SP tlog-proof."""

import base64
import binascii
import re
from pathlib import Path
from typing import NamedTuple

from verifier.errors import InputError
from verifier.log.checkpoint import read_checkpoint
from verifier.log.merkle import HASH_BYTES, MAX_PATH, inclusion_path, leaf_hash, root_of_inclusion
from verifier.log.note import Note, parse_note
from verifier.log.policy import Accepted, Policy, judge_head
from verifier.log.tiles import WIDTH, TreeFiles
from verifier.log.writer import read_head

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF = 256 * 1024
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


class LogProof(NamedTuple):
    """An entry's place, the path from it, the head the path should lead to, and what nobody vouches for (`extra`)."""

    place: int
    path: tuple[bytes, ...]
    note: Note
    extra: bytes = b""

    def __str__(self) -> str:
        extra = [f"extra {_text(self.extra)}"] if self.extra else []
        lines = [HEADER, *extra, f"index {self.place}", *(_text(one) for one in self.path), "", str(self.note)]
        return "\n".join(lines)


def prove_entry(folder: Path, index: int, extra: bytes = b"") -> LogProof:
    """Return the proof of an entry under the published head. Raises InputError when there is no such entry."""
    note = read_head(folder)
    head = read_checkpoint(note, str(folder))
    if not 0 <= index < head.size:
        raise InputError(f"{folder}: there is no entry {index} in a log of {head.size}")
    files = TreeFiles(folder, head.size)
    return LogProof(index, tuple(inclusion_path(files.node, index, head.size)), note, extra)


def find_entry(folder: Path, entry: bytes) -> int | None:
    """Return the place of the newest such entry under the published head; None when there is none."""
    size = read_checkpoint(read_head(folder), str(folder)).size
    files = TreeFiles(folder, size)
    for bundle in reversed(range((size + WIDTH - 1) // WIDTH)):
        entries = files.entries(bundle)
        places = [number for number, one in enumerate(entries) if one == entry]
        if places:
            return bundle * WIDTH + places[-1]
    return None


def parse_proof(content: bytes, where: str) -> LogProof:
    """Read a proof; nothing is checked. Raises InputError naming what is wrong."""
    if len(content) > MAX_PROOF:
        raise InputError(f"{where}: larger than {MAX_PROOF:,} bytes")
    above, blank, below = content.partition(b"\n\n")
    lines = above.decode("latin-1").split("\n")
    if lines[0] != HEADER or not blank:
        raise InputError(f"{where}: is no log proof: expected {HEADER!r} in the first line")
    extra = _bytes(lines[1][6:], where) if lines[1:2] and lines[1].startswith("extra ") else b""
    rest = lines[2:] if extra or (lines[1:2] and lines[1].startswith("extra ")) else lines[1:]
    place = _INDEX.fullmatch(rest[0]) if rest else None
    if place is None:
        raise InputError(f"{where}: names no index")
    path = tuple(_bytes(line, where) for line in rest[1:])
    if len(path) > MAX_PATH or any(len(one) != HASH_BYTES for one in path):
        raise InputError(f"{where}: its path holds something else than at most {MAX_PATH} hashes")
    return LogProof(int(place[1]), path, parse_note(below, where), extra)


def check_proof(proof: LogProof, entry: bytes, policy: Policy, where: str) -> Accepted:
    """Check that an entry is in the log a policy names. Raises InputError when it is not, or the head is nobody's."""
    accepted = judge_head(proof.note, policy, where)
    head = accepted.checkpoint
    if root_of_inclusion(leaf_hash(entry), proof.place, head.size, proof.path) != head.root:
        raise InputError(f"{where}: the entry and the path do not lead to the head's root")
    return accepted


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{where}: {text[:60]!r} is no base64") from error
