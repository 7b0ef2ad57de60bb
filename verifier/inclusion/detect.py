"""Find out by trying which format a file has; two that fit are both named, never one silently picked."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, cast

from verifier.inclusion.finding import Finding
from verifier.inclusion.layout import OtherLayoutError, read_path
from verifier.inclusion.recipe import PathProof, Recipe, Walk, recipes, walk
from verifier.inclusion.wire import MalformedError

Reader = Callable[[Recipe, Any, Mapping[str, str], Sequence[Any]], list[PathProof]]


class Trial(NamedTuple):
    """One format tried on one file: what was read and rebuilt, or the error that stopped it."""

    recipe: Recipe
    proofs: tuple[PathProof, ...]
    walks: tuple[Walk, ...]
    error: Finding | None = None

    @property
    def fits(self) -> bool:
        """Whether all hashes of the file fit, whatever else may be wrong with it."""
        return self.error is None and bool(self.walks) and all(walked.hashes_fit for walked in self.walks)

    @property
    def faults(self) -> tuple[Finding, ...]:
        found = [self.error] if self.error else []
        return (*found, *(fault for walked in self.walks for fault in walked.faults))

    @property
    def closeness(self) -> int:
        """How much of the file fits; orders refused trials."""
        return 0 if self.error else sum(3 - len({fault.code for fault in walked.faults}) for walked in self.walks)


def try_formats(
    value: Any, facts: Mapping[str, str], companions: Sequence[Any], only: str | None = None
) -> list[Trial]:
    """Return the trials of every format whose layout the file has; when some fit, only those."""
    trials = []
    for name, recipe in recipes().items():
        if recipe.data["container"] != "path" or only not in (None, name):
            continue
        trial = _best([_try(variant, value, facts, companions) for variant in recipe.variants])
        if trial is not None:
            trials.append(trial)
    fitting = [trial for trial in trials if trial.fits]
    if fitting:
        return fitting
    return sorted(trials, key=lambda trial: -trial.closeness)


def _best(trials: Sequence[Trial | None]) -> Trial | None:
    laid_out = [trial for trial in trials if trial is not None]
    fitting = [trial for trial in laid_out if trial.fits]
    return max(fitting or laid_out, key=lambda trial: trial.closeness, default=None)


def _try(recipe: Recipe, value: Any, facts: Mapping[str, str], companions: Sequence[Any]) -> Trial | None:
    try:
        proofs = _reader(recipe)(recipe, value, facts, companions)
        return Trial(recipe, tuple(proofs), tuple(walk(recipe, proof) for proof in proofs))
    except OtherLayoutError:
        return None
    except MalformedError as error:
        return Trial(recipe, (), (), Finding(error.code, str(error)))


def _reader(recipe: Recipe) -> Reader:
    special = recipe.data.get("special")
    if special is None:
        return lambda recipe, value, facts, companions: [read_path(recipe, value, facts)]
    return cast(Reader, import_module(f"verifier.inclusion.special.{special}").read)
