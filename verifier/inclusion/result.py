"""The graded answer to `was I counted?`: never a bare "valid", always with what it does not prove."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from verifier.inclusion.finding import Finding

if TYPE_CHECKING:
    from verifier.inclusion.numbers import Balances
    from verifier.inclusion.recipe import PathProof, Recipe, Walk


class ProofVerdict(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNRECOGNISED = "unrecognised"


class Grade(NamedTuple):
    """What a proof establishes, step by step; each later step is worth more than the one before.

    included: the account's leaf is under the root. own_balance_bound: the leaf cannot be opened to another account or
    balance. totals_bound: every node commits to each child's sums, so the total cannot be below the balances proven
    under it. root_anchored: the root is the one the checker got from elsewhere. fresh: `as_of` is recent.
    """

    included: bool = False
    own_balance_bound: bool = False
    totals_bound: bool = False
    root_anchored: bool = False
    fresh: bool = False


UNGRADED = Grade()


class Claim(NamedTuple):
    """What an intact proof says about one of its leaves, for comparison with other users' proofs."""

    file: str
    run_id: str
    root: str
    leaf_index: int
    leaf: str
    account: str
    part: int


class PathEvidence(NamedTuple):
    """An accepted path in an exchange's own format, for comparison with other users' paths."""

    file: str
    recipe: "Recipe"
    proof: "PathProof"
    walk: "Walk"


class Seen(NamedTuple):
    """One node as one user's proof shows it: `below` is how many steps up the user's path it stands or hangs."""

    evidence: PathEvidence
    sums: "Balances"
    below: int
    own: bool


class Fraud(NamedTuple):
    """Proofs that contradict each other; `files` hold the contradiction, `evidence` is the fraud proof's content."""

    code: str
    text: str
    files: tuple[str, ...]
    evidence: Mapping[str, Any] | None = None

    def to_record(self) -> dict[str, Any]:
        return {"code": self.code, "text": self.text, "files": list(self.files)}


class LineClaim(NamedTuple):
    """Lines of a published list that a user was told to own: from `start` to before `end`."""

    file: str
    root: str
    start: int
    end: int


@dataclass(frozen=True)
class InclusionResult:
    """One file's answer. `root` is the published digest, amounts are whole coins by symbol.

    `leaf` is the hash of the user's leaf, of the first one where an account stands in several; `claims` has them all.
    """

    file: str
    format: str | None
    verdict: ProofVerdict
    root: str | None = None
    leaf: str | None = None
    own: dict[str, str] | None = None
    totals: dict[str, str] | None = None
    grade: Grade = UNGRADED
    findings: tuple[Finding, ...] = ()
    does_not_prove: tuple[str, ...] = ()
    account: str | None = None
    run_id: str | None = None
    as_of: str | None = None
    claims: tuple[Claim, ...] = ()
    evidence: tuple[PathEvidence, ...] = ()
    lines: LineClaim | None = None
    fraud: tuple[Fraud, ...] = ()

    def to_record(self) -> dict[str, Any]:
        """Return the object that `por check --json` prints for this file."""
        return {
            "file": self.file,
            "format": self.format,
            "verdict": self.verdict.value,
            "root": self.root,
            "leaf": self.leaf,
            "own": self.own,
            "totals": self.totals,
            "grade": self.grade._asdict(),
            "findings": [finding._asdict() for finding in self.findings],
        }


class PoolVerdict(StrEnum):
    SINGLE = "single"
    CONSISTENT = "consistent"
    FRAUD = "fraud"


class PoolReport(NamedTuple):
    verdict: PoolVerdict
    fraud: tuple[Fraud, ...]

    def to_record(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.value,
            "fraud": [entry.to_record() for entry in self.fraud],
        }


class CheckReport(NamedTuple):
    """The answer for all files together; `to_record()` is what `por check --json` prints."""

    verdict: ProofVerdict
    results: tuple[InclusionResult, ...]
    pool: PoolReport

    @property
    def exit_code(self) -> int:
        return {ProofVerdict.ACCEPTED: 0, ProofVerdict.REFUSED: 1, ProofVerdict.UNRECOGNISED: 3}[self.verdict]

    def to_record(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.value,
            "results": [result.to_record() for result in self.results],
            "pool": self.pool.to_record(),
        }


def overall(verdicts: Iterable[ProofVerdict], pool: PoolReport) -> ProofVerdict:
    """Return the worst verdict: a refused proof or a fraud first, then a file nobody recognised."""
    present = set(verdicts)
    if ProofVerdict.REFUSED in present or pool.fraud:
        return ProofVerdict.REFUSED
    return ProofVerdict.ACCEPTED if present == {ProofVerdict.ACCEPTED} else ProofVerdict.UNRECOGNISED
