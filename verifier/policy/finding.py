"""One result of one rule for one subject: what was measured, what was required, and where that is written."""

from enum import StrEnum
from typing import Any, NamedTuple

from verifier.verdict import Verdict


class Level(StrEnum):
    MUST = "must"
    SHOULD = "should"
    INFO = "info"


class Reason(StrEnum):
    """Why a verdict is what it is, as a word a program can read."""

    SATISFIED = "satisfied"
    SHORTFALL = "shortfall"
    EXCEEDED = "exceeded"
    MISSING_INPUT = "missing-input"
    WEAK_EVIDENCE = "weak-evidence"
    UNCERTAIN_BALANCE = "uncertain-balance"
    PRICE_SPREAD = "price-spread"
    UNSET_PARAMETER = "unset-parameter"
    PARTITION = "declared-twice"
    UNATTRIBUTED = "unattributed-assets"
    CONTRADICTION = "contradiction"
    OUT_OF_SCOPE = "out-of-scope"


class Finding(NamedTuple):
    """A rule's outcome for one subject (an asset, `total`, or the attestation).

    `measured`, `required` and `shortfall` are exact: base units, or a fraction in words; `evidence` names transcript
    calls, prices and commitments the numbers rest on.
    """

    rule: str
    subject: str
    verdict: Verdict
    reason: Reason
    text: str
    level: Level = Level.MUST
    measured: str = ""
    required: str = ""
    shortfall: str = ""
    clause: str = ""
    pack: str = ""
    evidence: tuple[str, ...] = ()

    def to_record(self) -> dict[str, Any]:
        return {**self._asdict(), "evidence": list(self.evidence)}
