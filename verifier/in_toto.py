"""Statements about a folder that other tools can read: in-toto Statement v1, in canonical JSON."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from verifier.canonical import canonical_json

STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD = "application/vnd.in-toto+json"
MANIFEST = "manifest.json"


def statement(manifest: str, kind: str, predicate: Mapping[str, Any]) -> bytes:
    """Return a statement of one kind about the folder whose manifest has this SHA-256."""
    subject = {"name": MANIFEST, "digest": {"sha256": manifest}}
    return canonical_json(
        {"_type": STATEMENT, "subject": [subject], "predicateType": kind, "predicate": dict(predicate)}
    )


def this_tool() -> dict[str, str]:
    """Return what made a statement: name and version."""
    return {"name": "reserve-verifier", "version": version("reserve-verifier")}
