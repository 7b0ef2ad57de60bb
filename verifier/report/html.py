"""The verdict as one self-contained HTML page: no script, nothing loaded from elsewhere, everything escaped."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined, Template

from chains.ids import AssetId
from verifier.errors import UnavailableError
from verifier.policy.amounts import show_units
from verifier.report.limits import limits
from verifier.report.matrix import matrix, standing
from verifier.report.multiples import loss_multiples
from verifier.report.record import coverage_records
from verifier.report.text import known_lines
from verifier.run import Verification
from verifier.verdict import Verdict

SHOWN_LINES = 40
WORDS = {
    Verdict.PASS: "The reserves cover what the rules require.",
    Verdict.FAIL: "At least one requirement is broken.",
    Verdict.INDETERMINATE: "The evidence is not enough to decide.",
    Verdict.NOT_APPLICABLE: "Nothing here is judged by these rules.",
}


class Bar(NamedTuple):
    """One asset's coverage as a bar: widths in thousandths of the drawing, with the amounts in words."""

    symbol: str
    held: str
    owed: str
    ratio: str
    held_width: int
    owed_width: int


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((files("verifier.report") / "page.html.jinja").read_text("utf-8"))


def render(result: Verification) -> str:
    """Return the page for a verification."""
    case = result.case
    symbols = case.declaration.symbols()
    rows = [{"finding": item, "subject": symbols.get(item.subject, item.subject)} for item in result.findings]
    page: dict[str, Any] = {
        "verdict": result.verdict,
        "words": WORDS[result.verdict],
        "case": case,
        "packs": [(one.pack, one.verdict, standing(one)) for one in result.judgements],
        "matrix": matrix(result),
        "bars": _bars(result),
        "multiples": [one.describe() for one in loss_multiples(case)],
        "rows": rows,
        "known": known_lines(case),
        "limits": limits(result),
        "shown": SHOWN_LINES,
    }
    return _template().render(page)


def _bars(result: Verification) -> list[Bar]:
    bars = []
    for row in coverage_records(result.case):
        asset = AssetId(row["asset"])
        held, owed = int(row["eligible_units"]), int(row["liability_units"] or 0)
        most = max(held, owed, 1)
        bars.append(
            Bar(
                row["symbol"],
                show_units(result.case, asset, held),
                show_units(result.case, asset, owed) if row["liability_units"] is not None else "unknown",
                row["ratio"] or "–",
                held * 1000 // most,
                owed * 1000 // most,
            )
        )
    return bars


def write_report(result: Verification, path: Path) -> None:
    """Write the page. Raises UnavailableError when the file cannot be written."""
    try:
        path.write_text(render(result), "utf-8")
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror}") from error
