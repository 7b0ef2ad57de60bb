"""por networks: which chains can be read, and when a block counts as final there."""

from typing import Annotated

import typer


def networks(as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False) -> None:
    """List the networks with their finality rule and the ways to read them.

    Example: por networks --json
    """
    from chains.ids import family_of
    from chains.network import networks as known
    from chains.registry import READERS
    from verifier.cli.terminal import print_json

    rows = [
        network.model_dump(mode="json")
        | {"dialects": [dialect for family, dialect in READERS if family == family_of(chain)]}
        for chain, network in sorted(known().items())
    ]
    if as_json:
        print_json({"networks": rows})
        return
    for row in rows:
        typer.echo(f"{row['chain']}  {row['name']} ({row['symbol']})")
        typer.echo(f"  final: {row['finality']['meaning']}; read through: {', '.join(row['dialects'])}")
        facts = row["evm"] or row["bitcoin"] or {}
        if note := facts.get("note") or facts.get("invisible"):
            typer.echo(f"  note: {note}")
