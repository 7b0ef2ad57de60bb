"""Prices are exact intervals; a doubtful one is refused with its place."""

import json
from fractions import Fraction
from typing import Any

import pytest

from chains.ids import AssetId
from verifier.errors import InputError
from verifier.snapshot import parse_prices, price_records, unit_prices

ETH = "eip155:1/slip44:60"
GOOD = {
    "asset": ETH,
    "currency": "JPY",
    "low": "498000.5",
    "high": "502000",
    "source": "s",
    "at": "2026-01-02T00:00:00Z",
}


def parse(*records: dict[str, Any]) -> Any:
    return parse_prices(json.dumps(list(records)).encode(), "prices.json")


def test_a_price_of_one_base_unit_is_an_exact_fraction() -> None:
    price = unit_prices(parse(GOOD), "JPY", {ETH: 18})[AssetId(ETH)]
    assert (price.low, price.high) == (Fraction(4980005, 10**19), Fraction(502000, 10**18))


def test_prices_round_trip_sorted() -> None:
    other = GOOD | {"currency": "EUR"}
    assert price_records(parse(GOOD, other)) == [other, GOOD]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"low": 498000.5}, r"0\.low"),
        ({"low": "-1"}, r"0\.low"),
        ({"low": "1e9"}, r"0\.low"),
        ({"low": "NaN"}, r"0\.low"),
        ({"low": "600000"}, "`low` is above `high`"),
        ({"currency": "yen"}, r"0\.currency"),
        ({"at": "now"}, r"0\.at"),
        ({"surprise": 1}, r"0\.surprise"),
    ],
)
def test_a_doubtful_price_is_refused_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=rf"^prices\.json: .*{said}"):
        parse(GOOD | change)


def test_two_prices_for_one_asset_are_refused() -> None:
    with pytest.raises(InputError, match="has two prices in JPY"):
        parse(GOOD, GOOD)
