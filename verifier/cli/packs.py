"""por packs: which rulebooks there are, and where each rule is written."""

from typing import Annotated

import typer


def packs(as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False) -> None:
    """List the rulebooks with their status, rules, clauses and what they do not cover.

    Example: por packs --json
    """
    from verifier.cli.terminal import print_json
    from verifier.policy.pack import load_pack, pack_names

    found = [load_pack(name) for name in pack_names()]
    if as_json:
        print_json({"packs": [pack.model_dump(mode="json") | {"digest": pack.digest} for pack in found]})
        return
    for pack in found:
        typer.echo(f"{pack.id} {pack.version} ({pack.status}, {pack.jurisdiction}): {pack.title}")
        for rule in pack.rules:
            typer.echo(f"  {rule.id}: {rule.text_en}")
            typer.echo(f"    {pack.clause(rule.source)}")
        typer.echo(f"  Not covered: {pack.not_covered}")
