"""What we say in English, said in Japanese: a table of sentences with gaps, by the English sentence itself."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from verifier.policy.vocabulary import QUANTITIES

GAP = "{}"
LONGEST = 2_000
TABLES = ("phrases_ja.toml", "rulebooks_ja.toml")


class Phrase(NamedTuple):
    """An English sentence with gaps as a pattern, and the Japanese one with the same number of gaps."""

    pattern: re.Pattern[str]
    japanese: str


def in_japanese(text: str) -> str:
    """Return a sentence in Japanese, or several joined by `; `; one that no table holds is quoted as it is."""
    whole = known_in_japanese(text)
    if whole is not None:
        return whole
    return "、".join(_quoted(part) for part in text.split("; "))


def known_in_japanese(text: str) -> str | None:
    """Return a sentence in Japanese when a table holds it; what stands in its gaps is put over where it is held too."""
    exact, patterns = _tables()
    if text in exact:
        return exact[text]
    if len(text) > LONGEST:
        return None
    listed = [known_in_japanese(part) for part in text.split(", ")] if ", " in text else []
    if listed and all(listed):
        return "、".join(part or "" for part in listed)
    for phrase in patterns:
        found = phrase.pattern.fullmatch(text)
        if found:
            return phrase.japanese.format(*(known_in_japanese(group) or group for group in found.groups()))
    about, colon, said = text.partition(": ")
    known = known_in_japanese(said) if colon and "; " not in text else None
    return known and f"{known_in_japanese(about) or about}:{known}"


def _quoted(text: str) -> str:
    return known_in_japanese(text) or f"「{text}」(英語の記録)"


@cache
def _tables() -> tuple[dict[str, str], tuple[Phrase, ...]]:
    rows = [row for name in TABLES for row in _rows(name)]
    words = QUANTITIES.values()
    rows += [{"en": word.en, "ja": word.ja} for word in words]
    rows += [{"en": word.fault_en, "ja": word.fault_ja} for word in words if word.fault_en]
    exact = {repr(word.en): f"「{word.ja}」" for word in words}
    exact |= {row["en"]: row["ja"] for row in rows if GAP not in row["en"]}
    # The longest sentence first: a short one with wide gaps would take the others' place.
    gapped = sorted((row for row in rows if GAP in row["en"]), key=lambda row: -len(row["en"]))
    return exact, tuple(Phrase(_pattern(row["en"]), row["ja"]) for row in gapped)


def _rows(name: str) -> list[dict[str, str]]:
    return list(tomllib.loads((files("verifier.policy") / name).read_text("utf-8"))["phrase"])


def _pattern(english: str) -> re.Pattern[str]:
    # A gap never reaches over the end of a part, or one sentence would swallow the next.
    return re.compile("((?:(?!; ).)+?)".join(re.escape(part) for part in english.split(GAP)), re.DOTALL)
