"""Ethereum account addresses: one canonical spelling, and the checksum that catches typing errors."""

import re

from chains.errors import IdentifierError
from chains.evm.keccak import keccak256

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def checksum_address(text: str) -> str:
    """Return an address with the capital letters that make its checksum.

    Raises IdentifierError when `text` is not 0x and 40 hexadecimal digits. Source: EIP-55.
    """
    digits = _digits(text).lower()
    digest = keccak256(digits.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit for digit, nibble in zip(digits, digest, strict=False)
    )


def canonical_address(text: str) -> str:
    """Return an address in lower case, the spelling that account ids use.

    An address in mixed case must carry a right EIP-55 checksum; one in a single case carries none. Raises
    IdentifierError naming the expected form.
    """
    digits = _digits(text)
    if digits not in (digits.lower(), digits.upper()):
        expected = checksum_address(text)
        if text != expected:
            raise IdentifierError(f"{text!r} fails its EIP-55 checksum; a typing error, or meant was {expected!r}")
    return text.lower()


def _digits(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise IdentifierError(f"{text[:80]!r} is not an EVM address; expected 0x and 40 hexadecimal digits")
    return text[2:]
