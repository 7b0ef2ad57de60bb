"""What users are short of, asset by asset, once what is left is theirs."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from chains.ids import AssetId
from verifier.case import Case
from verifier.compensation.incident import Lost
from verifier.declaration import CLIENT_POOLS
from verifier.errors import InputError
from verifier.policy.eligibility import pool_amount


class AssetLoss(NamedTuple):
    """One asset: lost by clients' wallets, left in them at least, owed, and short; `price` in smallest money units.

    `short` = max(0, owed - left): what is left belongs to the users first. `open` says why more may be left.
    """

    asset: AssetId
    lost: int
    left: int
    owed: int
    short: int
    price: Fraction | None
    open: tuple[str, ...] = ()

    @property
    def value(self) -> int | None:
        """The shortage in smallest units of the currency, rounded up; None without a price."""
        return None if self.price is None else -(-self.short * self.price.numerator // self.price.denominator)

    def to_record(self) -> dict[str, Any]:
        return {
            "asset": self.asset,
            "lost": str(self.lost),
            "left": str(self.left),
            "owed": str(self.owed),
            "short": str(self.short),
            "price": None if self.price is None else str(self.price),
            "value": None if self.value is None else str(self.value),
            "open": list(self.open),
        }


def asset_losses(remaining: Case, losses: Iterable[Lost], prices: Mapping[AssetId, Fraction]) -> list[AssetLoss]:
    """Return what users are short of, for every asset that is owed. Raises InputError when nothing is known as owed."""
    owed = remaining.liabilities
    if owed is None or owed.problem:
        raise InputError(f"nobody can be paid by this run: {owed.problem if owed else 'it commits to no liabilities'}")
    taken: dict[AssetId, int] = {}
    for loss in losses:
        if loss.pool in CLIENT_POOLS:
            taken[loss.holding.asset] = taken.get(loss.holding.asset, 0) + loss.units
    found = []
    for asset, units in sorted(owed.totals.items()):
        held = pool_amount(remaining, asset, CLIENT_POOLS, signed_only=False)
        short = max(0, units - held.low)
        opened = held.open if held.high is None or held.high > held.low else ()
        lost, price = taken.get(asset, 0), prices.get(asset)
        found.append(AssetLoss(asset, lost, held.low, units, short, price, opened if short else ()))
    return found
