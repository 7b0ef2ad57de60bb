"""Bitcoin scripts as data: their operations, pushes and numbers, and the kinds of output they stand for."""

from collections.abc import Iterator
from typing import NamedTuple

from chains.signatures.bip322.transactions import RefusedError
from chains.signatures.key_addresses import hash160

PUSH_1, PUSH_2, PUSH_4 = 0x4C, 0x4D, 0x4E
CODE_SEPARATOR = 0xAB
_MAX_NUMBER_BYTES = 4
_SUCCESS = frozenset((0x50, 0x62, 0x89, 0x8A, 0x8D, 0x8E, *range(0x7E, 0x82), *range(0x83, 0x87), *range(0x95, 0x9A)))
_FIRST_UNASSIGNED = 0xBB


class Operation(NamedTuple):
    """An opcode and, for a push, the bytes it pushes."""

    code: int
    data: bytes | None


def operations(script: bytes) -> Iterator[Operation]:
    """Yield the operations of a script. Raises RefusedError `malformed-script` where a push is cut off."""
    at = 0
    while at < len(script):
        code = script[at]
        at += 1
        if code > PUSH_4:
            small = code - 0x50
            yield Operation(code, encode_number(small) if small == -1 or 1 <= small <= 16 else None)
            continue
        width = {PUSH_1: 1, PUSH_2: 2, PUSH_4: 4}.get(code, 0)
        size = int.from_bytes(script[at : at + width], "little") if width else code
        at += width + size
        if at > len(script):
            raise RefusedError("malformed-script")
        yield Operation(code, script[at - size : at])


def is_minimal_push(operation: Operation) -> bool:
    """Tell whether a push is the shortest one of its bytes. Source: BIP-62, rule 3."""
    return operation.data is not None and push(operation.data)[0] == operation.code


def push(data: bytes) -> bytes:
    """Return the shortest push of some bytes."""
    if not data:
        return b"\x00"
    if len(data) == 1 and (1 <= data[0] <= 16 or data[0] == 0x81):
        return bytes([0x4F if data[0] == 0x81 else 0x50 + data[0]])
    if len(data) < PUSH_1:
        return bytes([len(data)]) + data
    if len(data) <= 0xFF:
        return bytes([PUSH_1, len(data)]) + data
    if len(data) <= 0xFFFF:
        return bytes([PUSH_2]) + len(data).to_bytes(2, "little") + data
    return bytes([PUSH_4]) + len(data).to_bytes(4, "little") + data


def encode_number(value: int) -> bytes:
    """Return a number as scripts hold it: little end first, the sign in the last bit, zero as nothing."""
    if not value:
        return b""
    raw = bytearray(abs(value).to_bytes(abs(value).bit_length() // 8 + 1, "little"))
    if len(raw) > 1 and not raw[-1] and not raw[-2] & 0x80:
        raw.pop()
    if value < 0:
        raw[-1] |= 0x80
    return bytes(raw)


def decode_number(data: bytes) -> int:
    """Return a number of at most four bytes. Raises RefusedError `number-not-minimal` or `script-fails`."""
    if len(data) > _MAX_NUMBER_BYTES:
        raise RefusedError("script-fails")
    if not data:
        return 0
    size = int.from_bytes(data[:-1] + bytes([data[-1] & 0x7F]), "little")
    value = -size if data[-1] & 0x80 else size
    if encode_number(value) != data:
        raise RefusedError("number-not-minimal")
    return value


def is_true(data: bytes) -> bool:
    """Tell whether a script takes bytes for true: anything but zero, whose sign does not matter."""
    return any(data[:-1]) or data[-1:] not in (b"", b"\x00", b"\x80")


def succeeds_whatever_follows(code: int) -> bool:
    """Tell whether an opcode makes a Taproot script succeed, kept for later rules. Source: BIP-342, OP_SUCCESSx."""
    return code in _SUCCESS or _FIRST_UNASSIGNED <= code < 0xFF


def witness_program(script: bytes) -> tuple[int, bytes] | None:
    """Return version and program of a native SegWit output, None for another script. Source: BIP-141."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2 or script[0] not in (0, *range(0x51, 0x61)):
        return None
    return max(script[0] - 0x50, 0), script[2:]


def script_hash(script: bytes) -> bytes | None:
    """Return the hash in a P2SH output, None for another script. Source: BIP-16."""
    return script[2:22] if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87" else None


def key_hash(script: bytes) -> bytes | None:
    """Return the hash in a P2PKH output, None for another script."""
    return script[3:23] if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac" else None


def wrapped_program(script: bytes, script_sig: bytes) -> bytes | None:
    """Return the witness program that a P2SH input reveals as its one push, else None. Source: BIP-141."""
    inner = script_sig[1:]
    if script_hash(script) is None or not inner or script_sig != push(inner) or witness_program(inner) is None:
        return None
    return inner if hash160(inner) == script_hash(script) else None


def is_witness_spend(script: bytes, script_sig: bytes) -> bool:
    """Tell whether an input is checked by its witness, so that its signature covers the amount. Source: BIP-143."""
    return witness_program(script) is not None or wrapped_program(script, script_sig) is not None
