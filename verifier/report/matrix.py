"""The same evidence under several rulebooks: a line per jurisdiction."""

from collections import Counter
from typing import Any, NamedTuple

from verifier.policy.evaluate import Judgement
from verifier.policy.finding import Level
from verifier.verdict import Verdict
from verifier.verification import Verification


class MatrixRow(NamedTuple):
    """One rulebook's outcome: how many of its findings are what, and whether it binds anybody on the day."""

    pack: str
    jurisdiction: str
    standing: str
    verdict: Verdict
    counts: dict[Verdict, int]
    broken: tuple[str, ...]

    def to_record(self) -> dict[str, Any]:
        counts = {str(verdict): count for verdict, count in self.counts.items()}
        return {**self._asdict(), "verdict": str(self.verdict), "counts": counts, "broken": list(self.broken)}


def matrix(result: Verification) -> list[MatrixRow]:
    """Return a row per rulebook, in the order they were named."""
    return [_row(judgement) for judgement in result.judgements]


def standing(judgement: Judgement) -> str:
    """Say what force a rulebook has on the day it was judged for."""
    status = judgement.pack.status
    if judgement.in_force or status in ("proposed", "model"):
        return status
    return f"not in force on {judgement.day}"


def _row(judgement: Judgement) -> MatrixRow:
    ruled = [finding for finding in judgement.findings if finding.pack]
    counts = Counter(finding.verdict for finding in ruled)
    broken = {
        finding.rule: None for finding in ruled if finding.verdict is Verdict.FAIL and finding.level is Level.MUST
    }
    return MatrixRow(
        judgement.pack.id,
        judgement.pack.jurisdiction,
        standing(judgement),
        judgement.verdict,
        {verdict: counts[verdict] for verdict in Verdict},
        tuple(broken),
    )
