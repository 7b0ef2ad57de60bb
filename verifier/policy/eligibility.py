"""Which units count for which pool, and how sure that is."""

from collections.abc import Collection
from typing import NamedTuple

from chains.ids import AssetId
from chains.model import Balance, Disagreement, Tier
from verifier.case import Case, Position
from verifier.declaration import Pool
from verifier.ownership.claims import Control, control_of
from verifier.policy.inputs import SAID

UNSHOWN = {
    Control.UNKNOWN: "the chain has not told who controls this contract",
    Control.UNCLAIMED: "nobody has shown control of it",
    Control.THIRD_PARTY: "a third party holds it, and no key was shown",
}


class Amount(NamedTuple):
    """Units as an interval: at least `low`, at most `high` (None: no bound is known), on evidence of `tier`.

    `open` says in words what keeps the interval open; `refused` what was left out for good: the first few, and how many
    more there are.
    """

    low: int
    high: int | None
    tier: Tier
    evidence: tuple[str, ...]
    open: tuple[str, ...]
    refused: tuple[str, ...]


def pool_amount(case: Case, asset: AssetId, pools: Collection[Pool], *, signed_only: bool) -> Amount:
    """Add up what is held of `asset` in `pools`.

    A disagreement between operators counts as anything from nothing upwards. With `signed_only`, a wallet without an
    ownership claim counts as anything from nothing to its balance, and one whose claim was refused as nothing; amounts
    that count against the exchange are asked for without it.
    """
    low, high, tier = 0, 0, Tier.PROVEN
    bounded = True
    evidence: set[str] = set()
    opened: list[str] = []
    refused: list[str] = []
    for position in case.positions_by_asset.get(asset, ()):
        if position.placement.pool not in pools:
            continue
        result = position.result
        if not isinstance(result, Balance):
            bounded = False
            opened.append(f"{position.placement.holding.account}: {_answers(result)}")
            continue
        tier = min(tier, case.tier_of(result))
        evidence.update(result.evidence)
        control = _control(position) if signed_only else Control.SIGNED
        if control is Control.SIGNED:
            low += result.units
            high += result.units
        elif control is not Control.REFUSED:
            high += result.units
            opened.append(f"{position.placement.holding.account}: {UNSHOWN[control]}")
        else:
            refused.append(f"{position.placement.holding.account}: its ownership claim was refused")
    return Amount(low, high if bounded else None, tier, tuple(sorted(evidence)), _first(opened), _first(refused))


def _answers(result: Disagreement) -> str:
    """Say what each operator answered, or why it did not."""
    said = [
        f"{answer.operator} has no answer" if answer.units is None else f"{answer.operator} says {answer.units}"
        for answer in result.answers
    ]
    return f"{result.reason} ({', '.join(said[:5])})" if said else str(result.reason)


def _first(said: list[str]) -> tuple[str, ...]:
    more = (f"{len(said) - SAID:,} more",) if len(said) > SAID else ()
    return (*said[:SAID], *more)


def _control(position: Position) -> Control:
    return control_of(position.ownership, position.placement.pool)
