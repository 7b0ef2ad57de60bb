"""A rulebook as data: rules, dated parameters, and the clause each of them comes from."""

import tomllib
from fractions import Fraction
from importlib.resources import files
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chains.model import Tier
from chains.providers import describe_validation
from verifier.canonical import digest
from verifier.errors import InputError
from verifier.policy.finding import Level

Exact = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,30})(/[1-9][0-9]{0,30})?$", description="integer or fraction")]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
TierName = Literal["declared", "signed", "observed", "corroborated", "proven"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Source(_Record):
    """Where a rule is written, and how sure we are of it: read in the primary text, reported by others, recalled."""

    id: str
    title: str
    clause: str
    confidence: Literal["primary", "reported", "recalled", "model"]


class DatedValue(_Record):
    since: Day
    value: Exact | None = None


class Parameter(_Record):
    """A number of the law, with the day from which it holds; without a value its rules are indeterminate."""

    name: str
    unit: str
    source: str
    values: list[DatedValue] = Field(min_length=1)


class Rule(_Record):
    """One rule of a pack: which function judges it, from which clause, on what evidence at least."""

    id: str
    rule: str
    source: str
    level: Annotated[Level, Field(strict=False)] = Level.MUST
    parameters: list[str] = Field(default_factory=list)
    minimum_tier: dict[Literal["reserves", "liabilities"], TierName] = Field(default_factory=dict)
    ownership: Literal["signed", "not-required"] = "signed"
    text_en: str
    text_ja: str

    def tier(self, of: Literal["reserves", "liabilities"]) -> Tier:
        """Return the evidence tier that a PASS needs for one input; FAIL is allowed on less."""
        return Tier[self.minimum_tier.get(of, "observed").upper()]


class Pack(_Record):
    """A versioned rulebook of one regulator, or a model of our own."""

    id: str
    version: str
    title: str
    jurisdiction: str
    regulator: str
    status: Literal["in-force", "enacted", "proposed", "guidance", "model"]
    effective_from: Day
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    not_covered: str
    sources: list[Source] = Field(min_length=1)
    parameters: list[Parameter] = Field(default_factory=list)
    rules: list[Rule] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """The SHA-256 of the pack's canonical JSON."""
        return digest(self.model_dump(mode="json"))

    @model_validator(mode="after")
    def _everything_is_cited(self) -> Self:
        sources = {source.id for source in self.sources}
        named = {parameter.name for parameter in self.parameters}
        cited = [(r.id, r.source) for r in self.rules] + [(p.name, p.source) for p in self.parameters]
        for name, source in cited:
            if source not in sources:
                raise ValueError(f"{name}: cites the unknown source {source!r}")
        for rule in self.rules:
            unknown = set(rule.parameters) - named
            if unknown:
                raise ValueError(f"rule {rule.id}: unknown parameter {sorted(unknown)[0]!r}")
        return self

    def clause(self, source: str) -> str:
        """Return how a source is cited: title and clause."""
        found = next(item for item in self.sources if item.id == source)
        return f"{found.title}, {found.clause}"

    def parameter(self, name: str, day: str) -> Fraction | None:
        """Return the value of a parameter in force on `day` (YYYY-MM-DD), or None when the law names none."""
        found = next(item for item in self.parameters if item.name == name)
        in_force = [dated for dated in found.values if dated.since <= day]
        latest = max(in_force, key=lambda dated: dated.since, default=None)
        return None if latest is None or latest.value is None else Fraction(latest.value)


def pack_names() -> tuple[str, ...]:
    """Return the ids of the packs we ship."""
    folder = files("verifier.policy") / "packs"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_pack(name: str) -> Pack:
    """Return a shipped pack by id. Raises InputError naming the known ones, or the bad field of a malformed pack."""
    known = pack_names()
    if name not in known:
        raise InputError(f"unknown pack {name!r}; known: {', '.join(known)}")
    text = (files("verifier.policy") / "packs" / f"{name}.toml").read_text("utf-8")
    try:
        return Pack.model_validate(tomllib.loads(text))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        reason = describe_validation(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(f"packs/{name}.toml: {reason}") from error
