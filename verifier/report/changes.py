"""What has changed since an earlier run, where one was handed in."""

from verifier.diff.runs import RunDiff
from verifier.policy.japanese import in_japanese
from verifier.report.words import Words


def change_lines(earlier: RunDiff | None, say: Words) -> tuple[str, ...]:
    """Return every change, those first that ask for an explanation; nothing without an earlier run."""
    if earlier is None:
        return ()
    about = say("changes.since", as_of=earlier.earlier, days=earlier.days)
    ordered = sorted(earlier.changes, key=lambda change: not change.explain)
    said = (in_japanese(change.text) if say.japanese else change.text for change in ordered)
    marked = (
        say("changes.explain" if change.explain else "changes.plain", text=text)
        for change, text in zip(ordered, said, strict=True)
    )
    return (about, *(marked if ordered else (say("changes.nothing"),)))
