"""Check published wallet lists: one list by itself, several against each other, and a verdict for all."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from verifier.errors import InputError
from verifier.wallet_lists.comparison import Comparison, Dated, compare
from verifier.wallet_lists.dates import ListDate, date_of_list
from verifier.wallet_lists.detect import open_list
from verifier.wallet_lists.findings import Finding, find
from verifier.wallet_lists.judge import Judge, Status
from verifier.wallet_lists.lines import LineReader
from verifier.wallet_lists.record import Role, WalletList
from verifier.wallet_lists.survey import Survey, share_of
from verifier.wallet_lists.totals import Match, TotalCheck, plain

REPORT_EVERY = 256
MAX_ROWS = 1_000_000


class Verdict(StrEnum):
    """What the lists came to; that nothing is refused does not mean that everything is proven."""

    NOTHING_REFUSED = "nothing-refused"
    REFUSED = "refused"
    NOTHING_CHECKED = "nothing-checked"


class Progress(NamedTuple):
    """How far reading is: bytes of the file, rows, and signatures checked so far."""

    file: str
    done: int
    size: int
    rows: int
    signatures: int


class ListReport(NamedTuple):
    """The answer for one list; `to_record` is its part of `--json`."""

    file: str
    format: str
    exchange: str
    day: ListDate | None
    survey: Survey
    totals: tuple[TotalCheck, ...]
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """Return refused if a signature, script or total is; nothing checked if there was nothing to check."""
        statuses = self.survey.statuses
        if statuses[Status.REFUSED] or any(check.match is Match.DIFFERS for check in self.totals):
            return Verdict.REFUSED
        summed = any(check.match is not Match.NO_ROWS for check in self.totals)
        checked = statuses[Status.VERIFIED] or statuses[Status.UNBOUND] or summed
        return Verdict.NOTHING_REFUSED if checked else Verdict.NOTHING_CHECKED

    def to_record(self) -> dict[str, Any]:
        """Return plain JSON values; amounts are decimal strings."""
        statuses = self.survey.statuses
        return {
            "file": self.file,
            "format": self.format,
            "exchange": self.exchange,
            "date": self.day.day.isoformat() if self.day else None,
            "date_source": self.day.source if self.day else None,
            "verdict": self.verdict.value,
            "rows": self.survey.rows,
            "signed": self.survey.rows - statuses[Status.UNSIGNED],
            **{status.value: statuses[status] for status in Status},
            "owner_rows": self.survey.roles[Role.OWNER],
            "schemes": dict(sorted(self.survey.schemes.items())),
            "assets": [
                {
                    "asset": asset,
                    "amount": plain(share_of(shares, *shares)),
                    **{name: plain(amount) for name, amount in shares.items()},
                }
                for asset, shares in sorted(self.survey.amounts.items())
            ],
            "totals": [check.to_record() for check in self.totals],
            "findings": [finding.to_record() for finding in self.findings],
        }


class WalletsReport(NamedTuple):
    """The answer for all lists together; `to_record` is what `por wallets --json` prints."""

    verdict: Verdict
    lists: tuple[ListReport, ...]
    comparison: Comparison

    @property
    def exit_code(self) -> int:
        """Return 0 when nothing is refused, 1 when something is, 2 when nothing could be checked."""
        return {Verdict.NOTHING_REFUSED: 0, Verdict.REFUSED: 1, Verdict.NOTHING_CHECKED: 2}[self.verdict]

    def to_record(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "verdict": self.verdict.value,
            "lists": [each.to_record() for each in self.lists],
            "comparison": self.comparison.to_record(),
        }


def check_wallet_lists(
    paths: Sequence[str | Path], progress: Callable[[Progress], None] = lambda _: None
) -> WalletsReport:
    """Check one or more published wallet lists, and compare them when there are several.

    Raises UnavailableError for a file that cannot be read, InputError with file and row for one that is no list known
    here or breaks off; whatever a list claims is a result, not an error.
    """
    if not paths:
        raise InputError("no wallet list was given")
    # 1. Each list by itself
    lists = tuple(check_list(Path(path), progress) for path in paths)
    # 2. The lists against each other
    dated = [Dated(each.file, each.exchange, each.day, each.survey) for each in lists]
    comparison = compare(dated) if len(dated) > 1 else Comparison()
    # 3. The worst decides
    verdicts = {each.verdict for each in lists}
    if Verdict.REFUSED in verdicts or comparison.double_claims:
        return WalletsReport(Verdict.REFUSED, lists, comparison)
    verdict = Verdict.NOTHING_REFUSED if Verdict.NOTHING_REFUSED in verdicts else Verdict.NOTHING_CHECKED
    return WalletsReport(verdict, lists, comparison)


def check_list(path: Path, progress: Callable[[Progress], None] = lambda _: None) -> ListReport:
    """Check one list: read it row by row, judge every signature, compare its totals with its rows."""
    reader = LineReader(path)
    opened = open_list(path, reader)
    survey, judge = Survey(), Judge()
    for number, row in enumerate(opened.rows, 1):
        if number > MAX_ROWS:
            raise InputError(f"{path}: more than {MAX_ROWS:,} rows")
        survey.add(row, judge.judge(row))
        if number % REPORT_EVERY == 0:
            progress(Progress(str(path), reader.done, reader.size, number, judge.checked))
    day = date_of_list(survey.heights, path.name)
    totals = survey.sums.check(opened.totals, exact=opened.exact)
    findings = tuple(find(survey, totals, day))
    return ListReport(str(path), opened.format, _exchange(opened, survey), day, survey, totals, findings)


def _exchange(opened: WalletList, survey: Survey) -> str:
    """Return whose list it is; Okcoin published in OKX's format and signed under its own name."""
    messages = [text.lower() for text in survey.messages]
    return (
        "Okcoin"
        if opened.exchange == "OKX" and messages and all("okcoin" in text for text in messages)
        else opened.exchange
    )
