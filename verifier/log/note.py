"""Signed notes: a text and lines of signatures below it, by keys that whoever reads has chosen to trust."""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from verifier.errors import InputError
from verifier.files import read_file

MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 64
MAX_KEY_FILE = 16 * 1024
ED25519, COSIGNATURE = 0x01, 0x04  # signature types. Source: C2SP signed-note and tlog-cosignature
KEY_BYTES, ID_BYTES, SIGNATURE_BYTES, TIME_BYTES = 32, 4, 64, 8
_DASH = "\u2014 "


class VerifierKey(NamedTuple):
    """A public key under a name, for note signatures or for a witness's cosignatures. Source: C2SP signed-note."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of the hash over name, kind and key."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:ID_BYTES]

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"


class Signer(NamedTuple):
    """A private key under a name; `repr` shows no secret."""

    name: str
    private: Ed25519PrivateKey

    def key(self, kind: int = ED25519) -> VerifierKey:
        """Return the public half."""
        return VerifierKey(self.name, kind, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


class Signature(NamedTuple):
    """One signature line: whose it says it is, and its bytes after the key id."""

    name: str
    key_id: bytes
    value: bytes


class Note(NamedTuple):
    """A text (with its last newline) and the signature lines below it, none of them checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(_line(signature) for signature in self.signatures)}"


def parse_key(text: str) -> VerifierKey:
    """Read a verifier key (NAME+ID+KEY). Raises InputError. Source: C2SP signed-note."""
    # The base64 of the key may hold a plus; the name may not.
    parts = text.strip().split("+", 2)
    try:
        name, key_id, material = parts[0], bytes.fromhex(parts[1]), base64.b64decode(parts[2], validate=True)
    except (IndexError, ValueError) as error:
        raise InputError(f"{text[:120]!r} is no verifier key; expected NAME+ID+KEY") from error
    if len(material) != 1 + KEY_BYTES or material[0] not in (ED25519, COSIGNATURE) or not is_name(name):
        raise InputError(f"{text[:120]!r}: only Ed25519 keys of notes (01) and of witnesses (04) are known here")
    key = VerifierKey(name, material[0], material[1:])
    if key.id != key_id:
        raise InputError(f"{text[:120]!r}: the id is {key_id.hex()}, name and key give {key.id.hex()}")
    return key


def is_name(name: str) -> bool:
    """Tell whether a text can be a key's name: not empty, no space, no plus."""
    return bool(name) and "+" not in name and not any(letter.isspace() or ord(letter) < 32 for letter in name)


def new_key(path: Path) -> Ed25519PrivateKey:
    """Make a private key in a new file that only its owner can read, and its public half (PEM) beside it as `.pub`.

    Raises InputError if the file is there.
    """
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.touch(0o600, exist_ok=False)
        path.write_bytes(pem)
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        path.with_name(path.name + ".pub").write_bytes(public)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    return private


def load_signer(path: Path, name: str) -> Signer:
    """Read an Ed25519 private key (PEM, PKCS#8) to sign under a name. Raises InputError, without showing the file."""
    if not is_name(name):
        raise InputError(f"{name!r} cannot be a key's name: it must not be empty, nor hold spaces or a plus")
    try:
        private = load_pem_private_key(read_file(path, MAX_KEY_FILE), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: is no unencrypted private key in PEM") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise InputError(f"{path}: is a private key, but not of Ed25519")
    return Signer(name, private)


def sign_note(text: str, signers: Iterable[Signer]) -> Note:
    """Sign a text, which ends in a newline."""
    lines = [Signature(s.name, s.key().id, s.private.sign(text.encode())) for s in signers]
    return Note(text, tuple(lines))


def cosign(note: Note, signer: Signer, moment: int) -> Signature:
    """Return a witness's line over a note's text at a Unix time. Source: C2SP tlog-cosignature, version 1."""
    signed = signer.private.sign(_cosigned(note.text, moment))
    return Signature(signer.name, signer.key(COSIGNATURE).id, moment.to_bytes(TIME_BYTES) + signed)


def parse_note(content: bytes, where: str) -> Note:
    """Read a signed note; no signature is checked. Raises InputError naming the line. Source: C2SP signed-note."""
    if len(content) > MAX_NOTE:
        raise InputError(f"{where}: larger than {MAX_NOTE:,} bytes")
    try:
        whole = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: is not UTF-8") from error
    text, blank, below = whole.rpartition("\n\n")
    if not blank or any(ord(letter) < 32 and letter != "\n" for letter in whole) or not below.endswith("\n"):
        raise InputError(f"{where}: is no signed note: expected a text, an empty line, and lines of signatures")
    lines = below[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise InputError(f"{where}: more than {MAX_SIGNATURES} signatures")
    return Note(text + "\n", tuple(_signature(line, where) for line in lines))


def verified_by(note: Note, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
    """Return which of the trusted keys signed a note, once each.

    Lines of unknown keys are passed over. Raises InputError when a line under a trusted key's name and id does not
    verify: somebody put it there.
    """
    known = {(key.name, key.id): key for key in keys}
    found: dict[VerifierKey, None] = {}
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        if not _verifies(note, key, line.value):
            raise InputError(f"the signature of {key.name} does not fit the text")
        found[key] = None
    return list(found)


def _verifies(note: Note, key: VerifierKey, value: bytes) -> bool:
    message, signature = note.text.encode(), value
    if key.kind == COSIGNATURE:
        if len(value) != TIME_BYTES + SIGNATURE_BYTES:
            return False
        message, signature = _cosigned(note.text, int.from_bytes(value[:TIME_BYTES])), value[TIME_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _cosigned(text: str, moment: int) -> bytes:
    return f"cosignature/v1\ntime {moment}\n{text}".encode()


def _line(signature: Signature) -> str:
    return f"{_DASH}{signature.name} {base64.b64encode(signature.key_id + signature.value).decode()}\n"


def _signature(line: str, where: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).rpartition(" ")
    try:
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if not line.startswith(_DASH) or not space or not is_name(name) or len(value) <= ID_BYTES:
        raise InputError(f"{where}: {line[:80]!r} is no signature line")
    return Signature(name, value[:ID_BYTES], value[ID_BYTES:])
