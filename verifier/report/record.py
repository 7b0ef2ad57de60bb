"""A verification as the JSON object of `por verify --json`."""

from collections import Counter
from typing import Any

from chains.ids import AssetId, chain_of
from chains.model import Balance, Tier
from verifier.case import Case
from verifier.declaration import CLIENT_POOLS
from verifier.policy.eligibility import pool_amount
from verifier.report.matrix import matrix
from verifier.report.multiples import loss_multiples
from verifier.verification import Verification


def coverage_records(case: Case) -> list[dict[str, Any]]:
    """Return, per asset, client-pool units under shown control, what clients are owed, and their ratio.

    Units are base units as decimal strings; the ratio is rounded down to six decimals, for reading only.
    """
    owed = case.liabilities.totals if case.liabilities else {}
    records = []
    for asset in case.declaration.assets:
        eligible = pool_amount(case, AssetId(asset.asset), CLIENT_POOLS, signed_only=True).low
        liability = owed.get(AssetId(asset.asset))
        records.append(
            {
                "asset": asset.asset,
                "symbol": asset.symbol,
                "decimals": asset.decimals,
                "eligible_units": str(eligible),
                "liability_units": None if liability is None else str(liability),
                "ratio": _ratio(eligible, liability) if liability else None,
            }
        )
    return records


def balance_counts(case: Case) -> dict[str, dict[str, int]]:
    """Return, per chain, how many declared holdings are known in which way, in words."""
    counts: dict[str, Counter[str]] = {}
    for position in case.positions:
        result = position.result
        if not isinstance(result, Balance):
            known = f"disagreement ({result.reason})"
        else:
            known = "proven" if case.tier_of(result) is Tier.PROVEN else result.known_as
        counts.setdefault(chain_of(position.placement.holding.account), Counter())[known] += 1
    return {chain: dict(sorted(found.items())) for chain, found in sorted(counts.items())}


def _ratio(eligible: int, liability: int) -> str:
    millionths = eligible * 1_000_000 // liability
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"


def verification_record(result: Verification) -> dict[str, Any]:
    """Return the whole verification as JSON values."""
    packs = [judgement.pack.id for judgement in result.judgements]
    return {
        "verdict": str(result.verdict),
        "pack": packs[0] if len(packs) == 1 else packs,
        "verdicts": {judgement.pack.id: str(judgement.verdict) for judgement in result.judgements},
        "matrix": [row.to_record() for row in matrix(result)],
        "case": result.case.digest,
        "exchange": result.case.declaration.exchange.name,
        "as_of": result.case.declaration.as_of,
        "blocks": [{"chain": b.chain, "height": b.height, "hash": b.hash} for b in result.case.blocks],
        "anchors": [
            {"chain": a.block.chain, "root": a.root, "trusted": a.root in result.case.proven_roots, "about": a.about}
            for a in result.case.anchors
        ],
        "balances": balance_counts(result.case),
        "coverage": coverage_records(result.case),
        "loss_multiples": [one.to_record() for one in loss_multiples(result.case)],
        "findings": [finding.to_record() for finding in result.findings],
    }
