"""por verify: judge a bundle, offline, by one or more rulebooks."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from verifier.verification import Verification

EXAMPLE = """Judge a bundle offline: replay its evidence and decide, rule by rule.

Example: por verify run-2026-11/ --pack jp-psa-63-11 --report report.html
"""


Packs = Annotated[list[str] | None, typer.Option(help="a rulebook; repeat for several (see `por packs`)")]
Recheck = Annotated[
    Path | None, typer.Option(help="providers (TOML) of your own: a random sample of the balances is asked again")
]
Trust = Annotated[
    list[str] | None,
    typer.Option(help="a root of yours that proofs may lead to (docs/proven-balances.md); repeat for several"),
]
UtxoSets = Annotated[
    list[Path] | None,
    typer.Option(help="your own `dumptxoutset` file of the pinned block, for a set the bundle only names"),
]
AsOf = Annotated[
    str, typer.Option(metavar="YYYY-MM-DD", help="judge by the numbers in force on this day, not the declaration's")
]
Signers = Annotated[
    list[Path] | None, typer.Option(help="a public key (PEM) whose seals you trust; repeat for several")
]
Earlier = Annotated[
    Path | None, typer.Option(help="an earlier run of the exchange: the report says what has changed since")
]
Reports = Annotated[
    list[Path] | None,
    typer.Option(help="write a report; the suffix says how: .html, .json, .csv, .md; repeat for several"),
]


def verify(
    bundle: Annotated[Path, typer.Argument(help="a bundle folder or zip")],
    pack: Packs = None,
    recheck: Recheck = None,
    trust: Trust = None,
    utxo_set: UtxoSets = None,
    as_of: AsOf = "",
    seal: Annotated[Path | None, typer.Option(help="a sealed statement (por seal) to compare with")] = None,
    signer: Signers = None,
    earlier: Earlier = None,
    report: Reports = None,
    lang: Annotated[str, typer.Option(metavar="en|ja", help="the language of the report")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from chains.providers import load_providers
    from verifier.cli.terminal import progress_bars
    from verifier.dates import checked_day
    from verifier.seal import compared, sealed_packs
    from verifier.verification import since, verify_bundle

    _check_reports(report or (), lang)
    own = load_providers(recheck) if recheck else None
    statement = opened_seal(seal, signer or ()) if seal else None
    with progress_bars() as told:
        result = verify_bundle(
            bundle,
            pack or sealed_packs(statement) or None,
            own,
            None,
            trust or (),
            utxo_set or (),
            told,
            checked_day(as_of),
        )
    result = compared(statement, bundle, result)
    result = since(result, earlier) if earlier else result
    packs = pack or [judgement.pack.id for judgement in result.judgements]
    given = {
        "--trust": trust,
        "--utxo-set": utxo_set,
        "--recheck": recheck,
        "--seal": seal,
        "--signer": signer,
        "--earlier": earlier,
    }
    _write_reports(result, report or (), lang, ["por", "verify", bundle.name, *_options(packs, as_of, given)])
    _tell(result, report or (), as_json)
    raise typer.Exit(result.verdict.exit_code)


def _check_reports(paths: Sequence[Path], language: str) -> None:
    """Refuse an unknown form or language before any work."""
    from verifier.report.words import words_of
    from verifier.report.write import check_suffixes

    words_of(language)
    check_suffixes(paths)


def _write_reports(result: "Verification", paths: Sequence[Path], language: str, command: Sequence[str]) -> None:
    from verifier.report.build import build_report
    from verifier.report.origin import origin_of
    from verifier.report.write import write_report

    if paths:
        report = build_report(result, language, origin_of(command))
        for path in paths:
            write_report(report, path)


def _tell(result: "Verification", paths: Sequence[Path], as_json: bool) -> None:
    from verifier.cli.terminal import print_json
    from verifier.report.changes import change_lines
    from verifier.report.record import verification_record
    from verifier.report.text import describe
    from verifier.report.words import words_of

    if as_json:
        more = {"earlier": result.earlier.to_record()} if result.earlier else {}
        print_json(verification_record(result) | more)
        return
    typer.echo(describe(result))
    for line in change_lines(result.earlier, words_of("en")):
        typer.echo(f"  {line}")
    for path in paths:
        typer.echo(f"Report: {path.resolve()}")


def _options(packs: Sequence[str], as_of: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the options that the verdict depends on; files are named without their folders, which differ elsewhere."""
    for pack in packs:
        yield from ("--pack", Path(pack).name)
    for option, value in given.items():
        for one in value if isinstance(value, list) else [value] if value else ():
            yield from (option, one.name if isinstance(one, Path) else str(one))
    if as_of:
        yield from ("--as-of", as_of)


def opened_seal(seal: Path, signers: Sequence[Path]) -> dict[str, Any]:
    """Return the statement of a seal that a trusted key signed."""
    from verifier.errors import InputError
    from verifier.files import read_file
    from verifier.seal import MAX_SEAL, open_seal

    if not signers:
        raise InputError("a seal is worth what its key is: name the public key you trust with --signer")
    return open_seal(read_file(seal, MAX_SEAL), signers, str(seal))


verify.__doc__ = EXAMPLE
