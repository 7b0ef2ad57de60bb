"""por wallets: does an exchange's published wallet list hold?"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from verifier.cli import wallets_challenge, wallets_movement, wallets_sign

if TYPE_CHECKING:
    from verifier.wallet_lists.comparison import Comparison
    from verifier.wallet_lists.report import ListReport, Progress

EXAMPLE = """Check an exchange's published wallet list: signatures, totals, duplicates, and what it leaves open.

Reads OKX (11, 12 or merged columns), HTX (monthly CSV) and BitMEX (reserves YAML). Several lists are compared with each
other: new and vanished wallets, signatures that are used again, addresses that two exchanges claim.

Example: por wallets okx_por_2026-11.csv

Exit codes: 0 nothing refused, 1 a signature or total is refused, 2 nothing could be checked, 3 bad input.
"""
GROUP = """Wallets: published lists, and proofs of control.

`por wallets FILE…` checks an exchange's published wallet list (the same as `por wallets check FILE…`). `challenge`
prints exactly what to sign for a declaration, and `sign` signs it with keys from a file. `movement` draws amounts to be
moved on the chain, and checks that they were.
"""
LIMITS = (
    "that the coins are there: amounts are the exchange's word until they are read from the chains (por collect)",
    "that the exchange holds the keys today, unless a message names this list and a recent date",
    "that nothing is owed against these coins, or that they were not borrowed for the day",
)
SECONDS_BEFORE, SECONDS_BETWEEN, SECONDS_BETWEEN_LINES = 2.0, 0.5, 10.0
_SHOWN_ASSETS = 12


class _FilesByDefault(TyperGroup):
    """Take what is no subcommand as the files of `check`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["check", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(help=GROUP, cls=_FilesByDefault, no_args_is_help=True)
app.command("challenge", help=wallets_challenge.EXAMPLE)(wallets_challenge.challenge)
app.add_typer(wallets_movement.app, name="movement")
app.command("sign", help=wallets_sign.EXAMPLE)(wallets_sign.sign)


@app.command("check", help=EXAMPLE)
def check(
    files: Annotated[list[Path], typer.Argument(help="published wallet lists; several are compared with each other")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.cli.terminal import print_json
    from verifier.wallet_lists.report import check_wallet_lists

    progress = _ProgressLine()
    try:
        report = check_wallet_lists(files, progress)
    finally:
        progress.close()
    if as_json:
        print_json(report.to_record())
    else:
        for each in report.lists:
            _explain(each)
        if len(report.lists) > 1:
            _explain_comparison(report.comparison)
        typer.echo("None of this proves:")
        for sentence in LIMITS:
            typer.echo(f"  - {sentence}")
    raise typer.Exit(report.exit_code)


def _explain(report: "ListReport") -> None:
    from verifier.wallet_lists.judge import Status

    record, counts = report.to_record(), report.survey.statuses
    color = {"nothing-refused": "green", "refused": "red"}.get(report.verdict.value, "yellow")
    headline = typer.style(report.verdict.value.replace("-", " "), fg=color, bold=True)
    typer.echo(f"{report.file}: {headline}")
    when = f", about {report.day.day} ({report.day.source})" if report.day else ""
    typer.echo(
        f"  {report.exchange}, format {report.format}{when}: {record['rows']:,} rows, {record['signed']:,} signed"
    )
    typer.echo(
        f"  {counts[Status.VERIFIED]:,} signed by the wallet's own key · {counts[Status.UNBOUND]:,} wallet not bound · "
        f"{counts[Status.REFUSED]:,} refused · {counts[Status.UNCHECKED]:,} not checkable here · "
        f"{counts[Status.UNSIGNED]:,} rows unsigned"
    )
    if report.totals:
        bad = sum(check.match.value == "differs" for check in report.totals)
        typer.echo(f"  {len(report.totals):,} declared totals, {bad:,} of them wrong")
    for asset in record["assets"][:_SHOWN_ASSETS]:
        typer.echo(
            f"  {asset['asset']:<12} {asset['amount']:>28}   signed by its own key: {asset.get('verified', '0')}"
        )
    if len(record["assets"]) > _SHOWN_ASSETS:
        typer.echo(f"  and {len(record['assets']) - _SHOWN_ASSETS:,} more assets (--json shows all)")
    for finding in report.findings:
        typer.echo(f"  {finding.code}: {finding.text}")


def _explain_comparison(comparison: "Comparison") -> None:
    typer.echo("compared with each other:")
    for step in comparison.steps:
        typer.echo(
            f"  {step.first} → {step.second}: {step.new:,} new wallets, {step.vanished:,} vanished, "
            f"{step.reused:,} signatures used again"
        )
    if comparison.reused:
        typer.echo(f"  {comparison.reused:,} signatures appear in lists of different days; the oldest:")
        for reused in comparison.oldest[:3]:
            typer.echo(f"    {reused.address}: {reused.days:,} days ({reused.first} → {reused.last})")
    for claim in comparison.double_claims[:_SHOWN_ASSETS]:
        who = " and ".join(f"{exchange} ({file}:{line})" for exchange, file, line in claim.claims)
        typer.echo(f"  claimed twice: {claim.account} by {who}")


class _ProgressLine:
    """How far a long list is, on stderr, once it takes more than two seconds: one line that is rewritten, or a few."""

    def __init__(self) -> None:
        self.started = self.shown = time.monotonic()
        self.is_terminal = sys.stderr.isatty()
        self.lines = 0

    def __call__(self, progress: "Progress") -> None:
        now = time.monotonic()
        pause = SECONDS_BETWEEN if self.is_terminal else SECONDS_BETWEEN_LINES
        if now - self.started < SECONDS_BEFORE or now - self.shown < pause:
            return
        self.shown = now
        self.lines += 1
        rate = progress.signatures / max(now - self.started, 0.001)
        percent = 100 * progress.done // max(1, progress.size)
        line = f"{progress.file}: {percent} %, {progress.rows:,} rows, {rate:,.0f} signatures/s"
        sys.stderr.write(f"\r\x1b[2K{line}" if self.is_terminal else f"{line}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Wipe the line from a terminal."""
        if self.is_terminal and self.lines:
            sys.stderr.write("\r\x1b[2K")
