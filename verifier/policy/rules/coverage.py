"""Client assets are held in full: per asset, what client pools hold is at least what clients are owed."""

from collections.abc import Sequence

from chains.ids import AssetId
from verifier.case import Case
from verifier.declaration import CLIENT_POOLS
from verifier.liabilities.check import Liabilities
from verifier.policy.amounts import show_units
from verifier.policy.eligibility import Amount, pool_amount, weak_inputs
from verifier.policy.finding import Finding, Reason
from verifier.policy.pack import Pack, Rule
from verifier.verdict import Verdict


def coverage_per_asset(case: Case, pack: Pack, rule: Rule) -> Sequence[Finding]:
    """Compare, per asset and without netting, eligible client-pool units with `coverage_ratio` × liability units."""
    ratio = pack.parameter("coverage_ratio", case.declaration.as_of[:10])
    if ratio is None:
        return [Finding("", "total", Verdict.INDETERMINATE, Reason.UNSET_PARAMETER, "The law names no coverage ratio.")]
    if case.liabilities is None:
        text = "No liabilities were committed to, so there is nothing to compare the reserves with."
        return [Finding("", "total", Verdict.INDETERMINATE, Reason.MISSING_INPUT, text)]
    assets = sorted({AssetId(a.asset) for a in case.declaration.assets} | set(case.liabilities.totals))
    findings = []
    for asset in assets:
        owed = case.liabilities.totals.get(asset, 0)
        required = -(-ratio.numerator * owed // ratio.denominator)
        held = pool_amount(case, asset, CLIENT_POOLS, signed_only=rule.ownership == "signed")
        findings.append(_judge(case, rule, asset, held, required, case.liabilities))
    return findings


def _judge(case: Case, rule: Rule, asset: AssetId, held: Amount, required: int, liabilities: Liabilities) -> Finding:
    symbol = case.declaration.symbols().get(asset, asset)
    measured = show_units(case, asset, held.low)
    base = Finding(
        "", str(asset), Verdict.PASS, Reason.SATISFIED, "",
        measured=str(held.low), required=str(required), evidence=(*held.evidence, liabilities.commitment),
    )  # fmt: skip
    if required == 0:
        text = f"Clients are owed no {symbol}."
        return base._replace(verdict=Verdict.NOT_APPLICABLE, reason=Reason.OUT_OF_SCOPE, text=text)
    owed = show_units(case, asset, required)
    if held.high is not None and held.high < required:
        short = required - held.high
        left_out = f" Left out: {'; '.join(held.refused[:3])}." if held.refused else ""
        text = f"Client pools hold {measured}, {owed} is required: {show_units(case, asset, short)} short.{left_out}"
        return base._replace(verdict=Verdict.FAIL, reason=Reason.SHORTFALL, text=text, shortfall=str(short))
    if held.low < required:
        text = f"Only {measured} of the required {owed} is certain. Open: {'; '.join(held.open[:3])}."
        return base._replace(verdict=Verdict.INDETERMINATE, reason=Reason.UNCERTAIN_BALANCE, text=text)
    weak = weak_inputs(rule, held.tier, liabilities.tier)
    if weak:
        return base._replace(verdict=Verdict.INDETERMINATE, reason=Reason.WEAK_EVIDENCE, text=weak)
    return base._replace(text=f"Client pools hold {measured}; {owed} is required.")
