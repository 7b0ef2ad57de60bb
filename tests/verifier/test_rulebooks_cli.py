"""One bundle under several rulebooks, on several days: a line per jurisdiction, and the day to make a failure good."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.verifier.cases import ETH, case, position, price
from verifier.cli.main import app
from verifier.declaration import Pool
from verifier.errors import InputError
from verifier.policy.deadline import business_days_after
from verifier.policy.evaluate import evaluate
from verifier.policy.library import load_pack
from verifier.report.multiples import loss_multiples
from verifier.verdict import Verdict

RUNS = Path(__file__).parents[2] / "fixtures" / "runs"


def verify(run: str, *options: str) -> Result:
    return CliRunner().invoke(app, ["verify", str(RUNS / run), *options])


def test_two_rulebooks_make_a_matrix() -> None:
    done = verify("knots-anvil-fail", "--pack", "jp-psa-63-11", "--pack", "model-basic")
    assert done.exit_code == 1
    assert "Under each rulebook" in done.output
    assert "JP-COVERAGE" in done.output.split("Under each rulebook")[1].splitlines()[1]
    rows = json.loads(verify("knots-anvil-fail", "--pack", "jp-psa-63-11", "--json").stdout)["matrix"]
    assert [(row["pack"], row["verdict"], row["counts"]["fail"]) for row in rows] == [("jp-psa-63-11", "fail", 1)]


def test_the_numbers_of_another_day_are_taken_when_asked_for() -> None:
    done = verify("knots-anvil-pass", "--as-of", "2019-12-31")
    assert (done.exit_code, "sets no coverage_ratio" in done.output) == (2, True)
    assert verify("knots-anvil-pass").exit_code == 0
    assert isinstance(verify("knots-anvil-pass", "--as-of", "yesterday").exception, InputError)


def test_a_failure_names_the_business_day_by_which_it_must_be_made_good() -> None:
    short = case(position(Pool.CLIENT_COLD, 99), owed={ETH: 100})
    found = {
        one.subject: one for one in evaluate(short, load_pack("jp-psa-63-11")).findings if one.rule == "JP-COVERAGE"
    }
    # Five business days after Sunday 2026-11-22: Monday 23 November is Labour Thanksgiving Day in Japan.
    assert (found[ETH].verdict, found[ETH].cure_by) == (Verdict.FAIL, "2026-11-30")
    assert {line.name for line in found[ETH].trace} >= {"coverage_ratio", "left side of >=", "right side of >="}


def test_the_reserve_is_measured_against_losses() -> None:
    made = case(
        position(Pool.CLIENT_HOT, 30), position(Pool.CLIENT_COLD, 50, number=2),
        position(Pool.RESERVE_FUND, 20, number=3), prices=(price(ETH, "100", "110"),),
    )  # fmt: skip
    found = {one.loss: (one.low, one.high) for one in loss_multiples(made)}
    assert found["the largest single client wallet"] == (Fraction(20 * 100, 50 * 110), Fraction(20 * 110, 50 * 100))
    assert found["everything held hot"][0] == Fraction(20 * 100, 30 * 110)
    assert found["a theft like DMM Bitcoin, May 2024"][1] == Fraction(2_200, 48_200_000_000)
    unread = case(position(Pool.CLIENT_HOT, None), position(Pool.RESERVE_FUND, 1, number=3), prices=(price(ETH, "1"),))
    assert not [one for one in loss_multiples(unread) if one.loss == "everything held hot" and one.low]
    assert loss_multiples(case(position(Pool.CLIENT_HOT, 5))) == []


def test_without_a_calendar_only_weekends_are_left_out() -> None:
    assert business_days_after("2026-11-20", 1, "") == "2026-11-23"
    assert business_days_after("2026-11-20", 1, "JP") == "2026-11-24"
    assert business_days_after("2026-11-20", 0, "JP") == "2026-11-20"
    with pytest.raises(InputError, match="no public holidays"):
        business_days_after("2026-11-20", 1, "XX")
