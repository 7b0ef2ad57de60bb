"""Open the files that strangers hand over: regular, uncompressed UTF-8 text, bounded before it is decoded."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from verifier.errors import InputError
from verifier.files import read_file, read_head
from verifier.inclusion import compact, wire
from verifier.inclusion.finding import Finding
from verifier.inclusion.proof import PROOF_FORMAT

MAX_BYTES = 4 * 1024 * 1024
_HEAD_BYTES = 64 * 1024
_BYTES_PER_ENTRY = 16
_ROOT = re.compile(r"\s*(?:0x)?([0-9a-fA-F]{16,128})\s*")
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
_PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd", b"Rar!")
_TABLE = re.compile(r"(?=[^\n]*\bproof\b)(?=[^\n]*\baudit_id\b)[ \w,]+\r?\n")

# Files that belong to somebody's proof and prove nothing alone: keys by which they are known.
_COMPANIONS = (
    {"root_hash", "root_balances"},
    {"protocol", "snapshotId", "root", "userTotals"},
    {"userMerkleRoot", "userHeadHash", "n"},
)


class Loaded(NamedTuple):
    """One file: `json` with its value, `table` or `root` with its text, `rows` to stream, or `bad` with the reason."""

    path: Path
    kind: str
    value: Any = None
    problem: Finding | None = None


def load(path: Path, max_bytes: int = MAX_BYTES) -> Loaded:
    """Look at a file and decode it when it is small. Raises UnavailableError when it cannot be read."""
    if path.is_symlink():
        return _bad(path, "symbolic-link", "a symbolic link; name the file itself")
    try:
        head = read_head(path, _HEAD_BYTES)
        text = head.removeprefix(b"\xef\xbb\xbf")
        if head.startswith(_PACKED):
            return _bad(path, "compressed", "compressed; unpack it first")
        if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head:
            return _bad(path, "not-a-proof", "not UTF-8 text; save it as UTF-8")
        if text.lstrip()[:1] in (b"{", b"[", b'"', b""):
            return _load_json(path, max_bytes)
        return _load_text(path, text, len(head) < _HEAD_BYTES)
    except InputError as error:
        return Loaded(path, "bad", None, Finding("not-a-proof", str(error)))


def _load_json(path: Path, max_bytes: int) -> Loaded:
    content = read_file(path, max_bytes).removeprefix(b"\xef\xbb\xbf")
    # Millions of tiny entries cost far more to decode than their bytes tell.
    if content.count(b",") > max_bytes // _BYTES_PER_ENTRY:
        return _bad(path, "too-long", "more entries than any proof has")
    value = wire.read_json(content, str(path))
    if _HALF_PAIR.search(content) and not _is_unicode(value):
        return _bad(path, "not-a-proof", "half a surrogate pair is not text, so that it cannot be hashed")
    return Loaded(path, "json", value)


def _load_text(path: Path, head: bytes, whole: bool) -> Loaded:
    # A cut through the last character is no fault of the file.
    shown = head.decode("utf-8", "strict" if whole else "ignore") if _is_text(head, whole) else None
    if shown is None:
        return _bad(path, "not-a-proof", "not UTF-8 text; save it as UTF-8")
    if whole and _ROOT.fullmatch(shown):
        match = _ROOT.fullmatch(shown)
        return Loaded(path, "root", match[1].lower() if match else "")
    if shown.startswith(compact.PREFIX):
        record = compact.from_compact(read_file(path, MAX_BYTES).decode("ascii", "replace"), str(path)).to_record()
        return Loaded(path, "json", record)
    if _TABLE.match(shown):
        try:
            return Loaded(path, "table", read_file(path, MAX_BYTES).removeprefix(b"\xef\xbb\xbf").decode())
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not UTF-8 at byte {error.start}") from error
    return Loaded(path, "rows", shown)


def _is_unicode(value: Any) -> bool:
    if isinstance(value, dict) and value.get("format") == PROOF_FORMAT:
        return True  # its reader names the field
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_text(head: bytes, whole: bool) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return not whole and error.start > len(head) - 4
    return True


def is_companion(loaded: Loaded) -> bool:
    """Say whether a file only accompanies a proof: roots, anchors, metadata."""
    value = loaded.value
    if loaded.kind == "root":
        return True
    if loaded.kind != "json" or not isinstance(value, dict):
        return False
    audit, root = value.get("audit"), value.get("root")
    return (
        any(keys <= value.keys() for keys in _COMPANIONS)
        or (isinstance(audit, dict) and "partitions" in audit)
        or (isinstance(root, dict) and {"sum", "hash"} <= root.keys() and "self" not in value)
    )


def companions(files: Sequence[Loaded]) -> list[Any]:
    """Return the values of the files that accompany others."""
    return [loaded.value for loaded in files if loaded.kind == "json"]


def _bad(path: Path, code: str, why: str) -> Loaded:
    return Loaded(path, "bad", None, Finding(code, f"{path}: {why}"))
