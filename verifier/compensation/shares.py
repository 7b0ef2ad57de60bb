"""Divide an amount among claims: exactly, in whole units, the same whatever the order the claims were written in.

Every rule keeps: nobody is paid more than the claim; all is paid out, or all claims are met; equal claims are paid
alike within one unit; a larger claim is never paid less. Claims are integers >= 0 in the order of the tree's leaves,
which follows from the accounts alone; it breaks what is left of ties.
"""

from collections.abc import Callable, Sequence

Rule = Callable[[int, Sequence[int]], list[int]]


def pro_rata(available: int, claims: Sequence[int], ranks: Sequence[int] | None = None) -> list[int]:
    """Return each claim's proportional share, rounded by the largest remainder (Hamilton's method).

    Equal remainders go to the larger rank first (by default the claim itself), then to the earlier place.
    """
    total = sum(claims)
    if available >= total:
        return list(claims)
    shares, remainders = [0] * len(claims), [0] * len(claims)
    for place, claim in enumerate(claims):
        if claim:
            shares[place], remainders[place] = divmod(claim * available, total)
    left = available - sum(shares)
    if left:
        _round_up(shares, remainders, left, claims if ranks is None else ranks)
    return shares


def _round_up(shares: list[int], remainders: Sequence[int], left: int, ranks: Sequence[int]) -> None:
    """Add a unit to the `left` shares with the largest remainders; `left` is smaller than how many are not zero."""
    least = sorted(remainders, reverse=True)[left - 1]
    equal = []
    for place, remainder in enumerate(remainders):
        if remainder > least:
            shares[place] += 1
            left -= 1
        elif remainder == least:
            equal.append(place)
    for place in sorted(equal, key=lambda place: -ranks[place])[:left]:
        shares[place] += 1


def equal_awards(available: int, claims: Sequence[int]) -> list[int]:
    """Return what each claim is paid when all are paid alike until met: small accounts are whole first.

    Source: constrained equal awards (Maimonides' rule); what is left of a unit each goes to the largest claims.
    """
    total = sum(claims)
    if available >= total:
        return list(claims)
    level, left = _level(available, claims)
    shares = [min(claim, level) for claim in claims]
    above = [place for place, claim in enumerate(claims) if claim > level]
    for place in sorted(above, key=lambda place: -claims[place])[:left]:
        shares[place] += 1
    return shares


def tiers_of(caps: Sequence[int]) -> Rule:
    """Return the rule that meets every claim up to the first cap, then up to the next, then the rest, each pro rata.

    `caps` rise. Within a tier equal parts are ranked by the whole claim, so that a larger one is never paid less.
    """

    def tiers(available: int, claims: Sequence[int]) -> list[int]:
        paid, below = [0] * len(claims), 0
        for cap in (*caps, max(claims, default=0)):
            parts = [max(0, min(claim, cap) - below) for claim in claims]
            shares = pro_rata(available, parts, claims)
            paid = [before + share for before, share in zip(paid, shares, strict=True)]
            available -= sum(shares)
            below = max(below, cap)
        return paid

    return tiers


def _level(available: int, claims: Sequence[int]) -> tuple[int, int]:
    """Return the highest level at which min(claim, level) can be paid to all, and the units that are left then."""
    met, waiting = 0, len(claims)
    for claim in sorted(claims):
        if met + claim * waiting > available:
            level = (available - met) // waiting
            return level, available - met - level * waiting
        met += claim
        waiting -= 1
    return max(claims, default=0), 0
