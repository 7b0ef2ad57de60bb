"""The part of YAML that published reserve files use, read line by line: keys, lists, plain values, nothing clever."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from verifier.errors import InputError
from verifier.wallet_lists.lines import MAX_LINE_BYTES, LineReader

MAX_FIELDS = 64
_PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,63}):(?: +(.*))?")
_SPECIAL = tuple("&*!|>%@`[{")
Value = str | dict[str, str]


class Entry(NamedTuple):
    """A value under a top-level key: the only one, or one of its list."""

    line: int
    key: str
    value: Value


class _Line(NamedTuple):
    number: int
    indent: int
    text: str

    @property
    def is_item(self) -> bool:
        return self.text == "-" or self.text.startswith("- ")


class _Open:
    """The mapping that is being read: its fields so far, where it began, and how far it is indented."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.line = self.indent = 0

    def close(self, key: str) -> Iterator[Entry]:
        """Yield the mapping if it has fields, and start over."""
        if self.fields:
            yield Entry(self.line, key, self.fields)
        self.fields = {}


def read_entries(reader: LineReader) -> Iterator[Entry]:
    """Yield the entries of a mapping whose values are texts, mappings of texts, or lists of either.

    Never holds more than one entry. Raises InputError with file and line for whatever is beyond this part of YAML:
    anchors, tags, block texts, deeper nesting. Source: YAML 1.2, the block and flow forms of mappings and sequences.
    """
    key, mapping = "", _Open()
    for line in _lines(reader):
        where = f"{reader.path}:{line.number}"
        if line.indent == 0 and not line.is_item:
            yield from mapping.close(key)
            key, text = _pair(line.text, where)
            yield from (Entry(line.number, key, value) for value in _values(text, where) if text)
        elif not key:
            raise InputError(f"{where}: a value without a key above it")
        elif line.is_item:
            yield from mapping.close(key)
            mapping.line, mapping.indent = line.number, line.indent
            text = line.text[1:].strip()
            if _PAIR.fullmatch(text):
                mapping.fields = dict([_pair(text, where)])
            else:
                yield from (Entry(line.number, key, value) for value in _values(text, where))
        else:
            if not mapping.fields:
                mapping.line, mapping.indent = line.number, 0
            if line.indent <= mapping.indent:
                raise InputError(f"{where}: nested in a way this reader does not know")
            _add(mapping.fields, *_pair(line.text, where), where)
    yield from mapping.close(key)


def _lines(reader: LineReader) -> Iterator[_Line]:
    """Yield the lines that say something; a flow value that goes on over several lines comes as one."""
    held: _Line | None = None
    for text in reader.lines():
        if held is None:
            stripped = text.lstrip(" ")
            if not stripped or stripped.startswith("#") or text in ("---", "..."):
                continue
            if "\t" in text[: len(text) - len(text.lstrip())]:
                raise InputError(f"{reader.path}:{reader.number}: indented with a tab; YAML takes spaces only")
            held = _Line(reader.number, len(text) - len(stripped), stripped.partition(" #")[0].rstrip())
        else:
            held = held._replace(text=f"{held.text} {text.strip()}")
            if len(held.text) > MAX_LINE_BYTES:
                raise InputError(f"{reader.path}:{held.number}: a value longer than {MAX_LINE_BYTES:,} characters")
        if held.text.count("{") + held.text.count("[") <= held.text.count("}") + held.text.count("]"):
            yield held
            held = None
    if held is not None:
        raise InputError(f"{reader.path}:{held.number}: a bracket is never closed")


def _pair(text: str, where: str) -> tuple[str, str]:
    match = _PAIR.fullmatch(text)
    if not match:
        raise InputError(f"{where}: expected `key: value`, found {text[:60]!a}")
    value = (match[2] or "").strip()
    return match[1], value if value.startswith(("[", "{")) else _scalar(value, where)


def _values(text: str, where: str) -> list[Value]:
    """Return what a flow list holds, a flow mapping, or the one plain value."""
    if text.startswith("[") and text.endswith("]"):
        return [_scalar(part, where) for part in _parts(text[1:-1], where)]
    if text.startswith("{") and text.endswith("}"):
        item: dict[str, str] = {}
        for part in _parts(text[1:-1], where):
            _add(item, *_pair(part, where), where)
        return [item]
    return [_scalar(text, where)]


def _parts(text: str, where: str) -> list[str]:
    """Return what stands between the commas that are in no quotes."""
    parts, quote = [""], ""
    for letter in text:
        if letter in "{}[]" and not quote:
            raise InputError(f"{where}: nested deeper than this reader goes")
        if letter == "," and not quote:
            parts.append("")
            continue
        if letter in "'\"":
            quote = "" if quote == letter else quote or letter
        parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _add(item: dict[str, str], key: str, value: str, where: str) -> None:
    if key in item or len(item) >= MAX_FIELDS:
        raise InputError(f"{where}: {key!r} appears twice" if key in item else f"{where}: too many fields")
    item[key] = value


def _scalar(text: str, where: str) -> str:
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] == '"' and text[-1:] == '"' and len(text) > 1 and "\\" not in text:
        return text[1:-1]
    if text.startswith((*_SPECIAL, "'", '"')):
        raise InputError(f"{where}: {text[:40]!a} uses a part of YAML that reserve files have no need of")
    return "" if text in ("~", "null") else text
