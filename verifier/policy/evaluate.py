"""Judge a case by a pack: integrity first, then rule by rule; the worst of the MUST findings decides."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from verifier.case import Case
from verifier.policy.finding import Finding, Level, Reason
from verifier.policy.pack import Pack
from verifier.policy.rules import rule_function
from verifier.verdict import Verdict, worst


class Judgement(NamedTuple):
    """A pack's verdict over a case, with every finding, the good ones included."""

    verdict: Verdict
    pack: Pack
    findings: tuple[Finding, ...]


def evaluate(case: Case, pack: Pack) -> Judgement:
    """Judge one case by one pack.

    1. What is wrong whatever the law says: coins declared twice, liabilities that contradict themselves.
    2. Every rule of the pack, each with its clause.
    3. The worst MUST finding is the verdict; with nothing to judge it is indeterminate.
    """
    findings = list(integrity_findings(case))
    for rule in pack.rules:
        clause = pack.clause(rule.source)
        found: Sequence[Finding] = rule_function(rule.rule)(case, pack, rule)
        findings.extend(item._replace(rule=rule.id, level=rule.level, clause=clause, pack=pack.id) for item in found)
    must = [item.verdict for item in findings if item.level is Level.MUST]
    return Judgement(worst(must), pack, tuple(findings))


def integrity_findings(case: Case) -> Iterator[Finding]:
    """Report what no rulebook could heal: the partition invariant and the liabilities' own consistency."""
    if not case.overlaps:
        yield Finding(
            "partition",
            "total",
            Verdict.PASS,
            Reason.SATISFIED,
            f"{len(case.positions)} holdings are declared, each in exactly one pool.",
        )
    for overlap in case.overlaps:
        yield Finding(
            "partition",
            str(overlap.holding.asset),
            Verdict.FAIL,
            Reason.PARTITION,
            f"{overlap.describe(case.declaration)}: nothing may be counted twice.",
        )
    if case.liabilities is not None and case.liabilities.problem:
        yield Finding("liabilities", "total", Verdict.FAIL, Reason.CONTRADICTION, case.liabilities.problem)
