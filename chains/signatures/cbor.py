"""Read the little CBOR that signed messages need: every value has one spelling, and nothing nests far."""

from collections.abc import Mapping

MAX_BYTES = 100_000
MAX_ITEMS = 32  # in one array or map
MAX_DEPTH = 4
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _SIMPLE = 0, 1, 2, 3, 4, 5, 7
_SIMPLE_VALUES: dict[int, bool | None] = {20: False, 21: True, 22: None}
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}

Value = int | bytes | str | bool | list["Value"] | dict["int | str", "Value"] | None


class CborError(ValueError):
    """Bytes that are no CBOR, or CBOR outside the subset that is read here."""


def from_cbor(data: bytes) -> Value:
    """Return the one value that fills these bytes.

    Whole numbers, byte strings, texts, arrays, maps with numbers and texts as keys, booleans and null; lengths and
    numbers in their shortest form, no indefinite lengths, no tags, no key twice. Raises CborError. Source: RFC 8949,
    sections 3 and 4.2.1 (its order of keys is not asked: wallets do not keep it).
    """
    if len(data) > MAX_BYTES:
        raise CborError(f"{len(data):,} bytes; at most {MAX_BYTES:,} are read")
    value, end = _value(data, 0, MAX_DEPTH)
    if end != len(data):
        raise CborError(f"{len(data) - end} bytes behind the value")
    return value


def to_cbor(value: Value) -> bytes:
    """Return a value's shortest bytes, keys in the order they have."""
    if value is None or isinstance(value, bool):
        return bytes([_SIMPLE << 5 | {False: 20, True: 21, None: 22}[value]])
    if isinstance(value, int):
        return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        return _head(_TEXT, len(value.encode())) + value.encode()
    if isinstance(value, Mapping):
        pairs = b"".join(to_cbor(key) + to_cbor(item) for key, item in value.items())
        return _head(_MAP, len(value)) + pairs
    return _head(_ARRAY, len(value)) + b"".join(map(to_cbor, value))


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    code = next(code for code, width in _WIDTHS.items() if number < 1 << 8 * width)
    return bytes([kind << 5 | code]) + number.to_bytes(_WIDTHS[code])


def _value(data: bytes, place: int, depth: int) -> tuple[Value, int]:
    kind, number, place = _read_head(data, place)
    if kind == _UNSIGNED:
        return number, place
    if kind == _NEGATIVE:
        return -1 - number, place
    if kind in (_BYTES, _TEXT):
        return _string(data, place, number, is_text=kind == _TEXT)
    if kind == _SIMPLE:
        if number not in _SIMPLE_VALUES:
            raise CborError(f"simple value {number} is not read")
        return _SIMPLE_VALUES[number], place
    if depth == 0 or number > MAX_ITEMS:
        raise CborError("nested too deep" if depth == 0 else f"{number} items in one place")
    return _array(data, place, number, depth) if kind == _ARRAY else _map(data, place, number, depth)


def _read_head(data: bytes, place: int) -> tuple[int, int, int]:
    """Return kind, number and the place behind them."""
    if place >= len(data):
        raise CborError("ends in the middle of a value")
    kind, code = data[place] >> 5, data[place] & 31
    if kind not in (_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _SIMPLE):
        raise CborError("tags are not read")
    if code < 24:
        return kind, code, place + 1
    if kind == _SIMPLE or code not in _WIDTHS:
        raise CborError("fractions and indefinite lengths are not read")
    end = place + 1 + _WIDTHS[code]
    number = int.from_bytes(data[place + 1 : end])
    if end > len(data) or _head(kind, number) != data[place:end]:
        raise CborError("a number that is cut off, or not in its shortest form")
    return kind, number, end


def _string(data: bytes, place: int, length: int, *, is_text: bool) -> tuple[bytes | str, int]:
    raw = data[place : place + length]
    if len(raw) != length:
        raise CborError(f"a string of {length} bytes that ends after {len(raw)}")
    try:
        return (raw.decode() if is_text else raw), place + length
    except UnicodeDecodeError as error:
        raise CborError("a text that is not UTF-8") from error


def _array(data: bytes, place: int, count: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    for _ in range(count):
        item, place = _value(data, place, depth - 1)
        items.append(item)
    return items, place


def _map(data: bytes, place: int, count: int, depth: int) -> tuple[Value, int]:
    items: dict[int | str, Value] = {}
    for _ in range(count):
        key, place = _value(data, place, 0)
        if isinstance(key, bool) or not isinstance(key, int | str) or key in items:
            raise CborError("a key that comes twice, or is neither a number nor a text")
        items[key], place = _value(data, place, depth - 1)
    return items, place
