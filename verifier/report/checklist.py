"""The checklist of a good attestation, scored by machine: what is there, what is missing, and why it matters."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from verifier.report.content import ItemRow, PointRow
from verifier.report.measures import MEASURES, Evidence, Held
from verifier.report.origin import Origin
from verifier.report.words import Words
from verifier.verification import Verification

STATUSES = ("present", "partly", "absent", "not-applicable")


class Item(NamedTuple):
    """One item: the points that are measured, and those that the declaration states with a document."""

    id: str
    points: tuple[str, ...]
    stated: Mapping[str, str]


@cache
def items() -> tuple[Item, ...]:
    """Return the items in their order."""
    table = tomllib.loads((files("verifier.report") / "checklist.toml").read_text("utf-8"))
    return tuple(Item(row["id"], tuple(row["points"]), row["stated"]) for row in table["item"])


def checklist(result: Verification, origin: Origin, say: Words) -> tuple[ItemRow, ...]:
    """Return every item with its points; an item is present when all points that apply are."""
    evidence = Evidence(result, origin)
    return tuple(_item(number, item, evidence, say) for number, item in enumerate(items(), 1))


def summary(scored: Sequence[ItemRow], say: Words) -> str:
    """Return how many items are what."""
    counts = Counter(item.status for item in scored)
    return say("checklist.summary", **{status.replace("-", "_"): counts[status] for status in STATUSES})


def _item(number: int, item: Item, evidence: Evidence, say: Words) -> ItemRow:
    measured = {point: MEASURES[f"{item.id}.{point}"](evidence) for point in item.points}
    stated = {point: evidence.documented(name) for point, name in item.stated.items()}
    status = score([*measured.values(), *stated.values()])
    points = [_point(f"{item.id}.{point}", found, say) for point, found in measured.items()]
    points += [
        _point(f"{item.id}.{point}", found, say, say("checklist.by_statement", name=item.stated[point]))
        for point, found in stated.items()
    ]
    about = {key: say(f"checklist.{item.id}.{key}") for key in ("title", "why")}
    word = say(f"checklist.status.{status.replace('-', '_')}")
    return ItemRow(number, item.id, about["title"], status, word, about["why"], tuple(points))


def score(points: list[Held]) -> str:
    """Return present when all that applies is there, absent when nothing is, partly between, else not-applicable."""
    applying = [held for held in points if held is not None]
    if not applying:
        return STATUSES[3]
    return STATUSES[0] if all(applying) else STATUSES[1] if any(applying) else STATUSES[2]


def _point(key: str, held: Held, say: Words, remark: str = "") -> PointRow:
    status = {True: STATUSES[0], False: STATUSES[2], None: STATUSES[3]}[held]
    word = say(f"checklist.status.{status.replace('-', '_')}")
    text = say(f"checklist.{key}")
    return PointRow(key, status, word, text if held or not remark else f"{text} {remark}")
