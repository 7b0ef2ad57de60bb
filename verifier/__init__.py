"""Decide whether an exchange's segregated reserves cover what it owes its users, rule by rule, with the evidence."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verifier.inclusion.check import check_proofs as check_proofs
    from verifier.verification import verify_bundle as verify_bundle

# Loaded on first use: who only checks a proof waits for nothing else.
_LAZY = {"check_proofs": "verifier.inclusion.check", "verify_bundle": "verifier.verification"}

__all__ = ["check_proofs", "verify_bundle"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
