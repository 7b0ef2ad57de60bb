"""The report as one record: everything that is said, in one language; the page and the exports only lay it out."""

from typing import Any, NamedTuple

FORMAT = "reserve-verifier/report/1"


class Amount(NamedTuple):
    """Base units as a decimal integer, and the same in whole coins for reading."""

    units: str
    text: str


class Reason(NamedTuple):
    """The one thing that matters most for the answer."""

    text: str
    rule: str = ""
    clause: str = ""
    cure_by: str = ""


class Headline(NamedTuple):
    """Who claims what, as of when, under which law, and the answer."""

    verdict: str
    word: str
    answer: str
    exchange: str
    exchange_id: str
    claim: str
    as_of: str
    when: str
    reason: Reason
    counts: str


class Coverage(NamedTuple):
    """One asset: what is held for clients under shown control, what they are owed, and the difference."""

    asset: str
    symbol: str
    held: Amount
    owed: Amount | None
    difference: str
    ratio: str
    state: str
    known_as: str


class Part(NamedTuple):
    """A part of a pool's holdings that is known in one way."""

    tier: str
    word: str
    amount: Amount
    holdings: int


class PoolRow(NamedTuple):
    """What a pool holds of one asset, by how it is known; `unread` are holdings without an agreed balance."""

    pool: str
    word: str
    asset: str
    symbol: str
    total: Amount
    controlled: Amount
    holdings: int
    unread: int
    parts: tuple[Part, ...]


class OffChainRow(NamedTuple):
    """Money or cover outside the chains: known as declared."""

    word: str
    text: str
    document: str


class LadderRow(NamedTuple):
    """What a pool could pay of one asset within an hour, a day, a week; the rest later, or nobody knows."""

    pool: str
    word: str
    asset: str
    symbol: str
    within: tuple[Amount, Amount, Amount]
    later: Amount
    total: Amount
    bounds: str
    barred: tuple[str, ...]


class StepRow(NamedTuple):
    """Units held after each of `blocks` blocks from a height on."""

    height: int
    blocks: int
    amount: Amount


class DrawnRow(NamedTuple):
    """What was held at one drawn block."""

    height: int
    amount: Amount


class ProfileRow(NamedTuple):
    """What client wallets of one asset held over the window, against what was owed.

    Without steps nobody lists the transfers: then only what was held at the drawn blocks is known.
    """

    asset: str
    symbol: str
    first: int
    last: int
    opened: str
    ended: str
    steps: tuple[StepRow, ...]
    held: Amount | None
    least: Amount | None
    owed: Amount | None
    mean_ratio: str
    drawn: tuple[DrawnRow, ...]
    drawn_least: Amount | None
    remark: str


class RulebookRow(NamedTuple):
    """One rulebook's outcome: who made it, what force it has, how many findings are what."""

    id: str
    version: str
    title: str
    jurisdiction: str
    standing: str
    verdict: str
    word: str
    counts: tuple[int, int, int, int]
    broken: tuple[str, ...]
    digest: str
    day: str


class Cell(NamedTuple):
    """The worst outcome of one rulebook for one subject."""

    verdict: str
    word: str


class SubjectRow(NamedTuple):
    """One subject under every rulebook, in the rulebooks' order."""

    subject: str
    cells: tuple[Cell, ...]


class TraceRow(NamedTuple):
    """One number a finding rests on: what it is, its exact value, how it is known, and from which evidence."""

    name: str
    key: str
    value: str
    known_as: str
    evidence: tuple[str, ...]


class FindingRow(NamedTuple):
    """One rule's outcome for one subject, in words and in exact numbers."""

    number: int
    pack: str
    rule: str
    demand: str
    subject: str
    subject_word: str
    verdict: str
    word: str
    level: str
    reason: str
    reason_word: str
    text: str
    clause: str
    measured: str
    required: str
    room: str
    measured_exact: str
    required_exact: str
    shortfall_exact: str
    slack_exact: str
    cure_by: str
    evidence: tuple[str, ...]
    trace: tuple[TraceRow, ...]


class MultipleRow(NamedTuple):
    """How often the reserve covers one loss."""

    loss: str
    currency: str
    times: str
    amount: str
    low_exact: str
    high_exact: str


class HeardRow(NamedTuple):
    """What one source said of a price, or why it was left out."""

    operator: str
    price: str
    moment: str
    remark: str
    evidence: str


class PriceRow(NamedTuple):
    """One price as it was used, and what every source said of it."""

    asset: str
    symbol: str
    currency: str
    kind: str
    used: str
    source: str
    at: str
    heard: tuple[HeardRow, ...]


class PointRow(NamedTuple):
    """One part of a checklist item; `status` is present, absent or not-applicable."""

    id: str
    status: str
    word: str
    text: str


class ItemRow(NamedTuple):
    """One item of the checklist of a good attestation, scored by its points."""

    number: int
    id: str
    title: str
    status: str
    word: str
    why: str
    points: tuple[PointRow, ...]


class HoldingRow(NamedTuple):
    """One declared holding: what it is for, what the chain says, and who is shown to control it."""

    account: str
    asset: str
    symbol: str
    pool: str
    word: str
    label: str
    amount: Amount | None
    tier: str
    known_as: str
    operators: tuple[str, ...]
    control: str
    scheme: str
    binding: str
    evidence: tuple[str, ...]


class EvidenceRow(NamedTuple):
    """One piece of evidence and the name it can be found by."""

    what: str
    about: str
    digest: str


class Reproduction(NamedTuple):
    """How to derive the same answer again: the command, and every digest it depends on; empty where not known."""

    command: str
    version: str
    lock: str
    bundle: str
    case: str


class Report(NamedTuple):
    """The whole report."""

    format: str
    language: str
    headline: Headline
    coverage: tuple[Coverage, ...]
    pools: tuple[PoolRow, ...]
    off_chain: tuple[OffChainRow, ...]
    ladder: tuple[LadderRow, ...]
    profiles: tuple[ProfileRow, ...]
    rulebooks: tuple[RulebookRow, ...]
    subjects: tuple[SubjectRow, ...]
    findings: tuple[FindingRow, ...]
    multiples: tuple[MultipleRow, ...]
    prices: tuple[PriceRow, ...]
    limits: tuple[str, ...]
    checklist: tuple[ItemRow, ...]
    checklist_summary: str
    changes: tuple[str, ...]
    assurance: tuple[str, ...]
    holdings: tuple[HoldingRow, ...]
    evidence: tuple[EvidenceRow, ...]
    reproduction: Reproduction


def plain(value: Any) -> Any:
    """Return a record as JSON values: records as objects, tuples as lists."""
    if hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value
