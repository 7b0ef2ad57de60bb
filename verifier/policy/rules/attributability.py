"""Every unit in a client pool belongs to an identified client: nothing of the company's own is mixed in."""

from collections.abc import Sequence

from chains.ids import AssetId
from chains.model import Tier
from verifier.case import Case
from verifier.declaration import CLIENT_POOLS
from verifier.liabilities.check import Liabilities
from verifier.policy.amounts import show_units
from verifier.policy.eligibility import pool_amount, weak_inputs
from verifier.policy.finding import Finding, Reason
from verifier.policy.pack import Pack, Rule
from verifier.verdict import Verdict


def per_user_attributability(case: Case, pack: Pack, rule: Rule) -> Sequence[Finding]:
    """Check that the client ledger was rebuilt leaf by leaf, and that client pools hold no more than clients own.

    A surplus means that company assets sit among client assets; `unattributed_tolerance` (a fraction of what is
    owed) says how much of that the rulebook tolerates.
    """
    base = Finding("", "total", Verdict.INDETERMINATE, Reason.MISSING_INPUT, "")
    tolerance = pack.parameter("unattributed_tolerance", case.declaration.as_of[:10])
    if tolerance is None:
        return [base._replace(reason=Reason.UNSET_PARAMETER, text="The law names no tolerance.")]
    if case.liabilities is None:
        return [base._replace(text="No liabilities were committed to: nothing is attributed to anyone.")]
    findings = [_ledger(base, rule, case.liabilities)]
    for declared in sorted(case.declaration.assets, key=lambda item: item.asset):
        owed = case.liabilities.totals.get(AssetId(declared.asset), 0)
        allowed = owed + tolerance.numerator * owed // tolerance.denominator
        findings.append(_surplus(base, case, rule, AssetId(declared.asset), allowed))
    return findings


def _ledger(base: Finding, rule: Rule, liabilities: Liabilities) -> Finding:
    base = base._replace(evidence=(liabilities.commitment,), measured=liabilities.tier.label)
    base = base._replace(required=rule.tier("liabilities").label)
    if liabilities.tier < rule.tier("liabilities"):
        text = "Only the commitment is there; without the leaf list no amount can be attributed to a client."
        return base._replace(reason=Reason.WEAK_EVIDENCE, text=text)
    how = "were rebuilt to the committed root" if liabilities.tier is Tier.PROVEN else "are stated by the exchange"
    text = f"{liabilities.accounts:,} client accounts {how}; each counts once."
    return base._replace(verdict=Verdict.PASS, reason=Reason.SATISFIED, text=text)


def _surplus(base: Finding, case: Case, rule: Rule, asset: AssetId, allowed: int) -> Finding:
    held = pool_amount(case, asset, CLIENT_POOLS, signed_only=False)
    base = base._replace(
        subject=str(asset), measured=str(held.low), required=f"at most {allowed}", evidence=held.evidence
    )
    if held.high is None:
        return base._replace(reason=Reason.UNCERTAIN_BALANCE, text=f"Open: {'; '.join(held.open[:3])}.")
    if held.low > allowed:
        surplus = held.low - allowed
        text = (
            f"Client pools hold {show_units(case, asset, surplus)} more than clients own:"
            " assets that belong to no client are mixed with theirs."
        )
        return base._replace(
            verdict=Verdict.FAIL, reason=Reason.UNATTRIBUTED, text=text, shortfall=str(surplus)
        )  # fmt: skip
    weak = weak_inputs(rule, held.tier)
    if weak:
        return base._replace(reason=Reason.WEAK_EVIDENCE, text=weak)
    symbol = case.declaration.symbols().get(asset, asset)
    return base._replace(
        verdict=Verdict.PASS, reason=Reason.SATISFIED, text=f"All {symbol} in client pools belongs to clients."
    )
