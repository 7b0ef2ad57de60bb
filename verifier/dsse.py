"""Signed envelopes (DSSE): a text, what kind of text it is, and who signed both; keys in files, HSMs and clouds."""

import binascii
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm

from chains.decode import parse_json
from chains.errors import ChainError
from verifier.canonical import canonical_json
from verifier.errors import InputError
from verifier.files import read_file

if TYPE_CHECKING:
    from securesystemslib.signer import Key

FILE_SCHEME = "file2"
MAX_ENVELOPE, MAX_KEY = 4 * 1024 * 1024, 64 * 1024

Sealer = Callable[[bytes], bytes]


def sealer_of(kind: str, key: str, public: Path | None = None) -> Sealer:
    """Return what puts contents of one kind in envelopes (canonical JSON), signed by the key at a URI or in a PEM file.

    URIs are those of securesystemslib (`hsm:`, `awskms:`, `gcpkms:`, `azurekms:` …); all but files need the public half
    in a PEM file. Raises InputError, without a word of the key. Source: DSSE 1.0.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, Signer

    scheme = key.partition(":")[0]
    uri = key if scheme in SIGNER_FOR_URI_SCHEME else f"{FILE_SCHEME}:{key}"
    named = _public_key(public) if public else _public_half(Path(uri.partition(":")[2]), uri)
    what = scheme if ":" in key else "file"
    try:
        signer = Signer.from_priv_key_uri(uri, named)
    except Exception as error:  # each kind of signer fails in a way of its own
        raise InputError(f"the key {what} cannot sign: {type(error).__name__}") from error

    def sealed(content: bytes) -> bytes:
        envelope = Envelope(content, kind, {})
        try:
            envelope.sign(signer)
        except Exception as error:  # as above
            raise InputError(f"the key {what} cannot sign: {type(error).__name__}") from error
        return canonical_json(envelope.to_dict())

    return sealed


def open_envelope(content: bytes, kind: str, signers: Sequence[Path], where: str) -> bytes:
    """Return the content of an envelope that one of the trusted keys (PEM files) signed.

    Raises InputError when the envelope is malformed, of another kind, or nobody trusted signed it.
    """
    return open_record(_record(content, where), kind, signers, where)


def open_record(record: Any, kind: str, signers: Sequence[Path], where: str) -> bytes:
    """As `open_envelope`, of an envelope's JSON values."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    try:
        envelope = Envelope.from_dict(deepcopy(record))  # it takes the record apart
        envelope.verify([_public_key(path) for path in signers], 1)
    except VerificationError as error:
        raise InputError(f"{where}: none of the keys you trust signed it") from error
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
        raise InputError(f"{where}: is no DSSE envelope") from error
    if envelope.payload_type != kind:
        raise InputError(f"{where}: holds {envelope.payload_type[:80]!r}; expected {kind!r}")
    content: bytes = envelope.payload
    return content


def _record(content: bytes, where: str) -> Any:
    try:
        return parse_json(content)
    except ChainError as error:
        raise InputError(f"{where}: is no DSSE envelope") from error


def _public_key(path: Path) -> "Key":
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        return SSlibKey.from_crypto(load_pem_public_key(read_file(path, MAX_KEY)))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: is no public key in PEM") from error


def _public_half(path: Path, uri: str) -> "Key":
    """Return the public half of a private key file. Raises InputError, without showing the file."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import SSlibKey

    if not uri.startswith(f"{FILE_SCHEME}:"):
        raise InputError(f"a key at {uri.partition(':')[0]}: needs its public half, as a PEM file (--public)")
    try:
        private = load_pem_private_key(read_file(path, MAX_KEY), None)
        return SSlibKey.from_crypto(private.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: is no unencrypted private key in PEM") from error
