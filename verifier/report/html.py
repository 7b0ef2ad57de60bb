"""The report as one self-contained HTML page: no script, nothing loaded from elsewhere, everything escaped."""

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from verifier.report.charts import coverage_chart, ladder_chart, pool_chart, profile_chart
from verifier.report.content import LadderRow, PoolRow, Report
from verifier.report.visible import visible
from verifier.report.words import words_of

# What one page shows at the most; the exports have everything.
MOST = {"charts": 8, "bars": 24, "rows": 60, "findings": 300, "traces": 120, "lines": 12, "evidence": 2}
MARKS = {
    **{"pass": "✓", "fail": "✗", "indeterminate": "?", "not-applicable": "–"},
    **{"present": "✓", "absent": "✗", "partly": "◐"},
}


def render_page(report: Report) -> str:
    """Return the page; the same report gives the same bytes."""
    say = words_of(report.language)
    page: dict[str, Any] = {
        **styled(),
        "r": report,
        "say": say,
        "most": MOST,
        "marks": MARKS,
        "coverage_chart": coverage_chart(report.coverage[: MOST["bars"]], say),
        "pool_charts": [
            (rows[0].symbol, pool_chart(rows, number, say))
            for number, rows in enumerate(_by_asset(report.pools)[: MOST["charts"]])
        ],
        "ladder_charts": [
            (rows[0].symbol, ladder_chart(rows, number, say))
            for number, rows in enumerate(_by_asset(report.ladder)[: MOST["charts"]])
        ],
        "profile_charts": [
            profile_chart(row, number, say) if row.steps or row.drawn else ""
            for number, row in enumerate(report.profiles[: MOST["charts"]])
        ],
    }
    return page_template("page.html.jinja").render(page)


def styled() -> dict[str, Any]:
    """Return what every page carries: its style, the hash that its policy allows, and the patterns of its charts."""
    style = _text("style.css")
    return {
        "style": Markup(style),  # noqa: S704 -- our own file
        "style_hash": b64encode(sha256(style.encode()).digest()).decode(),
        "patterns": Markup(_text("patterns.svg")),  # noqa: S704 -- our own file
    }


def _by_asset(rows: Iterable[Any]) -> list[list[Any]]:
    return [list(found) for _, found in groupby(rows, key=_asset)]


def _asset(row: PoolRow | LadderRow) -> str:
    return row.asset


@cache
def page_template(name: str) -> Template:
    """Return a page's template: everything put into it is escaped, and hidden characters are written out."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_text),
        finalize=_shown,
    )
    return environment.get_template(name)


def _shown(value: Any) -> Any:
    """Write out hidden characters of everything that is put into the page but our own markup."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else visible(value)


def _text(name: str) -> str:
    return (files("verifier.report") / "templates" / name).read_text("utf-8")
