"""The 32 bytes that stand for typed data (EIP-712), from a reader that refuses whatever would not be signed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chains.decode import parse_json
from chains.errors import IdentifierError, InvalidAnswerError
from chains.evm.address import canonical_address
from chains.evm.hexadecimal import data
from chains.evm.keccak import keccak256

MAX_BYTES = 100_000
MAX_DEPTH = 24  # brackets of the JSON text; bounds structs in structs and arrays in arrays alike
MAX_TYPES = 64
MAX_FIELDS = 64
MAX_DIMENSIONS = 8
DOMAIN = "EIP712Domain"
# The fields a domain may have, in the one order they may stand in.
DOMAIN_FIELDS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
    ("salt", "bytes32"),
)
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}")
_ATOM = re.compile(r"bool|address|string|bytes(?:[1-9]|[12][0-9]|3[0-2])?|u?int(?P<bits>[1-9][0-9]{0,2})")
# What looks like an atom of the language but is none (uint, int7, bytes33) must not become the name of a struct.
_RESERVED = re.compile(r"(?:bool|address|string|bytes[0-9]*|u?int[0-9]*|u?fixed(?:[0-9]+x[0-9]+)?)")
_ARRAY = re.compile(r"(?P<element>.+)\[(?P<count>[1-9][0-9]{0,4})?\]")
_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,77}")
_HEXADECIMAL = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})")

Fields = tuple[tuple[str, str], ...]


class TypedData(NamedTuple):
    """A record with its types; `types` maps a struct's name to its fields' names and types, in order."""

    types: Mapping[str, Fields]
    primary_type: str
    domain: Mapping[str, Any]
    message: Mapping[str, Any]
    chain_id: int | None


def read_typed_data(text: bytes) -> TypedData:
    """Read typed data from JSON and check its types; values are checked by `digest`.

    Everything in it is signed or refused: unknown keys, types that nothing uses, a domain other than the standard's
    fields in the standard's order. Structs that contain themselves are refused too. Raises InvalidAnswerError.
    Source: EIP-712.
    """
    if len(text) > MAX_BYTES:
        raise InvalidAnswerError(f"typed data of {len(text)} bytes; at most {MAX_BYTES} are read")
    whole = _record(parse_json(text, MAX_DEPTH), "typed data", ("types", "primaryType", "domain", "message"))
    return typed_data_of(whole)


def typed_data_of(whole: Mapping[str, Any]) -> TypedData:
    """Return typed data from its decoded JSON, checked as `read_typed_data` does. Raises InvalidAnswerError."""
    types = _types(whole["types"])
    primary = whole["primaryType"]
    if not isinstance(primary, str) or primary not in types:
        raise InvalidAnswerError("primaryType names no struct of the message")
    fields = types.get(DOMAIN, ())
    if not fields or fields != tuple(field for field in DOMAIN_FIELDS if field in fields):
        raise InvalidAnswerError(f"{DOMAIN} has other fields than the standard's, or in another order")
    used = _reachable(types, primary)
    if DOMAIN in used or set(types) != {DOMAIN, *used}:
        raise InvalidAnswerError("types holds a struct that the message does not use")
    domain = _record(whole["domain"], "domain", tuple(name for name, _ in fields))
    message = _record(whole["message"], "message", tuple(name for name, _ in types[primary]))
    chain_id = _number(domain["chainId"], "chainId") if "chainId" in domain else None
    return TypedData(types, primary, domain, message, chain_id)


def digest(typed: TypedData) -> bytes:
    """Return the 32 bytes that are signed. Raises InvalidAnswerError when a value is not of its type.

    Source: EIP-712, "Specification": 0x19 0x01, the domain's hash, the message's hash.
    """
    encoder = _Encoder(typed.types)
    domain = encoder.hash_struct(DOMAIN, typed.domain)
    return keccak256(b"\x19\x01" + domain + encoder.hash_struct(typed.primary_type, typed.message))


def encode_type(types: Mapping[str, Fields], name: str) -> str:
    """Write a struct as the standard spells it: its own fields, then the structs it uses, by name."""
    others = sorted(_reachable(types, name) - {name})
    return "".join(f"{one}({','.join(f'{kind} {field}' for field, kind in types[one])})" for one in (name, *others))


def _types(value: Any) -> dict[str, Fields]:
    if not isinstance(value, dict) or not 0 < len(value) <= MAX_TYPES:
        raise InvalidAnswerError(f"types: expected an object of at most {MAX_TYPES} structs")
    for name in value:
        if not _IDENTIFIER.fullmatch(name) or _RESERVED.fullmatch(name):
            raise InvalidAnswerError(f"types: {name[:40]!r} cannot name a struct")
    return {name: _fields(name, fields, value) for name, fields in value.items()}


def _fields(name: str, value: Any, types: Mapping[str, Any]) -> Fields:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_FIELDS:
        raise InvalidAnswerError(f"types: {name}: expected a list of 1 to {MAX_FIELDS} fields")
    fields = []
    for entry in value:
        field = _record(entry, f"types: {name}", ("name", "type"))
        label, kind = field["name"], field["type"]
        if not isinstance(label, str) or not _IDENTIFIER.fullmatch(label):
            raise InvalidAnswerError(f"types: {name}: a field's name is no identifier")
        if not isinstance(kind, str) or not _is_type(kind, types):
            raise InvalidAnswerError(f"types: {name}.{label}: unknown type")
        fields.append((label, kind))
    if len({label for label, _ in fields}) != len(fields):
        raise InvalidAnswerError(f"types: {name}: two fields have one name")
    return tuple(fields)


def _is_type(kind: str, types: Mapping[str, Any]) -> bool:
    for _ in range(MAX_DIMENSIONS + 1):
        match = _ARRAY.fullmatch(kind)
        if not match:
            atom = _ATOM.fullmatch(kind)
            bits = int(atom["bits"] or 8) if atom else 0
            return kind in types or (atom is not None and bits % 8 == 0 and bits <= 256)
        kind = match["element"]
    return False


def _reachable(types: Mapping[str, Fields], start: str) -> set[str]:
    """Return the structs a struct is made of, itself included. Raises InvalidAnswerError when one contains itself."""
    found: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise InvalidAnswerError(f"types: {name} contains itself")
        if name in found:
            return
        for _, kind in types[name]:
            core = kind.partition("[")[0]
            if core in types:
                visit(core, (*above, name))
        found.add(name)

    visit(start, ())
    return found


class _Encoder:
    """Hash values of one set of types; each type is spelled once, however many values there are."""

    def __init__(self, types: Mapping[str, Fields]) -> None:
        self._types = types
        self._type_hashes: dict[str, bytes] = {}

    def hash_struct(self, name: str, value: Any) -> bytes:
        fields = self._types[name]
        record = _record(value, name, tuple(field for field, _ in fields))
        if name not in self._type_hashes:
            self._type_hashes[name] = keccak256(encode_type(self._types, name).encode())
        words = [self._word(kind, record[field]) for field, kind in fields]
        return keccak256(self._type_hashes[name] + b"".join(words))

    def _word(self, kind: str, value: Any) -> bytes:
        """Return the 32 bytes of one value inside its struct. Source: EIP-712, "Definition of encodeData"."""
        if kind in self._types:
            return self.hash_struct(kind, value)
        array = _ARRAY.fullmatch(kind)
        if not array:
            return _atom(kind, value)
        if not isinstance(value, list) or (array["count"] and len(value) != int(array["count"])):
            raise InvalidAnswerError(f"a value is no {kind[:80]}")
        return keccak256(b"".join(self._word(array["element"], one) for one in value))


def _atom(kind: str, value: Any) -> bytes:
    if kind == "string":
        if not isinstance(value, str):
            raise InvalidAnswerError("a value is no string")
        return keccak256(_utf8(value))
    if kind == "bool":
        if not isinstance(value, bool):
            raise InvalidAnswerError("a value is no bool")
        return int(value).to_bytes(32)
    if kind == "address":
        try:
            return bytes(12) + bytes.fromhex(canonical_address(str(value))[2:])
        except IdentifierError as error:
            raise InvalidAnswerError(str(error)) from error
    if kind == "bytes":
        return keccak256(data(value, "a value"))
    if kind.startswith("bytes"):
        return data(value, "a value", int(kind[5:])).ljust(32, b"\0")
    return _integer(kind, value)


def _integer(kind: str, value: Any) -> bytes:
    signed, bits = not kind.startswith("u"), int(kind.lstrip("uint"))
    number = _number(value, kind)
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    if not low <= number < high:
        raise InvalidAnswerError(f"a number outside of {kind}")
    return number.to_bytes(32, signed=signed)


def _number(value: Any, what: str) -> int:
    """Read a number as wallets take it: a JSON integer, or a text in decimal or hexadecimal digits without more."""
    if type(value) is int:
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return int(value)
    if isinstance(value, str) and _HEXADECIMAL.fullmatch(value):
        return int(value, 16)
    raise InvalidAnswerError(f"a value is no {what}")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:  # "\ud800" in JSON is half a pair, and no text
        raise InvalidAnswerError("a string is no text") from error


def _record(value: Any, what: str, keys: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise InvalidAnswerError(f"{what[:40]}: expected an object of exactly {', '.join(keys)[:200]}")
    return value
