"""Everything a verdict may rest on, immutable, with one digest that names it all."""

from functools import cached_property
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from chains.ids import AssetId
from chains.model import Balance, BlockRef, Disagreement
from chains.panel import Exclusion
from verifier.canonical import digest
from verifier.declaration import Declaration
from verifier.liabilities.check import Liabilities
from verifier.ownership import Ownership
from verifier.reserves import Overlap, Placement
from verifier.snapshot import PriceQuote, price_records


class Position(NamedTuple):
    """One declared holding with what the chain says about it and who is shown to control it."""

    placement: Placement
    result: Balance | Disagreement
    ownership: Ownership | None


class Case(BaseModel):
    """All inputs of a judgement. Nothing below reads a clock, a file or a socket."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
    declaration: Declaration
    positions: tuple[Position, ...]
    overlaps: tuple[Overlap, ...]
    blocks: tuple[BlockRef, ...]
    exclusions: tuple[Exclusion, ...] = ()
    liabilities: Liabilities | None
    prices: tuple[PriceQuote, ...]
    transcript: str

    @cached_property
    def positions_by_asset(self) -> dict[AssetId, list[Position]]:
        """The positions of each asset, in order; every rule asks for them."""
        found: dict[AssetId, list[Position]] = {}
        for position in self.positions:
            found.setdefault(position.placement.holding.asset, []).append(position)
        return found

    @cached_property
    def digest(self) -> str:
        """The SHA-256 over the canonical JSON of every input and every result read from the transcript."""
        return digest(
            {
                "declaration": self.declaration.digest,
                "transcript": self.transcript,
                "exclusions": [list(exclusion) for exclusion in self.exclusions],
                "blocks": [[b.chain, b.height, b.hash, b.time] for b in self.blocks],
                "positions": [_position_record(position) for position in self.positions],
                "overlaps": [
                    [o.holding.account, o.holding.asset, o.first.wallet, o.second.wallet] for o in self.overlaps
                ],
                "liabilities": _liabilities_record(self.liabilities),
                "prices": price_records(self.prices),
            }
        )


def _position_record(position: Position) -> list[Any]:
    placement, result, ownership = position
    if isinstance(result, Balance):
        known: list[Any] = [str(result.units), result.known_as, list(result.operators)]
    else:
        known = [result.reason, [[a.operator, None if a.units is None else str(a.units)] for a in result.answers]]
    control = [ownership.control, ownership.bound] if ownership else None
    return [placement.holding.account, placement.holding.asset, placement.pool, known, control]


def _liabilities_record(liabilities: Liabilities | None) -> dict[str, Any] | None:
    if liabilities is None:
        return None
    return {
        "commitment": liabilities.commitment,
        "run_id": liabilities.run_id,
        "accounts": liabilities.accounts,
        "totals": {asset: str(units) for asset, units in sorted(liabilities.totals.items())},
        "tier": liabilities.tier.label,
        "problem": liabilities.problem,
    }
