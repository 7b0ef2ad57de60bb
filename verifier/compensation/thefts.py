"""Thefts that happened, to measure a reserve against."""

import tomllib
from importlib.resources import files


def thefts(currency: str) -> list[tuple[str, int]]:
    """Return the thefts that were reported in a currency: name, and amount in whole units."""
    table = tomllib.loads((files("verifier.compensation") / "thefts.toml").read_text("utf-8"))["thefts"]
    return [(row["name"], row["amount"]) for row in table if row["currency"] == currency]
