"""What a pack must not leave to chance: every rule parses, cites, and is shown to pass, to fail and to have nothing."""

from collections.abc import Iterator
from fractions import Fraction

from verifier.errors import InputError
from verifier.policy.deadline import business_days_after
from verifier.policy.expression import bands_of, names_of
from verifier.policy.given import PARAMETER, PRICE, day_of, inputs_of
from verifier.policy.inputs import Scope
from verifier.policy.judge import Judge, ParsedRule, parse_rule
from verifier.policy.pack import Band, Pack, Rule
from verifier.policy.vocabulary import QUANTITIES

EXPECTED = ("pass", "fail")
NOTHING = ("indeterminate", "not-applicable")


def lint(pack: Pack) -> list[str]:
    """Return what is wrong with a pack, a line each; nothing when it can be relied on."""
    parsed: list[ParsedRule] = []
    problems: list[str] = []
    for rule in pack.rules:
        try:
            parsed.append(parse_rule(pack, rule))
        except InputError as error:
            problems.append(f"{rule.id}: {error}")
    problems += [problem for band in pack.bands for problem in _band_problems(band)]
    problems += [problem for one in parsed for problem in _rule_problems(pack, one)]
    return [*problems, *_unused(pack, parsed), *_calendar_problems(pack)]


def _band_problems(band: Band) -> Iterator[str]:
    for table in band.tables:
        points = [Fraction(step.at) for step in table.steps]
        values = [Fraction(step.value) for step in table.steps if step.value is not None]
        if points != sorted(set(points)) or points[0] != 0:
            yield f"{band.name}: the steps of {table.since} do not rise from 0"
        if values != sorted(values):
            yield f"{band.name}: the values of {table.since} fall where the argument rises"


def _rule_problems(pack: Pack, parsed: ParsedRule) -> Iterator[str]:
    rule = parsed.rule
    expected = [case.expect for case in rule.cases]
    for needed in EXPECTED:
        if needed not in expected:
            yield f"{rule.id}: has no case that it is expected to {needed}"
    if not set(NOTHING) & set(expected):
        yield f"{rule.id}: has no case with nothing to judge (indeterminate or not-applicable)"
    used = {name for name in names_of(parsed.check) if name in QUANTITIES}
    for name in sorted(used - set(rule.minimum_tier)):
        yield f"{rule.id}: names no minimum_tier for {name}"
    for name in sorted(set(rule.minimum_tier) - set(names_of(parsed.check))):
        yield f"{rule.id}: names a minimum_tier for {name}, which it does not use"
    if rule.cure_business_days and rule.cure_business_days not in {one.name for one in pack.parameters}:
        yield f"{rule.id}: cure_business_days names the unknown parameter {rule.cure_business_days!r}"
    yield from _case_problems(pack, parsed)
    yield from _open_parameter_problems(pack, rule, parsed)


def _case_problems(pack: Pack, parsed: ParsedRule) -> Iterator[str]:
    rule = parsed.rule
    for case in rule.cases:
        known = _known_names(pack, parsed)
        for key in case.given:
            first, _, name = key.rpartition(" ")
            if name not in known and name != PRICE and first != PARAMETER:
                yield f"{rule.id}, {case.name!r}: gives {key!r}, which the rule does not ask"
        try:
            inputs = inputs_of(rule, case)
            _, outcome = Judge(pack, inputs, day_of(pack, case), {}).evaluate(parsed, str(rule.scope))
        except InputError as error:
            yield f"{rule.id}, {case.name!r}: {error}"
            continue
        if str(outcome.verdict) != case.expect:
            why = f" ({outcome.doubts})" if outcome.doubts else ""
            yield f"{rule.id}, {case.name!r}: expected {case.expect}, is {outcome.verdict}{why}"


def _open_parameter_problems(pack: Pack, rule: Rule, parsed: ParsedRule) -> Iterator[str]:
    """A rule that uses a number the law leaves open has a case that shows it undecided."""
    used = set(names_of(parsed.check)) | (set(names_of(parsed.when)) if parsed.when else set())
    unset = sorted(p.name for p in pack.parameters if p.name in used and any(v.value is None for v in p.values))
    for name in unset:
        shown = any(c.expect == "indeterminate" and f"{PARAMETER} {name}" not in c.given for c in rule.cases)
        if not shown:
            yield f"{rule.id}: {name} has no value for some days, and no case shows the rule indeterminate then"


def _known_names(pack: Pack, parsed: ParsedRule) -> set[str]:
    names = set(names_of(parsed.check)) | (set(names_of(parsed.when)) if parsed.when else set())
    return names - {parameter.name for parameter in pack.parameters}


def _unused(pack: Pack, parsed: list[ParsedRule]) -> Iterator[str]:
    if len(parsed) < len(pack.rules):
        return
    statements = [statement for one in parsed for statement in (one.check, one.when) if statement is not None]
    used = {name for statement in statements for name in (*names_of(statement), *bands_of(statement))}
    used |= {rule.cure_business_days or "" for rule in pack.rules}
    used |= {one.approval_days or "" for one in pack.payout}
    yield from (f"{item.name}: is used by no rule" for item in pack.named if item.name not in used)
    cited = {item.source for item in pack.clauses} | {item.source for item in pack.parameters}
    cited |= {item.source for item in pack.bands}
    yield from (f"{source.id}: a source that nothing cites" for source in pack.sources if source.id not in cited)
    if any(rule.scope is Scope.TOTAL for rule in pack.rules) and not pack.currency:
        yield "a rule over the total needs the pack's currency"


def _calendar_problems(pack: Pack) -> Iterator[str]:
    if any(rule.cure_business_days for rule in pack.rules):
        try:
            business_days_after(pack.effective_from, 1, pack.calendar)
        except InputError as error:
            yield str(error)
