"""The four outcomes, and how the worst of them decides."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 -- a verdict, not a password
    FAIL = "fail"
    INDETERMINATE = "indeterminate"
    NOT_APPLICABLE = "not-applicable"

    @property
    def exit_code(self) -> int:
        return {Verdict.PASS: 0, Verdict.FAIL: 1}.get(self, 2)


_SEVERITY = (Verdict.FAIL, Verdict.INDETERMINATE, Verdict.PASS)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of several verdicts; with nothing to judge the answer is indeterminate, never pass."""
    present = set(verdicts)
    for verdict in _SEVERITY:
        if verdict in present:
            return verdict
    return Verdict.INDETERMINATE
