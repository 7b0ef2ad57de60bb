"""A plan's signed statement: which run it follows from, and what it comes to."""

from importlib.metadata import version
from pathlib import Path

from verifier.attestation.bundle import MANIFEST, open_bundle
from verifier.canonical import canonical_json
from verifier.compensation.document import Plan
from verifier.dsse import sealer_of

STATEMENT, PAYLOAD = "https://in-toto.io/Statement/v1", "application/vnd.in-toto+json"
PREDICATE = "urn:reserve-verifier:plan:1"


def plan_statement(folder: Path, plan: Plan) -> bytes:
    """Return the in-toto statement of a plan's folder as canonical JSON. Source: in-toto Statement v1."""
    with open_bundle(folder) as opened:
        digest, case = opened.digest, opened.manifest.case
    return canonical_json(
        {
            "_type": STATEMENT,
            "subject": [{"name": MANIFEST, "digest": {"sha256": digest}}],
            "predicateType": PREDICATE,
            "predicate": {
                "incident": plan.basis.incident.id,
                "case": case,
                "strategy": plan.chosen.strategy,
                "verdict": str(plan.verdict),
                "claims": plan.claims.digest if plan.claims else None,
                "tool": {"name": "reserve-verifier", "version": version("reserve-verifier")},
            },
        }
    )


def seal_plan(folder: Path, plan: Plan, key: str, public: Path | None = None) -> bytes:
    """Return a plan's statement in a signed envelope; keys and errors as in `sealer_of`."""
    return sealer_of(PAYLOAD, key, public)(plan_statement(folder, plan))
