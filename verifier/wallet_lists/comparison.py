"""Several lists side by side: what came, what went, which signatures are old, and which address two exchanges claim."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from verifier.wallet_lists.dates import ListDate
from verifier.wallet_lists.survey import Survey

SHOWN = 10


class Dated(NamedTuple):
    """A list as the comparison sees it."""

    file: str
    exchange: str
    day: ListDate | None
    survey: Survey


class Step(NamedTuple):
    """From one list of an exchange to its next one."""

    first: str
    second: str
    new: int
    vanished: int
    reused: int


class ReusedSignature(NamedTuple):
    """The same signature bytes in lists of different days."""

    address: str
    first: str
    last: str
    days: int


class DoubleClaim(NamedTuple):
    """An address that lists of different exchanges claim."""

    account: str
    claims: tuple[tuple[str, str, int], ...]


class Comparison(NamedTuple):
    """What several lists show together; `to_record` is what `--json` prints."""

    steps: tuple[Step, ...] = ()
    reused: int = 0
    oldest: tuple[ReusedSignature, ...] = ()
    double_claims: tuple[DoubleClaim, ...] = ()

    @property
    def oldest_days(self) -> int:
        """Return the age of the oldest signature that is still in use."""
        return self.oldest[0].days if self.oldest else 0

    def to_record(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "steps": [
                {
                    "from": step.first,
                    "to": step.second,
                    "new": step.new,
                    "vanished": step.vanished,
                    "reused": step.reused,
                }
                for step in self.steps
            ],
            "reused_signatures": {
                "count": self.reused,
                "oldest_days": self.oldest_days,
                "oldest": [reused._asdict() for reused in self.oldest],
            },
            "claimed_by_two_exchanges": [
                {
                    "account": claim.account,
                    "claims": [{"exchange": who, "file": file, "line": line} for who, file, line in claim.claims],
                }
                for claim in self.double_claims
            ],
        }


def compare(lists: Sequence[Dated]) -> Comparison:
    """Compare lists of one exchange over time, and all of them with each other; undated ones come first, as given."""
    ordered = sorted(lists, key=lambda each: each.day.day if each.day else date.min)
    reused = sorted(_reused(ordered), key=lambda each: (-each.days, each.address))
    claims = tuple(_double_claims(ordered))
    return Comparison(tuple(_steps(ordered)), len(reused), tuple(reused[:SHOWN]), claims)


def _steps(ordered: Sequence[Dated]) -> Iterator[Step]:
    last: dict[str, Dated] = {}
    for each in ordered:
        before = last.get(each.exchange)
        if before is not None:
            old, new = before.survey.wallets.keys(), each.survey.wallets.keys()
            reused = len(before.survey.signatures.keys() & each.survey.signatures.keys())
            yield Step(before.file, each.file, len(new - old), len(old - new), reused)
        last[each.exchange] = each


def _reused(ordered: Sequence[Dated]) -> Iterator[ReusedSignature]:
    first: dict[bytes, Dated] = {}
    last: dict[bytes, Dated] = {}
    for each in ordered:
        if each.day is None:
            continue
        for signature in each.survey.signatures:
            first.setdefault(signature, each)
            last[signature] = each
    for signature, end in last.items():
        start = first[signature]
        if start.day is None or end.day is None or end.day.day <= start.day.day:
            continue
        days = (end.day.day - start.day.day).days
        yield ReusedSignature(end.survey.signatures[signature].address, start.file, end.file, days)


def _double_claims(ordered: Sequence[Dated]) -> Iterator[DoubleClaim]:
    claims: dict[str, dict[str, tuple[str, str, int]]] = {}
    if len({each.exchange for each in ordered}) < 2:
        return
    for each in ordered:
        for account, line in each.survey.wallets.items():
            claims.setdefault(account, {}).setdefault(each.exchange, (each.exchange, each.file, line))
    for account, by_exchange in claims.items():
        if len(by_exchange) > 1:
            yield DoubleClaim(account, tuple(by_exchange.values()))
