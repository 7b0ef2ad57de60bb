"""One rule over one case: a finding per asset, or one for the whole, with every number it rests on."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from verifier.policy.deadline import business_days_after
from verifier.policy.dimension import DimensionCheck
from verifier.policy.evaluator import Evaluator, Subject, Truth
from verifier.policy.expression import Comparison, Name, Relation, Statement, comparisons_of, names_of, parse_statement
from verifier.policy.finding import Finding, InWords, Reason, TraceLine
from verifier.policy.inputs import SAID, Dimension, Inputs, Scope
from verifier.policy.interval import Interval
from verifier.policy.japanese import in_japanese
from verifier.policy.pack import Pack, Rule
from verifier.policy.vocabulary import QUANTITIES, quantities
from verifier.policy.wording import Coin, Wording
from verifier.verdict import Verdict

# Which doubt is named first: what the law leaves open, what nobody handed over, what could not be read.
_FIRST = (Reason.UNSET_PARAMETER, Reason.MISSING_INPUT, Reason.UNCERTAIN_BALANCE)
_AT_MOST = (Relation.AT_MOST, Relation.BELOW)


class ParsedRule(NamedTuple):
    """A rule with its texts parsed and its dimensions checked."""

    rule: Rule
    check: Statement
    when: Statement | None
    dimensions: DimensionCheck


class Outcome(NamedTuple):
    """What one subject's evaluation decided, and the comparison that decided it."""

    verdict: Verdict
    reason: Reason
    comparison: Comparison
    doubts: str


def parse_rule(pack: Pack, rule: Rule) -> ParsedRule:
    """Parse a rule and check that its sides count the same. Raises InputError naming the part that does not fit."""
    names: dict[str, Dimension] = {name: word.dimension for name, word in quantities(rule.scope).items()}
    bands = {band.name: (band.argument, band.dimension) for band in pack.bands}
    names |= {
        item.name: item.dimension
        for item in pack.named
        # Units that somebody states have no price: they can be asked asset by asset only.
        if item.name not in bands and (rule.scope is not Scope.TOTAL or item.dimension is not Dimension.AMOUNT)
    }
    dimensions = DimensionCheck(names, bands, rule.scope)
    check = parse_statement(rule.check)
    when = parse_statement(rule.when) if rule.when else None
    for statement in (check, *([when] if when else [])):
        dimensions.check(statement)
    return ParsedRule(rule, check, when, dimensions)


class Judge:
    """Judge the rules of one pack by its inputs on one day."""

    def __init__(self, pack: Pack, inputs: Inputs, day: str, coins: Mapping[str, Coin]) -> None:
        self._pack, self._inputs, self._day = pack, inputs, day
        self._wording = Wording(pack, coins)

    def evaluate(self, parsed: ParsedRule, subject: str) -> tuple[Evaluator, Outcome]:
        """Decide a rule for one subject."""
        rule = parsed.rule
        evaluator = Evaluator(
            self._pack, self._inputs, Subject(rule.scope, subject, self._day, rule.price_lookback_days)
        )
        applies = evaluator.truth(parsed.when) if parsed.when else Truth.TRUE
        if parsed.when and applies is Truth.FALSE:
            decisive = _decisive(evaluator, parsed.when, applies)
            return evaluator, Outcome(Verdict.NOT_APPLICABLE, Reason.OUT_OF_SCOPE, decisive, "")
        holds = evaluator.truth(parsed.check)
        decisive = _decisive(evaluator, parsed.check, holds)
        if applies is Truth.TRUE and holds is Truth.FALSE:
            reason = Reason.EXCEEDED if decisive.relation in _AT_MOST else Reason.SHORTFALL
            return evaluator, Outcome(Verdict.FAIL, reason, decisive, "")
        unset = any(doubt.reason is Reason.UNSET_PARAMETER for doubt in evaluator.doubts)
        if Truth.UNKNOWN in (applies, holds) or unset or holds is Truth.FALSE:
            reason, text = _open(evaluator)
            return evaluator, Outcome(Verdict.INDETERMINATE, reason, decisive, text)
        weak = self._weak(parsed, evaluator)
        if weak:
            return evaluator, Outcome(Verdict.INDETERMINATE, Reason.WEAK_EVIDENCE, decisive, weak)
        return evaluator, Outcome(Verdict.PASS, Reason.SATISFIED, decisive, "")

    def finding(self, parsed: ParsedRule, subject: str) -> Finding:
        """Return the finding of a rule for one subject, in words and numbers."""
        evaluator, outcome = self.evaluate(parsed, subject)
        comparison, failed = outcome.comparison, outcome.verdict is Verdict.FAIL
        left, right = (evaluator.bounds(evaluator.value(side)) for side in (comparison.left, comparison.right))
        missed = _missed(evaluator, comparison) if failed else None
        slack = _slack(evaluator, comparison) if outcome.verdict is Verdict.PASS else None
        english, japanese = self._numbers(parsed, outcome, subject, (left, right), missed if failed else slack)
        text, text_ja = self._words(comparison, outcome, english, japanese)
        if evaluator.remarks and outcome.verdict is not Verdict.PASS:
            text += f" Left out: {'; '.join(evaluator.remarks[:SAID])}."
            text_ja += f"除外:{'、'.join(in_japanese(one) for one in evaluator.remarks[:SAID])}。"
        return self.base(parsed.rule)._replace(
            subject=subject,
            verdict=outcome.verdict,
            reason=outcome.reason,
            text=text,
            text_ja=text_ja,
            measured=show_bounds(left),
            required=f"at most {show_bounds(right)}" if comparison.relation in _AT_MOST else show_bounds(right),
            shortfall="" if missed is None else str(missed),
            evidence=evaluator.evidence,
            cure_by=self.cure_by(parsed.rule) if failed else "",
            trace=self._trace(evaluator, comparison, left, right),
            slack="" if slack is None else str(slack),
            words=english,
            words_ja=japanese,
        )

    def fault(self, parsed: ParsedRule, comparison: Comparison, subject: str, right: Interval) -> tuple[str, str]:
        """Return what breaking a comparison means, without what was measured, in English and Japanese."""
        dimension = parsed.dimensions.of(comparison.left) or parsed.dimensions.of(comparison.right)
        english, japanese = (
            self._wording.span(right, dimension, parsed.rule.scope, subject, japanese=ja) for ja in (False, True)
        )
        return self._wording.fault(comparison, english, japanese)

    def _numbers(
        self,
        parsed: ParsedRule,
        outcome: Outcome,
        subject: str,
        sides: tuple[Interval, Interval],
        room: Fraction | None,
    ) -> tuple[InWords, InWords]:
        """Return what was measured, what was required and the room between them, in English and Japanese."""
        comparison, scope = outcome.comparison, parsed.rule.scope
        dimension = parsed.dimensions.of(comparison.left) or parsed.dimensions.of(comparison.right)
        found = []
        for japanese in (False, True):
            measured, required = (self._wording.span(side, dimension, scope, subject, japanese) for side in sides)
            by = "" if room is None else self._wording.number(room, dimension, scope, subject, japanese)
            found.append(InWords(measured, required, by))
        return found[0], found[1]

    def _words(
        self, comparison: Comparison, outcome: Outcome, numbers: InWords, numbers_ja: InWords
    ) -> tuple[str, str]:
        """Return the outcome in English and Japanese."""
        english = self._wording.compare(comparison, numbers.measured, numbers.required)
        japanese = self._wording.compare_ja(comparison, numbers_ja.measured, numbers_ja.required)
        match outcome.verdict:
            case Verdict.NOT_APPLICABLE:
                return f"Not applicable: {english} for the rule to apply.", f"適用対象外:{japanese}。"
            case Verdict.INDETERMINATE:
                return f"{english}. Open: {outcome.doubts}.", f"{japanese}。判定不能:{in_japanese(outcome.doubts)}。"
            case Verdict.FAIL if numbers.room:
                over = comparison.relation in _AT_MOST
                return (
                    f"{english}: {numbers.room} {'over' if over else 'short'}.",
                    f"{japanese}({numbers_ja.room}{'超過' if over else '不足'})。",
                )
            case _:
                return f"{english}.", f"{japanese}。"

    def base(self, rule: Rule) -> Finding:
        """Return a finding that names the rule, its pack and its clause, and nothing else yet."""
        return Finding(
            rule.id,
            str(rule.scope),
            Verdict.INDETERMINATE,
            Reason.MISSING_INPUT,
            "",
            level=rule.level,
            clause=self._pack.clause(rule.source),
            pack=self._pack.id,
        )

    def _weak(self, parsed: ParsedRule, evaluator: Evaluator) -> str:
        for name in dict.fromkeys(names_of(parsed.check)):
            if name not in QUANTITIES and name not in parsed.rule.minimum_tier:
                continue  # a fact that only the exchange can state is known as declared, and that is said
            needed, known = parsed.rule.tier(name), evaluator.tier(name)
            if name in evaluator.atoms and known < needed:
                return f"{self._wording.label(Name(name))!r} is {known.label}; a pass needs {needed.label}"
        return ""

    def cure_by(self, rule: Rule) -> str:
        """Return the day by which a failure must be mended, or nothing when the rulebook sets none."""
        if not rule.cure_business_days:
            return ""
        days = self._pack.parameter(rule.cure_business_days, self._day)
        return "" if days is None else business_days_after(self._day, int(days), self._pack.calendar)

    def _trace(
        self, evaluator: Evaluator, comparison: Comparison, left: Interval, right: Interval
    ) -> tuple[TraceLine, ...]:
        lines = [
            TraceLine(f"{name}: {atom.key}", show_bounds(atom.value), atom.tier.label, atom.evidence)
            for name, atoms in evaluator.atoms.items()
            for atom in atoms
            if atom.value.exact != 0
        ]
        lines += [TraceLine(name, show_bounds(value), self._pack.id) for name, value in evaluator.parameters.items()]
        lines += [
            TraceLine(f"price of a base unit of {asset}", show_bounds(priced.value), priced.source)
            for asset, priced in evaluator.priced.items()
        ]
        sides = (("left side", left), ("right side", right))
        return (*lines, *(TraceLine(f"{name} of {comparison.relation}", show_bounds(side)) for name, side in sides))


def show_bounds(value: Interval) -> str:
    """Return exact bounds for programs: `5`, `5/3`, `5..7`, `5..`, `..`."""
    if value.exact is not None:
        return str(value.exact)
    low, high = ("" if bound is None else str(bound) for bound in value)
    return f"{low}..{high}"


def _decisive(evaluator: Evaluator, statement: Statement, truth: Truth) -> Comparison:
    """Return the first comparison that has the statement's truth: the one that decided it."""
    comparisons = list(comparisons_of(statement))
    return next((one for one in comparisons if evaluator.truth(one) is truth), comparisons[0])


def _open(evaluator: Evaluator) -> tuple[Reason, str]:
    for reason in _FIRST:
        texts = [doubt.text for doubt in evaluator.doubts if doubt.reason is reason]
        if texts:
            more = f"; {len(texts) - SAID:,} more" if len(texts) > SAID else ""
            return reason, "; ".join(texts[:SAID]) + more
    return Reason.PRICE_SPREAD, "the spread of prices decides"


def _missed(evaluator: Evaluator, comparison: Comparison) -> Fraction | None:
    """Return by how much at least a breached comparison is missed, anywhere within the bounds."""
    low, high = evaluator.bounds(evaluator.room(comparison))
    if high is not None and high < 0:
        return -high
    return low if comparison.relation is Relation.EQUAL else None if high is None else Fraction(0)


def _slack(evaluator: Evaluator, comparison: Comparison) -> Fraction | None:
    """Return how much room a comparison that holds leaves at the least; None where none is known."""
    low, _ = evaluator.bounds(evaluator.room(comparison))
    return None if comparison.relation is Relation.EQUAL else low
