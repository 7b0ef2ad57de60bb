"""Answers of price interfaces: whose words they are, and the time that a price is of."""

from fractions import Fraction

import pytest

from tests.verifier.price_apis import AS_OF, DAY, NOW, apis, gathered, plan, source

OWN = {"rows": ["ticks"], "price": ["p", 1], "time": ["t"], "unit": "iso"}


def test_a_plan_may_bring_its_own_dialect() -> None:
    pages = {"/own": (200, f'{{"ticks": [{{"t": "{AS_OF}", "p": ["x", 1.5e2]}}]}}')}
    with apis(pages) as url:
        asked = plan(source("own", "/own", url), minimum_operators=1, dialect={"own": OWN})
        assert gathered(asked).quotes[0].low == "150"
    for broken in ({**OWN, "price": [-1]}, {**OWN, "unit": "days"}, {**OWN, "colour": "x"}, {**OWN, "price": [True]}):
        with pytest.raises(ValueError, match="own"):
            plan(source("own", "/own", ""), dialect={"own": broken})
    with pytest.raises(ValueError, match="name of files"):
        plan(source("csv", "", ""), dialect={"csv": OWN})


@pytest.mark.parametrize(
    ("dialect", "page"),
    [
        ("binance-klines", f'[[{(NOW - 60) * 1000}, "1", "9", "1", "0.1", "5", {NOW * 1000 - 1}, "7"]]'),
        ("okx-candles", f'{{"code": "0", "data": [["{NOW * 1000}", "1", "9", "1", "0.1", "5"]]}}'),
        ("bitstamp-ohlc", f'{{"data": {{"pair": "x", "ohlc": [{{"timestamp": "{NOW}", "close": "0.1"}}]}}}}'),
    ],
)
def test_times_and_prices_written_as_text_are_read(dialect: str, page: str) -> None:
    with apis({"/": (200, page)}) as url:
        (heard,) = gathered(plan(source(dialect, "/", url), minimum_operators=1)).heard
    assert (heard.price, abs((heard.moment or 0) - NOW) <= 1) == (Fraction(1, 10), True)


def test_the_price_of_a_candle_is_of_its_end() -> None:
    """A daily candle that begins at the moment closes a day too late; the one before closes in time."""
    candle = f"[[{NOW}, 1, 9, 5, 200, 7], [{NOW - DAY}, 1, 9, 5, 100, 7]]"
    with apis({"/": (200, candle)}) as url:
        daily = {**source("coinbase-candles", "/", url), "candle_seconds": DAY}
        (heard,) = gathered(plan(daily, minimum_operators=1)).heard
        assert (heard.price, heard.moment) == (Fraction(100), NOW - 1)
        mean = gathered(plan(daily, minimum_operators=1, lookback=1)).quotes[0]
        assert mean.low == mean.high == "100"
