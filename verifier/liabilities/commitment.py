"""Write and read what the exchange publishes about its tree; the record itself is `verifier.inclusion.commitment`."""

from pathlib import Path

from verifier.inclusion.commitment import Commitment, load_commitment

__all__ = ["Commitment", "load_commitment", "save_commitment"]


def save_commitment(path: Path, commitment: Commitment) -> None:
    """Write a commitment as canonical JSON (RFC 8785), whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(commitment.to_json())
    partial.replace(path)
