"""Read single cells of a list: amounts, heights and the many ways to leave a cell empty."""

import re
from decimal import Decimal

from verifier.errors import InputError

EMPTY = frozenset({"", "-", "--", "null", "none", "n/a", "na", "nil"})
_AMOUNT = re.compile(r"-?(?:[0-9]{1,60}|[0-9]{1,3}(?:,[0-9]{3}){1,19})?(?:\.[0-9]{1,60})?(?:[eE][-+]?[0-9]{1,2})?")
_HEIGHT = re.compile(r"[0-9]{1,15}")


def text_of(cell: str) -> str:
    """Return a cell's text, `` for every way to say nothing."""
    return "" if cell.lower() in EMPTY else cell


def amount_of(cell: str, where: str) -> Decimal | None:
    """Return an exact amount, None for an empty cell. Raises InputError for anything that is no plain number."""
    text = text_of(cell)
    if not text:
        return None
    if not _AMOUNT.fullmatch(text) or not any(digit.isdigit() for digit in text.lower().partition("e")[0]):
        raise InputError(f"{where}: {text[:60]!a} is not a number such as 1234.5")
    return Decimal(text.replace(",", ""))


def height_of(cell: str) -> int | None:
    """Return a block height, None when the cell holds none."""
    return int(cell) if _HEIGHT.fullmatch(cell) else None
