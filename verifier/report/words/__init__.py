"""The report's own words, one data file per language: the same keys and the same gaps in each."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from verifier.errors import InputError

LANGUAGES = ("en", "ja")


class Words:
    """The sentences of one language, by key; `say("rules.more", count=3)` fills the gaps."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language, self._texts = language, texts

    def __call__(self, key: str, /, **given: Any) -> str:
        return self._texts[key].format(**given)

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    @property
    def japanese(self) -> bool:
        """Tell whether the language is Japanese; rulebooks bring their texts in English and Japanese."""
        return self.language == "ja"


@cache
def words_of(language: str) -> Words:
    """Return the words of a language. Raises InputError naming the known ones."""
    if language not in LANGUAGES:
        raise InputError(f"unknown language {language!r}; known: {', '.join(LANGUAGES)}")
    return Words(language, texts_of(language))


def texts_of(language: str) -> dict[str, str]:
    """Return every sentence of a language by its key, such as `rules.title`."""
    return dict(_flat(tomllib.loads((files("verifier.report.words") / f"{language}.toml").read_text("utf-8"))))


def _flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        found += _flat(value, f"{before}{key}.") if isinstance(value, dict) else [(before + key, value)]
    return found
