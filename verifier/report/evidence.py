"""The reserve list, and the name by which each piece of evidence can be found."""

from collections.abc import Mapping

from chains.ids import AssetId, ChainId
from chains.model import Balance
from chains.network import network_of
from verifier.case import Case, Position
from verifier.declaration import utc_text
from verifier.ownership.claims import control_of
from verifier.policy.japanese import in_japanese
from verifier.report.content import EvidenceRow, HoldingRow
from verifier.report.holdings import amount
from verifier.report.names import asset_names
from verifier.report.record import balance_counts
from verifier.report.words import Words
from verifier.verification import Verification


def holding_rows(case: Case, say: Words) -> tuple[HoldingRow, ...]:
    """Return every declared holding with its balance and its proof of control."""
    names = asset_names(case)
    return tuple(_holding(case, position, names, say) for position in case.positions)


def _holding(case: Case, position: Position, names: Mapping[str, str], say: Words) -> HoldingRow:
    placement, result, ownership = position
    asset = AssetId(placement.holding.asset)
    return HoldingRow(
        account=placement.holding.account,
        asset=asset,
        symbol=names[asset],
        pool=str(placement.pool),
        word=say(f"pool.{placement.pool}"),
        label=case.declaration.wallets[placement.wallet].label,
        amount=amount(case, asset, result.units) if isinstance(result, Balance) else None,
        tier=case.tier_of(result).label if isinstance(result, Balance) else "",
        known_as=say(f"tier.{case.tier_of(result).label}")
        if isinstance(result, Balance)
        else _why(str(result.reason), say),
        operators=result.operators if isinstance(result, Balance) else tuple(a.operator for a in result.answers),
        control=say(f"control.{control_of(ownership, placement.pool)}"),
        scheme=ownership.scheme if ownership else "",
        binding=say(f"binding.{ownership.binding.name.lower()}") if ownership else "",
        evidence=result.evidence if isinstance(result, Balance) else (),
    )


def _why(reason: str, say: Words) -> str:
    return in_japanese(reason) if say.japanese else reason


def evidence_rows(result: Verification, say: Words) -> tuple[EvidenceRow, ...]:
    """Return blocks, roots, commitments and digests, in the order of the path that leads to the verdict."""
    case = result.case
    rows = [
        EvidenceRow(
            network_of(block.chain).name,
            say("evidence.block", height=block.height, time=utc_text(block.time)),
            block.hash,
        )
        for block in case.blocks
    ]
    for chain, found in balance_counts(case).items():
        said = (f"{count:,} {in_japanese(known) if say.japanese else known}" for known, count in found.items())
        rows.append(EvidenceRow(say("evidence.balances", network=network_of(ChainId(chain)).name), ", ".join(said), ""))
    for anchor in case.anchors:
        trusted = say("evidence.trusted" if anchor.root in case.proven_roots else "evidence.untrusted")
        rows.append(EvidenceRow(say("evidence.root"), trusted, anchor.root))
    if case.liabilities:
        about = say(
            "evidence.accounts", count=case.liabilities.accounts, tier=say(f"tier.{case.liabilities.tier.label}")
        )
        rows.append(EvidenceRow(say("evidence.liabilities"), about, case.liabilities.commitment))
    rows.append(EvidenceRow(say("evidence.declaration"), say("evidence.declaration_about"), case.declaration.digest))
    rows.append(EvidenceRow(say("evidence.transcript"), say("evidence.transcript_about"), case.transcript))
    rows += [
        EvidenceRow(say("evidence.rulebook"), f"{one.pack.id} {one.pack.version}", one.pack.digest)
        for one in result.judgements
    ]
    return tuple(rows)
