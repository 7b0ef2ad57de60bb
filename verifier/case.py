"""Everything a verdict may rest on, immutable, with one digest that names it all."""

import re
from collections.abc import Collection
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import ConfigDict

from chains.ids import AccountId, AssetId, ChainId
from chains.model import Anchor, Balance, BlockRef, Disagreement, Exclusion, Holding, ProofKind, Tier
from chains.network import network_of
from verifier.canonical import digest
from verifier.declaration import PROTECTED_POOLS, Declaration, Pool
from verifier.drill import Drilled
from verifier.errors import InputError
from verifier.liabilities.check import Liabilities
from verifier.observed import Observed
from verifier.ownership.claims import Ownership
from verifier.prices.gather import Heard
from verifier.records import FrozenRecord
from verifier.reserves import Overlap, Placement
from verifier.snapshot import PriceQuote, price_records
from verifier.window import Past

_ROOT = re.compile(r"[0-9a-f]{64}")


class Position(NamedTuple):
    """One declared holding with what the chain says about it and who is shown to control it."""

    placement: Placement
    result: Balance | Disagreement
    ownership: Ownership | None


class Case(FrozenRecord):
    """All inputs of a judgement. Nothing below reads a clock, a file or a socket."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    declaration: Declaration
    positions: tuple[Position, ...]
    overlaps: tuple[Overlap, ...]
    blocks: tuple[BlockRef, ...]
    exclusions: tuple[Exclusion, ...] = ()
    liabilities: Liabilities | None
    prices: tuple[PriceQuote, ...]
    transcript: str
    anchors: tuple[Anchor, ...] = ()
    stated_roots: frozenset[str] = frozenset()
    proven_roots: frozenset[str] = frozenset()
    scanned: frozenset[ChainId] = frozenset()
    past: Past = Past()
    observed: Observed = Observed()
    heard: tuple[Heard, ...] = ()
    drilled: Drilled | None = None

    def trusting(self, roots: Collection[str], scanned: Collection[ChainId] = ()) -> "Case":
        """Return the same case for somebody who trusts these roots, in hexadecimal. Raises InputError for other text.

        `scanned` are the chains whose whole set of coins was read again now: an extract of a set proves nothing
        without the set. The roots are the verifier's statement, no part of the evidence, and not in the digest.
        """
        stated = frozenset(_root(text) for text in roots)
        proven = {anchor.root for anchor in self.anchors if _leads_to(anchor, stated, scanned)}
        return self.model_copy(
            update={"stated_roots": stated, "proven_roots": frozenset(proven), "scanned": frozenset(scanned)}
        )

    def tier_of(self, balance: Balance) -> Tier:
        """Return how a balance is known to whoever verifies: proven when its proof leads to a root they trust."""
        return Tier.PROVEN if balance.root in self.proven_roots else balance.tier

    @property
    def unmet_roots(self) -> tuple[str, ...]:
        """The roots the verifier trusts and to which nothing here leads."""
        return tuple(sorted(self.stated_roots - {_digits(anchor.root) for anchor in self.anchors}))

    @cached_property
    def positions_by_asset(self) -> dict[AssetId, list[Position]]:
        """The positions of each asset, in order; every rule asks for them."""
        found: dict[AssetId, list[Position]] = {}
        for position in self.positions:
            found.setdefault(position.placement.holding.asset, []).append(position)
        return found

    @cached_property
    def accounts(self) -> dict[AccountId, Pool]:
        """Every declared account with the pool of the first position that names it."""
        found: dict[AccountId, Pool] = {}
        for position in self.positions:
            found.setdefault(position.placement.holding.account, position.placement.pool)
        return found

    @cached_property
    def protected_accounts(self) -> frozenset[AccountId]:
        """The accounts that any position names as something clients rely on."""
        return frozenset(p.placement.holding.account for p in self.positions if p.placement.pool in PROTECTED_POOLS)

    @cached_property
    def _units(self) -> dict[Holding, int]:
        return {p.result.holding: p.result.units for p in self.positions if isinstance(p.result, Balance)}

    def units_of(self, holding: Holding) -> int | None:
        """Return the units of a holding, or None without a balance."""
        return self._units.get(holding)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 over the canonical JSON of every input and every result read from the transcript."""
        record: dict[str, Any] = {
            "declaration": self.declaration.digest,
            "transcript": self.transcript,
            "exclusions": [list(exclusion) for exclusion in self.exclusions],
            "blocks": [[b.chain, b.height, b.hash, b.time] for b in self.blocks],
            "anchors": [[a.block.chain, a.block.height, a.block.hash, a.root] for a in self.anchors],
            "positions": [_position_record(position) for position in self.positions],
            "overlaps": [[o.holding.account, o.holding.asset, o.first.wallet, o.second.wallet] for o in self.overlaps],
            "liabilities": _liabilities_record(self.liabilities),
            "prices": price_records(self.prices),
        }
        if self.past.windows:
            record["past"] = self.past.to_record()
        if self.observed.by_question:
            record["observed"] = self.observed.to_record()
        if self.drilled is not None:
            record["drilled"] = self.drilled.to_record()
        return digest(record)


def _position_record(position: Position) -> list[Any]:
    placement, result, ownership = position
    if isinstance(result, Balance):
        known: list[Any] = [str(result.units), result.known_as, list(result.operators)]
    else:
        known = [result.reason, [[a.operator, None if a.units is None else str(a.units)] for a in result.answers]]
    control = [ownership.control, int(ownership.binding), ownership.age_days] if ownership else None
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


def _leads_to(anchor: Anchor, stated: frozenset[str], scanned: Collection[ChainId]) -> bool:
    if anchor.kind is ProofKind.STATE:
        return _digits(anchor.root) in stated
    facts = network_of(anchor.block.chain).bitcoin
    known = {(one.block_hash, one.hash_serialized) for one in facts.known_utxo_sets} if facts else set()
    vouched = _digits(anchor.root) in stated or (anchor.block.hash, anchor.root) in known
    return vouched and anchor.block.chain in scanned


def _digits(root: str) -> str:
    return root.removeprefix("0x")


def _root(text: str) -> str:
    digits = _digits(text.lower())
    if not _ROOT.fullmatch(digits):
        raise InputError(f"{text[:80]!r} is no root: expected 64 hexadecimal digits")
    return digits
