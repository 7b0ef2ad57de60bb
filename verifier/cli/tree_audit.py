"""por tree audit: a regulator rebuilds a tree, compares it with the books, and draws accounts to look at."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from verifier.liabilities.reconcile import Reconciliation

AUDIT_EXAMPLE = """Rebuild a tree from its leaf list, and compare it with the exchange's books.

Example: por tree audit liabilities/ --accounts accounts.csv --secret-file liabilities/private/secret

Example: por tree audit liabilities/ --accounts accounts.parquet --secret-file secret --draw 60 --drawn-to sample.csv \
--beacon 00000000000000000001d7e5f3c1
"""


def audit(
    tree: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of `por tree build`, or its public part")],
    accounts: Annotated[
        str | None, typer.Option(help="the exchange's books: every leaf is explained by an account")
    ] = None,
    secret_file: Annotated[Path | None, typer.Option(help="the run's secret; needed with --accounts")] = None,
    base_units: Annotated[bool, typer.Option("--base-units", help="the books hold integers of base units")] = False,
    draw: Annotated[int | None, typer.Option(min=1, max=100_000, help="draw so many leaves to look at")] = None,
    beacon: Annotated[
        str | None, typer.Option(help="a public value that came after the digest, such as a block hash")
    ] = None,
    drawn_to: Annotated[Path | None, typer.Option(help="write the drawn leaves to this CSV file")] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="processes, for large trees")] = 2,
    engine: Annotated[Literal["plain", "fast"], typer.Option(help="fast needs the extra `fast`")] = "plain",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.cli.terminal import print_json, progress_bars
    from verifier.errors import InputError
    from verifier.liabilities.inspect import BooksFile, Draw, Effort, inspect_folder

    if (accounts is None) != (secret_file is None):
        raise InputError("--accounts and --secret-file go together: leaves are salted with the run's secret")
    if (draw is None) != (beacon is None):
        raise InputError("--draw and --beacon go together: who draws must not choose")
    books = BooksFile(accounts, secret_file, base_units) if accounts is not None and secret_file is not None else None
    wanted = Draw(draw, beacon) if draw is not None and beacon is not None else None
    with progress_bars() as report:
        done = inspect_folder(tree, books, wanted, Effort(workers, engine), report)
    if drawn_to is not None:
        _write_drawn(drawn_to, done)
    if as_json:
        print_json(done.to_record())
    else:
        _tell(done, drawn_to)
    raise typer.Exit(1 if done.findings else 0)


def _tell(done: "Reconciliation", drawn_to: Path | None) -> None:
    typer.echo(f"{'FAIL' if done.findings else 'PASS'}: {done.commitment.run_id} as of {done.commitment.as_of}")
    typer.echo(f"  {done.leaves:,} leaves rebuilt, with their sums, up to {done.commitment.digest}")
    if done.accounts is None:
        typer.echo("  not covered: whether the leaves are the exchange's accounts (--accounts, --secret-file)")
    else:
        typer.echo(f"  {done.accounts:,} accounts of the books compared with the leaves, one by one")
    for finding in done.findings:
        typer.echo(f"  {finding.code}: {finding.text}")
    if drawn_to is not None:
        typer.echo(f"  {len(done.drawn):,} drawn leaves: {drawn_to}; compare them with the records behind the books")
        return
    for drawn in done.drawn:
        owner = "" if drawn.account is None else f" {drawn.account} (row {drawn.row})"
        typer.echo(f"  leaf {drawn.number:,}{owner}: {_amounts(done, drawn.booked or drawn.units)}")


def _amounts(done: "Reconciliation", units: tuple[int, ...]) -> str:
    held = [f"{text} {symbol}" for symbol, text in done.commitment.amounts(units).items() if text != "0"]
    return ", ".join(held) or "nothing"


def _write_drawn(path: Path, done: "Reconciliation") -> None:
    symbols = [asset.symbol for asset in done.commitment.assets]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["leaf_number", "leaf", "account", "row", *symbols, *(f"booked {symbol}" for symbol in symbols)]
        )
        for one in done.drawn:
            listed = done.commitment.amounts(one.units).values()
            booked = [] if one.booked is None else done.commitment.amounts(one.booked).values()
            writer.writerow([one.number, one.leaf, one.account or "", one.row or "", *listed, *booked])


audit.__doc__ = AUDIT_EXAMPLE
