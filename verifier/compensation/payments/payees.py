"""Who is paid how much at which address, and who cannot be paid yet: a plan's payouts met with payout addresses."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from chains.ids import ChainId
from verifier.compensation.payments.plan_payouts import LeafUnits, PlanPayouts
from verifier.errors import InputError
from verifier.inclusion.amounts import format_amount
from verifier.inclusion.commitment import TreeAsset

NO_ADDRESS = "no payout address"


class Payment(NamedTuple):
    """What one address is paid, in base units, and the leaves it is paid for, each with its own units."""

    address: str
    units: int
    leaves: tuple[LeafUnits, ...]

    @property
    def references(self) -> list[str]:
        """The hashes of the leaves, by which the exchange finds the accounts again."""
        return [leaf.hex() for leaf, _ in self.leaves]


class Unpaid(NamedTuple):
    """What is not paid, and why."""

    leaf: bytes
    units: int
    reason: str


class Payees(NamedTuple):
    """One asset's payments, by address, and what stays unpaid; together they are what the plan pays of the asset."""

    chain: ChainId
    asset: TreeAsset
    claims: str
    payments: tuple[Payment, ...]
    unpaid: tuple[Unpaid, ...]

    @property
    def units(self) -> int:
        """What is paid, in base units."""
        return sum(one.units for one in self.payments)

    @property
    def unpaid_units(self) -> int:
        """What is not paid, in base units."""
        return sum(one.units for one in self.unpaid)

    def amount(self, units: int) -> str:
        """Return base units as whole coins."""
        return format_amount(units, self.asset.decimals)

    def leaving_out(self, addresses: Mapping[str, str]) -> "Payees":
        """Return the same without these addresses, whose leaves are unpaid for the reason that is given."""
        kept = tuple(one for one in self.payments if one.address not in addresses)
        gone = (one for one in self.payments if one.address in addresses)
        left = [Unpaid(leaf, units, addresses[one.address]) for one in gone for leaf, units in one.leaves]
        return self._replace(payments=kept, unpaid=(*self.unpaid, *left))

    def payment_record(self, payment: Payment) -> dict[str, Any]:
        """Return one payment as JSON values."""
        return {
            "address": payment.address,
            "amount": self.amount(payment.units),
            "units": str(payment.units),
            "references": payment.references,
        }

    def to_record(self) -> dict[str, Any]:
        """Return what every file of payments says first: which plan, which asset, how much, and how much not."""
        return {
            "tree_of_claims": self.claims,
            "asset": self.asset.asset,
            "decimals": self.asset.decimals,
            "units": str(self.units),
            "amount": self.amount(self.units),
            "addresses": len(self.payments),
            "unpaid": {
                "leaves": len(self.unpaid),
                "units": str(self.unpaid_units),
                "amount": self.amount(self.unpaid_units),
            },
        }


def payees_of(payouts: PlanPayouts, addresses: Mapping[bytes, str]) -> Payees:
    """Add up what each address is paid, in the order of the addresses.

    Raises InputError when the table of payouts does not add up to what the plan's tree of claims commits to.
    """
    payments, unpaid = _grouped(payouts.rows(), addresses)
    found = Payees(ChainId(payouts.chain), payouts.asset, payouts.claims.digest, tuple(payments), tuple(sorted(unpaid)))
    if found.units + found.unpaid_units != payouts.total:
        raise InputError(
            f"{payouts.folder}: the payouts of {payouts.asset.symbol} add up to {found.units + found.unpaid_units}; "
            f"the tree of claims commits to {payouts.total}"
        )
    return found


def _grouped(rows: Iterable[LeafUnits], addresses: Mapping[bytes, str]) -> tuple[list[Payment], list[Unpaid]]:
    found: dict[str, list[LeafUnits]] = {}
    unpaid = []
    for leaf, units in rows:
        address = addresses.get(leaf)
        if address is None:
            unpaid.append(Unpaid(leaf, units, NO_ADDRESS))
        else:
            found.setdefault(address, []).append((leaf, units))
    payments = [
        Payment(address, sum(units for _, units in leaves), tuple(sorted(leaves)))
        for address, leaves in sorted(found.items())
    ]
    return payments, unpaid
