"""The first lines of a report: who claims what, as of when, under which law, and the answer with its main reason."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from verifier.policy.finding import Finding, Level
from verifier.policy.japanese import in_japanese
from verifier.report.content import Headline, Reason
from verifier.report.words import Words
from verifier.verdict import Verdict
from verifier.verification import Verification

SAID_ASSETS = 6


def headline(result: Verification, say: Words) -> Headline:
    """Return the answer in plain words."""
    declaration = result.case.declaration
    counts = Counter(finding.verdict for finding in result.findings)
    return Headline(
        verdict=str(result.verdict),
        word=say(f"verdict.{result.verdict}"),
        answer=say(f"answer.{result.verdict}"),
        exchange=declaration.exchange.name,
        exchange_id=declaration.exchange.id,
        claim=_claim(result, say),
        as_of=declaration.as_of,
        when=spoken_time(declaration.as_of, say),
        reason=main_reason(result, say),
        counts=say("headline.counts", of=sum(counts.values()), **{_key(one): counts[one] for one in Verdict}),
    )


def spoken_time(utc: str, say: Words) -> str:
    """Return a UTC time such as 2026-11-22T00:00:00Z in words."""
    return say("headline.when", date=utc[:10], time=utc[11:16]) if utc[10:11] == "T" else utc


def said_text(finding: Finding, say: Words) -> str:
    """Return what a finding says, in the report's language."""
    return (finding.text_ja or in_japanese(finding.text)) if say.japanese else finding.text


def main_reason(result: Verification, say: Words) -> Reason:
    """Return the finding that matters most: the deepest breach, the first that is open, or the tightest that holds."""
    decisive = [one for one in _decisive(result) if one.verdict is result.verdict and one.level is Level.MUST]
    if not decisive:
        return Reason(say(f"reason_of.{_key(result.verdict)}_none"))
    in_force = {judged.pack.id for judged in result.judgements if judged.in_force and judged.pack.status != "model"}
    chosen = max(decisive, key=lambda finding: _weight(finding, finding.pack in in_force))
    lead = say(f"reason_of.{_key(result.verdict)}", count=len(decisive)) if len(decisive) > 1 else ""
    return Reason(f"{lead}{said_text(chosen, say)}", chosen.rule, chosen.clause, chosen.cure_by)


def _decisive(result: Verification) -> Iterator[Finding]:
    """Yield the findings that can decide: those of rulebooks, and any fault that no rulebook heals."""
    for finding in result.findings:
        if finding.pack or finding.verdict is not Verdict.PASS:
            yield finding


def _weight(finding: Finding, in_force: bool) -> tuple[bool, bool, bool, Fraction, bool]:
    """Return how much a finding matters among those of its verdict.

    A fault that no law could heal comes first, then the law in force, then what is missed by the largest part; of what
    holds, the one with the least room.
    """
    required = _number(finding.required.removeprefix("at most "))
    failed = finding.verdict is Verdict.FAIL
    room = _number(finding.shortfall if failed else finding.slack)
    measured = room is not None and bool(required)
    part = room / required if room is not None and required else Fraction(0)
    return not finding.pack, failed and in_force, measured, part if failed else -part, in_force


def _number(text: str) -> Fraction | None:
    low, _, high = text.partition("..")
    try:
        return Fraction(high or low)
    except (ValueError, ZeroDivisionError):
        return None


def _claim(result: Verification, say: Words) -> str:
    case = result.case
    symbols = [asset.symbol for asset in case.declaration.assets]
    named = say("headline.comma").join(symbols[:SAID_ASSETS])
    if len(symbols) > SAID_ASSETS:
        named += say("headline.more_assets", more=len(symbols) - SAID_ASSETS)
    facts = {"wallets": len(case.accounts), "assets": len(symbols), "named": named}
    if case.liabilities is None:
        return say("headline.claim_unowed", **facts)
    return say("headline.claim", clients=case.liabilities.accounts, **facts)


def _key(verdict: Verdict) -> str:
    return str(verdict).replace("-", "_")
