"""A plan and its stress test as lines for people."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from verifier.compensation.document import Plan
from verifier.compensation.funds import HOURS
from verifier.compensation.incident import show_money
from verifier.compensation.outcome import Outcome
from verifier.compensation.release import Release
from verifier.compensation.stress import Stressed
from verifier.policy.amounts import show_percent


def plan_lines(plan: Plan, out: Path | None) -> Iterator[str]:
    """Yield the answer first, then the loss, every strategy, what pays, what is open, and who has to approve."""
    yield f"{str(plan.verdict).upper()}: {plan.basis.incident.id}, {plan.chosen.strategy}"
    for loss in plan.basis.losses:
        if loss.short:
            yield f"  short of {plan.units(loss.asset, loss.short)}, worth {plan.money(loss.value)}"
    yield from _table(plan)
    for draw in plan.chosen.draws:
        yield f"  from {draw.source}: {plan.units(draw.unit, draw.used)} of {plan.units(draw.unit, draw.held)}"
    yield from (f"  open: {reason}" for reason in plan.reasons)
    yield from (f"  to be approved by {_approval(one)}" for one in plan.releases if one.needed and one.approver_en)
    if plan.claims is not None and out is not None:
        yield f"  tree of claims {plan.claims.digest}"
        yield f"Next: por check receipt.json --plan {out}"


def _table(plan: Plan) -> Iterator[str]:
    yield f"  {'strategy':22}{'in kind':>22}{'in money':>22}{'uncovered':>22}  first payment"
    for one in plan.outcomes:
        mark = "*" if one.strategy == plan.chosen.strategy else " "
        amounts = "".join(f"{plan.money(amount):>22}" for amount in (one.in_kind, one.paid, one.uncovered))
        yield f"{mark} {one.strategy:22}{amounts}  {_first(one)}"
    yield from (f"  {name}: left out, {reason}" for name, reason in plan.left_out)


def _first(one: Outcome) -> str:
    return "not known" if one.first_hours is None else f"within {one.first_hours} h"


def _approval(one: Release) -> str:
    return f"{one.approver_en}, {f'until {one.due}' if one.due else 'the law names no day'}: {one.clause}"


def stress_lines(one: Stressed, currency: str) -> Iterator[str]:
    """Yield what a loss that is imagined would come to."""
    yield one.name
    if one.unknown:
        yield f"  not known: {one.unknown}"
        return
    if one.short:
        yield f"  users short of {show_money(one.short, currency)}, there to pay it: {show_money(one.there, currency)}"
        by = zip(HOURS, one.by, strict=True)
        yield "  " + ", ".join(f"{show_percent(Fraction(value, one.short))} within {hours} h" for hours, value in by)
    else:
        yield "  users are short of nothing"
    if one.least is not None:
        yield f"  least covered: {one.least[0]}, {show_percent(one.least[1])} of what is owed is left"
    opened = f"; leaves open {', '.join(one.opened)}" if one.opened else ""
    yield f"  breaks {', '.join(one.broken) or 'no rule'}{opened}"
