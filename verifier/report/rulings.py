"""Every rule's outcome under every rulebook, with its clause, its numbers, its evidence and its trace."""

from collections.abc import Mapping

from chains.model import Tier
from verifier.policy.finding import Finding, Reason, TraceLine
from verifier.policy.inputs import Scope
from verifier.policy.japanese import in_japanese, known_in_japanese
from verifier.policy.pack import Pack
from verifier.policy.vocabulary import QUANTITIES
from verifier.report.content import Cell, FindingRow, RulebookRow, SubjectRow, TraceRow
from verifier.report.headline import said_text
from verifier.report.matrix import matrix
from verifier.report.names import asset_names
from verifier.report.words import Words
from verifier.verdict import Verdict, worst
from verifier.verification import Verification

ORDER = (Verdict.PASS, Verdict.FAIL, Verdict.INDETERMINATE, Verdict.NOT_APPLICABLE)
GRAVEST = (Verdict.FAIL, Verdict.INDETERMINATE, Verdict.PASS, Verdict.NOT_APPLICABLE)
PRICE, SIDES = "price of a base unit of ", {"left side of ": "trace.left", "right side of ": "trace.right"}
TIERS = frozenset(tier.label for tier in Tier)


def rulebook_rows(result: Verification, say: Words) -> tuple[RulebookRow, ...]:
    """Return a row per rulebook, in the order they were named."""
    return tuple(
        RulebookRow(
            judged.pack.id,
            judged.pack.version,
            in_japanese(judged.pack.title) if say.japanese else judged.pack.title,
            judged.pack.jurisdiction,
            _standing(row.standing, judged.day, say),
            str(row.verdict),
            say(f"verdict.{row.verdict}"),
            (row.counts[ORDER[0]], row.counts[ORDER[1]], row.counts[ORDER[2]], row.counts[ORDER[3]]),
            row.broken,
            judged.pack.digest,
            judged.day,
        )
        for judged, row in zip(result.judgements, matrix(result), strict=True)
    )


def _standing(standing: str, day: str, say: Words) -> str:
    key = f"standing.{standing}"
    return say(key) if key in say else say("standing.not_on", day=day)


def subject_rows(result: Verification, say: Words) -> tuple[SubjectRow, ...]:
    """Return each subject under every rulebook: the worst of its findings, or not applicable."""
    names = asset_names(result.case)
    subjects = dict.fromkeys(f.subject for one in result.judgements for f in one.findings if f.pack)
    return tuple(
        SubjectRow(
            names.get(subject) or _subject(subject, say),
            tuple(
                _cell([f for f in one.findings if f.pack and f.subject == subject], say) for one in result.judgements
            ),
        )
        for subject in sorted(subjects, key=lambda one: (one not in names, names.get(one, one)))
    )


def _cell(findings: list[Finding], say: Words) -> Cell:
    counted = [one.verdict for one in findings if one.verdict is not Verdict.NOT_APPLICABLE]
    verdict = worst(counted) if counted else Verdict.NOT_APPLICABLE
    return Cell(str(verdict), say(f"verdict.{verdict}"))


def finding_rows(result: Verification, say: Words) -> tuple[FindingRow, ...]:
    """Return every finding once: what is broken first, then what is open, each in the order of the rulebooks."""
    packs = {judged.pack.id: judged.pack for judged in result.judgements}
    names = asset_names(result.case)
    found = sorted(result.findings, key=lambda finding: GRAVEST.index(finding.verdict))
    return tuple(_row(number, one, packs, names, say) for number, one in enumerate(found, 1))


def _row(number: int, one: Finding, packs: Mapping[str, Pack], names: Mapping[str, str], say: Words) -> FindingRow:
    words = one.words_ja if say.japanese else one.words
    return FindingRow(
        number=number,
        pack=one.pack,
        rule=one.rule,
        demand=_demand(one, packs, say),
        subject=one.subject,
        subject_word=names.get(one.subject) or _subject(one.subject, say),
        verdict=str(one.verdict),
        word=say(f"verdict.{one.verdict}"),
        level=say(f"level.{one.level}"),
        reason=str(one.reason),
        reason_word=say(f"reason.{one.reason}"),
        text=said_text(one, say),
        clause=one.clause,
        measured=words.measured if words else "",
        required=_required(one, words.required if words else "", say),
        room=_room(one, words.room if words else "", say),
        measured_exact=one.measured,
        required_exact=one.required,
        shortfall_exact=one.shortfall,
        slack_exact=one.slack,
        cure_by=one.cure_by,
        evidence=one.evidence,
        trace=tuple(_trace(line, names, say) for line in one.trace),
    )


def _required(one: Finding, bound: str, say: Words) -> str:
    if not bound or one.subject == str(Scope.ADDRESS):
        return bound  # wallets are counted: all of them must satisfy the rule
    return say("rules.at_most" if one.required.startswith("at most ") else "rules.at_least", bound=bound)


def _demand(one: Finding, packs: Mapping[str, Pack], say: Words) -> str:
    pack = packs.get(one.pack)
    rule = next((rule for rule in pack.rules if rule.id == one.rule), None) if pack else None
    if rule is None:
        return say(f"integrity.{one.rule}") if f"integrity.{one.rule}" in say else ""
    return rule.text_ja if say.japanese else rule.text_en


def _subject(subject: str, say: Words) -> str:
    return say(f"subject.{subject}") if f"subject.{subject}" in say else subject


def _room(one: Finding, room: str, say: Words) -> str:
    if not room:
        return ""
    if one.verdict is not Verdict.FAIL:
        return say("rules.slack", room=room)
    return say("rules.over" if one.reason is Reason.EXCEEDED else "rules.short", room=room)


def _trace(line: TraceLine, names: Mapping[str, str], say: Words) -> TraceRow:
    name, key = _trace_name(line.name, names, say)
    known = say(f"tier.{line.known_as}") if line.known_as in TIERS else line.known_as
    if say.japanese and key == "wallets":
        known = in_japanese(known)
    return TraceRow(name, key, line.value, known, line.evidence)


def _trace_name(name: str, names: Mapping[str, str], say: Words) -> tuple[str, str]:
    """Return what a number is in the report's language, and the key of the unknown it is."""
    for start, key in SIDES.items():
        if name.startswith(start):
            return say(key, relation=name.removeprefix(start)), ""
    if name.startswith(PRICE):
        asset = name.removeprefix(PRICE)
        return say("trace.price", asset=names.get(asset, asset)), asset
    word, _, key = name.partition(": ")
    if word == "wallets":
        return say("trace.wallets", verdict=say(f"verdict.{key}")), "wallets"
    key = (known_in_japanese(key) or key) if say.japanese else key
    quantity = QUANTITIES.get(word)
    if quantity is None:
        return say("trace.number", name=word), key
    return (quantity.ja if say.japanese else quantity.en), key
