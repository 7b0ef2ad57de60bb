"""What the exchange owes, as far as the handed-over parts show it: a commitment, and the leaf list behind it."""

import os
from pathlib import Path
from typing import NamedTuple

from chains.ids import AssetId
from chains.model import Tier
from verifier.declaration import Declaration
from verifier.errors import InputError
from verifier.inclusion.commitment import Commitment, load_commitment
from verifier.liabilities.inspect import Effort, has_leaf_list, inspect_folder
from verifier.liabilities.places import COMMITMENT, LEAVES


class Liabilities(NamedTuple):
    """What the exchange owes its users, in base units per asset, and how that is known.

    `tier` is PROVEN when the whole leaf list was rebuilt to the committed root, DECLARED when only the commitment is
    there. `problem` is set when the parts contradict each other.
    """

    commitment: str
    run_id: str
    as_of: str
    accounts: int
    totals: dict[AssetId, int]
    tier: Tier
    problem: str = ""


def check_liabilities(declaration: Declaration, folder: Path | None) -> Liabilities | None:
    """Read the commitment in `folder`, compare it with the declaration, and rebuild the leaf list where it is there.

    Returns None when the exchange commits to no liabilities. Raises InputError when the declaration names a commitment
    and the folder has none, or a part is malformed.
    """
    if folder is None:
        if declaration.liabilities:
            raise InputError("the declaration names a liabilities commitment; hand over its folder with --liabilities")
        return None
    commitment = load_commitment(folder / COMMITMENT)
    problem = _contradiction(declaration, commitment)
    tier = Tier.DECLARED
    if (folder / LEAVES).exists() or has_leaf_list(folder):
        audit = inspect_folder(folder, None, None, Effort(os.cpu_count() or 1))
        problem = problem or "; ".join(finding.text for finding in audit.findings)
        tier = Tier.DECLARED if audit.findings else Tier.PROVEN
    totals = {AssetId(a.asset): units for a, units in zip(commitment.assets, commitment.totals, strict=True)}
    accounts = commitment.leaf_count // commitment.parts
    return Liabilities(commitment.digest, commitment.run_id, commitment.as_of, accounts, totals, tier, problem)


def _contradiction(declaration: Declaration, commitment: Commitment) -> str:
    """Say where the commitment and the declaration speak of different things, or nothing."""
    if declaration.liabilities != commitment.digest:
        return f"the declaration names the commitment {declaration.liabilities}, the folder holds {commitment.digest}"
    if declaration.as_of != commitment.as_of:
        return f"the liabilities are as of {commitment.as_of}, the declaration as of {declaration.as_of}"
    decimals = declaration.decimals()
    for asset in commitment.assets:
        if asset.asset not in decimals:
            return f"clients are owed {asset.symbol} ({asset.asset}), which the declaration does not list"
        if decimals[asset.asset] != asset.decimals:
            return f"{asset.symbol} has {asset.decimals} decimals in the liabilities, {decimals[asset.asset]} declared"
    return ""
