"""por wallets sign: put signed claims into a declaration, offline."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = """Sign a declaration's challenges with keys from a file, offline, and write the declaration with its claims.

Example: por wallets sign declaration.json --keys keys.toml --out signed.json

keys.toml has one [[key]] per wallet, and is readable by its owner alone:

  account = "eip155:1:0xab…"
  secret_env = "HOT_WALLET_KEY"   # or secret = "…", or secret_file = "…"; 64 hex digits, or Bitcoin's import format

Every signature is checked before it is written. Keys are not shown, logged or kept. Wallets of several keys, and
hardware wallets, sign what `por wallets challenge --batch` writes, with their own software.
"""


def sign(
    declaration: Annotated[Path, typer.Argument(help="the declaration (JSON)")],
    keys: Annotated[Path, typer.Option(help="the keys (TOML), readable by their owner alone")],
    out: Annotated[Path, typer.Option(help="the declaration with its claims; must not exist yet")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.canonical import canonical_json
    from verifier.cli.terminal import print_json
    from verifier.declaration import load_declaration
    from verifier.errors import InputError
    from verifier.files import write_file
    from verifier.ownership.challenge import challenges
    from verifier.ownership.signing import load_keys, sign_challenges
    from verifier.reserves import declared_accounts, place_holdings

    if out.exists():
        raise InputError(f"{out}: exists already; name a new file")
    stated = load_declaration(declaration)
    asked = challenges(stated, declared_accounts(stated, place_holdings(stated)))
    done = sign_challenges(stated, asked, load_keys(keys))
    write_file(out, canonical_json(done.declaration.to_record()))
    if as_json:
        print_json({"out": str(out), "signed": list(done.signed), "missing": list(done.missing)})
        return
    typer.echo(f"{out}: {len(done.signed):,} wallets signed for, each signature checked")
    for account in done.missing:
        typer.echo(f"  no claim yet: {account}")
