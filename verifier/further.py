"""What a run reads beyond balances, and what its bundle keeps so that a replay reads the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from chains.panel import Survey
from chains.providers import Providers
from chains.transport import Transport
from verifier.attestation.bundle import Bundle
from verifier.canonical import canonical_json
from verifier.declaration import Declaration
from verifier.drill import Drill, Drilled, read_drill, watch
from verifier.observed import Observed, QuestionPlan, ask_chains, read_questions
from verifier.prices.gather import Gathered, gather_quotes
from verifier.prices.plan import PricePlan
from verifier.prices.plan import read_plan as read_price_plan
from verifier.reserves import Placement, Progress, silent
from verifier.window import Past, WindowPlan, read_past, read_plan

WINDOW, QUESTIONS, PRICES, DRILL = "window.json", "questions.json", "price-plan.json", "drill.json"


class Plans(NamedTuple):
    """How far a run looks back, and what else it asks; None for not at all."""

    window: WindowPlan | None = None
    questions: QuestionPlan | None = None
    prices: PricePlan | None = None
    drill: Drill | None = None

    def parts(self) -> dict[str, bytes]:
        """Return the bundle's parts that say so."""
        named = {WINDOW: self.window, QUESTIONS: self.questions, DRILL: self.drill}
        parts = {name: canonical_json(plan.model_dump(mode="json")) for name, plan in named.items() if plan is not None}
        return parts | ({PRICES: canonical_json(self.prices.to_record())} if self.prices is not None else {})

    def resumed(self, partial: Path) -> "Plans":
        """Return the plans of an interrupted run in its place: it keeps the blocks it drew."""
        left = partial / WINDOW
        if self.window is None or not left.exists():
            return self
        kept = read_plan(left.read_bytes(), str(left))
        return self._replace(window=kept) if kept.days == self.window.days else self


BALANCES_ONLY = Plans()


class Further(NamedTuple):
    """What was read beyond balances."""

    past: Past = Past()
    observed: Observed = Observed()
    prices: Gathered = Gathered()
    drilled: Drilled | None = None


def read_plans(bundle: Bundle) -> Plans:
    """Return what a bundle says its run has read. Raises InputError."""
    window, questions, prices, drill = (bundle.read(name) for name in (WINDOW, QUESTIONS, PRICES, DRILL))
    return Plans(
        read_plan(window, WINDOW) if window is not None else None,
        read_questions(questions, QUESTIONS) if questions is not None else None,
        read_price_plan(prices, PRICES) if prices is not None else None,
        read_drill(drill, DRILL) if drill is not None else None,
    )


def read_further(
    plans: Plans,
    declaration: Declaration,
    placements: Sequence[Placement],
    surveys: Sequence[Survey],
    providers: Providers,
    transport: Transport,
    progress: Progress = silent,
) -> Further:
    """Read what the plans ask for, after the balances and at the same blocks."""
    past, observed, prices, drilled = Past(), Observed(), Gathered(), None
    if plans.window is not None:
        past = read_past(plans.window, declaration.as_of, placements, surveys, providers, transport, progress)
    if plans.questions is not None:
        observed = ask_chains(plans.questions, declaration, placements, surveys, providers, transport, progress)
    if plans.prices is not None:
        progress("prices", 0, 1)
        prices = gather_quotes(plans.prices, declaration.as_of, transport)
        progress("prices", 1, 1)
    if plans.drill is not None:
        progress("drill", 0, 1)
        drilled = watch(plans.drill, providers, transport)
        progress("drill", 1, 1)
    return Further(past, observed, prices, drilled)
