"""por check: was my balance counted?"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from verifier.inclusion.result import CheckReport, InclusionResult

EXAMPLE = """Check that your balance is inside what the exchange published.

Example: por check my-proof.json --root 64-HEX-DIGITS-THE-EXCHANGE-PUBLISHED --expect BTC=0.5

Several proofs of one run are compared with each other: users who were shown different books find out.
"""
_SHOWN_ASSETS = 12


def check(
    proofs: Annotated[list[Path], typer.Argument(help="proof files; several are compared with each other")],
    root: Annotated[str | None, typer.Option(help="the commitment digest the exchange published (64 hex)")] = None,
    anchor: Annotated[
        Path | None, typer.Option(help="instead of --root: the published commitment.json, or a run's bundle folder")
    ] = None,
    expect: Annotated[
        list[str] | None, typer.Option(help="what you own, such as BTC=0.5; repeat it for each asset")
    ] = None,
    max_age_days: Annotated[int, typer.Option(min=0, max=36_500, help="a tree older than this is not fresh")] = 35,
    proof_format: Annotated[
        str | None, typer.Option("--format", help="refuse every format but this one", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from datetime import UTC, datetime, timedelta

    from verifier.cli.terminal import print_json
    from verifier.inclusion.check import check_proofs

    report = check_proofs(
        proofs,
        root,
        anchor,
        _expectations(expect or []),
        now=datetime.now(UTC),
        max_age=timedelta(days=max_age_days),
        only_format=proof_format,
    )
    if as_json:
        print_json(report.to_record())
    else:
        _explain(report)
    raise typer.Exit(report.exit_code)


check.__doc__ = EXAMPLE


def _expectations(options: Iterable[str]) -> dict[str, str]:
    from verifier.errors import InputError

    expected: dict[str, str] = {}
    for option in options:
        name, equals, amount = option.partition("=")
        if not equals or not name:
            raise InputError(f"--expect {option}: write ASSET=AMOUNT, for instance BTC=0.5")
        if name in expected:
            raise InputError(f"--expect {name}: given twice")
        expected[name] = amount
    return expected


def _explain(report: "CheckReport") -> None:
    for result in report.results:
        _explain_result(result)
    if report.pool.verdict != "single":
        _headline("compared with each other", report.pool.verdict.value, report.pool.verdict == "consistent")
    for fraud in report.pool.fraud:
        typer.echo(f"  {fraud.code}: {fraud.text}")
        typer.echo(f"  in: {', '.join(fraud.files)}")


def _explain_result(result: "InclusionResult") -> None:
    _headline(result.file, result.verdict.value, result.verdict == "accepted")
    for finding in result.findings:
        typer.echo(f"  {finding.code}: {finding.text}")
    if result.account is not None:
        typer.echo(f"  account  {_printable(result.account)}")
        typer.echo(f"  run      {result.run_id} as of {result.as_of}")
        typer.echo(f"  root     {result.root}")
    if result.own is not None and result.totals is not None:
        typer.echo(f"  counted for this account        {_amounts(result.own)}")
        typer.echo(f"  the exchange says it owes all   {_amounts(result.totals)}")
    if result.does_not_prove:
        typer.echo("  This proves that the account and these balances are under this root, and that the totals above")
        typer.echo("  include them." + (" The root is the published one." if result.grade.root_anchored else ""))
        typer.echo("  It does not prove:")
        for sentence in result.does_not_prove:
            typer.echo(f"  - {sentence}")


def _headline(what: str, verdict: str, good: bool) -> None:
    typer.echo(f"{what}: {typer.style(verdict, fg='green' if good else 'red', bold=True)}")


def _amounts(amounts: dict[str, str]) -> str:
    held = [f"{amount} {symbol}" for symbol, amount in amounts.items() if amount != "0"]
    more = f" and {len(held) - _SHOWN_ASSETS} more (--json shows all)" if len(held) > _SHOWN_ASSETS else ""
    return (", ".join(held[:_SHOWN_ASSETS]) or "nothing") + more


def _printable(text: str) -> str:
    """Return foreign text that can neither move the cursor nor reverse the line."""
    shown = text if text.isprintable() else ascii(text)
    return shown if len(shown) <= 100 else f"{shown[:99]}…"
