"""A rule over every wallet: wallets that look alike are judged once, and one finding counts them."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from verifier.policy.expression import names_of
from verifier.policy.finding import Finding, InWords, TraceLine
from verifier.policy.inputs import SAID, Inputs, Scope
from verifier.policy.japanese import in_japanese
from verifier.policy.judge import Judge, Outcome, ParsedRule
from verifier.policy.vocabulary import QUANTITIES
from verifier.verdict import Verdict, worst

NONE_DECLARED = "No wallet of a client, guarantee or reserve pool is declared."
NONE_DECLARED_JA = "利用者・履行保証・準備金のウォレットが申告されていません。"


class _Group(NamedTuple):
    """Wallets with the same outcome, in words."""

    outcome: Outcome
    said: tuple[str, str]


def judge_wallets(judge: Judge, inputs: Inputs, parsed: ParsedRule) -> Finding:
    """Return one finding for all wallets: it fails when one fails, and passes when all do or are out of its scope."""
    base = judge.base(parsed.rule)
    names = [name for name in dict.fromkeys(names_of(parsed.check)) if name in QUANTITIES]
    names += [name for name in dict.fromkeys(names_of(parsed.when) if parsed.when else ()) if name in QUANTITIES]
    alike: dict[Hashable, _Group] = {}
    counts: Counter[_Group] = Counter()
    for subject in inputs.subjects(Scope.ADDRESS):
        key = tuple(tuple(inputs.quantity(name, Scope.ADDRESS, subject)) for name in names)
        if key not in alike:
            alike[key] = _group(judge, parsed, subject)
        counts[alike[key]] += 1
    if not counts:
        return base._replace(text=NONE_DECLARED, text_ja=NONE_DECLARED_JA)
    verdict = worst([group.outcome.verdict for group in counts])
    if all(group.outcome.verdict is Verdict.NOT_APPLICABLE for group in counts):
        verdict = Verdict.NOT_APPLICABLE
    of = sum(counts.values())
    passed = sum(count for group, count in counts.items() if group.outcome.verdict is Verdict.PASS)
    english, japanese = _sentences(counts, of, passed)
    return base._replace(
        verdict=verdict,
        reason=next(group.outcome.reason for group in counts if group.outcome.verdict is verdict),
        text=english,
        text_ja=japanese,
        measured=f"{passed} of {of} wallets",
        required="all",
        cure_by=judge.cure_by(parsed.rule) if verdict is Verdict.FAIL else "",
        trace=tuple(_lines(counts)),
        words=InWords(f"{passed:,} of {of:,} wallets", "all", ""),
        words_ja=InWords(f"{of:,}件中{passed:,}件", "すべて", ""),
    )


def _group(judge: Judge, parsed: ParsedRule, subject: str) -> _Group:
    evaluator, outcome = judge.evaluate(parsed, subject)
    if outcome.verdict is Verdict.INDETERMINATE:
        return _Group(outcome, (outcome.doubts, in_japanese(outcome.doubts)))
    right = evaluator.bounds(evaluator.value(outcome.comparison.right))
    return _Group(outcome, judge.fault(parsed, outcome.comparison, subject, right))


def _sentences(counts: Counter[_Group], of: int, passed: int) -> tuple[str, str]:
    english, japanese = [f"{passed:,} of {of:,} wallets satisfy the rule"], [f"{of:,}件中{passed:,}件が適合"]
    for verdict, words in (
        (Verdict.FAIL, ("break it", "違反")),
        (Verdict.INDETERMINATE, ("are open", "判定不能")),
        (Verdict.NOT_APPLICABLE, ("are out of its scope", "対象外")),
    ):
        said: Counter[tuple[str, str]] = Counter()
        for group, count in counts.items():
            if group.outcome.verdict is verdict:
                said[group.said] += count
        english += [f"{count:,} {words[0]} ({one[0]})" for one, count in said.most_common(SAID)]
        japanese += [f"{count:,}件が{words[1]}({one[1]})" for one, count in said.most_common(SAID)]
    return f"{'; '.join(english)}.", f"{'、'.join(japanese)}。"


def _lines(counts: Counter[_Group]) -> Iterable[TraceLine]:
    totals: Counter[tuple[str, str]] = Counter()
    for group, count in counts.items():
        totals[(str(group.outcome.verdict), group.said[0])] += count
    for (verdict, said), count in sorted(totals.items()):
        yield TraceLine(f"wallets: {verdict}", str(count), said)
