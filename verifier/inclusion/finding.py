"""Something wrong with a proof, or worth knowing about it."""

from typing import NamedTuple


class Finding(NamedTuple):
    """Something wrong with a proof: a code for machines, a sentence for people."""

    code: str
    text: str
