"""Somebody who has seen a log before: signs only what continues that, and keeps the evidence of what does not."""

import base64
import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from verifier.errors import UnavailableError
from verifier.log.checkpoint import Checkpoint, trusted_checkpoint
from verifier.log.merkle import EMPTY_ROOT, consistency_path, is_consistent
from verifier.log.note import MAX_NOTE, Note, Signature, Signer, VerifierKey, cosign, parse_note
from verifier.log.tiles import TreeFiles
from verifier.log.writer import write_whole

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class Fork(NamedTuple):
    """Two heads that a log signed, and where they are kept.

    `certain` when they are of one size: the log has shown two trees. Otherwise nobody has shown that the one continues
    the other; the log may still be able to.
    """

    seen: Note
    shown: Note
    evidence: Path
    certain: bool


class Witnessed(NamedTuple):
    """What a witness says of a head: a cosignature, or why there is none; a fork with its evidence."""

    checkpoint: Checkpoint
    signature: Signature | None
    reason: str = ""
    fork: Fork | None = None


def witness_head(
    state: Path, log: VerifierKey, shown: Note, proof: Sequence[bytes], signer: Signer, moment: int
) -> Witnessed:
    """Cosign a head when it continues what was last seen of this log, and remember it first.

    `proof` is the consistency proof from the last seen size; see `last_seen`. The state is on disk before a signature
    is given, so a crash forgets none. A smaller head is refused, and so is one that is not shown to continue the last:
    both are kept then. Raises InputError for a head that the log did not sign.
    """
    with _locked(state):
        checkpoint = trusted_checkpoint(shown, log, "the head")
        kept = _read_seen(state, log)
        seen = trusted_checkpoint(kept, log, str(state)) if kept else Checkpoint(log.name, 0, EMPTY_ROOT)
        if checkpoint.size < seen.size:
            return Witnessed(checkpoint, None, f"a head of {checkpoint.size} entries; {seen.size} were seen before")
        if not is_consistent(seen.size, seen.root, checkpoint.size, checkpoint.root, proof):
            if kept is None:
                return Witnessed(checkpoint, None, "the proof from the empty log is not empty")
            certain = checkpoint.size == seen.size
            fork = Fork(kept, shown, _keep_evidence(state, log, kept, shown), certain)
            reason = "two trees of one size" if certain else "not shown to continue the head that was seen before"
            return Witnessed(checkpoint, None, reason, fork)
        write_whole(_seen_path(state, log), str(shown).encode())
        return Witnessed(checkpoint, cosign(shown, signer, moment))


def last_seen(state: Path, log: VerifierKey) -> Checkpoint | None:
    """Return the newest head this witness has seen of a log. Raises InputError when the state is damaged."""
    kept = _read_seen(state, log)
    return trusted_checkpoint(kept, log, str(state)) if kept else None


def proof_from(folder: Path, seen: Checkpoint | None, shown: Checkpoint) -> list[bytes]:
    """Return the consistency proof between two heads out of a log's tiles; none where nothing was seen before."""
    if seen is None or not 0 < seen.size < shown.size:
        return []
    return consistency_path(TreeFiles(folder, shown.size).node, seen.size, shown.size)


def _seen_path(state: Path, log: VerifierKey) -> Path:
    name = f"{_UNSAFE.sub('_', log.name)[:80]}-{log.id.hex()}"
    return state / name / "checkpoint"


def _read_seen(state: Path, log: VerifierKey) -> Note | None:
    path = _seen_path(state, log)
    try:
        with path.open("rb") as file:
            return parse_note(file.read(MAX_NOTE + 1), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error


def _keep_evidence(state: Path, log: VerifierKey, seen: Note, shown: Note) -> Path:
    root = base64.urlsafe_b64encode(shown.text.encode())[-16:].decode().strip("=")
    folder = _seen_path(state, log).parent / f"fork-{_UNSAFE.sub('_', root)}"
    for name, note in (("seen", seen), ("shown", shown)):
        write_whole(folder / name, str(note).encode())
    return folder


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    state.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(state / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
