"""What is held hot for clients is matched by the company's own assets, same kind and same quantity, kept apart."""

from collections.abc import Sequence

from chains.ids import AssetId
from verifier.case import Case
from verifier.declaration import Pool
from verifier.policy.amounts import show_units
from verifier.policy.eligibility import Amount, pool_amount, weak_inputs
from verifier.policy.finding import Finding, Reason
from verifier.policy.pack import Pack, Rule
from verifier.verdict import Verdict


def guarantee_matches_hot(case: Case, pack: Pack, rule: Rule) -> Sequence[Finding]:
    """Compare, per asset, units in the guarantee pool with units held hot for clients."""
    findings = []
    for declared in sorted(case.declaration.assets, key=lambda item: item.asset):
        asset = AssetId(declared.asset)
        hot = pool_amount(case, asset, {Pool.CLIENT_HOT}, signed_only=False)
        own = pool_amount(case, asset, {Pool.GUARANTEE}, signed_only=rule.ownership == "signed")
        findings.append(_judge(case, rule, asset, hot, own))
    return findings


def _judge(case: Case, rule: Rule, asset: AssetId, hot: Amount, own: Amount) -> Finding:
    base = Finding(
        "", str(asset), Verdict.INDETERMINATE, Reason.UNCERTAIN_BALANCE, "",
        measured=str(own.low), required=str(hot.low if hot.high is None else hot.high),
        evidence=tuple(sorted({*hot.evidence, *own.evidence})),
    )  # fmt: skip
    symbol = case.declaration.symbols().get(asset, asset)
    if hot.high == 0:
        text = f"No {symbol} of clients is held hot."
        return base._replace(verdict=Verdict.NOT_APPLICABLE, reason=Reason.OUT_OF_SCOPE, text=text)
    said = f"Guarantee assets hold {show_units(case, asset, own.low)}; {show_units(case, asset, hot.low)} is held hot."
    if own.high is not None and own.high < hot.low:
        short = hot.low - own.high
        return base._replace(verdict=Verdict.FAIL, reason=Reason.SHORTFALL, text=said, shortfall=str(short))
    if hot.high is None or own.low < hot.high:
        return base._replace(text=f"{said} Open: {'; '.join((*hot.open, *own.open)[:3])}.")
    weak = weak_inputs(rule, min(hot.tier, own.tier))
    if weak:
        return base._replace(reason=Reason.WEAK_EVIDENCE, text=weak)
    return base._replace(verdict=Verdict.PASS, reason=Reason.SATISFIED, text=said)
