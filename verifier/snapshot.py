"""The moment that is judged: prices with their source and spread; the blocks come from the chains themselves."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from chains.ids import AssetField, AssetId
from verifier.declaration import UtcTime
from verifier.errors import InputError
from verifier.files import read_file
from verifier.records import parse_record

MAX_PRICES = 10_000
MAX_BYTES = 16 * 1024 * 1024

Decimal = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?$", description="a plain decimal")]


class PriceQuote(BaseModel):
    """What one whole coin is worth: an interval from the sources' spread, in `currency` (ISO 4217)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    asset: AssetField
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    low: Decimal
    high: Decimal
    source: str = Field(min_length=1, max_length=200)
    at: UtcTime
    lookback_days: int = Field(default=0, ge=0, le=3_660, description="a mean over so many days; 0: one moment")


class Price(NamedTuple):
    """Value of one base unit as an interval of exact fractions."""

    low: Fraction
    high: Fraction
    source: str


_QUOTES = TypeAdapter(list[PriceQuote])


def parse_prices(text: bytes, where: str) -> tuple[PriceQuote, ...]:
    """Read a JSON list of price quotes. Raises InputError naming the file and the field."""
    quotes = parse_record(text, where, _QUOTES.validate_python)
    if len(quotes) > MAX_PRICES:
        raise InputError(f"{where}: more than {MAX_PRICES:,} prices")
    seen: set[tuple[str, str, int]] = set()
    for number, quote in enumerate(quotes):
        if Fraction(quote.low) > Fraction(quote.high):
            raise InputError(f"{where}: {number}: `low` is above `high`")
        if (quote.asset, quote.currency, quote.lookback_days) in seen:
            raise InputError(f"{where}: {number}: {quote.asset} has two prices in {quote.currency}")
        seen.add((quote.asset, quote.currency, quote.lookback_days))
    return tuple(quotes)


def load_prices(path: Path) -> tuple[PriceQuote, ...]:
    """Read a price file. Raises UnavailableError when it cannot be read, InputError when it is malformed."""
    return parse_prices(read_file(path, MAX_BYTES), str(path))


def merged_prices(stated: Iterable[PriceQuote], gathered: Iterable[PriceQuote]) -> tuple[PriceQuote, ...]:
    """Return quotes of a file and gathered ones together; where both speak of a price, the gathered one counts."""
    found = {(quote.asset, quote.currency, quote.lookback_days): quote for quote in (*stated, *gathered)}
    return tuple(found.values())


def unit_prices(quotes: Iterable[PriceQuote], currency: str, decimals: dict[str, int]) -> dict[AssetId, Price]:
    """Return the price of one base unit per asset, in `currency`."""
    return {
        AssetId(quote.asset): Price(
            Fraction(quote.low) / 10 ** decimals[quote.asset],
            Fraction(quote.high) / 10 ** decimals[quote.asset],
            f"{quote.source} at {quote.at}",
        )
        for quote in quotes
        if quote.currency == currency and quote.asset in decimals
    }


def price_records(quotes: Iterable[PriceQuote]) -> list[dict[str, Any]]:
    """Return quotes as JSON values, sorted, so that equal prices give equal bytes."""
    in_order = sorted(quotes, key=lambda quote: (quote.asset, quote.currency, quote.lookback_days))
    return [quote.model_dump(mode="json", exclude_defaults=True) for quote in in_order]
