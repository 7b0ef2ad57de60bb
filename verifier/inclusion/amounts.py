"""Whole coins and base units, converted exactly: by moving the point in the text, never by rounding."""

import re

from verifier.errors import InputError

_AMOUNT = re.compile(r"([0-9]{1,60})(?:\.([0-9]{1,60}))?")


def parse_amount(text: str, decimals: int) -> int:
    """Return the base units of a plain decimal amount such as `1.5`.

    Zeros after the last decimal of the asset change nothing and are read. Raises InputError with the reason for a
    negative amount, an exponent, NaN, an empty text, or more decimals than the asset has.
    """
    match = _AMOUNT.fullmatch(text)
    if not match:
        raise InputError(_reason(text))
    fraction = (match[2] or "").rstrip("0")
    if len(fraction) > decimals:
        raise InputError(f"{text!r} has {len(fraction)} decimals; the asset has {decimals}")
    return int(match[1] + fraction.ljust(decimals, "0"))


def format_amount(units: int, decimals: int) -> str:
    """Return base units as a plain decimal amount of whole coins, without trailing zeros."""
    digits = str(units).rjust(decimals + 1, "0")
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :].rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _reason(text: str) -> str:
    shown = ascii(text) if len(text) <= 60 else f"{text[:59]!a}…"
    if not text.strip():
        return "the amount is empty; write 0"
    if re.fullmatch(r"-[0-9.]+", text):
        return f"{shown} is negative"
    if re.fullmatch(r"[-+0-9.]+[eE][-+]?[0-9]+", text):
        return f"{shown} has an exponent; write all digits"
    if re.fullmatch(r"[0-9.]{61,}", text):
        return f"{shown} is too long"
    return f"{shown} is not a plain decimal number such as 1.5"
