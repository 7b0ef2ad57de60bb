"""Fill in the templates by which a format writes what it hashes: text and raw bytes from named values."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from functools import lru_cache

from verifier.inclusion.wire import MalformedError

Value = str | int | bytes
_FIELD = re.compile(r"\{([A-Za-z_][A-Za-z_0-9.]*)(?::(raw|u64|i64|pad16))?(?:\|(sha256))?\}")
_Part = bytes | tuple[str, str, str]


@lru_cache(maxsize=512)
def _compiled(template: str) -> tuple[_Part, ...]:
    parts: list[_Part] = []
    end = 0
    for match in _FIELD.finditer(template):
        parts.append(template[end : match.start()].encode())
        parts.append((match[1], match[2] or "", match[3] or ""))
        end = match.end()
    parts.append(template[end:].encode())
    return tuple(part for part in parts if part)


def names_in(template: str) -> frozenset[str]:
    """Return the names of the values that a template needs."""
    return frozenset(part[0] for part in _compiled(template) if isinstance(part, tuple))


def fill(template: str, values: Mapping[str, Value]) -> bytes:
    """Return the bytes of a template: `{x}` is text, `{x:raw}` hex as bytes, `{x:u64}` little-endian, `{x|sha256}` hex.

    Raises MalformedError for a value that is missing or does not have the form that the template needs.
    """
    out = []
    for part in _compiled(template):
        if isinstance(part, bytes):
            out.append(part)
            continue
        name, form, function = part
        if name not in values:
            raise MalformedError("malformed", f"{name} is missing")
        value = _formed(name, values[name], form)
        out.append(hashlib.sha256(value).hexdigest().encode() if function else value)
    return b"".join(out)


def _formed(name: str, value: Value, form: str) -> bytes:
    try:
        if form == "raw":
            return value if isinstance(value, bytes) else bytes.fromhex(str(value))
        if form in ("u64", "i64"):
            return int(value).to_bytes(8, "little", signed=form == "i64")
        if form == "pad16":
            return f"{int(value):016d}".encode()
        return value if isinstance(value, bytes) else str(value).encode()
    except (ValueError, OverflowError, TypeError) as error:
        raise MalformedError("malformed", f"{name}: does not have the form that this format hashes") from error


def digest(algorithm: str, message: bytes) -> str:
    """Return a hash as hex: `sha256`, `sha1`, `sha256d`; `/16` keeps 16 hex digits; `^` writes upper case."""
    name, _, kept = algorithm.rstrip("^").partition("/")
    if name == "sha1":
        raw = hashlib.sha1(message, usedforsecurity=False)
    elif name == "sha256d":
        raw = hashlib.sha256(hashlib.sha256(message).digest())
    else:
        raw = hashlib.sha256(message)
    text = raw.hexdigest()[: int(kept)] if kept else raw.hexdigest()
    return text.upper() if algorithm.endswith("^") else text


def digest_bits(algorithm: str) -> int:
    """Return how many bits of the hash remain."""
    name, _, kept = algorithm.rstrip("^").partition("/")
    return 4 * int(kept) if kept else 160 if name == "sha1" else 256


def keyed(key: bytes, message: bytes) -> str:
    """Return HMAC-SHA256 as lower-case hex."""
    return hmac.digest(key, message, "sha256").hex()
