"""A rulebook as data: rules, dated parameters, and the clause each of them comes from."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from chains.model import Tier
from verifier.canonical import digest
from verifier.policy.finding import Level
from verifier.policy.inputs import Dimension, Scope


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ValueError("expected a day such as 2026-11-22") from error


def _tier(text: str) -> str:
    if text.upper() not in Tier.__members__:
        raise ValueError(f"unknown tier {text!r}; known: {', '.join(tier.label for tier in Tier)}")
    return text


Exact = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,30})(/[1-9][0-9]{0,30})?$", description="integer or fraction")]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
TierName = Annotated[str, AfterValidator(_tier)]
Text = Annotated[str, Field(min_length=1, max_length=2_000)]
DimensionName = Annotated[Dimension, Field(strict=False)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Named(_Record):
    """Something a rule may call by its name, and what it counts."""

    name: Identifier
    dimension: DimensionName


class _Clause(_Record):
    """A demand of the law, with its source and its text in both languages."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9-]{2,40}$")
    source: str
    text_en: Text
    text_ja: Text


class Source(_Record):
    """Where a rule is written, and how sure we are of it: read in the primary text, reported by others, recalled."""

    id: str
    title: Text
    clause: Text
    confidence: Literal["primary", "reported", "recalled", "model"]


class DatedValue(_Record):
    """A value from a day on; without `value` the law names none from that day."""

    since: Day
    value: Exact | None = None


class Parameter(_Named):
    """A number of the law, with the day from which it holds; without a value its rules cannot pass."""

    unit: Text
    source: str
    values: list[DatedValue] = Field(min_length=1, max_length=100)


class BandStep(_Record):
    """From this argument on (included), up to the next step, the value."""

    at: Exact
    value: Exact | None = None


class DatedSteps(_Record):
    since: Day
    steps: list[BandStep] = Field(min_length=1, max_length=1_000)


class Band(_Named):
    """A step table of the law, asked in a rule by its name: NAME(amount); its dimension is that of its values."""

    argument: DimensionName
    unit: Text
    source: str
    tables: list[DatedSteps] = Field(min_length=1, max_length=100)


class Statement(_Named):
    """A fact that only the exchange can state, and that the pack asks for: known as declared."""

    text_en: Text
    text_ja: Text


class ExampleCase(_Record):
    """What a rule says of an example: readable by a lawyer, run by the lint.

    `given` maps a quantity to `100`, `80..90`, `80..` or `1/2`, with a tier behind it (`100 signed`) when it is not
    proven. Under the scope `total` the asset stands before the quantity (`BTC owed`), and has a `BTC price`.
    `parameter NAME` stands in for a parameter. What is not given is not known.
    """

    name: Text
    given: dict[str, str] = Field(default_factory=dict, max_length=100)
    on: Day | None = None
    expect: Literal["pass", "fail", "indeterminate", "not-applicable"]


class Rule(_Clause):
    """One rule of a pack: what it compares, when it applies, from which clause, on what evidence at least."""

    scope: Annotated[Scope, Field(strict=False)]
    check: str = Field(max_length=1_000)
    when: str | None = Field(default=None, max_length=1_000)
    level: Annotated[Level, Field(strict=False)] = Level.MUST
    minimum_tier: dict[Identifier, TierName] = Field(default_factory=dict)
    price_lookback_days: int = Field(default=0, ge=0, le=3_660)
    cure_business_days: Identifier | None = None
    cases: list[ExampleCase] = Field(default_factory=list, max_length=100)

    def tier(self, quantity: str) -> Tier:
        """Return the evidence tier that a PASS needs for one input; FAIL is allowed on less."""
        return Tier[self.minimum_tier.get(quantity, "observed").upper()]


class PayoutSource(_Clause):
    """What users are to be paid from after a loss, in the order of the list, and who has to approve it by when.

    `pool` is a pool of the declaration or a fact that the exchange states; `approval_days` names the parameter with the
    days from the loss, which the law may leave open.
    """

    pool: Identifier | Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,59}$")]
    approver_en: Text | None = None
    approver_ja: Text | None = None
    approval_days: Identifier | None = None


class NotJudged(_Clause):
    """A clause that no program can judge from chains and books: said, so that nobody thinks it was."""


_Dated = TypeVar("_Dated", DatedValue, DatedSteps)


class Pack(_Record):
    """A versioned rulebook of one regulator, or a model of our own."""

    id: str = Field(pattern=r"^[a-z0-9-]{3,40}$")
    version: str
    title: Text
    jurisdiction: str
    regulator: Text
    status: Literal["in-force", "enacted", "proposed", "guidance", "model"]
    effective_from: Day
    effective_until: Day | None = None
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    calendar: str = Field(default="", pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$", description="ISO 3166, of holidays")
    shortest_interval: Identifier | None = Field(default=None, description="the parameter: fewest days between runs")
    longest_interval: Identifier | None = Field(default=None, description="the parameter: most days between runs")
    not_covered: Text
    sources: list[Source] = Field(min_length=1)
    parameters: list[Parameter] = Field(default_factory=list)
    bands: list[Band] = Field(default_factory=list)
    statements: list[Statement] = Field(default_factory=list)
    payout: list[PayoutSource] = Field(default_factory=list, max_length=20)
    rules: list[Rule] = Field(default_factory=list)
    not_judged: list[NotJudged] = Field(default_factory=list)

    @property
    def digest(self) -> str:
        """The SHA-256 of the pack's canonical JSON."""
        return digest(self.model_dump(mode="json"))

    @property
    def named(self) -> list[_Named]:
        """Everything a rule may call by its name, beside the vocabulary."""
        return [*self.parameters, *self.bands, *self.statements]

    @property
    def clauses(self) -> list[_Clause]:
        """Every demand of the law that the pack speaks of, judged or not."""
        return [*self.rules, *self.payout, *self.not_judged]

    @model_validator(mode="after")
    def _everything_is_cited(self) -> Self:
        sources = {source.id for source in self.sources}
        cited = [(item.id, item.source) for item in self.clauses]
        cited += [(item.name, item.source) for item in self.parameters]
        cited += [(item.name, item.source) for item in self.bands]
        for name, source in cited:
            if source not in sources:
                raise ValueError(f"{name}: cites the unknown source {source!r}")
        if not self.rules and not self.not_judged:
            raise ValueError("has neither rules nor clauses that are said to be not judged")
        return self

    @model_validator(mode="after")
    def _intervals_are_days(self) -> Self:
        days = {one.name for one in self.parameters if one.dimension is Dimension.DAYS}
        named = [self.shortest_interval, self.longest_interval, *(one.approval_days for one in self.payout)]
        for name in named:
            if name is not None and name not in days:
                raise ValueError(f"{name!r} is no parameter in days")
        return self

    @model_validator(mode="after")
    def _names_are_used_once(self) -> Self:
        named = [item.name for item in self.named] + [item.id for item in self.clauses]
        again = sorted({name for name in named if named.count(name) > 1})
        if again:
            raise ValueError(f"{again[0]!r} is named twice")
        return self

    def clause(self, source: str) -> str:
        """Return how a source is cited: title and clause."""
        found = next(item for item in self.sources if item.id == source)
        return f"{found.title}, {found.clause}"

    def parameter(self, name: str, day: str) -> Fraction | None:
        """Return the value of a parameter in force on `day` (YYYY-MM-DD), or None when the law names none."""
        found = next(item for item in self.parameters if item.name == name)
        latest = _in_force(found.values, day)
        return None if latest is None or latest.value is None else Fraction(latest.value)

    def steps(self, name: str, day: str) -> list[tuple[Fraction, Fraction | None]]:
        """Return a band's table in force on `day`, in order; a step without a value is one the law leaves open."""
        latest = _in_force(next(item for item in self.bands if item.name == name).tables, day)
        found = latest.steps if latest is not None else []
        table = [(Fraction(step.at), None if step.value is None else Fraction(step.value)) for step in found]
        return sorted(table, key=lambda step: step[0])

    def in_force(self, day: str) -> bool:
        """Tell whether the rulebook binds anybody on a day."""
        begun = self.effective_from <= day and (self.effective_until is None or day < self.effective_until)
        return begun and self.status != "proposed"


def _in_force(values: Sequence[_Dated], day: str) -> _Dated | None:
    return max((dated for dated in values if dated.since <= day), key=lambda dated: dated.since, default=None)
