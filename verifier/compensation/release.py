"""Who must approve that a fund is drawn on, and by when: the rulebooks' release conditions as a dated list."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from verifier.compensation.incident import Incident
from verifier.compensation.outcome import Draw
from verifier.policy.pack import Pack, PayoutSource


class Release(NamedTuple):
    """One condition: what may be drawn on, the clause, who approves, and the last day; None where the law names none.

    `needed` tells whether the plan draws on that source at all.
    """

    pack: str
    rule: str
    pool: str
    clause: str
    text_en: str
    text_ja: str
    approver_en: str | None
    approver_ja: str | None
    due: str | None
    needed: bool

    def to_record(self) -> dict[str, Any]:
        return self._asdict()


def releases(packs: Iterable[Pack], incident: Incident, draws: Sequence[Draw]) -> list[Release]:
    """Return every release condition of the rulebooks, in the order in which sources pay."""
    used = {draw.source for draw in draws if draw.used}
    day = incident.at[:10]
    return [
        Release(
            pack.id, one.id, one.pool, pack.clause(one.source), one.text_en, one.text_ja, one.approver_en,
            one.approver_ja, _due(pack, one, day), one.pool in used,
        )
        for pack in packs
        for one in pack.payout
    ]  # fmt: skip


def _due(pack: Pack, one: PayoutSource, day: str) -> str | None:
    days = pack.parameter(one.approval_days, day) if one.approval_days else None
    return None if days is None else (date.fromisoformat(day) + timedelta(days=int(days))).isoformat()
