"""From sources to quotes: enough operators, in time, and an interval that holds all of them."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from chains.errors import ChainError
from chains.ids import ChainId
from chains.providers import Provider
from chains.rest import decode_page
from chains.transport import Request, Response, Transport
from verifier.declaration import utc_seconds, utc_text
from verifier.errors import InputError
from verifier.prices.dialects import Point, exact_price, read_points
from verifier.prices.plan import CSV, PricePlan, Source, Wanted
from verifier.snapshot import PriceQuote

PLACE = ChainId("prices:spot")  # the transcript's name for what is no chain
SECONDS_PER_DAY = 86_400
DIGITS = 18


class Heard(NamedTuple):
    """What one source said for one price, or why it does not count."""

    asset: str
    currency: str
    lookback_days: int
    operator: str
    price: Fraction | None
    moment: int | None
    evidence: str
    reason: str = ""


class Gathered(NamedTuple):
    """The quotes, everything that was heard, and the prices for which too little was."""

    quotes: tuple[PriceQuote, ...] = ()
    heard: tuple[Heard, ...] = ()
    refused: tuple[str, ...] = ()

    def to_record(self) -> list[list[Any]]:
        """Return what was heard as JSON values."""
        return [[*one[:4], None if one.price is None else str(one.price), *one[5:]] for one in self.heard]


def gather_quotes(plan: PricePlan, as_of: str, transport: Transport) -> Gathered:
    """Ask every source and make one quote of each price for which enough operators answer in time.

    The quote is the interval from the lowest to the highest; a spread beyond the plan's is said in its source. Fewer
    operators make no quote: a price that nobody confirms is missing, not guessed.
    """
    quotes: list[PriceQuote] = []
    heard: list[Heard] = []
    refused: list[str] = []
    for wanted in plan.price:
        found = [_hear(plan, wanted, source, utc_seconds(as_of), transport) for source in wanted.source]
        heard.extend(found)
        good = [one for one in found if one.price is not None]
        operators = {one.operator for one in good}
        if len(operators) < plan.minimum_operators:
            refused.append(_refusal(plan, wanted, len(operators), found))
            continue
        quotes.append(_quote(plan, wanted, good, as_of))
    return Gathered(tuple(quotes), tuple(heard), tuple(refused))


def _refusal(plan: PricePlan, wanted: Wanted, operators: int, found: Sequence[Heard]) -> str:
    what = f"{wanted.asset} in {wanted.currency}"
    mean = f", mean of {wanted.lookback_days} days" if wanted.lookback_days else ""
    why = "; ".join(f"{one.operator}: {one.reason}" for one in found if one.reason)
    return f"{what}{mean}: {operators} of {plan.minimum_operators} operators. {why}".strip()


def _quote(plan: PricePlan, wanted: Wanted, good: Sequence[Heard], as_of: str) -> PriceQuote:
    prices = [one.price for one in good if one.price is not None]
    low, high = min(prices), max(prices)
    disputed = " (disputed)" if high - low > plan.spread * low else ""
    source = f"{', '.join(sorted({one.operator for one in good}))[:180]}{disputed}"
    return PriceQuote(
        asset=wanted.asset,
        currency=wanted.currency,
        low=_decimal(low, up=False),
        high=_decimal(high, up=True),
        source=source,
        at=as_of,
        lookback_days=wanted.lookback_days,
    )


def _hear(plan: PricePlan, wanted: Wanted, source: Source, as_of: int, transport: Transport) -> Heard:
    about = (wanted.asset, wanted.currency, wanted.lookback_days, source.operator)
    evidence = ""
    try:
        if source.dialect == CSV:
            evidence = "price-plan"
            points = sorted(Point(moment, exact_price(price)) for moment, price in source.rows or [])
        else:
            provider = Provider(source.operator, PLACE, source.dialect, url=source.url)
            response = transport.send(provider, Request("GET", source.path))
            evidence = response.evidence
            points = _points(plan, wanted, source, provider, response)
        price, moment = (_mean if wanted.lookback_days else _latest)(plan, wanted, points, as_of)
    except (ChainError, InputError) as error:
        return Heard(*about, None, None, evidence, str(error)[:300])
    return Heard(*about, price, moment, evidence)


def _points(plan: PricePlan, wanted: Wanted, source: Source, provider: Provider, response: Response) -> list[Point]:
    """Return the prices an interface tells; a redirect is not followed, as it would leave whom the plan names."""
    if response.status >= 300:
        raise InputError(f"HTTP {response.status}")
    names = {"{symbol}": source.symbol, "{currency}": wanted.currency.lower()}
    points = read_points(plan.dialect_of(source), decode_page(provider, response), names)
    return [_at_close(point, source.candle_seconds) for point in points]


def _at_close(point: Point, candle_seconds: int) -> Point:
    """Return a candle's price at its last second, which is still a part of its day."""
    if point.moment is None or not candle_seconds:
        return point
    return point._replace(moment=point.moment + candle_seconds - 1)


def _latest(plan: PricePlan, wanted: Wanted, points: Sequence[Point], as_of: int) -> tuple[Fraction, int | None]:
    """Return the price nearest to a moment, not older or younger than the plan allows."""
    timed = [point for point in points if point.moment is not None]
    if not timed:
        if not points:
            raise InputError("the answer holds no price")
        raise InputError("the source tells no time, so its price cannot be placed")
    best = min(timed, key=lambda point: abs((point.moment or 0) - as_of))
    apart = abs((best.moment or 0) - as_of)
    if apart > plan.max_age_seconds:
        raise InputError(f"the nearest price is of {utc_text(best.moment or 0)}, {apart:,} seconds away")
    return best.price, best.moment


def _mean(plan: PricePlan, wanted: Wanted, points: Sequence[Point], as_of: int) -> tuple[Fraction, int | None]:
    """Return the mean of the last price of each day before a moment; too many missing days make none."""
    last_day = as_of // SECONDS_PER_DAY
    by_day: dict[int, Fraction] = {}
    for point in points:
        day = (point.moment or 0) // SECONDS_PER_DAY
        if point.moment is not None and last_day - wanted.lookback_days <= day < last_day:
            by_day[day] = point.price
    if not by_day or len(by_day) < Fraction(plan.days_present) * wanted.lookback_days:
        raise InputError(f"prices of {len(by_day)} of the {wanted.lookback_days} days")
    return sum(by_day.values(), Fraction(0)) / len(by_day), as_of


def _decimal(value: Fraction, up: bool) -> str:
    """Return a decimal of at most 18 digits behind the point, rounded outwards where it does not end."""
    scaled = value.numerator * 10**DIGITS
    units = -(-scaled // value.denominator) if up else scaled // value.denominator
    whole, rest = divmod(units, 10**DIGITS)
    digits = str(rest).rjust(DIGITS, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
