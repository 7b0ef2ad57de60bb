"""Judge a case by packs: integrity first, then rule by rule; the worst of the MUST findings decides."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from verifier.case import Case
from verifier.policy.case_amounts import Amounts
from verifier.policy.case_inputs import CaseInputs
from verifier.policy.finding import Finding, Level, Reason
from verifier.policy.inputs import Inputs, Scope
from verifier.policy.judge import Judge, parse_rule
from verifier.policy.pack import Pack, Rule
from verifier.policy.wallets import judge_wallets
from verifier.policy.wording import Coin
from verifier.verdict import Verdict, worst


class Judgement(NamedTuple):
    """A pack's verdict over a case on one day, with every finding, the good ones included.

    `in_force` tells whether the pack binds anybody on that day.
    """

    verdict: Verdict
    pack: Pack
    findings: tuple[Finding, ...]
    day: str = ""
    in_force: bool = True


def evaluate(case: Case, pack: Pack, day: str = "") -> Judgement:
    """Judge one case by one pack: see `evaluate_all`."""
    return evaluate_all(case, [pack], day)[0]


def evaluate_all(case: Case, packs: Sequence[Pack], day: str = "") -> tuple[Judgement, ...]:
    """Judge one case by several packs, with the parameters in force on `day` (YYYY-MM-DD; the case's own by default).

    1. What is wrong whatever the law says: coins declared twice, liabilities that contradict themselves.
    2. Every rule of each pack, each with its clause.
    3. The worst MUST finding is a pack's verdict; with nothing to judge it is indeterminate.
    """
    day = day or case.declaration.as_of[:10]
    integrity = list(integrity_findings(case))
    amounts = Amounts(case)
    coins = {asset.asset: Coin(asset.symbol, asset.decimals) for asset in case.declaration.assets}
    judgements = []
    for pack in packs:
        inputs = CaseInputs(amounts, pack.currency)
        judge = Judge(pack, inputs, day, coins)
        findings = [*integrity, *(found for rule in pack.rules for found in _rule_findings(judge, inputs, pack, rule))]
        # A pack with nothing to judge does not pass because the declaration is free of contradictions.
        counted = [item for item in findings if item.pack or item.verdict is not Verdict.PASS]
        must = [item.verdict for item in counted if item.level is Level.MUST]
        applies = not must or any(verdict is not Verdict.NOT_APPLICABLE for verdict in must)
        verdict = worst(must) if applies else Verdict.NOT_APPLICABLE
        judgements.append(Judgement(verdict, pack, tuple(findings), day, pack.in_force(day)))
    return tuple(judgements)


def _rule_findings(judge: Judge, inputs: Inputs, pack: Pack, rule: Rule) -> Iterator[Finding]:
    parsed = parse_rule(pack, rule)
    if rule.scope is Scope.ADDRESS:
        yield judge_wallets(judge, inputs, parsed)
    else:
        yield from (judge.finding(parsed, subject) for subject in inputs.subjects(rule.scope))


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
