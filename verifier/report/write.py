"""A report to a file; its suffix says in which form."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from verifier.errors import InputError
from verifier.files import write_file
from verifier.report.content import Report, plain


def _page(report: Report) -> str:
    from verifier.report.html import render_page

    return render_page(report)


def _table(report: Report) -> str:
    from verifier.report.table import render_table

    return render_table(report)


def _markdown(report: Report) -> str:
    from verifier.report.markdown import render_markdown

    return render_markdown(report)


def _record(report: Report) -> str:
    # Escaped to ASCII: no hidden character is in the file, and every one is in the record.
    return json.dumps(plain(report), ensure_ascii=True, indent=1) + "\n"


FORMS: Mapping[str, Callable[[Report], str]] = {".html": _page, ".json": _record, ".csv": _table, ".md": _markdown}


def check_suffixes(paths: Sequence[Path]) -> None:
    """Refuse a file whose suffix names no form, before any work is done. Raises InputError."""
    for path in paths:
        if path.suffix.lower() not in FORMS:
            raise InputError(f"{path}: a report ends in one of {', '.join(FORMS)}; this one ends in {path.suffix!r}")


def rendered(report: Report, suffix: str) -> bytes:
    """Return a report's bytes in the form that a suffix names; CSV opens with a mark that tells spreadsheets UTF-8."""
    text = FORMS[suffix.lower()](report)
    return text.encode("utf-8-sig" if suffix.lower() == ".csv" else "utf-8")


def write_report(report: Report, path: Path) -> None:
    """Write a report. Raises InputError for an unknown suffix, UnavailableError when the file cannot be written."""
    check_suffixes([path])
    write_file(path, rendered(report, path.suffix))
