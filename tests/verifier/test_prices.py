"""Prices from several sources: exact, recorded, in time, and missing where too few answer."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.http import HttpTransport, Limits
from chains.transcript import RecordingTransport, ReplayTransport
from tests.verifier.played import played
from tests.verifier.price_apis import BTC, DAY, NOW, PAGES, apis, chart, gathered, plan, rows_plan, source
from verifier.declaration import load_declaration, utc_seconds
from verifier.errors import InputError
from verifier.further import Plans
from verifier.prices.dialects import exact_price
from verifier.prices.plan import load_plan, read_plan
from verifier.run import collect
from verifier.verdict import Verdict
from verifier.verification import verify_bundle


def test_every_dialect_is_read_exactly_and_the_interval_holds_all() -> None:
    with apis(PAGES) as url:
        asked = plan(
            source("coinbase-candles", "/candles", url), source("kraken-ohlc", "/ohlc", url),
            source("coingecko-chart", "/chart", url), source("coingecko-simple", "/simple", url),
        )  # fmt: skip
        found = gathered(asked)
    assert [one.price for one in found.heard] == [Fraction(1, 10), Fraction(3, 10), Fraction(1, 5), Fraction(1, 4)]
    (quote,) = found.quotes
    assert (quote.low, quote.high, found.refused) == ("0.1", "0.3", ())
    assert "disputed" in quote.source


@pytest.mark.parametrize(
    ("path", "said"),
    [("/late", "3,601 seconds away"), ("/nan", "no price"), ("/negative", "no price"), ("/zero", "no price"),
     ("/huge", "no price"), ("/moved", "HTTP 302"), ("/down", "HTTP 500"), ("/shape", "has no 'XXBTZJPY'"),
     ("/text", ""), ("/none", "HTTP 404")],
)  # fmt: skip
def test_what_is_no_price_in_time_leaves_too_few(path: str, said: str) -> None:
    dialect = "coinbase-candles" if path == "/late" else "kraken-ohlc"
    with apis(PAGES) as url:
        found = gathered(plan(source(dialect, path, url), source("coingecko-chart", "/chart", url)))
    assert (found.quotes, len(found.refused)) == ((), 1)
    assert said in found.heard[0].reason and found.heard[0].reason


def test_two_interfaces_of_one_operator_are_one_voice() -> None:
    with apis(PAGES) as url:
        two = [source("kraken-ohlc", "/ohlc", url, "one"), source("coingecko-chart", "/chart", url, "one")]
        assert gathered(plan(*two)).quotes == ()
        assert gathered(plan(*two, minimum_operators=1)).quotes[0].high == "0.3"


def test_a_replay_hears_the_same_without_a_network(tmp_path: Path) -> None:
    with apis(PAGES) as url:
        asked = plan(source("kraken-ohlc", "/ohlc", url), source("coingecko-chart", "/chart", url))
        recording = RecordingTransport(HttpTransport(Limits(tries=1)), tmp_path / "journal")
        live = gathered(asked, recording)
        transcript = recording.close()
    kept = read_plan(json.dumps(asked.to_record()).encode(), "price-plan.json")
    assert "127.0.0.1" not in json.dumps(asked.to_record())
    again = gathered(kept, ReplayTransport(transcript))
    assert (again, len(live.quotes)) == (live, 1)


def test_an_answer_that_is_left_out_is_still_evidence_and_one_that_never_came_is_none() -> None:
    with apis({**PAGES, "/flood": (200, "9" * 3_000)}) as url:
        bounded = HttpTransport(Limits(tries=1, bytes=2_000))
        asked = plan(*(source("kraken-ohlc", path, url) for path in ("/shape", "/moved", "/flood", "/ohlc")))
        shape, moved, flood, good = gathered(asked, bounded).heard
    assert len(shape.evidence) == len(moved.evidence) == len(good.evidence) == 64
    assert (flood.evidence, "larger than 2,000 bytes" in flood.reason) == ("", True)


def test_a_refusal_counts_operators_and_names_the_mean() -> None:
    with apis(PAGES) as url:
        twice = [
            source(kind, path, url, "one") for kind, path in (("kraken-ohlc", "/ohlc"), ("coingecko-chart", "/chart"))
        ]
        (refused,) = gathered(plan(*twice)).refused
        assert "1 of 2 operators" in refused
        assert "mean of 7 days" in gathered(plan(*twice, lookback=7)).refused[0]


def test_sources_that_are_close_are_not_disputed_and_those_beyond_the_spread_are() -> None:
    for other, disputed in (("105", False), ("105.0000001", True)):
        (quote,) = gathered(rows_plan([(NOW, "100")], [(NOW, other)])).quotes
        assert ("disputed" in quote.source, quote.high) == (disputed, other)


def test_a_mean_over_days_is_exact_and_missing_days_make_none() -> None:
    days = [(NOW - number * DAY + 5, str(number)) for number in range(1, 8)]
    full = gathered(rows_plan(days, days, lookback=7)).quotes[0]
    assert (full.low, full.high, full.lookback_days) == ("4", "4", 7)
    third = [(NOW - number * DAY, price) for number, price in ((1, "1"), (2, "0"), (3, "1"))]
    uneven = [(NOW - DAY, "1"), (NOW - 2 * DAY, "1"), (NOW - 3 * DAY, "2")]
    found = gathered(rows_plan(uneven, uneven, lookback=3)).quotes[0]
    assert (found.low, found.high) == ("1.333333333333333333", "1.333333333333333334")
    assert "is no price" in gathered(rows_plan(third, uneven, lookback=3)).heard[0].reason
    gaps = gathered(rows_plan(days[:6], days, lookback=7))
    assert (gaps.quotes, "prices of 6 of the 7 days" in gaps.refused[0]) == ((), True)


prices = st.lists(st.integers(1, 10**6), min_size=2, max_size=6)


@given(prices, st.randoms(use_true_random=False))
def test_the_order_of_sources_and_one_more_inside_change_nothing(found: list[int], random: Any) -> None:
    series = [[(NOW, str(price))] for price in found]
    before = gathered(rows_plan(*series)).quotes[0]
    inside = [(NOW, str((min(found) + max(found)) // 2))]
    shuffled = random.sample(series, len(series))
    for other in (shuffled, [*series, inside]):
        after = gathered(rows_plan(*other)).quotes[0]
        assert (after.low, after.high) == (before.low, before.high) == (str(min(found)), str(max(found)))


@pytest.mark.parametrize(
    "value",
    [
        "0",
        "-1",
        "NaN",
        "Infinity",
        "1e31",
        "1e-40",
        "1_0",
        "１",
        " 1",
        "+1",
        "1e9999",
        "",
        "x",
        None,
        True,
        [1],
        "9" * 90,
    ],
)
def test_what_is_no_price_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="no price"):
        exact_price(value)


def test_a_plan_is_read_from_toml_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,price\n2026-11-21,100\n2026-11-22T00:00:00Z,0.1\n")
    path = tmp_path / "prices.toml"
    text = (
        f'format = "reserve-verifier/prices/1"\nminimum_operators = 1\n[[price]]\nasset = "{BTC}"\ncurrency = "JPY"\n'
        '[[price.source]]\noperator = "own book"\ndialect = "csv"\nfile = "a.csv"\n'
    )
    path.write_text(text)
    assert gathered(load_plan(path)).quotes[0].low == "0.1"
    for broken in (text.replace('"csv"', '"kraken"'), text.replace("a.csv", "../../none"), text + text, "x = "):
        path.write_text(broken)
        with pytest.raises(Exception, match=r"unknown dialect|cannot be read|not|twice|Invalid|overwrite"):
            load_plan(path)
    (tmp_path / "a.csv").write_text("time,price\n2026-11-22," + "9" * 200_000)
    path.write_text(text)
    with pytest.raises(InputError, match="no CSV"):
        load_plan(path)
    (tmp_path / "a.csv").write_text("when,price\n")
    path.write_text(text)
    with pytest.raises(InputError, match="columns"):
        load_plan(path)


def test_gathered_prices_are_part_of_a_run_and_of_its_replay(tmp_path: Path) -> None:
    pages: dict[str, tuple[int, str]] = {}
    with played(tmp_path / "in") as (inputs, _), apis(pages) as url:
        declaration = load_declaration(inputs.declaration)
        pages["/chart"] = (200, chart("0.2", utc_seconds(declaration.as_of)))
        assets = [one.asset for one in declaration.assets]
        asked = plan(source("coingecko-chart", "/chart", url), minimum_operators=1, max_age_seconds=31 * DAY)
        asked = asked.model_copy(
            update={"price": [asked.price[0].model_copy(update={"asset": asset}) for asset in assets]}
        )
        done = collect(
            inputs.declaration, inputs.providers, tmp_path / "run", inputs.liabilities, plans=Plans(prices=asked)
        )
    assert done.refused == ()
    result = verify_bundle(tmp_path / "run", ["jp-psa-63-11"])
    assert result.case.digest == done.case.digest
    assert {quote.low for quote in result.case.prices} == {"0.2"}
    assert "127.0.0.1" not in (tmp_path / "run" / "price-plan.json").read_text("utf-8")
    limit = next(finding for finding in result.findings if finding.rule == "JP-HOT-LIMIT")
    assert limit.verdict is Verdict.PASS


def test_a_loaded_plan_keeps_what_its_dialects_meant(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(
        f'format = "reserve-verifier/prices/1"\n[dialect.own]\nprice = ["p"]\n[[price]]\nasset = "{BTC}"\n'
        'currency = "JPY"\n[[price.source]]\noperator = "a"\ndialect = "kraken-ohlc"\n'
    )
    loaded = load_plan(path)
    assert set(loaded.dialect) == {"own", "kraken-ohlc"}
    assert read_plan(json.dumps(loaded.to_record()).encode(), "x").dialect == loaded.dialect


@given(prices)
def test_a_mean_is_inside_its_interval_which_is_one_last_digit_wide_at_most(found: list[int]) -> None:
    days = [(NOW - number * DAY, str(price)) for number, price in enumerate(found, 1)]
    (quote,) = gathered(rows_plan(days, days, lookback=len(days))).quotes
    mean = Fraction(sum(found), len(found))
    assert Fraction(quote.low) <= mean <= Fraction(quote.high)
    assert Fraction(quote.high) - Fraction(quote.low) <= Fraction(1, 10**18)
