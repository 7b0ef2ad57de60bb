"""por log diff: what changed from one run, or one compensation plan, to the next."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli.terminal import print_result

if TYPE_CHECKING:
    from verifier.attestation.bundle import Bundle


def diff(
    first: Annotated[Path, typer.Argument(help="a bundle (folder or zip), or a compensation plan")],
    second: Annotated[Path, typer.Argument(help="another one of the same exchange")],
    shortest: Annotated[int, typer.Option(metavar="DAYS", help="days there must be between them at least")] = 0,
    longest: Annotated[int, typer.Option(metavar="DAYS", help="days there may be between them at most")] = 0,
    pack: Annotated[
        list[str] | None, typer.Option(help="a rulebook: how often it asks for runs, and which of its numbers moved")
    ] = None,
    seal: Annotated[
        list[Path] | None, typer.Option(help="the sealed statements of both: which rulebooks and verdicts moved")
    ] = None,
    signer: Annotated[list[Path] | None, typer.Option(help="the public keys (PEM) you trust for the seals")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Say what changed between two runs: assets, wallets, pools, liabilities, coverage, signatures used again.

    Example: por log diff run-2026-10/ run-2026-11/ --pack tr-cmb-por
    """
    from verifier.attestation.bundle import PLAN_FOLDER, open_bundle
    from verifier.cli.verify import opened_seal
    from verifier.diff.rulebooks import sealed_changes
    from verifier.diff.runs import compare_runs
    from verifier.errors import InputError
    from verifier.policy.library import load_pack
    from verifier.run import replay

    with open_bundle(first) as one, open_bundle(second) as other:
        forms = {one.manifest.format, other.manifest.format}
        if forms == {PLAN_FOLDER}:
            _diff_plans(one, other, as_json)
        if len(forms) > 1:
            raise InputError("one of them is a run and the other a compensation plan; compare like with like")
    rulebooks = [load_pack(name) for name in pack or ()]
    statements = [opened_seal(path, signer or []) for path in seal or []]
    with open_bundle(first) as one, open_bundle(second) as other:
        found = compare_runs(replay(one)[0], replay(other)[0], shortest, longest, rulebooks)
        found = found.with_more(sealed_changes(statements, [one.digest, other.digest]))
    lines = [f"{found.exchange}: {found.earlier} to {found.later}, {found.days} days"]
    lines += [f"  {'! ' if change.explain else '  '}{change.text}" for change in found.changes] or ["  nothing changed"]
    print_result(found.to_record(), as_json, lines)
    raise typer.Exit(found.verdict.exit_code)


def _diff_plans(first: "Bundle", second: "Bundle", as_json: bool) -> None:
    from verifier.compensation.folder import read_plan
    from verifier.diff.plans import compare_plans

    found = compare_plans(read_plan(first), read_plan(second))
    lines = [f"{found.exchange}: {found.first}, then {found.second}"]
    lines += [f"  {'! ' if change.explain else '  '}{change.text}" for change in found.changes] or ["  nothing changed"]
    print_result(found.to_record(), as_json, lines)
    raise typer.Exit(2 if any(change.explain for change in found.changes) else 0)
