"""What client wallets held over the window: the steps of each asset, against what was owed."""

from chains.ids import AssetId
from verifier.declaration import CLIENT_POOLS, utc_text
from verifier.dressing.profile import Profile, held_at_drawn
from verifier.policy.amounts import show_percent
from verifier.policy.case_amounts import Amounts
from verifier.policy.japanese import in_japanese
from verifier.report.content import DrawnRow, ProfileRow, StepRow
from verifier.report.holdings import amount
from verifier.report.names import asset_names
from verifier.report.words import Words


def profile_rows(amounts: Amounts, say: Words) -> tuple[ProfileRow, ...]:
    """Return the profile of every asset whose chain's window was read."""
    held = [asset for asset in amounts.assets if asset in amounts.case.positions_by_asset]
    names = asset_names(amounts.case)
    found = ((asset, amounts.profile(asset)) for asset in held)
    return tuple(_row(amounts, asset, names[asset], profile, say) for asset, profile in found if profile is not None)


def _row(amounts: Amounts, asset: AssetId, name: str, profile: Profile, say: Words) -> ProfileRow:
    case, window = amounts.case, profile.window
    owed = case.liabilities.totals.get(asset, 0) if case.liabilities else 0
    drawn = held_at_drawn(case, asset, profile)
    followed = len(profile.open) < sum(
        position.placement.pool in CLIENT_POOLS for position in case.positions_by_asset.get(asset, ())
    )
    usable = not profile.contradiction and followed
    return ProfileRow(
        asset=asset,
        symbol=name,
        first=window.opening.height,
        last=window.last.height,
        opened=utc_text(window.opening.time),
        ended=utc_text(window.last.time),
        steps=tuple(StepRow(s.height, s.blocks, amount(case, asset, s.units)) for s in profile.steps) if usable else (),
        held=amount(case, asset, profile.steps[-1].units) if usable else None,
        least=amount(case, asset, profile.least) if usable else None,
        owed=amount(case, asset, owed) if owed else None,
        mean_ratio=show_percent(profile.capped_mean(owed) / owed) if owed and usable else "",
        drawn=tuple(DrawnRow(height, amount(case, asset, units)) for height, units in drawn.totals) if drawn else (),
        drawn_least=amount(case, asset, drawn.least) if drawn else None,
        remark=_remark(profile, followed, say),
    )


def _remark(profile: Profile, followed: bool, say: Words) -> str:
    if profile.contradiction:
        text = in_japanese(profile.contradiction) if say.japanese else profile.contradiction
        return say("profile.contradiction", text=text)
    if not followed:
        return say("profile.unlisted")
    return say("profile.open", count=len(profile.open)) if profile.open else ""
