"""por verify: judge a bundle, offline, by one or more rulebooks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

EXAMPLE = """Judge a bundle offline: replay its evidence and decide, rule by rule.

Example: por verify run-2026-11/ --pack jp-psa-63-11 --report report.html
"""


def verify(
    bundle: Annotated[Path, typer.Argument(help="a bundle folder or zip")],
    pack: Annotated[list[str] | None, typer.Option(help="a rulebook; repeat for several (see `por packs`)")] = None,
    recheck: Annotated[
        Path | None, typer.Option(help="providers (TOML) of your own: a random sample of the balances is asked again")
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option(help="a root of yours that proofs may lead to (docs/proven-balances.md); repeat for several"),
    ] = None,
    utxo_set: Annotated[
        list[Path] | None,
        typer.Option(help="your own `dumptxoutset` file of the pinned block, for a set the bundle only names"),
    ] = None,
    as_of: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="judge by the numbers in force on this day, not the declaration's")
    ] = "",
    seal: Annotated[Path | None, typer.Option(help="a sealed statement (por seal) to compare with")] = None,
    signer: Annotated[
        list[Path] | None, typer.Option(help="a public key (PEM) whose seals you trust; repeat for several")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="write a self-contained HTML report")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from chains.providers import load_providers
    from verifier import run
    from verifier.cli.terminal import print_json, progress_bars
    from verifier.dates import checked_day
    from verifier.report.html import write_report
    from verifier.report.record import verification_record
    from verifier.report.text import describe
    from verifier.seal import compared, sealed_packs

    own = load_providers(recheck) if recheck else None
    statement = opened_seal(seal, signer or ()) if seal else None
    packs = tuple(pack or sealed_packs(statement) or run.DEFAULT_PACKS)
    with progress_bars() as told:
        result = run.verify_bundle(bundle, packs, own, None, trust or (), utxo_set or (), told, checked_day(as_of))
    result = compared(statement, bundle, result)
    if report is not None:
        write_report(result, report)
    if as_json:
        print_json(verification_record(result))
    else:
        typer.echo(describe(result))
        if report is not None:
            typer.echo(f"Report: {report.resolve()}")
    raise typer.Exit(result.verdict.exit_code)


def opened_seal(seal: Path, signers: Sequence[Path]) -> dict[str, Any]:
    """Return the statement of a seal that a trusted key signed."""
    from verifier.errors import InputError
    from verifier.files import read_file
    from verifier.seal import MAX_SEAL, open_seal

    if not signers:
        raise InputError("a seal is worth what its key is: name the public key you trust with --signer")
    return open_seal(read_file(seal, MAX_SEAL), signers, str(seal))


verify.__doc__ = EXAMPLE
