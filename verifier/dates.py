"""A date that somebody wrote into a text."""

import re
from datetime import UTC, date, datetime, timedelta

from verifier.errors import InputError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMERIC = re.compile(r"(?<![0-9])(20[0-9]{2})([-/.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12][0-9]|3[01])")
_WORDED = re.compile(
    r"(?i)\b(?:([0-9]{1,2})(?:st|nd|rd|th)?\s+)?([a-z]{3})[a-z]*\.?\s+(?:([0-9]{1,2}),?\s+)?(20[0-9]{2})"
)
_UNIX = re.compile(r"(?<![0-9])(1[0-9]{9})(?:[0-9]{3})?(?![0-9])")


def checked_day(text: str) -> str:
    """Return a day (YYYY-MM-DD) somebody typed, or nothing for nothing. Raises InputError for anything else."""
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError as error:
        raise InputError(f"{text!r} is no day; expected one such as 2026-11-22") from error


def date_in_text(text: str) -> date | None:
    """Return a date that a text states: 2026-01-31, 20260131, 31 January 2026, or a Unix time of ten digits."""
    match = _NUMERIC.search(text)
    if match:
        return _date(int(match[1]), int(match[3]), int(match[4]))
    match = _WORDED.search(text)
    if match and match[2].lower() in _MONTHS:
        return _date(int(match[4]), _MONTHS.index(match[2].lower()) + 1, int(match[1] or match[3] or 1))
    match = _UNIX.search(text)
    return day_of(int(match[1])) if match else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # the thirty-first of a month that has none
        return None


def day_of(seconds: int) -> date:
    """Return the day of a Unix time."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).date()
