"""The bound is the hypergeometric one, exactly, and its inverse; a draw is everybody's."""

import json
import math
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from verifier.assurance import Stratum, checks_needed, describe, detection, draw_sample, missed, proven_by
from verifier.cli.main import app
from verifier.errors import InputError


@given(st.integers(1, 9), st.data())
def test_the_chance_is_what_counting_all_draws_gives(accounts: int, data: st.DataObject) -> None:
    wrong, checked = data.draw(st.integers(0, accounts)), data.draw(st.integers(0, accounts))
    draws = list(combinations(range(accounts), checked))
    clean = sum(1 for draw in draws if not set(draw) & set(range(wrong)))
    assert missed(accounts, wrong, checked) == Fraction(clean, len(draws))


@pytest.mark.parametrize(
    ("accounts", "wrong", "checked", "percent"),
    # Figures of the literature: one percent of a million checks.
    [
        (10**6, 10, 10_000, "9.6"),
        (10**6, 100, 10_000, "63.4"),
        (10**6, 500, 10_000, "99.3"),
        (10**6, 1_000, 1_000, "63.2"),
    ],
)
def test_the_published_figures_come_out(accounts: int, wrong: int, checked: int, percent: str) -> None:
    found = detection(accounts, wrong, checked)
    assert found == 1 - Fraction(math.comb(accounts - wrong, checked), math.comb(accounts, checked))
    assert f"{float(found) * 100:.1f}" == percent


def test_how_many_must_check_is_the_least_number_that_does() -> None:
    for wrong, known in ((100, 29_550), (10, 258_900)):
        needed = checks_needed(10**6, wrong)
        assert abs(needed - known) < 100
        assert detection(10**6, wrong, needed) >= Fraction(95, 100) > detection(10**6, wrong, needed - 1)


@given(st.integers(1, 200), st.data())
def test_what_clean_checks_prove_is_the_least_that_would_have_been_met(accounts: int, data: st.DataObject) -> None:
    checked = data.draw(st.integers(0, accounts))
    confidence = data.draw(st.sampled_from([Fraction(1, 2), Fraction(95, 100), Fraction(999, 1_000)]))
    least = proven_by(Stratum("all", accounts, checked), confidence).fewer_than
    assert least == accounts + 1 or detection(accounts, least, checked) >= confidence
    assert least == 1 or detection(accounts, least - 1, checked) < confidence


def test_active_and_dormant_accounts_prove_each_their_own() -> None:
    found = [proven_by(Stratum("active", 200_000, 1_000)), proven_by(Stratum("dormant", 800_000, 0))]
    said = describe(found)
    assert "at most are wrong" in said[0] and Fraction(29, 10_000) < found[0].share < Fraction(3, 1_000)
    assert "proves nothing" in said[1]


def test_a_draw_follows_from_the_beacon_and_repeats_nobody() -> None:
    drawn = draw_sample(1_000, 60, b"beacon")
    assert drawn == draw_sample(1_000, 60, b"beacon") != draw_sample(1_000, 60, b"other")
    assert len(set(drawn)) == 60 and all(0 <= place < 1_000 for place in drawn)
    assert sorted(draw_sample(50, 50, b"all")) == list(range(50))


@pytest.mark.parametrize("numbers", [(0, 0, 0), (5, 6, 1), (5, 1, 6), (5, -1, 1), (10**10, 1, 1)])
def test_numbers_that_describe_no_draw_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(InputError):
        missed(*numbers)


def test_the_commands_say_it() -> None:
    run = CliRunner()
    done = run.invoke(app, ["assurance", "proven", "active:1000/200000", "--json"])
    assert json.loads(done.stdout)["groups"][0]["fewer_than"] == proven_by(Stratum("a", 200_000, 1_000)).fewer_than
    assert "must check" in run.invoke(app, ["assurance", "needed", "1000", "10"]).stdout
    assert len(run.invoke(app, ["assurance", "draw", "1000", "5", "--beacon", "0xab"]).stdout.split()) == 5
    for words in (["proven", "x"], ["needed", "10", "20"], ["draw", "5", "6", "--beacon", "00"],
                  ["draw", "5", "1", "--beacon", "zz"], ["proven", "1/2", "--confidence", "1"]):  # fmt: skip
        assert isinstance(run.invoke(app, ["assurance", *words]).exception, InputError)
