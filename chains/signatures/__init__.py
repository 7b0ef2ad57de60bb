"""Does this signature show control of that account? One function, one small file per signature scheme."""

from importlib import import_module
from typing import Any, cast

from chains.errors import IdentifierError
from chains.ids import account_id
from chains.signatures.result import OwnershipResult

__all__ = ["SCHEMES", "OwnershipResult", "verify"]

SCHEMES: dict[str, str] = {
    "bip-137": "chains.signatures.bip137:verify",
    "eip-191": "chains.signatures.eip191:verify",
}


def verify(scheme: str, account: str, message: str, signature: str, **material: Any) -> OwnershipResult:
    """Check a signature over a text message against a CAIP-10 account; `material` is what a scheme needs beside them.

    A signature that is malformed or made by another key is a result that says so. Raises IdentifierError for an
    unknown scheme, or an account that is malformed or of a family the scheme does not serve.
    """
    if scheme not in SCHEMES:
        raise IdentifierError(f"unknown signature scheme {scheme[:40]!r}; known: {', '.join(SCHEMES)}")
    module, _, name = SCHEMES[scheme].partition(":")
    check = getattr(import_module(module), name)
    return cast(OwnershipResult, check(account_id(account), message, signature, **material))
