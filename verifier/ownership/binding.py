"""What a signed message is bound to: this very declaration, this exchange and date, or nothing; and how old it is."""

from datetime import date
from enum import IntEnum
from typing import NamedTuple

from verifier.dates import date_in_text
from verifier.declaration import Declaration


class Binding(IntEnum):
    """What a message names; a signature over a text that names nothing can be years old, or anybody's."""

    NONE = 0  # a text that fits any exchange on any day
    NAMED = 1  # this exchange and this date
    ATTESTATION = 2  # this declaration, by its digest, at this date

    @property
    def label(self) -> str:
        return ("nothing", "the exchange and the date", "this declaration")[self]


class Terms(NamedTuple):
    """What a message can be bound to: an exchange, a moment, and a declaration by its digest."""

    exchange: str
    as_of: str
    digest: str


def terms_of(declaration: Declaration) -> Terms:
    """Return what the claims of a declaration can be bound to."""
    return Terms(declaration.exchange.id, declaration.as_of, declaration.challenge_digest)


def bind(terms: Terms, message: str) -> Binding:
    """Say what a message is bound to."""
    if terms.as_of not in message:
        return Binding.NONE
    if terms.digest in message:
        return Binding.ATTESTATION
    return Binding.NAMED if terms.exchange in message else Binding.NONE


def age_days(terms: Terms, message: str) -> int | None:
    """Return the days from the date a message states to the declaration's `as_of`; None when it states no date."""
    stated = date_in_text(message)
    return None if stated is None else (date.fromisoformat(terms.as_of[:10]) - stated).days
