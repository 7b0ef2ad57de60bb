"""By which rulebooks two runs were judged, which numbers of the law moved meanwhile, and how often it asks for runs."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from verifier.diff.change import Change
from verifier.errors import InputError
from verifier.policy.pack import Pack


class Sealed(NamedTuple):
    """What a sealed statement says of one rulebook."""

    version: str
    digest: str
    verdict: str


def sealed_changes(statements: Sequence[Mapping[str, Any]], bundles: Sequence[str]) -> tuple[Change, ...]:
    """Return what moved between the sealed statements of two bundles, which are known by their manifests' digests.

    Nothing without statements. Raises InputError unless each bundle has one.
    """
    if not statements:
        return ()
    of = {_subject(one): one for one in statements}
    missing = [digest for digest in bundles if digest not in of]
    if missing or len(statements) != len(bundles):
        raise InputError(f"name one sealed statement of each run; none speaks of the bundle {(missing or ['?'])[0]}")
    earlier, later = sorted((of[digest] for digest in bundles), key=lambda one: str(_predicate(one).get("as_of")))
    return tuple(rulebook_changes(_rulebooks(earlier), _rulebooks(later)))


def _subject(statement: Mapping[str, Any]) -> str:
    subjects = statement.get("subject")
    first = subjects[0] if isinstance(subjects, list) and subjects else None
    digest = first.get("digest") if isinstance(first, dict) else None
    return str(digest.get("sha256")) if isinstance(digest, dict) else ""


def _predicate(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    found = statement.get("predicate")
    return found if isinstance(found, dict) else {}


def _rulebooks(statement: Mapping[str, Any]) -> dict[str, Sealed]:
    """Return what a sealed statement says of rulebooks, by their ids; what is not of that form is left out."""
    listed = _predicate(statement).get("rulebooks")
    found = {}
    for one in listed if isinstance(listed, list) else []:
        digest = one.get("digest") if isinstance(one, dict) else None
        if isinstance(digest, dict):
            found[str(one.get("id"))] = Sealed(str(one.get("version")), str(digest), str(one.get("verdict")))
    return found


def rulebook_changes(before: Mapping[str, Sealed], after: Mapping[str, Sealed]) -> Iterator[Change]:
    """Yield which rulebooks two sealed statements were made by, and where the same one says something else."""
    for name in sorted(before.keys() - after.keys()):
        yield Change("rulebook-dropped", f"{name} is not judged by any more (it was {before[name].verdict})", True)
    for name in sorted(after.keys() - before.keys()):
        yield Change("rulebook-added", f"{name} is judged by now: {after[name].verdict}", False)
    for name in sorted(before.keys() & after.keys()):
        first, second = before[name], after[name]
        if first.digest != second.digest:
            yield Change("rulebook-changed", f"{name} was version {first.version}, is {second.version}", True)
        if first.verdict != second.verdict:
            text = f"{name}: {first.verdict} before, {second.verdict} now"
            yield Change("verdict-moved", text, second.verdict != "pass")


def parameter_changes(packs: Sequence[Pack], earlier: str, later: str) -> Iterator[Change]:
    """Yield the numbers of rulebooks that are others on the later day (YYYY-MM-DD) than on the earlier."""
    for pack in packs:
        for one in pack.parameters:
            before, after = pack.parameter(one.name, earlier), pack.parameter(one.name, later)
            if before != after:
                text = f"{pack.id}: {one.name} was {_shown(before)}, is {_shown(after)} ({one.unit})"
                yield Change("parameter-changed", text, False)


def interval_of(packs: Sequence[Pack], day: str) -> tuple[int, int]:
    """Return the fewest and most days between runs that rulebooks ask for on a day, 0 for none: the strictest count."""
    shortest = [found for pack in packs if (found := _days(pack, pack.shortest_interval, day))]
    longest = [found for pack in packs if (found := _days(pack, pack.longest_interval, day))]
    return max(shortest, default=0), min(longest, default=0)


def _days(pack: Pack, name: str | None, day: str) -> int:
    value = pack.parameter(name, day) if name else None
    return int(value) if value is not None else 0


def _shown(value: Fraction | None) -> str:
    return "open" if value is None else str(value)
