"""Heads that different people were shown: of one log, or of two that share a name."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from verifier.errors import VerifierError
from verifier.files import read_file
from verifier.log.checkpoint import Checkpoint, trusted_checkpoint
from verifier.log.merkle import consistency_path, is_consistent
from verifier.log.note import VerifierKey, parse_note
from verifier.log.proof import HEADER, MAX_PROOF, parse_proof
from verifier.log.tiles import TreeFiles


class Comparison(NamedTuple):
    """`pass` when every two heads are of one log, `fail` when two are not; `differences` say which, in words."""

    verdict: str
    differences: tuple[str, ...]


def read_any_head(path: Path, log: VerifierKey) -> Checkpoint:
    """Return the head in a checkpoint file or in a proof. Raises InputError when the log did not sign it."""
    content = read_file(path, MAX_PROOF)
    is_proof = content.startswith(HEADER.encode())
    note = parse_proof(content, str(path)).note if is_proof else parse_note(content, str(path))
    return trusted_checkpoint(note, log, str(path))


def compare_heads(heads: Sequence[tuple[str, Checkpoint]], tiles: Path | None) -> Comparison:
    """Compare every two heads: of one size by their roots, of different sizes by the log's tiles."""
    split: list[str] = []
    unknown: list[str] = []
    for (first, one), (second, other) in combinations(heads, 2):
        early, late = sorted((one, other), key=lambda head: head.size)
        if early.size == late.size:
            if early.root != late.root:
                split.append(f"{first} and {second}: two roots for {early.size} entries, both signed by the log")
        elif tiles is None:
            unknown.append(f"{first} and {second}: of different sizes; name the log's folder with --tiles")
        else:
            reason = _continues(tiles, early, late)
            if reason:
                unknown.append(f"{first} and {second}: {reason}")
    verdict = "fail" if split else "indeterminate" if unknown else "pass"
    return Comparison(verdict, (*split, *unknown))


def _continues(tiles: Path, early: Checkpoint, late: Checkpoint) -> str:
    """Say why the log's tiles do not show that one head continues another, or nothing."""
    try:
        path = consistency_path(TreeFiles(tiles, late.size).node, early.size, late.size)
    except VerifierError as error:
        return str(error)
    if is_consistent(early.size, early.root, late.size, late.root, path):
        return ""
    return f"{late.size} entries are not shown to continue {early.size}"
