"""Canonical JSON (RFC 8785): the one byte form of everything that is hashed or signed."""

import hashlib
from typing import Any

import rfc8785

from verifier.errors import InputError


def canonical_json(record: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON value; units travel as decimal strings, so no integer exceeds 2^53."""
    try:
        return rfc8785.dumps(record)
    except rfc8785.CanonicalizationError as error:
        raise InputError(f"cannot be written as canonical JSON: {error}") from error


def digest(record: Any) -> str:
    """Return the SHA-256 of a record's canonical JSON as lower-case hex."""
    return hashlib.sha256(canonical_json(record)).hexdigest()
