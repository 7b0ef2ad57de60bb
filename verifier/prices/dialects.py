"""How to find prices in an answer: a table of public interfaces, and one function that follows it."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from verifier.errors import InputError

MAX_ROWS = 100_000
MAX_PRICE = 10**30
_PRICE = re.compile(r"[0-9]{1,80}(\.[0-9]{1,80})?([eE][-+]?[0-9]{1,3})?")
_WHOLE = re.compile(r"[0-9]{1,16}")

Step = Annotated[str, Field(max_length=64)] | Annotated[int, Field(ge=0, le=10_000)]
Way = Annotated[list[Step], Field(max_length=16)]


class Dialect(BaseModel):
    """Where prices and times are; `rows` is None for an answer with one price, `time` for one without a time."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    rows: Way | None = None
    price: Way
    time: Way | None = None
    unit: Literal["seconds", "milliseconds", "iso"] = "seconds"


class Point(NamedTuple):
    """A price at a Unix time; None when the source tells no time."""

    moment: int | None
    price: Fraction


@cache
def dialects() -> dict[str, Dialect]:
    """Return the known dialects by name."""
    table = tomllib.loads((files("verifier.prices") / "dialects.toml").read_text("utf-8"))
    return {name: Dialect.model_validate(row) for name, row in table.items()}


def read_points(dialect: Dialect, answer: Any, names: Mapping[str, str]) -> list[Point]:
    """Return the prices in an answer, in the order of their times. Raises InputError naming what is not there."""
    rows = [answer] if dialect.rows is None else _follow(answer, dialect.rows, names)
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise InputError(f"expected a list of at most {MAX_ROWS:,} rows")
    return sorted(_points(dialect, rows, names), key=lambda point: point.moment or 0)


def _points(dialect: Dialect, rows: list[Any], names: Mapping[str, str]) -> Iterator[Point]:
    for row in rows:
        moment = None if dialect.time is None else _moment(_follow(row, dialect.time, names), dialect.unit)
        yield Point(moment, exact_price(_follow(row, dialect.price, names)))


def exact_price(value: Any) -> Fraction:
    """Return a price as an exact fraction. Raises InputError for what is no positive decimal of ordinary size."""
    text = str(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    number = Decimal(text) if len(text) <= 80 and _PRICE.fullmatch(text) else Decimal(0)
    if abs(number.adjusted()) > 30 or not 0 < number < MAX_PRICE:
        raise InputError(f"{str(value)[:40]!r} is no price")
    return Fraction(number)


def _follow(value: Any, way: list[Step], names: Mapping[str, str]) -> Any:
    for step in way:
        key = names.get(step, step) if isinstance(step, str) else step
        inside = isinstance(value, dict) and isinstance(key, str) and key in value
        placed = isinstance(value, list) and isinstance(key, int) and key < len(value)
        if not inside and not placed:
            raise InputError(f"the answer has no {key!r}")
        value = value[key]
    return value


def _moment(value: Any, unit: str) -> int:
    if unit == "iso" and isinstance(value, str):
        try:
            found = datetime.fromisoformat(value[:40].replace("Z", "+00:00"))
        except ValueError as error:
            raise InputError(f"{value[:40]!r} is no time") from error
        return int(found.replace(tzinfo=found.tzinfo or UTC).timestamp())
    number = int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value
    if isinstance(number, bool) or not isinstance(number, int | Decimal) or not 0 <= number < 10**16:
        raise InputError(f"{str(value)[:40]!r} is no time")
    whole = int(number)
    return whole // 1_000 if unit == "milliseconds" else whole
