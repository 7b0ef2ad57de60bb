"""Read what strangers wrote: exact keys, exact types, one spelling per value, a bound on everything."""

import re
from datetime import UTC, datetime
from typing import Any

from chains.decode import parse_json
from chains.errors import ChainError
from verifier.errors import InputError
from verifier.inclusion.sum_tree import MAX_UNITS

_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_UNITS = re.compile(r"0|[1-9][0-9]{0,38}")
_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_SHOWN = 60


class MalformedError(InputError):
    """A field breaks the format's rules; `code` names the rule."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def show(value: Any) -> str:
    """Return a foreign value as short printable text."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def read_object(value: Any, where: str, keys: frozenset[str]) -> dict[str, Any]:
    """Return a JSON object that has exactly these keys."""
    if not isinstance(value, dict):
        raise MalformedError("malformed", f"{where}: expected an object, found {show(value)}")
    if value.keys() != keys:
        missing, unknown = sorted(keys - value.keys()), sorted(value.keys() - keys)
        wrong = f"{missing[0]!r} is missing" if missing else f"unknown key {show(unknown[0])}"
        raise MalformedError("malformed", f"{where}: {wrong}")
    return value


def read_list(value: Any, where: str, minimum: int, maximum: int) -> list[Any]:
    """Return a JSON list of a permitted length."""
    if not isinstance(value, list):
        raise MalformedError("malformed", f"{where}: expected a list, found {show(value)}")
    if not minimum <= len(value) <= maximum:
        raise MalformedError("malformed", f"{where}: {len(value)} entries; expected {minimum} to {maximum}")
    return value


def read_text(value: Any, where: str, max_bytes: int) -> str:
    """Return a non-empty text of at most `max_bytes` UTF-8 bytes."""
    if not isinstance(value, str) or not value:
        raise MalformedError("malformed", f"{where}: expected a text, found {show(value)}")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise MalformedError("malformed", f"{where}: half a surrogate pair is not text") from error
    if size > max_bytes:
        raise MalformedError("malformed", f"{where}: {size} bytes of text; at most {max_bytes}")
    return value


def read_pattern(value: Any, where: str, pattern: re.Pattern[str], expected: str) -> str:
    """Return a text that a pattern matches as a whole."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise MalformedError("malformed", f"{where}: expected {expected}, found {show(value)}")
    return value


def read_hex(value: Any, where: str, size: int) -> bytes:
    """Return the bytes of lower-case hex of an exact size in bytes."""
    if not isinstance(value, str) or len(value) != 2 * size or not _HEX.fullmatch(value):
        raise MalformedError("malformed", f"{where}: expected {2 * size} lower-case hex digits, found {show(value)}")
    return bytes.fromhex(value)


def read_count(value: Any, where: str, minimum: int, maximum: int) -> int:
    """Return a JSON integer within bounds."""
    if type(value) is not int or not minimum <= value <= maximum:
        raise MalformedError("malformed", f"{where}: expected an integer {minimum} to {maximum}, found {show(value)}")
    return value


def read_units(value: Any, where: str) -> int:
    """Return base units from their decimal text: unsigned, no leading zero, below 2^128."""
    if isinstance(value, str) and _UNITS.fullmatch(value):
        units = int(value)
        if units <= MAX_UNITS:
            return units
    if isinstance(value, str) and re.fullmatch(r"-[0-9]+", value):
        raise MalformedError(
            "negative-amount", f"{where}: {show(value)} is negative; nobody can be owed less than zero"
        )
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]*", value):
        raise MalformedError("sum-overflow", f"{where}: {show(value)} exceeds 2^128 - 1 base units")
    raise MalformedError(
        "malformed", f'{where}: expected base units as a text of decimal digits such as "150", found {show(value)}'
    )


def read_amounts(value: Any, where: str, count: int) -> tuple[int, ...]:
    """Return a list of exactly `count` amounts in base units."""
    entries = read_list(value, where, count, count)
    units = tuple([int(text) for text in entries if isinstance(text, str) and _UNITS.fullmatch(text)])
    if len(units) == count and max(units, default=0) <= MAX_UNITS:
        return units
    # Only a list with a fault pays for the names of its entries.
    return tuple(read_units(entry, f"{where}.{number}") for number, entry in enumerate(entries))


def read_utc(value: Any, where: str) -> str:
    """Return a UTC time text such as 2026-11-22T00:00:00Z that names a real moment."""
    text = read_pattern(value, where, _UTC, "a UTC time such as 2026-11-22T00:00:00Z")
    try:
        utc(text)
    except ValueError as error:
        raise MalformedError("malformed", f"{where}: {text} is no moment of the calendar") from error
    return text


def utc(text: str) -> datetime:
    """Return the moment that a UTC time text names."""
    return datetime.fromisoformat(text).astimezone(UTC)


def read_json(content: bytes, where: str) -> Any:
    """Decode bounded JSON. Raises InputError naming the file."""
    try:
        return parse_json(content)
    except ChainError as error:
        raise InputError(f"{where}: {error}") from error
