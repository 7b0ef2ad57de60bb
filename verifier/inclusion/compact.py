"""A proof small enough for a QR code or a link: the same proof in few characters, checked like any other."""

import zlib

from verifier.errors import InputError
from verifier.inclusion import sum_tree, wire
from verifier.inclusion.commitment import commitment_of
from verifier.inclusion.proof import MAX_BYTES, InclusionProof, LeafProof
from verifier.inclusion.sum_tree import HASH_BYTES, SALT_BYTES, Node, Sums
from verifier.inclusion.wire import MalformedError

PREFIX = "POR1:"
QR_LETTERS = 4_296  # what a QR code of the largest size holds in its alphanumeric mode
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {letter: number for number, letter in enumerate(_ALPHABET)}
_MAX_VARINT = 19  # 128 bits in sevens


def to_compact(proof: InclusionProof) -> str:
    """Return a proof as `POR1:` and Base45 (RFC 9285) of its deflated (RFC 1950) binary form.

    The form: header JSON and account id, each after its length; per leaf the salt, the index, the balances, and per
    step the sibling's hash and sums. Lengths and amounts are LEB128 (seven bits a byte, the lowest first).
    """
    header = proof.commitment.to_json()
    account = proof.account.encode()
    body = [_varint(len(header)), header, _varint(len(account)), account]
    for leaf in proof.leaves:
        body += [leaf.salt, _varint(leaf.index), *map(_varint, leaf.balances)]
        for step in leaf.path:
            body += [step.hash, *map(_varint, step.sums)]
    return PREFIX + _to_base45(zlib.compress(b"".join(body), 9))


def from_compact(text: str, where: str) -> InclusionProof:
    """Read a proof back. Raises InputError saying what is wrong; the result is no more trusted than a JSON file's."""
    reader = _Reader(_inflate(_from_base45(text.strip().removeprefix(PREFIX), where), where), where)
    value = wire.read_json(reader.take(reader.varint()), where)
    try:
        commitment = commitment_of(value)
    except MalformedError as error:
        raise MalformedError(error.code, f"{where}: {error}") from error
    try:
        account = reader.take(reader.varint()).decode()
    except UnicodeDecodeError as error:
        raise MalformedError("malformed", f"{where}: the account id is not UTF-8") from error
    wire.read_text(account, f"{where}: account", sum_tree.MAX_ACCOUNT_BYTES)
    assets, depth = len(commitment.assets), commitment.depth
    leaves = tuple(reader.leaf(assets, depth) for _ in range(commitment.parts))
    reader.finish()
    return InclusionProof(commitment, commitment.digest, account, leaves)


class _Reader:
    """Takes values off the front of untrusted bytes."""

    def __init__(self, body: bytes, where: str) -> None:
        self._body, self._at, self._where = body, 0, where

    def take(self, size: int) -> bytes:
        found = self._body[self._at : self._at + size]
        if len(found) != size:
            raise self._fault("is cut off")
        self._at += size
        return found

    def varint(self) -> int:
        value = 0
        for place in range(_MAX_VARINT):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                if value > sum_tree.MAX_UNITS or (byte == 0 and place):
                    break
                return value
        raise self._fault("has a number that is too large or written in two ways")

    def leaf(self, assets: int, depth: int) -> LeafProof:
        salt, index, balances = self.take(SALT_BYTES), self.varint(), self._sums(assets)
        if index > sum_tree.MAX_LEAVES:
            raise self._fault("has a leaf number that is too large")
        path = tuple(Node(self.take(HASH_BYTES), self._sums(assets)) for _ in range(depth))
        return LeafProof(salt, balances, index, path)

    def finish(self) -> None:
        if self._at != len(self._body):
            raise self._fault("goes on after its end")

    def _sums(self, assets: int) -> Sums:
        return tuple(self.varint() for _ in range(assets))

    def _fault(self, text: str) -> MalformedError:
        return MalformedError("malformed", f"{self._where}: the compact proof {text}")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _inflate(packed: bytes, where: str) -> bytes:
    engine = zlib.decompressobj()
    try:
        body = engine.decompress(packed, MAX_BYTES)
    except zlib.error as error:
        raise MalformedError("malformed", f"{where}: the compact proof is damaged: {error}") from error
    if not engine.eof or engine.unused_data:
        raise MalformedError("malformed", f"{where}: the compact proof is cut off, too large, or followed by more")
    return body


def _to_base45(raw: bytes) -> str:
    letters = []
    for at in range(0, len(raw) - 1, 2):
        value = raw[at] * 256 + raw[at + 1]
        letters += [_ALPHABET[value % 45], _ALPHABET[value // 45 % 45], _ALPHABET[value // 2025]]
    if len(raw) % 2:
        letters += [_ALPHABET[raw[-1] % 45], _ALPHABET[raw[-1] // 45]]
    return "".join(letters)


def _from_base45(text: str, where: str) -> bytes:
    if len(text) > MAX_BYTES or len(text) % 3 == 1 or any(letter not in _VALUES for letter in text):
        raise MalformedError("malformed", f"{where}: not Base45 after {PREFIX!r}: a character is missing or foreign")
    raw = bytearray()
    for at in range(0, len(text), 3):
        group = [_VALUES[letter] for letter in text[at : at + 3]]
        size = len(group) - 1
        value = sum(digit * 45**place for place, digit in enumerate(group))
        if value >= 256**size:
            raise InputError(f"{where}: not Base45 after {PREFIX!r}: {text[at : at + 3]!r} is out of range")
        raw += value.to_bytes(size, "big")
    return bytes(raw)
