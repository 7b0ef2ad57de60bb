"""Prices as they were used, and what every source said of them."""

from fractions import Fraction

from verifier.case import Case
from verifier.declaration import utc_text
from verifier.policy.amounts import show_number
from verifier.policy.japanese import in_japanese, known_in_japanese
from verifier.prices.gather import Heard
from verifier.report.content import HeardRow, PriceRow
from verifier.report.names import asset_names
from verifier.report.words import Words


def price_rows(case: Case, say: Words) -> tuple[PriceRow, ...]:
    """Return every price that was used or asked for, with what each source said."""
    heard: dict[tuple[str, str, int], list[Heard]] = {}
    for one in case.heard:
        heard.setdefault((one.asset, one.currency, one.lookback_days), []).append(one)
    used = {(quote.asset, quote.currency, quote.lookback_days): quote for quote in case.prices}
    names = asset_names(case)
    rows = []
    for key in sorted({**used, **heard}):
        asset, currency, days = key
        quote = used.get(key)
        rows.append(
            PriceRow(
                asset,
                names.get(asset, asset),
                currency,
                say("prices.mean", days=days) if days else say("prices.moment"),
                "" if quote is None else _used(quote.low, quote.high, say),
                _source(quote.source, say) if quote else say("prices.refused"),
                quote.at if quote else "",
                tuple(_heard(one, say) for one in heard.get(key, ())),
            )
        )
    return tuple(rows)


def _used(low: str, high: str, say: Words) -> str:
    lower, upper = (show_number(Fraction(bound)) for bound in (low, high))
    return lower if lower == upper else say("prices.between", low=lower, high=upper)


def _source(source: str, say: Words) -> str:
    return (known_in_japanese(source) or source) if say.japanese else source


def _heard(one: Heard, say: Words) -> HeardRow:
    price = "" if one.price is None else show_number(one.price).removeprefix("about ")
    reason = in_japanese(one.reason) if say.japanese and one.reason else one.reason
    return HeardRow(one.operator, price, "" if one.moment is None else utc_text(one.moment), reason, one.evidence)
