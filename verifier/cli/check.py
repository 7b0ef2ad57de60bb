"""por check: was my balance counted?"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from verifier.compensation.payout import Payout
    from verifier.inclusion.result import CheckReport, InclusionResult

EXAMPLE = """Check that your balance is inside what the exchange published.

Example: por check my-proof.json --root 64-HEX-DIGITS-THE-EXCHANGE-PUBLISHED --expect BTC=0.5

The exchange's format is found out by trying (`por formats` lists them). Several proofs of one run are compared with
each other: users who were shown different books find out, and --fraud-out keeps the evidence.
"""
_SHOWN_ASSETS = 12


Expected = Annotated[list[str] | None, typer.Option(help="what you own, such as BTC=0.5; repeat it for each asset")]
Anchor = Annotated[
    Path | None, typer.Option(help="instead of --root: a file with the published root, or a run's bundle folder")
]
Facts = Annotated[
    list[str] | None, typer.Option(help="what the exchange told you elsewhere, such as credential=… or uid=…")
]
FraudOut = Annotated[
    Path | None, typer.Option(help="write what contradicts between the files to this one, for anyone to check")
]
Signers = Annotated[
    list[Path] | None,
    typer.Option(help="the exchange's public key (PEM), for signed statements and disputes; repeat for several"),
]

Plan = Annotated[
    Path | None, typer.Option(help="a compensation plan's folder: also say what it pays to each of these receipts")
]


def check(
    proofs: Annotated[list[Path], typer.Argument(help="proof files; several are compared with each other")],
    root: Annotated[str | None, typer.Option(help="the root or digest the exchange published (hex)")] = None,
    anchor: Anchor = None,
    expect: Expected = None,
    max_age_days: Annotated[int, typer.Option(min=0, max=36_500, help="a tree older than this is not fresh")] = 35,
    proof_format: Annotated[
        str | None, typer.Option("--format", help="refuse every format but this one", show_default=False)
    ] = None,
    fact: Facts = None,
    fraud_out: FraudOut = None,
    signer: Signers = None,
    plan: Plan = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from datetime import UTC, datetime, timedelta

    from verifier.cli.terminal import print_json, progress_bars
    from verifier.inclusion.check import check_proofs
    from verifier.liabilities.listed import open_listed

    with progress_bars() as progress:
        report = check_proofs(
            proofs,
            root,
            anchor,
            _pairs("--expect", "BTC=0.5", expect or []),
            now=datetime.now(UTC),
            max_age=timedelta(days=max_age_days),
            only_format=proof_format,
            facts=_pairs("--fact", "uid=12345", fact or []),
            progress=progress,
            signers=signer or (),
            leaf_list=open_listed(anchor) if signer and anchor is not None and anchor.is_dir() else None,
        )
    if fraud_out is not None:
        _keep_fraud(report, fraud_out)
    payouts = _payouts(plan, proofs)
    if as_json:
        print_json(report.to_record() | ({"payouts": [one.to_record() for one in payouts]} if plan else {}))
    else:
        _explain(report)
        _explain_payouts(payouts)
    refused = any(one.verdict == "refused" for one in payouts)
    raise typer.Exit(max(report.exit_code, int(refused)))


check.__doc__ = EXAMPLE


def _pairs(option: str, example: str, given: Iterable[str]) -> dict[str, str]:
    from verifier.errors import InputError

    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError(f"{option} {text}: write NAME=VALUE, for instance {example}")
        if name in pairs:
            raise InputError(f"{option} {name}: given twice")
        pairs[name] = value
    return pairs


def _payouts(plan: Path | None, receipts: Iterable[Path]) -> "list[Payout]":
    if plan is None:
        return []
    from verifier.compensation.payout import find_payout

    return [find_payout(plan, receipt) for receipt in receipts]


def _explain_payouts(payouts: "list[Payout]") -> None:
    for one in payouts:
        _headline(f"{one.file}, by the plan", one.verdict.value, one.verdict == "accepted")
        for finding in one.findings:
            typer.echo(f"  {finding.code}: {_safe(finding.text)}")
        if one.verdict == "accepted":
            typer.echo(f"  is paid {_amounts(one.amounts)}")
            typer.echo(
                "  This does not prove that the plan follows from the run (por plan RUN --check PLAN), nor that it"
            )
            typer.echo("  will be paid.")


def _keep_fraud(report: "CheckReport", path: Path) -> None:
    import json

    from verifier.errors import UnavailableError
    from verifier.inclusion.fraud import fraud_records

    records = fraud_records(report.pool.fraud)
    if not records:
        typer.echo("no contradiction was found that can stand alone; nothing was written", err=True)
        return
    try:
        path.write_text(json.dumps(records[0], indent=1, ensure_ascii=True) + "\n", "utf-8")
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror}") from error
    typer.echo(f"{path}: the first of {len(records)} contradictions; anyone can check it: por check {path}", err=True)


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
    if result.format is not None:
        typer.echo(f"  format   {_printable(result.format)}")
    for finding in result.findings:
        typer.echo(f"  {finding.code}: {_safe(finding.text)}")
    if result.account is not None:
        typer.echo(f"  account  {_printable(result.account)}")
    if result.run_id is not None:
        as_of = f" as of {result.as_of}" if result.as_of else ""
        typer.echo(f"  run      {_printable(result.run_id)}{as_of}")
    if result.root is not None:
        typer.echo(f"  root     {_printable(result.root)}")
    if result.own:
        typer.echo(f"  counted for this account        {_amounts(result.own)}")
    if result.totals:
        typer.echo(f"  the exchange says it owes all   {_amounts(result.totals)}")
    if result.does_not_prove:
        _explain_limits(result)


def _explain_limits(result: "InclusionResult") -> None:
    steps = {
        "your entry is under this root": result.grade.included,
        "the balance is bound to you": result.grade.own_balance_bound,
        "the totals include every balance proven under them": result.grade.totals_bound,
        "the root is the published one": result.grade.root_anchored,
        "the tree is recent": result.grade.fresh,
    }
    for sentence, holds in steps.items():
        typer.echo(f"  {'yes' if holds else 'no '}  {sentence}")
    typer.echo("  This does not prove:")
    for sentence in result.does_not_prove:
        typer.echo(f"  - {sentence}")


def _headline(what: str, verdict: str, good: bool) -> None:
    typer.echo(f"{what}: {typer.style(verdict, fg='green' if good else 'red', bold=True)}")


def _amounts(amounts: dict[str, str]) -> str:
    held = [f"{amount} {symbol}" for symbol, amount in amounts.items() if amount != "0"]
    more = f" and {len(held) - _SHOWN_ASSETS} more (--json shows all)" if len(held) > _SHOWN_ASSETS else ""
    return (", ".join(held[:_SHOWN_ASSETS]) or "nothing") + more


def _safe(text: str) -> str:
    return text if text.isprintable() else ascii(text)


def _printable(text: str) -> str:
    """Return foreign text that can neither move the cursor nor reverse the line."""
    shown = text if text.isprintable() else ascii(text)
    return shown if len(shown) <= 100 else f"{shown[:99]}…"
