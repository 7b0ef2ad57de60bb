"""A plan's signed statement: which run it follows from, and what it comes to."""

from pathlib import Path

from verifier.attestation.bundle import open_bundle
from verifier.compensation.document import Plan
from verifier.dsse import sealer_of
from verifier.in_toto import PAYLOAD, statement, this_tool

PREDICATE = "urn:reserve-verifier:plan:1"


def plan_statement(folder: Path, plan: Plan) -> bytes:
    """Return the in-toto statement of a plan's folder as canonical JSON."""
    with open_bundle(folder) as opened:
        manifest, case = opened.digest, opened.manifest.case
    predicate = {
        "incident": plan.basis.incident.id,
        "case": case,
        "strategy": plan.chosen.strategy,
        "verdict": str(plan.verdict),
        "claims": plan.claims.digest if plan.claims else None,
        "tool": this_tool(),
    }
    return statement(manifest, PREDICATE, predicate)


def seal_plan(folder: Path, plan: Plan, key: str, public: Path | None = None) -> bytes:
    """Return a plan's statement in a signed envelope; keys and errors as in `sealer_of`."""
    return sealer_of(PAYLOAD, key, public)(plan_statement(folder, plan))
