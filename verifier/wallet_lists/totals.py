"""Does a list's own arithmetic hold? Every declared total against the exact sum of its rows."""

from collections.abc import Callable, Iterable, Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from typing import Any, NamedTuple

from chains.ids import ChainId
from verifier.wallet_lists.networks import network_of_row, normal, parse_label
from verifier.wallet_lists.record import DeclaredTotal, Role, Row, exact_sum
from verifier.wallet_lists.tables import is_group

ZERO = Decimal(0)
SPREADSHEET_DIGITS = 15  # what a spreadsheet keeps of a number
FEWEST_DECIMALS = 2
SHOWN_DIGITS = 10  # what it shows of one unless told otherwise
Test = Callable[[str, str, ChainId | None], bool]


class Match(StrEnum):
    """How a declared total stands to the sum of its rows."""

    EQUAL = "equal"
    ROUNDED = "rounded"  # the exact sum, rounded to the digits the total is printed with
    ROUNDING = "rounding"  # no further off than rounding each row can make it
    NO_ROWS = "no-rows"
    DIFFERS = "differs"


class Sum(NamedTuple):
    """The rows of one label: their exact sum, how many they are, and what tells how far rounding can have moved it.

    `decimals` is the most any row shows, `slack` half a unit of each row's tenth digit: spreadsheets show either a
    fixed number of decimals or ten digits. Amounts with fewer than two decimals are taken as they stand.
    """

    amount: Decimal = ZERO
    rows: int = 0
    decimals: int = 0
    slack: Decimal = ZERO

    @classmethod
    def of(cls, amount: Decimal) -> "Sum":
        """Return the sum of one row."""
        slack = Decimal(5).scaleb(amount.adjusted() - SHOWN_DIGITS) if amount else ZERO
        return cls(amount, 1, _decimals(amount), slack)

    def plus(self, other: "Sum") -> "Sum":
        """Return both together."""
        amount, slack = exact_sum(self.amount, other.amount), exact_sum(self.slack, other.slack)
        return Sum(amount, self.rows + other.rows, max(self.decimals, other.decimals), slack)

    @property
    def tolerance(self) -> Decimal:
        """Return how far the sum may be from the one that was rounded row by row."""
        fixed = self.rows * Decimal(5).scaleb(-self.decimals - 1) if self.decimals >= FEWEST_DECIMALS else ZERO
        return max(self.slack, fixed)


class TotalCheck(NamedTuple):
    """One declared total, the sum it was compared with, and what came of it."""

    total: DeclaredTotal
    sum: Decimal
    rows: int
    match: Match

    @property
    def difference(self) -> Decimal:
        """Return how much more was declared than the rows hold."""
        return exact_sum(self.total.amount, -self.sum)

    def to_record(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "asset": self.total.label,
            "declared": plain(self.total.amount),
            "sum": plain(self.sum),
            "difference": plain(self.difference),
            "rows": self.rows,
            "result": self.match.value,
        }


class Sums:
    """Adds up rows by label, network and asset."""

    def __init__(self) -> None:
        self.labels: dict[tuple[str, str, ChainId | None], Sum] = {}

    def add(self, row: Row) -> None:
        """Count a row's amount; owners and unspendable coins hold nothing that counts."""
        if row.amount is None or row.role in (Role.OWNER, Role.UNSPENDABLE):
            return
        network, _ = network_of_row(row.network, row.asset, row.address)
        key = (normal(row.asset), parse_label(row.asset).unit, network.chain if network else None)
        self.labels[key] = self.labels.get(key, Sum()).plus(Sum.of(row.amount))

    def check(self, totals: Iterable[DeclaredTotal], *, exact: bool = False) -> tuple[TotalCheck, ...]:
        """Compare every declared total with the sums it can mean; the one that fits best counts.

        With `exact` no digit may differ, otherwise a difference that rounding explains is told from one it does not.
        """
        stated = tuple(totals)
        grouped = {normal(total.label[:-5]) for total in stated if is_group(total.label)}
        return tuple(_check(total, list(self._readings(total, grouped)), exact) for total in stated)

    def _readings(self, total: DeclaredTotal, grouped: set[str]) -> Iterator[Sum]:
        if is_group(total.label):
            unit = normal(total.label[:-5])
            yield self._sum(lambda label, of, chain: unit in (of, label))
            if total.parts:
                parts = [self._label(part) for part in total.parts]
                yield self._sum(lambda label, of, chain: any(part(label, of, chain) for part in parts))
            return
        yield self._sum(self._label(total.label))
        label = parse_label(total.label)
        if normal(total.label) == label.unit and label.unit not in grouped:
            yield self._sum(lambda _, of, chain: of == label.unit)

    def _label(self, text: str) -> Test:
        """Return the test for the rows of a label: the label itself if rows have it, else its asset and network."""
        name, parsed = normal(text), parse_label(text)
        if any(label == name for label, _, _ in self.labels):
            return lambda label, of, chain: label == name
        chain_meant = parsed.network.chain if parsed.network else None
        return lambda label, of, chain: of == parsed.unit and chain is not None and chain == chain_meant

    def _sum(self, test: Test) -> Sum:
        found = Sum()
        for key, part in self.labels.items():
            if test(*key):
                found = found.plus(part)
        return found


def _check(total: DeclaredTotal, readings: list[Sum], exact: bool) -> TotalCheck:
    order = list(Match)
    checks = [
        TotalCheck(total, reading.amount, reading.rows, _match(total.amount, reading, exact)) for reading in readings
    ]
    return min(checks, key=lambda check: (order.index(check.match), abs(check.difference)))


def _match(declared: Decimal, found: Sum, exact: bool) -> Match:
    if not found.rows:
        return Match.EQUAL if declared == 0 else Match.NO_ROWS
    if declared == found.amount or exact:
        return Match.EQUAL if declared == found.amount else Match.DIFFERS
    unit = Decimal(1).scaleb(-_decimals(declared))
    with localcontext() as context:
        context.prec = 400
        shown = Decimal(1).scaleb(found.amount.adjusted() - SPREADSHEET_DIGITS + 1)
        units = (unit, max(unit, shown))
        if any(found.amount.quantize(u, mode) == declared for u in units for mode in (ROUND_HALF_UP, ROUND_DOWN)):
            return Match.ROUNDED
        allowed = exact_sum(found.tolerance, unit / 2)
        return Match.ROUNDING if abs(declared - found.amount) <= allowed else Match.DIFFERS


def _decimals(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def plain(amount: Decimal) -> str:
    """Return an exact amount without exponent and without idle zeros."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text
