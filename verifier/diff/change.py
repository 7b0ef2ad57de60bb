"""One difference between two runs."""

from typing import NamedTuple


class Change(NamedTuple):
    """A difference: a code for programs, in words, and whether it asks for an explanation."""

    code: str
    text: str
    explain: bool
