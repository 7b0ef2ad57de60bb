"""por tree: the exchange's side, from a table of accounts to a commitment and every user's proof."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from verifier.liabilities.build import LiabilitiesTree
    from verifier.liabilities.store import Store

app = typer.Typer(help="Build the tree of what an exchange owes, and hand out proofs.", no_args_is_help=True)

BUILD_EXAMPLE = """Build the liabilities tree of a table of accounts.

Example: por tree build --accounts accounts.csv --assets assets.toml --run-id 2026-11 --as-of 2026-11-22T00:00:00Z
--out liabilities/

The table has the header account,BTC,ETH… and amounts in whole coins. DIR/commitment.json is for everyone: publish its
digest. DIR/leaves.csv is for the regulator. DIR/private/ holds the secret and the accounts: keep it closed.
"""
PROVE_EXAMPLE = """Draw proofs from a built tree; each one is checked before it is written.

Example: por tree prove liabilities/ --account alice > alice.json

Example: por tree prove liabilities/ --all --out proofs/
"""
_LONGEST_NAME = 200


@app.command("build")
def build(
    accounts: Annotated[Path, typer.Option(help="what is owed: CSV with the header account,<SYMBOL>…")],
    assets: Annotated[Path, typer.Option(help="the asset table: TOML or JSON list of asset, symbol, decimals")],
    run_id: Annotated[str, typer.Option(help="a name for this run, for instance 2026-11")],
    as_of: Annotated[str, typer.Option(help="the moment of the balances, for instance 2026-11-22T00:00:00Z")],
    out: Annotated[Path, typer.Option(help="a new folder for the tree")],
    secret_file: Annotated[
        Path | None,
        typer.Option(help="the run's secret; made, closed to others, if it does not exist", show_default="in --out"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="build in so many processes, for large tables and Parquet")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.cli.terminal import print_json
    from verifier.liabilities.accounts import load_assets
    from verifier.liabilities.folder import build_folder, publish_folder

    table = load_assets(assets)
    if workers is None and accounts.suffix.lower() != ".parquet":
        commitment = build_folder(accounts, table, run_id, as_of, out, secret_file).commitment
    else:
        commitment = publish_folder(accounts, table, run_id, as_of, out, secret_file, workers or 2)
    if as_json:
        print_json({"tree": str(out), "root": commitment.digest, "commitment": commitment.to_record()})
        return
    typer.echo(f"{out}: {commitment.leaf_count:,} accounts, depth {commitment.depth}")
    for symbol, amount in commitment.amounts(commitment.totals).items():
        typer.echo(f"  {amount} {symbol}")
    typer.echo(f"  publish: {commitment.digest}")
    typer.echo(f"Next: por tree prove {out} --all --out {out}/private/proofs")


@app.command("prove")
def prove(
    tree: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of `por tree build`")],
    account: Annotated[str | None, typer.Option(help="one account's id")] = None,
    every: Annotated[bool, typer.Option("--all", help="every account")] = False,
    out: Annotated[
        Path | None, typer.Option(help="folder for the proofs, or FILE.json for one; without it stdout")
    ] = None,
) -> None:
    from verifier.errors import InputError
    from verifier.liabilities.folder import open_folder, open_store
    from verifier.liabilities.places import STORE

    if (account is not None) == every:
        raise InputError("give either --account ID or --all")
    if every and out is None:
        raise InputError("--all needs --out, a folder for the proofs")
    opened: LiabilitiesTree | Store = open_store(tree) if (tree / STORE).exists() else open_folder(tree)
    if out is None and account is not None:
        typer.echo(opened.prove(account).to_json())
    elif account is not None and out is not None and out.suffix == ".json":
        _write_proofs(opened, {account: out})
    elif out is not None:
        accounts = [account] if account is not None else opened.accounts()
        _write_proofs(opened, {one: out / file_name(one) for one in accounts})


@app.command("audit")
def audit(
    tree: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of `por tree build`, or its public part")],
    accounts: Annotated[
        Path | None, typer.Option(help="the exchange's books (CSV): every leaf is explained by an account")
    ] = None,
    secret_file: Annotated[Path | None, typer.Option(help="the run's secret; needed with --accounts")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.cli.terminal import print_json
    from verifier.errors import InputError
    from verifier.liabilities.reconcile import audit_folder

    if (accounts is None) != (secret_file is None):
        raise InputError("--accounts and --secret-file go together: leaves are salted with the run's secret")
    done = audit_folder(tree, accounts, secret_file)
    if as_json:
        record = {"verdict": "fail" if done.findings else "pass", "root": done.commitment.digest}
        counts = {"leaves": done.leaves, "accounts": done.accounts}
        print_json(record | counts | {"findings": [finding._asdict() for finding in done.findings]})
    else:
        books = "the books were not compared (--accounts)" if done.accounts is None else f"{done.accounts:,} accounts"
        typer.echo(f"{'FAIL' if done.findings else 'PASS'}: {done.leaves:,} leaves rebuilt; {books}")
        for finding in done.findings:
            typer.echo(f"  {finding.code}: {finding.text}")
    raise typer.Exit(1 if done.findings else 0)


AUDIT_EXAMPLE = """Rebuild a tree from its leaf list, and compare it with the exchange's books.

Example: por tree audit liabilities/ --accounts accounts.csv --secret-file liabilities/private/secret
"""
audit.__doc__ = AUDIT_EXAMPLE
build.__doc__ = BUILD_EXAMPLE
prove.__doc__ = PROVE_EXAMPLE


def _write_proofs(tree: "LiabilitiesTree | Store", files: dict[str, Path]) -> None:
    from verifier.cli.terminal import progress_bars
    from verifier.errors import UnavailableError

    try:
        with progress_bars() as report:
            for number, (account, path) in enumerate(files.items(), 1):
                content = tree.prove(account).to_json()
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600, exist_ok=False)
                path.write_bytes(content)
                report("proofs", number, len(files))
    except OSError as error:
        raise UnavailableError(f"{error.filename}: cannot be written: {error.strerror}") from error
    where = next(iter(files.values()))
    count = f"{len(files):,} proofs, each checked" if len(files) > 1 else "one proof, checked"
    typer.echo(f"{where.parent if len(files) > 1 else where}: {count}", err=True)


def file_name(account: str) -> str:
    """Return the file name of an account's proof: the id with all but letters, digits and `_.-~` as %XX."""
    from hashlib import sha256
    from urllib.parse import quote

    name = quote(account, safe="")
    return f"{name if len(name) <= _LONGEST_NAME else sha256(account.encode()).hexdigest()}.json"
