"""What clean checks prove: how surely an omitted or understated account would have been found, exactly.

The bound rests on one condition: nobody could know beforehand who would check. Checkers who announce themselves, or
who always are the same, prove nothing about the others.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from hashlib import sha256
from typing import Any, NamedTuple

from verifier.errors import InputError

MAX_ACCOUNTS = 10**9
MAX_FACTORS = 2_000_000
CONFIDENCE = Fraction(95, 100)


class Stratum(NamedTuple):
    """A group of accounts that check alike: how many there are, and how many checked and found nothing wrong."""

    name: str
    accounts: int
    checked: int


class Assurance(NamedTuple):
    """What the checks of one group prove: with the confidence, fewer than `fewer_than` accounts are wrong."""

    stratum: Stratum
    confidence: Fraction
    fewer_than: int

    @property
    def share(self) -> Fraction:
        """The part of the accounts that may be wrong at the most."""
        return Fraction(self.fewer_than - 1, self.stratum.accounts)

    def to_record(self) -> dict[str, Any]:
        """Return plain JSON values; fractions as text."""
        known = {**self.stratum._asdict(), "confidence": str(self.confidence), "fewer_than": self.fewer_than}
        return {**known, "share": str(self.share)}


def missed(accounts: int, wrong: int, checked: int) -> Fraction:
    """Return the chance that `checked` accounts, drawn at random, miss all `wrong` ones: C(n-m, v) / C(n, v).

    Raises InputError for numbers that describe no draw.
    """
    _require(accounts, checked)
    if not 0 <= wrong <= accounts:
        raise InputError(f"{wrong:,} wrong accounts of {accounts:,}")
    # The same number in two forms; the one with fewer factors is computed.
    drawn, left_out = min(wrong, checked), max(wrong, checked)
    if accounts - left_out < drawn:
        return Fraction(0)
    if drawn > MAX_FACTORS:
        raise InputError(f"more than {MAX_FACTORS:,} factors; use a smaller sample")
    above = _product(accounts - left_out - drawn + 1, accounts - left_out)
    return Fraction(above, _product(accounts - drawn + 1, accounts))


def detection(accounts: int, wrong: int, checked: int) -> Fraction:
    """Return the chance that at least one of `wrong` accounts is among the checked ones."""
    return 1 - missed(accounts, wrong, checked)


def proven_by(stratum: Stratum, confidence: Fraction = CONFIDENCE) -> Assurance:
    """Return the least number of wrong accounts that the checks would have met with the confidence asked for.

    With no checks nothing is proven: every account may be wrong.
    """
    _require(stratum.accounts, stratum.checked)
    if not 0 < confidence < 1:
        raise InputError(f"a confidence of {confidence}; expected a share between 0 and 1, such as 95/100")
    least = _first(1, stratum.accounts, lambda wrong: detection(stratum.accounts, wrong, stratum.checked) >= confidence)
    return Assurance(stratum, confidence, least)


def checks_needed(accounts: int, wrong: int, confidence: Fraction = CONFIDENCE) -> int:
    """Return how many accounts must check, unpredictably, to meet one of `wrong` with the confidence asked for."""
    _require(accounts, 0)
    if not 0 < wrong <= accounts:
        raise InputError(f"{wrong:,} wrong accounts of {accounts:,}")
    return _first(1, accounts, lambda checked: detection(accounts, wrong, checked) >= confidence)


def draw_sample(accounts: int, size: int, beacon: bytes) -> list[int]:
    """Return places of accounts to be checked, which follow from a value nobody knew before: a block's hash, say.

    Drawn without repetition by hashing; whoever knows the beacon draws the same ones.
    """
    _require(accounts, size)
    found: dict[int, None] = {}
    number = 0
    limit = (2**256 // accounts) * accounts  # above it a place would be more likely than another
    while len(found) < size:
        value = int.from_bytes(sha256(beacon + number.to_bytes(8)).digest())
        number += 1
        if value < limit:
            found.setdefault(value % accounts)
    return list(found)


def _require(accounts: int, checked: int) -> None:
    if not 0 < accounts <= MAX_ACCOUNTS or not 0 <= checked <= accounts:
        raise InputError(f"{checked:,} checked of {accounts:,} accounts; expected at most {MAX_ACCOUNTS:,} accounts")


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the least number for which a rising condition holds; one more than `high` when none does."""
    if not holds(high):
        return high + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _product(first: int, last: int) -> int:
    """Return first × … × last, by halves: large factors meet large factors."""
    if last - first < 64:
        return math.prod(range(first, last + 1))
    middle = (first + last) // 2
    return _product(first, middle) * _product(middle + 1, last)


def describe(found: Sequence[Assurance]) -> list[str]:
    """Return what each group's checks prove, in words."""
    lines = []
    for one in found:
        sure = f"{one.confidence.numerator * 100 // one.confidence.denominator} %"
        of = f"{one.stratum.name}: {one.stratum.checked:,} of {one.stratum.accounts:,} checked, none wrong"
        if one.fewer_than > one.stratum.accounts:
            lines.append(f"{of}. That proves nothing at {sure}: every account may be wrong.")
            continue
        parts = -(-one.share.numerator * 1_000_000 // one.share.denominator)
        share = f"at most {parts // 10_000}.{parts % 10_000:04d} %"
        lines.append(
            f"{of}. If nobody could predict who checks, at {sure} {one.fewer_than - 1:,} at most are wrong ({share})."
        )
    return lines
