"""Only a small part of client assets, by value, may be kept where thieves can reach it at once."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from chains.ids import AssetId
from chains.model import Tier
from verifier.case import Case
from verifier.declaration import Pool
from verifier.liabilities.check import Liabilities
from verifier.policy.amounts import show_percent
from verifier.policy.eligibility import Amount, pool_amount, weak_inputs
from verifier.policy.finding import Finding, Reason
from verifier.policy.pack import Pack, Rule
from verifier.snapshot import Price, unit_prices
from verifier.verdict import Verdict


class Slack(NamedTuple):
    """Room left under the limit, in the pack's currency: the least and the most that prices and readings allow.

    `least` is None when a hot balance has no known upper bound.
    """

    least: Fraction | None
    most: Fraction


def hot_share(case: Case, pack: Pack, rule: Rule) -> Sequence[Finding]:
    """Compare the value of client assets held hot with `hot_limit` × the value of all client assets.

    Decided exactly as Σ (limit × client − hot) × price ≥ 0, each asset at the corner of its own price interval, so
    that the spread of a price does not count against itself on both sides.
    """
    base = Finding("", "total", Verdict.INDETERMINATE, Reason.MISSING_INPUT, "")
    limit = pack.parameter("hot_limit", case.declaration.as_of[:10])
    if limit is None:
        return [base._replace(reason=Reason.UNSET_PARAMETER, text="The law names no limit for hot wallets.")]
    if case.liabilities is None:
        return [base._replace(text="No liabilities were committed to, so the share cannot be computed.")]
    assets = sorted({AssetId(a.asset) for a in case.declaration.assets} | set(case.liabilities.totals))
    hot = {asset: pool_amount(case, asset, {Pool.CLIENT_HOT}, signed_only=False) for asset in assets}
    prices = unit_prices(case.prices, pack.currency, case.declaration.decimals())
    owed = case.liabilities.totals
    unpriced = [a for a in assets if (owed.get(a, 0) or hot[a].high != 0) and a not in prices]
    if unpriced:
        return [base._replace(text=f"There is no price in {pack.currency} for {', '.join(unpriced)}.")]
    return [_judge(base, case.liabilities, rule, limit, hot, prices)]


def slack(
    owed: Mapping[AssetId, int], limit: Fraction, hot: Mapping[AssetId, Amount], prices: Mapping[AssetId, Price]
) -> Slack:
    """Return the least and the most room under the limit, choosing for each asset the price that makes it so."""
    bounded = all(amount.high is not None for amount in hot.values())
    least, most = Fraction(0), Fraction(0)
    for asset, amount in hot.items():
        if asset not in prices:
            continue
        price = prices[asset]
        allowed = limit * owed.get(asset, 0)
        worst, best = allowed - (amount.high or 0), allowed - amount.low
        least += worst * (price.high if worst < 0 else price.low)
        most += best * (price.low if best < 0 else price.high)
    return Slack(least if bounded else None, most)


def _judge(
    base: Finding,
    liabilities: Liabilities,
    rule: Rule,
    limit: Fraction,
    hot: Mapping[AssetId, Amount],
    prices: Mapping[AssetId, Price],
) -> Finding:
    owed = liabilities.totals
    room = slack(owed, limit, hot, prices)
    client_value = sum((owed.get(a, 0) * p.low for a, p in prices.items()), Fraction(0))
    hot_value = sum((amount.low * prices[a].low for a, amount in hot.items() if a in prices), Fraction(0))
    share = hot_value / client_value if client_value else Fraction(0)
    evidence = sorted({item for amount in hot.values() for item in amount.evidence} | {liabilities.commitment})
    base = base._replace(measured=str(share), required=f"at most {limit}", evidence=tuple(evidence))
    if client_value == 0 and hot_value == 0:
        text = "There are no client assets of any value."
        return base._replace(verdict=Verdict.NOT_APPLICABLE, reason=Reason.OUT_OF_SCOPE, text=text)
    said = f"{show_percent(share)} of client assets by value is held hot; at most {show_percent(limit)} is allowed."
    if room.most < 0:
        over = f"{-room.most.numerator // room.most.denominator}"
        return base._replace(verdict=Verdict.FAIL, reason=Reason.EXCEEDED, text=said, shortfall=over)
    if room.least is None or room.least < 0:
        open_items = [item for amount in hot.values() for item in amount.open]
        reason = Reason.UNCERTAIN_BALANCE if open_items else Reason.PRICE_SPREAD
        text = f"{said} The spread of prices leaves it open." if not open_items else f"{said} Open: {open_items[0]}."
        return base._replace(reason=reason, text=text)
    weak = weak_inputs(rule, min((amount.tier for amount in hot.values()), default=Tier.PROVEN), liabilities.tier)
    if weak:
        return base._replace(reason=Reason.WEAK_EVIDENCE, text=weak)
    return base._replace(verdict=Verdict.PASS, reason=Reason.SATISFIED, text=said)
