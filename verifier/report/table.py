"""Findings as CSV, one line each; a cell that a spreadsheet would run as a formula gets an apostrophe before it."""

import csv
import io

from verifier.files import spreadsheet_cell
from verifier.report.content import FindingRow, Report
from verifier.report.visible import visible

FIELDS = (
    *("number", "pack", "rule", "level", "subject", "subject_word", "verdict", "word", "reason", "text"),
    *("measured", "required", "room", "measured_exact", "required_exact", "shortfall_exact", "slack_exact"),
    *("cure_by", "clause", "demand", "evidence"),
)


def render_table(report: Report) -> str:
    """Return one line per finding, under a line that names the columns."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(FIELDS)
    writer.writerows([cell(_value(finding, name)) for name in FIELDS] for finding in report.findings)
    return text.getvalue()


def _value(finding: FindingRow, name: str) -> str:
    value = getattr(finding, name)
    return " ".join(value) if isinstance(value, tuple) else str(value)


def cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, with hidden characters written out."""
    return f"'{visible(text)}" if spreadsheet_cell(text) != text else visible(text)
