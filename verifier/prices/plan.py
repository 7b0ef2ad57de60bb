"""Which sources are asked for which price, and how many must answer in time: a file that travels in the bundle."""

import csv
import tomllib
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chains.ids import AssetField
from chains.providers import describe_validation
from verifier.errors import InputError
from verifier.files import read_file
from verifier.prices.dialects import Dialect, dialects
from verifier.records import parse_record

MAX_PLAN, MAX_CSV = 4 * 1024 * 1024, 16 * 1024 * 1024
MAX_ROWS = 100_000
CSV = "csv"

Share = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,8})(/[1-9][0-9]{0,8})?$")]
Text = Annotated[str, Field(max_length=500)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Source(_Record):
    """One source: a file (`csv`, whose rows travel in the plan) or a public interface.

    `url` is where it is asked and is never kept; `path` is, and stands in the transcript. A candle that is known by its
    begin closes `candle_seconds` later: that is the time of its price.
    """

    operator: str = Field(min_length=1, max_length=64, pattern=r"^[-_.a-zA-Z0-9 ]+$")
    dialect: str = Field(max_length=32)
    symbol: str = Field(default="", max_length=64)
    candle_seconds: int = Field(default=0, ge=0, le=31 * 86_400)
    path: Text = ""
    url: Text = Field(default="", exclude=True)
    file: Text = Field(default="", exclude=True)
    rows: list[tuple[int, str]] | None = Field(default=None, max_length=MAX_ROWS)


class Wanted(_Record):
    """One price: of what, in which currency, at one moment or as a mean over days, and from whom."""

    asset: AssetField
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    lookback_days: int = Field(default=0, ge=0, le=3_660)
    source: list[Source] = Field(min_length=1, max_length=32)


class PricePlan(_Record):
    """All prices of a run, and their rules: how many operators, how old, how far apart, how many days are present.

    `dialect` holds the plan's own dialects, and once it is loaded also the known ones it uses: what they mean later
    changes nothing in a replay.
    """

    format: Literal["reserve-verifier/prices/1"]
    minimum_operators: int = Field(default=2, ge=1, le=16)
    max_age_seconds: int = Field(default=3_600, ge=0, le=31 * 86_400)
    max_spread: Share = "5/100"
    days_present: Share = "9/10"
    dialect: dict[str, Dialect] = Field(default_factory=dict, max_length=64)
    price: list[Wanted] = Field(min_length=1, max_length=10_000)

    def to_record(self) -> dict[str, Any]:
        """Return what the bundle keeps: no address, the rows of files."""
        return self.model_dump(mode="json", exclude_none=True)

    def dialect_of(self, source: Source) -> Dialect:
        """Return how a source's answer is read; the plan's own word comes first."""
        return self.dialect[source.dialect] if source.dialect in self.dialect else dialects()[source.dialect]

    @property
    def spread(self) -> Fraction:
        return Fraction(self.max_spread)

    @model_validator(mode="after")
    def _known_and_once(self) -> Self:
        asked = [(wanted.asset, wanted.currency, wanted.lookback_days) for wanted in self.price]
        if len(set(asked)) != len(asked):
            raise ValueError("one price is asked for twice")
        known = {CSV, *dialects(), *self.dialect}
        unknown = {source.dialect for wanted in self.price for source in wanted.source} - known
        if unknown:
            raise ValueError(f"unknown dialect {sorted(unknown)[0]!r}; known: {', '.join(sorted(known))}")
        if CSV in self.dialect:
            raise ValueError(f"{CSV!r} is the name of files, not of a dialect")
        return self


def load_plan(path: Path) -> PricePlan:
    """Read a plan (TOML) with the files it names, which lie beside it. Raises InputError, UnavailableError."""
    try:
        plan = PricePlan.model_validate(tomllib.loads(read_file(path, MAX_PLAN).decode("utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = describe_validation(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(f"{path}: {reason}") from error
    used = {source.dialect for wanted in plan.price for source in wanted.source}
    known = {name: dialect for name, dialect in dialects().items() if name in used}
    filled = [_with_rows(wanted, path.parent) for wanted in plan.price]
    return plan.model_copy(update={"price": filled, "dialect": {**known, **plan.dialect}})


def read_plan(text: bytes, where: str) -> PricePlan:
    """Read the plan that a bundle keeps. Raises InputError."""
    return parse_record(text, where, lambda record: PricePlan.model_validate(record, strict=False))


def _with_rows(wanted: Wanted, folder: Path) -> Wanted:
    sources = [
        source.model_copy(update={"rows": read_rows(folder / source.file)}) if source.dialect == CSV else source
        for source in wanted.source
    ]
    return wanted.model_copy(update={"source": sources})


def read_rows(path: Path) -> list[tuple[int, str]]:
    """Read a price file: columns `time` (2026-11-22 or 2026-11-22T00:00:00Z) and `price`, a plain decimal.

    Returns Unix seconds and the price as written. Raises InputError naming the line.
    """
    try:
        text = read_file(path, MAX_CSV).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8") from error
    try:
        table = csv.DictReader(text.splitlines())
        if not {"time", "price"} <= set(table.fieldnames or ()):
            raise InputError(f"{path}: expected the columns `time` and `price`, found {table.fieldnames}")
        rows: list[tuple[int, str]] = []
        for number, row in enumerate(table, 2):
            if number > MAX_ROWS:
                raise InputError(f"{path}: more than {MAX_ROWS:,} rows")
            rows.append((_moment(row["time"], f"{path}: line {number}"), str(row["price"]).strip()))
    except csv.Error as error:
        raise InputError(f"{path}: is no CSV: {error}") from error
    return rows


def _moment(text: str | None, where: str) -> int:
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"):
        try:
            return int(datetime.strptime((text or "").strip(), form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    raise InputError(f"{where}: {str(text)[:40]!r} is no time; expected 2026-11-22 or 2026-11-22T00:00:00Z")
