"""por packs: which rulebooks there are, where each rule is written, and whether a pack can be relied on."""

from typing import Annotated

import typer

app = typer.Typer(help="Rulebooks: what they demand and where it is written.", invoke_without_command=True)


@app.callback()
def packs(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """List the rulebooks with their status, rules, clauses and what they do not cover.

    Example: por packs --json
    """
    if context.invoked_subcommand is not None:
        return
    from verifier.cli.terminal import print_json
    from verifier.policy.library import load_pack, pack_names

    found = [load_pack(name) for name in pack_names()]
    if as_json:
        print_json({"packs": [pack.model_dump(mode="json") | {"digest": pack.digest} for pack in found]})
        return
    for pack in found:
        typer.echo(f"{pack.id} {pack.version} ({pack.status}, {pack.jurisdiction}): {pack.title}")
        for rule in pack.rules:
            typer.echo(f"  {rule.id}: {rule.text_en}")
            typer.echo(f"    {rule.check}{f', when {rule.when}' if rule.when else ''}")
            typer.echo(f"    {pack.clause(rule.source)}")
        for one in pack.payout:
            typer.echo(f"  {one.id}, paid from {one.pool}: {one.text_en}")
            typer.echo(f"    {pack.clause(one.source)}")
        for clause in pack.not_judged:
            typer.echo(f"  {clause.id}, not judged: {clause.text_en}")
            typer.echo(f"    {pack.clause(clause.source)}")
        typer.echo(f"  Not covered: {pack.not_covered}")


@app.command()
def lint(
    names: Annotated[list[str] | None, typer.Argument(help="packs or .toml files; all shipped ones by default")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Check packs: sources, units, bands, and that each rule's example cases come out as expected.

    Example: por packs lint my-rules.toml
    """
    from verifier.cli.terminal import print_json
    from verifier.policy.library import load_pack, pack_names
    from verifier.policy.lint import lint as problems_of

    found = {name: problems_of(load_pack(name)) for name in names or pack_names()}
    if as_json:
        print_json({"packs": [{"pack": name, "problems": problems} for name, problems in found.items()]})
    else:
        for name, problems in found.items():
            typer.echo(f"{name}: {'ok' if not problems else f'{len(problems)} problems'}")
            for problem in problems:
                typer.echo(f"  {problem}")
    raise typer.Exit(1 if any(found.values()) else 0)
