"""Ethereum's serialisation and Merkle roots (SSZ) for the few kinds of value a light client reads, strictly."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any

from chains.errors import InvalidAnswerError
from chains.evm.hexadecimal import data as parse_data
from chains.evm.hexadecimal import hexadecimal

CHUNK = 32
_OFFSET = 4
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}")


def hash_pair(left: bytes, right: bytes) -> bytes:
    """Return the SHA-256 digest of two nodes side by side."""
    return sha256(left + right).digest()


def _zero_hashes(depth: int) -> list[bytes]:
    hashes = [bytes(CHUNK)]
    for _ in range(depth):
        hashes.append(hash_pair(hashes[-1], hashes[-1]))
    return hashes


_ZERO_HASHES = _zero_hashes(64)


def merkleize(chunks: Sequence[bytes], limit: int) -> bytes:
    """Return the root over `chunks`, padded with zero chunks to the power of two that holds `limit` of them.

    Source: consensus specification, SSZ, "Merkleization".
    """
    layer, depth = list(chunks), max(limit - 1, 0).bit_length()
    for level in range(depth):
        if len(layer) % 2:
            layer.append(_ZERO_HASHES[level])
        layer = [hash_pair(layer[at], layer[at + 1]) for at in range(0, len(layer), 2)]
    return layer[0] if layer else _ZERO_HASHES[depth]


def branch_root(leaf: bytes, branch: Sequence[bytes], gindex: int) -> bytes:
    """Return the root that a leaf at a generalized index has with this branch, the lowest sibling first."""
    node = leaf
    for level, sibling in enumerate(branch):
        node = hash_pair(sibling, node) if gindex >> level & 1 else hash_pair(node, sibling)
    return node


def is_valid_normalized_merkle_branch(leaf: bytes, branch: Sequence[bytes], gindex: int, root: bytes) -> bool:
    """Say whether a branch, with zero nodes in front of it if it is longer than needed, proves a leaf under a root.

    Source: consensus specification, Altair light client sync protocol.
    """
    extra = len(branch) - (gindex.bit_length() - 1)
    if extra < 0 or any(any(node) for node in branch[:extra]):
        return False
    return branch_root(leaf, branch[extra:], gindex) == root


def _packed(content: bytes) -> list[bytes]:
    return [content[at : at + CHUNK].ljust(CHUNK, b"\x00") for at in range(0, len(content), CHUNK)]


class SszType(ABC):
    """One kind of value: how it is written in bytes and in JSON, and its Merkle root.

    `size` is its length in bytes, or None where that varies. Readers raise InvalidAnswerError that names `where`.
    """

    size: int | None

    @abstractmethod
    def hash_tree_root(self, value: Any) -> bytes: ...

    @abstractmethod
    def serialize(self, value: Any) -> bytes: ...

    @abstractmethod
    def deserialize(self, content: bytes, where: str) -> Any: ...

    @abstractmethod
    def read_json(self, value: Any, where: str) -> Any: ...

    @abstractmethod
    def write_json(self, value: Any) -> Any: ...

    def _sized(self, content: bytes, where: str) -> bytes:
        if len(content) != self.size:
            raise InvalidAnswerError(f"{where} has {len(content)} bytes; expected {self.size}")
        return content


class Uint(SszType):
    """An unsigned number of `size` bytes, little-endian; in JSON a decimal string."""

    def __init__(self, size: int) -> None:
        self.size: int = size

    def hash_tree_root(self, value: int) -> bytes:
        return self.serialize(value).ljust(CHUNK, b"\x00")

    def serialize(self, value: int) -> bytes:
        return value.to_bytes(self.size, "little")

    def deserialize(self, content: bytes, where: str) -> int:
        return int.from_bytes(self._sized(content, where), "little")

    def read_json(self, value: Any, where: str) -> int:
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise InvalidAnswerError(f"{where}: expected a decimal number in a string")
        number = int(value)
        if number >> 8 * self.size:
            raise InvalidAnswerError(f"{where}: {value} does not fit into {8 * self.size} bits")
        return number

    def write_json(self, value: int) -> str:
        return str(value)


class ByteVector(SszType):
    """Exactly `size` bytes; in JSON 0x and hexadecimal digits."""

    def __init__(self, size: int) -> None:
        self.size: int = size

    def hash_tree_root(self, value: bytes) -> bytes:
        chunks = _packed(value)
        return merkleize(chunks, len(chunks))

    def serialize(self, value: bytes) -> bytes:
        return value

    def deserialize(self, content: bytes, where: str) -> bytes:
        return self._sized(content, where)

    def read_json(self, value: Any, where: str) -> bytes:
        return parse_data(value, where, self.size)

    def write_json(self, value: bytes) -> str:
        return hexadecimal(value)


class ByteList(SszType):
    """At most `limit` bytes; its root also binds how many they are."""

    size = None

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def hash_tree_root(self, value: bytes) -> bytes:
        root = merkleize(_packed(value), (self.limit + CHUNK - 1) // CHUNK)
        return hash_pair(root, len(value).to_bytes(CHUNK, "little"))

    def serialize(self, value: bytes) -> bytes:
        return value

    def deserialize(self, content: bytes, where: str) -> bytes:
        if len(content) > self.limit:
            raise InvalidAnswerError(f"{where} has {len(content)} bytes; at most {self.limit} are allowed")
        return content

    def read_json(self, value: Any, where: str) -> bytes:
        return self.deserialize(parse_data(value, where), where)

    def write_json(self, value: bytes) -> str:
        return hexadecimal(value)


class Bits(SszType):
    """Exactly `count` yes-or-no values, the first in the lowest bit of the first byte."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.size: int = (count + 7) // 8

    def hash_tree_root(self, value: Sequence[bool]) -> bytes:
        return ByteVector(self.size).hash_tree_root(self.serialize(value))

    def serialize(self, value: Sequence[bool]) -> bytes:
        return sum(1 << at for at, bit in enumerate(value) if bit).to_bytes(self.size, "little")

    def deserialize(self, content: bytes, where: str) -> tuple[bool, ...]:
        number = int.from_bytes(self._sized(content, where), "little")
        if number >> self.count:
            raise InvalidAnswerError(f"{where}: bits are set beyond the first {self.count}")
        return tuple(bool(number >> at & 1) for at in range(self.count))

    def read_json(self, value: Any, where: str) -> tuple[bool, ...]:
        return self.deserialize(parse_data(value, where, self.size), where)

    def write_json(self, value: Sequence[bool]) -> str:
        return hexadecimal(self.serialize(value))


class Vector(SszType):
    """Exactly `length` byte strings of one size."""

    def __init__(self, element: ByteVector, length: int) -> None:
        self.element, self.length = element, length
        self.size: int = element.size * length

    def hash_tree_root(self, value: Sequence[bytes]) -> bytes:
        return merkleize([self.element.hash_tree_root(item) for item in value], self.length)

    def serialize(self, value: Sequence[bytes]) -> bytes:
        return b"".join(value)

    def deserialize(self, content: bytes, where: str) -> tuple[bytes, ...]:
        step = self.element.size
        return tuple(content[at : at + step] for at in range(0, len(self._sized(content, where)), step))

    def read_json(self, value: Any, where: str) -> tuple[bytes, ...]:
        if not isinstance(value, list) or len(value) != self.length:
            raise InvalidAnswerError(f"{where}: expected a list of {self.length}")
        return tuple(self.element.read_json(item, f"{where}[{at}]") for at, item in enumerate(value))

    def write_json(self, value: Sequence[bytes]) -> list[str]:
        return [self.element.write_json(item) for item in value]


class Container(SszType):
    """Named fields in order; `record` builds the value, and gives fields that this form lacks their default."""

    def __init__(self, record: type[Any], fields: Sequence[tuple[str, SszType]]) -> None:
        self.record, self.fields = record, tuple(fields)
        sizes = [kind.size for _, kind in self.fields]
        known = [size for size in sizes if size is not None]
        self.size = sum(known) if len(known) == len(sizes) else None
        self.fixed = sum(known) + _OFFSET * (len(sizes) - len(known))

    def hash_tree_root(self, value: Any) -> bytes:
        roots = [kind.hash_tree_root(getattr(value, name)) for name, kind in self.fields]
        return merkleize(roots, len(roots))

    def serialize(self, value: Any) -> bytes:
        head, tail = b"", b""
        for name, kind in self.fields:
            written = kind.serialize(getattr(value, name))
            if kind.size is None:
                head += (self.fixed + len(tail)).to_bytes(_OFFSET, "little")
                tail += written
            else:
                head += written
        return head + tail

    def deserialize(self, content: bytes, where: str) -> Any:
        if self.size is not None:
            self._sized(content, where)
        if len(content) < self.fixed:
            raise InvalidAnswerError(f"{where} has {len(content)} bytes; expected at least {self.fixed}")
        spans, position = self._spans(content, where), 0
        parts: dict[str, Any] = {}
        for name, kind in self.fields:
            begin, end = spans.pop(0) if kind.size is None else (position, position + kind.size)
            position += _OFFSET if kind.size is None else kind.size
            parts[name] = kind.deserialize(content[begin:end], f"{where}.{name}")
        return self.record(**parts)

    def _spans(self, content: bytes, where: str) -> list[tuple[int, int]]:
        """Return where each field of varying length stands. Offsets may leave no gap, so there is one form only."""
        offsets, position = [], 0
        for _, kind in self.fields:
            if kind.size is None:
                offsets.append(int.from_bytes(content[position : position + _OFFSET], "little"))
            position += _OFFSET if kind.size is None else kind.size
        bounds = [*offsets, len(content)]
        if bounds[0] != self.fixed or any(later < earlier for earlier, later in pairwise(bounds)):
            raise InvalidAnswerError(f"{where}: its fields do not follow one another without a gap")
        return list(pairwise(bounds))

    def read_json(self, value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise InvalidAnswerError(f"{where}: expected an object")
        names = [name for name, _ in self.fields]
        unknown = sorted(str(name)[:40] for name in value if name not in names)
        missing = [name for name in names if name not in value]
        if unknown or missing:
            raise InvalidAnswerError(f"{where}: unknown fields {unknown[:5]}, missing fields {missing[:5]}")
        return self.record(**{name: kind.read_json(value[name], f"{where}.{name}") for name, kind in self.fields})

    def write_json(self, value: Any) -> dict[str, Any]:
        return {name: kind.write_json(getattr(value, name)) for name, kind in self.fields}
