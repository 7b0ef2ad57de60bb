"""From a verification to its report: one pure function, in numbered steps; nothing is read but the case."""

from verifier.policy.case_amounts import Amounts
from verifier.report.assured import assurance_lines
from verifier.report.changes import change_lines
from verifier.report.checklist import checklist, summary
from verifier.report.content import FORMAT, Report, Reproduction
from verifier.report.evidence import evidence_rows, holding_rows
from verifier.report.headline import headline
from verifier.report.holdings import coverage_rows, ladder_rows, off_chain_rows, pool_rows
from verifier.report.limits import limits
from verifier.report.multiples import multiple_rows
from verifier.report.origin import Origin
from verifier.report.profiles import profile_rows
from verifier.report.quotes import price_rows
from verifier.report.rulings import finding_rows, rulebook_rows, subject_rows
from verifier.report.words import Words, words_of
from verifier.verification import Verification

NOWHERE = Origin()


def build_report(result: Verification, language: str = "en", origin: Origin = NOWHERE) -> Report:
    """Return the report of a verification in one language; the same verification gives the same report."""
    say: Words = words_of(language)
    case, amounts = result.case, Amounts(result.case)
    scored = checklist(result, origin, say)
    return Report(
        format=FORMAT,
        language=language,
        # 1. Who claims what, and the answer.
        headline=headline(result, say),
        # 2. What is held: per asset, per pool and evidence, how soon it can be paid, and since when it is there.
        coverage=coverage_rows(case, say),
        pools=pool_rows(case, say),
        off_chain=off_chain_rows(case, say),
        ladder=ladder_rows(amounts, say),
        profiles=profile_rows(amounts, say),
        # 3. What each rulebook says of it, and how far a reserve reaches.
        rulebooks=rulebook_rows(result, say),
        subjects=subject_rows(result, say),
        findings=finding_rows(result, say),
        multiples=multiple_rows(case, say),
        prices=price_rows(case, say),
        # 4. What it is worth as evidence.
        limits=tuple(limits(result, say)),
        checklist=scored,
        checklist_summary=summary(scored, say),
        changes=change_lines(result.earlier, say),
        assurance=assurance_lines(case, say),
        # 5. Everything behind it, and how to derive it again.
        holdings=holding_rows(case, say),
        evidence=evidence_rows(result, say),
        reproduction=Reproduction(origin.command, origin.version, origin.lock, result.bundle, case.digest),
    )
