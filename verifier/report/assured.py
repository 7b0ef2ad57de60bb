"""What users' own checks prove, when the declaration states how many checked."""

from fractions import Fraction

from verifier.assurance import MAX_ACCOUNTS, Stratum, proven_by
from verifier.case import Case
from verifier.policy.amounts import show_percent
from verifier.report.words import Words

CHECKED, WRONG = "clients_checked", "clients_checked_wrong"


def stated(case: Case, name: str) -> Fraction | None:
    """Return a number that the declaration states for the whole exchange, or None."""
    for fact in case.declaration.statements or ():
        if fact.name == name and fact.asset is None:
            return Fraction(fact.value)
    return None


def assurance_lines(case: Case, say: Words) -> tuple[str, ...]:
    """Return what the checks prove, exactly and on which condition; nothing when no number is known."""
    checked, wrong = stated(case, CHECKED), stated(case, WRONG)
    if checked is None or case.liabilities is None:
        return ()
    accounts = case.liabilities.accounts
    if checked.denominator != 1 or not 0 < accounts <= MAX_ACCOUNTS or checked > accounts:
        return (say("assurance.senseless", checked=str(checked), accounts=accounts),)
    if wrong:
        return (say("assurance.wrong", wrong=str(wrong), checked=int(checked)),)
    found = proven_by(Stratum("", accounts, int(checked)))
    sure = show_percent(found.confidence)
    if found.fewer_than > accounts:
        return (say("assurance.nothing", checked=int(checked), accounts=accounts, sure=sure),)
    line = say(
        "assurance.line",
        checked=int(checked),
        accounts=accounts,
        sure=sure,
        most=found.fewer_than - 1,
        share=show_percent(found.share),
    )
    return (line, say("assurance.unknown_wrong") if wrong is None else say("assurance.condition"))
