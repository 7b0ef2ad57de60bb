"""What an asset has to become before it can be paid out: a small table by asset; what is not listed is not known."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from chains.ids import AssetId


class Form(NamedTuple):
    """A kind of asset; `hours` to turn it into its underlying, None when nobody can say beforehand."""

    kind: str
    note: str
    hours: int | None


UNKNOWN = Form("unknown token", "not in the table of known forms", None)


def form_of(asset: AssetId) -> Form:
    """Return what an asset is; the native coin of a chain is liquid at once."""
    if "/slip44:" in asset:
        return _coin()
    return _listed().get(str(asset).lower(), UNKNOWN)


@cache
def _table() -> list[dict[str, object]]:
    text = (files("verifier.liquidity") / "forms.toml").read_text("utf-8")
    return list(tomllib.loads(text)["forms"])


@cache
def _listed() -> dict[str, Form]:
    return {str(asset).lower(): _form(row) for row in _table() for asset in _assets(row)}


@cache
def _coin() -> Form:
    return next(_form(row) for row in _table() if row.get("slip44"))


def _form(row: dict[str, object]) -> Form:
    hours = row.get("hours")
    return Form(str(row["kind"]), str(row["note"]), hours if isinstance(hours, int) else None)


def _assets(row: dict[str, object]) -> list[object]:
    found = row.get("assets", [])
    return found if isinstance(found, list) else []
