"""por tree: the exchange's side, from a table of accounts to a commitment and every user's proof."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from verifier.cli import tree_audit, tree_proofs

if TYPE_CHECKING:
    from verifier.inclusion.commitment import Commitment
    from verifier.liabilities.publisher.folder import Engines, Terms

app = typer.Typer(help="Build the tree of what an exchange owes, and hand out proofs.", no_args_is_help=True)

BUILD_EXAMPLE = """Build the liabilities tree of a table of accounts.

Example: por tree build --accounts accounts.csv --assets assets.toml --run-id 2026-11 --as-of 2026-11-22T00:00:00Z \
--out liabilities/

The table has the header account,BTC,ETH… and amounts in whole coins. DIR/commitment.json is for everyone: publish its \
digest. DIR/leaves.csv (of a large table: the folder DIR/leaves) is for the regulator. DIR/private/ holds the secret: \
keep it closed. Tables above 16 MiB and Parquet are built in pieces by several processes; run the same command again \
after an interruption and it goes on where it stood.
"""
SAMPLE_EXAMPLE = """Make a table of accounts like an exchange's: many zeros, log-normal balances, long ids.

Example: por tree sample --users 1000000 --assets 8 --out accounts.parquet
"""
LARGE = "Large tables (Parquet, or CSV above 16 MiB)"


Accounts = Annotated[str, typer.Option(help="what is owed: CSV or Parquet, a folder of Parquet files, or a URL")]
AssetTable = Annotated[Path, typer.Option(help="the asset table: TOML or JSON list of asset, symbol, decimals")]
RunId = Annotated[str, typer.Option(help="a name for this run, for instance 2026-11")]
AsOf = Annotated[str, typer.Option(help="the moment of the balances, for instance 2026-11-22T00:00:00Z")]
SecretFile = Annotated[
    Path | None,
    typer.Option(help="the run's secret; made, closed to others, if it does not exist", show_default="in --out"),
]
Split = Annotated[
    int, typer.Option(min=1, max=16, help="leaves per account, so that a neighbour sees only a part of a balance")
]
BaseUnits = Annotated[
    bool, typer.Option("--base-units", help="amounts are integers of base units", rich_help_panel=LARGE)
]
ReportRejects = Annotated[
    Path | None, typer.Option(help="write every refused cell to this CSV file", rich_help_panel=LARGE)
]
Workers = Annotated[int | None, typer.Option(min=1, max=256, help="processes", show_default="2", rich_help_panel=LARGE)]
ChosenEngine = Annotated[
    Literal["plain", "fast"] | None,
    typer.Option(help="fast needs the extra `fast`; same root", show_default="plain", rich_help_panel=LARGE),
]
Cluster = Annotated[
    str | None, typer.Option(help="dask://HOST:PORT, ray://HOST:PORT or ray://auto", rich_help_panel=LARGE)
]
LeafStore = Annotated[str | None, typer.Option(help="where the leaf list goes: a path or URL", rich_help_panel=LARGE)]
Spill = Annotated[str | None, typer.Option(help="where work in between goes: a path or URL", rich_help_panel=LARGE)]


def build(
    accounts: Accounts,
    assets: AssetTable,
    run_id: RunId,
    as_of: AsOf,
    out: Annotated[Path, typer.Option(help="a new folder for the tree")],
    secret_file: SecretFile = None,
    split: Split = 1,
    base_units: BaseUnits = False,
    report_rejects: ReportRejects = None,
    workers: Workers = None,
    engine: ChosenEngine = None,
    cluster: Cluster = None,
    store: LeafStore = None,
    spill: Spill = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.liabilities.accounts import load_assets
    from verifier.liabilities.folder import build_folder
    from verifier.liabilities.make import is_large

    table = load_assets(assets)
    if any((workers, engine, cluster, store, spill, base_units, report_rejects)) or is_large(accounts):
        from verifier.liabilities.publisher.folder import Engines, Terms

        engines = Engines(engine or "plain", workers or 2, cluster, store, spill)
        terms = Terms(table, run_id, as_of, split, base_units)
        commitment = _build_large(accounts, terms, out, secret_file, engines, report_rejects)
    else:
        commitment = build_folder(Path(accounts), table, run_id, as_of, out, secret_file, split).commitment
    _tell(out, commitment, as_json)


def sample(
    users: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="number of accounts")],
    out: Annotated[Path, typer.Option(help="the table: FILE.parquet or FILE.csv; FILE.assets.json is made beside it")],
    assets: Annotated[int, typer.Option(min=1, max=2_000, help="number of assets")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="another seed, another table")] = 1,
) -> None:
    from verifier.cli.terminal import progress_bars
    from verifier.liabilities.publisher.sample import write_sample

    with progress_bars() as report:
        table = write_sample(out, users, assets, seed, report)
    typer.echo(f"{out}: {users:,} accounts x {assets} assets; the asset table is {table}")


def _build_large(
    accounts: str,
    terms: "Terms",
    out: Path,
    secret_file: Path | None,
    engines: "Engines",
    report_rejects: Path | None,
) -> "Commitment":
    from time import monotonic

    from verifier.cli.terminal import progress_bars
    from verifier.liabilities.publisher.folder import publish_folder
    from verifier.liabilities.publisher.rejects import RejectedError

    started = monotonic()
    try:
        with progress_bars() as report:
            done = publish_folder(accounts, terms, out, secret_file, engines, report)
    except RejectedError as error:
        if report_rejects is not None:
            error.write(report_rejects)
        raise
    seconds = max(monotonic() - started, 1e-3)
    users = done.commitment.leaf_count // done.commitment.parts
    typer.echo(
        f"{users:,} accounts in {seconds:.1f} s: {users / seconds:,.0f} a second, {done.cpu_seconds:.1f} core-seconds,"
        f" largest worker {done.peak_bytes // 2**20:,} MiB",
        err=True,
    )
    return done.commitment


def _tell(out: Path, commitment: "Commitment", as_json: bool) -> None:
    from verifier.cli.terminal import print_json

    if as_json:
        print_json({"tree": str(out), "root": commitment.digest, "commitment": commitment.to_record()})
        return
    split = f", {commitment.parts} leaves each" if commitment.parts > 1 else ""
    typer.echo(f"{out}: {commitment.leaf_count // commitment.parts:,} accounts{split}, depth {commitment.depth}")
    for symbol, amount in commitment.amounts(commitment.totals).items():
        typer.echo(f"  {amount} {symbol}")
    typer.echo(f"  publish: {commitment.digest}")
    typer.echo(f"Next: por tree prove {out} --account ID")


build.__doc__ = BUILD_EXAMPLE
sample.__doc__ = SAMPLE_EXAMPLE
app.command("build")(build)
app.command("prove")(tree_proofs.prove)
app.command("export")(tree_proofs.export)
app.command("state")(tree_proofs.state)
app.command("audit")(tree_audit.audit)
app.command("sample")(sample)
