"""List the proof formats that can be checked, and what each can prove at all."""

from typing import Any, NamedTuple

from verifier.inclusion.proof import PROOF_FORMAT
from verifier.inclusion.recipe import recipes


class Entry(NamedTuple):
    """One format; `grade` is the most it reaches, `untested` says why no public sample was checked."""

    name: str
    title: str
    exchange: str
    years: str
    source: str
    container: str
    commits: str
    grade: tuple[str, ...]
    weakness: str
    untested: str | None = None

    def to_record(self) -> dict[str, Any]:
        return {**self._asdict(), "grade": list(self.grade)}


_OWN = Entry(
    name=PROOF_FORMAT,
    title="The liabilities tree of this program",
    exchange="any",
    years="2026 to now",
    source="docs/liabilities-tree.md",
    container="path",
    commits="children",
    grade=("included", "own_balance_bound", "totals_bound", "root_anchored", "fresh"),
    weakness="Your neighbours' sums are shown on the path.",
)


def catalogue() -> list[Entry]:
    """Return every format in alphabetical order, our own last."""
    entries = [
        Entry(
            name=recipe.name,
            title=recipe.data["title"],
            exchange=recipe.data["exchange"],
            years=recipe.data["years"],
            source=recipe.data["source"],
            container=recipe.data["container"],
            commits=recipe.sums,
            grade=(*recipe.data["grade"], "root_anchored"),
            weakness=recipe.data["weakness"],
            untested=recipe.data.get("untested"),
        )
        for recipe in recipes().values()
    ]
    return [*entries, _OWN]
