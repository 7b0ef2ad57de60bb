"""The points of the checklist that a case shows by itself: one small function each, true, false or not applicable."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property

from chains.ids import chain_of
from chains.model import Balance, Tier
from verifier.case import Position
from verifier.declaration import PROTECTED_POOLS, Pool, utc_seconds
from verifier.liquidity.forms import UNKNOWN, form_of
from verifier.liquidity.ladder import liquid_within
from verifier.ownership.binding import Binding
from verifier.ownership.claims import Control, control_of
from verifier.policy.case_amounts import Amounts
from verifier.policy.finding import Finding, Level
from verifier.recheck import SEAL_RULE
from verifier.report.assured import CHECKED, stated
from verifier.report.limits import TOLERATED_SECONDS
from verifier.report.origin import Origin
from verifier.verdict import Verdict
from verifier.verification import Verification

Held = bool | None
OPERATORS = 2
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)
_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}")


class Evidence:
    """A verification, and where its report comes from, as the points of the checklist ask for it."""

    def __init__(self, result: Verification, origin: Origin) -> None:
        self.result, self.case, self.origin = result, result.case, origin

    def documented(self, name: str) -> bool:
        """Tell whether the declaration states a fact of this name with the digest of a document."""
        return any(fact.name == name and fact.document for fact in self.case.declaration.statements or ())

    @cached_property
    def relied_on(self) -> list[Position]:
        return [position for position in self.case.positions if position.placement.pool in PROTECTED_POOLS]

    @cached_property
    def balances(self) -> list[Balance]:
        return [position.result for position in self.case.positions if isinstance(position.result, Balance)]

    @cached_property
    def judged(self) -> list[Finding]:
        return [finding for one in self.result.judgements for finding in one.findings if finding.pack]

    @property
    def sealed(self) -> bool:
        """Whether a seal by a key the verifier trusts names this very outcome."""
        return any(one.rule == SEAL_RULE and one.verdict is Verdict.PASS for one in self.result.rechecked)


def _identified(evidence: Evidence) -> Held:
    name = evidence.case.declaration.exchange.id
    return bool(_DOMAIN.fullmatch(name) or _LEI.fullmatch(name))


def _pinned(evidence: Evidence) -> Held:
    chains = {chain_of(position.placement.holding.account) for position in evidence.case.positions}
    return bool(chains) and chains == {block.chain for block in evidence.case.blocks}


def _near(evidence: Evidence) -> Held:
    stated_at = utc_seconds(evidence.case.declaration.as_of)
    blocks = evidence.case.blocks
    return bool(blocks) and all(abs(block.time - stated_at) <= TOLERATED_SECONDS for block in blocks)


def _owed_covered(evidence: Evidence) -> Held:
    liabilities = evidence.case.liabilities
    owed = {asset for asset, units in liabilities.totals.items() if units} if liabilities else set()
    return bool(owed) and owed <= set(evidence.case.positions_by_asset)


def _forms(evidence: Evidence) -> Held:
    tokens = [asset for asset in evidence.case.positions_by_asset if "/slip44:" not in asset]
    return all(form_of(asset) is not UNKNOWN for asset in tokens) if tokens else None


def _controlled(evidence: Evidence) -> Held:
    states = [control_of(one.ownership, one.placement.pool) for one in evidence.relied_on]
    return bool(states) and all(state in (Control.SIGNED, Control.THIRD_PARTY) for state in states)


def _bound(evidence: Evidence) -> Held:
    claims = [one.ownership for one in evidence.relied_on if one.ownership]
    return bool(claims) and all(claim.binding is Binding.ATTESTATION for claim in claims)


def _third_party(evidence: Evidence) -> Held:
    kept = [one for one in evidence.relied_on if one.placement.pool is Pool.CLIENT_THIRD_PARTY]
    shown = (one.ownership is not None and one.ownership.control is Control.SIGNED for one in kept)
    return all(shown) if kept else None


def _read(evidence: Evidence) -> Held:
    return bool(evidence.balances) and len(evidence.balances) == len(evidence.case.positions)


def _two_sources(evidence: Evidence) -> Held:
    tiers = [evidence.case.tier_of(balance) for balance in evidence.balances]
    return bool(tiers) and min(tiers) >= Tier.CORROBORATED


def _recorded(evidence: Evidence) -> Held:
    return bool(evidence.balances) and all(balance.evidence for balance in evidence.balances)


def _proven(evidence: Evidence) -> Held:
    tiers = [evidence.case.tier_of(balance) for balance in evidence.balances]
    return bool(tiers) and min(tiers) is Tier.PROVEN


def _agreed(evidence: Evidence) -> Held:
    return _read(evidence) and not evidence.case.exclusions


def _committed(evidence: Evidence) -> Held:
    return evidence.case.liabilities is not None and bool(evidence.case.liabilities.totals)


def _rebuilt(evidence: Evidence) -> Held:
    return evidence.case.liabilities is not None and evidence.case.liabilities.tier is Tier.PROVEN


def _consistent(evidence: Evidence) -> Held:
    return evidence.case.liabilities is not None and not evidence.case.liabilities.problem


def _each_asset(evidence: Evidence) -> Held:
    return _owed_covered(evidence) and _read(evidence)


def _priced(evidence: Evidence) -> Held:
    priced = {quote.asset for quote in evidence.case.prices if not quote.lookback_days}
    return bool(priced) and set(evidence.case.positions_by_asset) <= priced


def _quorum(evidence: Evidence) -> Held:
    operators: dict[str, set[str]] = {quote.asset: set() for quote in evidence.case.prices}
    for one in evidence.case.heard:
        if one.price is not None and one.asset in operators:
            operators[one.asset].add(one.operator)
    return bool(operators) and all(len(found) >= OPERATORS for found in operators.values())


def _price_time(evidence: Evidence) -> Held:
    stated_at = utc_seconds(evidence.case.declaration.as_of)
    times = [utc_seconds(quote.at) for quote in evidence.case.prices]
    return bool(times) and all(abs(moment - stated_at) <= TOLERATED_SECONDS for moment in times)


def _segregation(evidence: Evidence) -> Held:
    flows = Amounts(evidence.case).flows
    return flows is not None and not flows.open


def _window(evidence: Evidence) -> Held:
    followed = {window.last.chain for window in evidence.case.past.windows}
    return bool(followed) and {block.chain for block in evidence.case.blocks} <= followed


def _drawn(evidence: Evidence) -> Held:
    return any(window.drawn for window in evidence.case.past.windows)


def _encumbrance(evidence: Evidence) -> Held:
    on_evm = any(chain_of(one.placement.holding.account).startswith("eip155:") for one in evidence.relied_on)
    observed = evidence.case.observed.by_question.values()
    return bool(observed) and not any(one.failure for one in observed) if on_evm else None


def _liquidity(evidence: Evidence) -> Held:
    amounts = Amounts(evidence.case)
    kept = {(one.placement.holding.asset, one.placement.pool) for one in evidence.relied_on}
    found = (liquid_within(evidence.case, amounts.conditions, asset, pool, 24) for asset, pool in sorted(kept))
    return bool(kept) and all(not one.open for one in found)


def _decided(evidence: Evidence) -> Held:
    must = [finding.verdict for finding in evidence.judged if finding.level is Level.MUST]
    return bool(must) and Verdict.INDETERMINATE not in must


def _numbers(evidence: Evidence) -> Held:
    return bool(evidence.judged) and all(finding.measured and finding.required for finding in evidence.judged)


def _clauses(evidence: Evidence) -> Held:
    return bool(evidence.judged) and all(finding.clause for finding in evidence.judged)


def _primary(evidence: Evidence) -> Held:
    sources = [source for one in evidence.result.judgements for source in one.pack.sources]
    return bool(sources) and all(source.confidence in ("primary", "model") for source in sources)


def _cure(evidence: Evidence) -> Held:
    failed = [one for one in evidence.judged if one.verdict is Verdict.FAIL and one.level is Level.MUST]
    return all(one.cure_by for one in failed) if failed else None


def _checked(evidence: Evidence) -> Held:
    checked = stated(evidence.case, CHECKED)
    return checked is not None and checked > 0


def _bounded(evidence: Evidence) -> Held:
    checked, wrong = (stated(evidence.case, name) for name in (CHECKED, f"{CHECKED}_wrong"))
    accounts = evidence.case.liabilities.accounts if evidence.case.liabilities else 0
    return checked is not None and wrong == 0 and checked.denominator == 1 and 0 < checked <= accounts


def _not_judged(evidence: Evidence) -> Held:
    judgements = evidence.result.judgements
    return any(one.pack.not_judged for one in judgements) or None if judgements else False


def _previous(evidence: Evidence) -> Held:
    return evidence.result.earlier is not None or evidence.documented("previous_run")


def _changes(evidence: Evidence) -> Held:
    earlier = evidence.result.earlier
    settled = earlier is not None and not any(change.explain for change in earlier.changes)
    return settled or evidence.documented("changes_explained")


def _dates(evidence: Evidence) -> Held:
    earlier = evidence.result.earlier
    in_time = earlier is not None and not any(change.code == "interval" for change in earlier.changes)
    return in_time or evidence.documented("missed_dates")


MEASURES: Mapping[str, Callable[[Evidence], Held]] = {
    "entity.identified": _identified,
    "entity.rulebook": lambda evidence: bool(evidence.result.judgements),
    "entity.tool": lambda evidence: bool(evidence.origin.version and evidence.origin.lock),
    "assertion.sealed": lambda evidence: evidence.sealed,
    "instant.pinned": _pinned,
    "instant.near": _near,
    "scope.owed_covered": _owed_covered,
    "scope.forms": _forms,
    "reserve_list.controlled": _controlled,
    "reserve_list.bound": _bound,
    "reserve_list.third_party": _third_party,
    "balances.read": _read,
    "balances.two_sources": _two_sources,
    "balances.recorded": _recorded,
    "balances.proven": _proven,
    "balances.agreed": _agreed,
    "liabilities.committed": _committed,
    "liabilities.rebuilt": _rebuilt,
    "liabilities.consistent": _consistent,
    "coverage.each_asset": _each_asset,
    "coverage.priced": _priced,
    "coverage.quorum": _quorum,
    "coverage.price_time": _price_time,
    "tests.segregation": _segregation,
    "tests.window": _window,
    "tests.drawn": _drawn,
    "tests.encumbrance": _encumbrance,
    "tests.liquidity": _liquidity,
    "rules.decided": _decided,
    "rules.numbers": _numbers,
    "rules.clauses": _clauses,
    "rules.primary": _primary,
    "rules.cure": _cure,
    "users.checked": _checked,
    "users.bounded": _bounded,
    "change.previous": _previous,
    "change.changes": _changes,
    "change.dates": _dates,
    "limitations.rulebook_limits": lambda evidence: bool(evidence.result.judgements),
    "limitations.not_judged": _not_judged,
    "signatures.signed": lambda evidence: evidence.sealed,
    "signatures.command": lambda evidence: bool(evidence.origin.command),
    "signatures.manifest": lambda evidence: bool(evidence.result.bundle),
}
