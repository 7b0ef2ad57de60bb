"""por wallets challenge: exactly what to sign, wallet by wallet."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = """Print what to sign to show control of every wallet of a declaration, and how.

Each text names the exchange, the date, the digest of the declaration (without its claims) and the account, so that a
signature fits nothing else. Sign the exact bytes, without a line end at the end; put the signatures into the
declaration's `ownership`.

The batch also holds, for each Bitcoin wallet, the PSBT that hardware wallets and multisig signers take, and for each
EVM account the typed data that a Safe's owners sign.

Example: por wallets challenge declaration.json --batch to-sign.json
"""


def challenge(
    declaration: Annotated[Path, typer.Argument(help="the declaration (JSON); claims in it do not matter")],
    batch: Annotated[Path | None, typer.Option(help="also write all of it as one JSON file for signers")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the batch to stdout instead of text")] = False,
) -> None:
    from verifier.canonical import canonical_json
    from verifier.cli.terminal import print_json
    from verifier.declaration import load_declaration
    from verifier.files import write_file
    from verifier.ownership.challenge import challenge_record, challenges
    from verifier.reserves import declared_accounts, place_holdings

    stated = load_declaration(declaration)
    found = challenges(stated, declared_accounts(stated, place_holdings(stated)))
    record = challenge_record(stated, found)
    if batch is not None:
        write_file(batch, canonical_json(record))
    if as_json:
        print_json(record)
        return
    for one in found:
        label = f" {one.label}" if one.label else ""
        typer.echo(f"# {one.pool}{label}: sign by {one.scheme or 'the scheme of its chain'}\n{one.message}\n")
    typer.echo(f"# {len(found):,} wallets; declaration {stated.challenge_digest}")
    if batch is not None:
        typer.echo(f"# written to {batch}")
