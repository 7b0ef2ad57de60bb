"""por formats: which exchanges' proofs can be checked, and what each format can prove at all."""

from typing import Annotated

import typer


def formats(as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False) -> None:
    """List the proof formats with their years, source, the grade each can reach and its weakness.

    Example: por formats --json
    """
    from verifier.cli.terminal import print_json
    from verifier.inclusion.catalogue import catalogue

    rows = [entry.to_record() for entry in catalogue()]
    if as_json:
        print_json({"formats": rows})
        return
    for entry in catalogue():
        untested = f" (untested: {entry.untested})" if entry.untested else ""
        typer.echo(f"{entry.name}: {entry.title}, {entry.years}{untested}")
        typer.echo(f"  can prove: {', '.join(entry.grade)}; source: {entry.source}")
        typer.echo(f"  {entry.weakness}")
