"""What a plan pays each leaf of one asset, read back from its folder and held against its own tree of claims."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from chains.ids import AssetId, asset_id, family_of
from verifier.attestation.bundle import Bundle
from verifier.compensation.claim_tree import CLAIMS, LARGE_TABLE, TABLE
from verifier.compensation.folder import read_plan
from verifier.errors import InputError
from verifier.inclusion.commitment import Commitment, TreeAsset, load_commitment
from verifier.inclusion.sum_tree import HASH_BYTES
from verifier.liabilities.accounts import read_accounts
from verifier.liabilities.places import COMMITMENT

LeafUnits = tuple[bytes, int]


class PlanPayouts(NamedTuple):
    """One asset of a plan: the plan's document, the tree of claims' header, the asset and its column."""

    folder: Path
    record: dict[str, Any]
    claims: Commitment
    asset: TreeAsset

    @property
    def chain(self) -> str:
        """The chain on which the asset is paid."""
        return self.asset.asset.partition("/")[0]

    @property
    def total(self) -> int:
        """What all leaves together are paid of the asset, in base units."""
        return self.claims.totals[self.claims.assets.index(self.asset)]

    def rows(self) -> Iterator[LeafUnits]:
        """Yield each leaf that is paid something of the asset, and its base units, in the order of the table."""
        read = _large_rows if (self.folder / LARGE_TABLE).is_file() else _rows
        for leaf, units in read(self):
            if units:
                yield _leaf(leaf, self.folder), units


def open_payouts(plan: Bundle, asset: str) -> PlanPayouts:
    """Open a plan's payouts of an asset. `plan` was compared with its manifest.

    Raises InputError when nobody is paid, the plan pays nothing of the asset, or the asset is money of no chain.
    """
    record = read_plan(plan)
    if plan.path(f"{CLAIMS}/{COMMITMENT}") is None:
        raise InputError(f"{plan.folder}: the plan pays nobody")
    claims = load_commitment(plan.folder / CLAIMS / COMMITMENT)
    if claims.digest != record.get("claims"):
        raise InputError(f"{plan.folder}: its tree of claims is not the one its document names")
    wanted = asset_id(asset)
    if family_of(wanted.partition("/")[0]) == "iso4217":  # type: ignore[arg-type]  # a currency stands where a chain does
        raise InputError(f"{asset}: money is paid by a bank; name an asset of a chain")
    found = next((one for one in claims.assets if AssetId(one.asset) == wanted), None)
    if found is None:
        known = ", ".join(one.asset for one in claims.assets)
        raise InputError(f"{plan.folder}: the plan pays nothing of {asset}; it pays {known}")
    return PlanPayouts(plan.folder, record, claims, found)


def _rows(payouts: PlanPayouts) -> Iterator[tuple[str, int]]:
    column = payouts.claims.assets.index(payouts.asset)
    for account in read_accounts(payouts.folder / TABLE, payouts.claims.assets):
        yield account.id, account.units[column]


def _large_rows(payouts: PlanPayouts) -> Iterator[tuple[str, int]]:
    from verifier.compensation.large_claims import read_column

    return read_column(payouts.folder, payouts.asset.symbol)


def _leaf(text: str, folder: Path) -> bytes:
    try:
        leaf = bytes.fromhex(text)
    except ValueError:
        leaf = b""
    if len(leaf) != HASH_BYTES:
        raise InputError(f"{folder}: {text[:80]!r} in the table of payouts is no leaf; expected 64 hex digits")
    return leaf
