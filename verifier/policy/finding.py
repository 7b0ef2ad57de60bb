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
    CONTRADICTION = "contradiction"
    OUT_OF_SCOPE = "out-of-scope"


class TraceLine(NamedTuple):
    """One number that a finding rests on: a quantity, a parameter, a price, or a side of the comparison.

    `value` is exact, `80..90` when only bounds are known, `80..` without an upper one.
    """

    name: str
    value: str
    known_as: str = ""
    evidence: tuple[str, ...] = ()


class InWords(NamedTuple):
    """A finding's numbers as a reader knows them: measured, required, and the room or gap between them."""

    measured: str
    required: str
    room: str


class Finding(NamedTuple):
    """A rule's outcome for one subject (an asset, `total`, `address` or `attestation`).

    `measured`, `required` and `shortfall` are exact: base units, or a fraction; `evidence` names transcript calls,
    prices and commitments the numbers rest on, `trace` every number of the rule. `cure_by` is the day (YYYY-MM-DD) by
    which the rulebook wants a failure mended. `slack` is how much room is left at the least where a rule holds;
    it and the numbers in words are for reports and stay out of the record.
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
    text_ja: str = ""
    cure_by: str = ""
    trace: tuple[TraceLine, ...] = ()
    slack: str = ""
    words: InWords | None = None
    words_ja: InWords | None = None

    def to_record(self) -> dict[str, Any]:
        trace = [{**line._asdict(), "evidence": list(line.evidence)} for line in self.trace]
        kept = {name: value for name, value in self._asdict().items() if name not in ("slack", "words", "words_ja")}
        return {**kept, "evidence": list(self.evidence), "trace": trace}
