"""A compensation plan as one HTML page: the answer, every strategy side by side, by when, and who has to approve."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from verifier.compensation.document import Plan
from verifier.compensation.outcome import Outcome
from verifier.compensation.strategies import strategy_named
from verifier.policy.japanese import in_japanese
from verifier.report.charts import BarRow, Segment, bars_chart
from verifier.report.html import MARKS, page_template, styled
from verifier.report.words import Words, words_of


class StrategyRow(NamedTuple):
    """One strategy as it stands in the table."""

    name: str
    about: str
    chosen: bool
    amounts: tuple[str, ...]
    by: tuple[str, ...]
    first: str
    leaves: str


def render_plan(plan: Plan, case: str, language: str = "en") -> str:
    """Return the page of a plan over a case (its digest); the same plan gives the same bytes."""
    say = words_of(language)
    page: dict[str, Any] = {
        **styled(),
        "say": say,
        "language": language,
        "marks": MARKS,
        "plan": plan,
        "incident": plan.basis.incident,
        "exchange": plan.basis.remaining.declaration.exchange,
        "case": case,
        "answer": say(f"plan.answer.{plan.verdict}", name=_name(plan.chosen.strategy, say)),
        "losses": _losses(plan),
        "strategies": [_row(plan, one, say) for one in plan.outcomes],
        "left_out": [(_name(name, say), _foreign(why, say)) for name, why in plan.left_out],
        "draws": [
            (
                _source(one.source, say),
                plan.units(one.unit, one.used),
                plan.units(one.unit, one.held),
                [plan.units(one.unit, units) for units in one.within],
                [_foreign(text, say) for text in one.open],
            )
            for one in plan.chosen.draws
        ],
        "releases": [one for one in plan.releases if one.needed or one.approver_en],
        "reasons": [_foreign(text, say) for text in plan.reasons],
        "paid_chart": _paid_chart(plan, say),
        "time_chart": _time_chart(plan, say),
    }
    return page_template("plan.html.jinja").render(page)


def _losses(plan: Plan) -> list[tuple[str, ...]]:
    return [
        (
            plan.units(one.asset, one.lost),
            plan.units(one.asset, one.left),
            plan.units(one.asset, one.owed),
            plan.units(one.asset, one.short),
            plan.money(one.value),
        )
        for one in plan.basis.losses
        if one.lost or one.short
    ]


def _row(plan: Plan, one: Outcome, say: Words) -> StrategyRow:
    strategy = strategy_named(one.strategy)
    assert strategy is not None
    first = say("plan.not_known") if one.first_hours is None else say("plan.within", hours=one.first_hours)
    leaves = say("plan.leaves", whole=one.whole, part=one.part, nothing=one.nothing)
    return StrategyRow(
        _name(one.strategy, say),
        strategy.text_ja if say.japanese else strategy.text_en,
        one.strategy == plan.chosen.strategy,
        tuple(plan.money(amount) for amount in (one.in_kind, one.paid, one.uncovered)),
        tuple(plan.money(amount) for amount in one.by),
        first,
        leaves,
    )


def _paid_chart(plan: Plan, say: Words) -> Markup:
    """Draw what each strategy pays in kind, in money, and leaves uncovered."""
    looks = (("at-once", "in_kind"), ("day", "money"), ("later", "uncovered"))
    rows = [
        BarRow(
            _name(one.strategy, say),
            _segments(looks, (one.in_kind, one.paid, one.uncovered), say),
            plan.money(one.in_kind + one.paid),
        )
        for one in plan.outcomes
    ]
    return bars_chart("plan-paid", say("plan.chart_paid"), say("plan.chart_about"), rows)


def _time_chart(plan: Plan, say: Words) -> Markup:
    """Draw what each strategy can pay by when."""
    looks = (("at-once", "by_1"), ("day", "by_24"), ("week", "by_168"), ("later", "by_later"))
    rows = []
    for one in plan.outcomes:
        total = one.in_kind + one.paid
        steps = [min(total, value) for value in one.by]
        parts = (*(after - before for before, after in zip((0, *steps), steps, strict=False)), total - steps[-1])
        rows.append(BarRow(_name(one.strategy, say), _segments(looks, parts, say), plan.money(steps[-1])))
    return bars_chart("plan-time", say("plan.chart_time"), say("plan.chart_about"), rows)


def _segments(looks: Sequence[tuple[str, str]], amounts: Sequence[int], say: Words) -> tuple[Segment, ...]:
    pairs = zip(looks, amounts, strict=True)
    return tuple(Segment(amount, look, say(f"plan.{word}")) for (look, word), amount in pairs if amount > 0)


def _name(strategy: str, say: Words) -> str:
    return say(f"plan.strategy.{strategy}")


def _source(name: str, say: Words) -> str:
    return say(f"pool.{name}") if f"pool.{name}" in say else name


def _foreign(text: str, say: Words) -> str:
    return in_japanese(text) if say.japanese else text
