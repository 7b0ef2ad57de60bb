"""por collect: read the chains once and keep the evidence."""

import os
from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = """Read the chains once and keep the evidence in a bundle that anyone can verify offline.

Example: por collect declaration.json --providers providers.toml --liabilities liabilities/ --out run-2026-11/

An interrupted run is resumed by the same command; nothing is asked twice.
"""


def collect(
    declaration: Annotated[Path, typer.Argument(help="the exchange's declaration (JSON)")],
    out: Annotated[Path, typer.Option(help="the bundle folder to write; must not exist yet")],
    providers: Annotated[
        Path | None,
        typer.Option(help="who to ask (TOML); default: POR_PROVIDERS, then providers.toml beside the declaration"),
    ] = None,
    liabilities: Annotated[
        Path | None,
        typer.Option(help="folder of `por tree build`; default: liabilities/ beside the declaration, if there"),
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(help="price quotes (JSON); default: prices.json beside the declaration, if there")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from chains.providers import load_providers
    from verifier import run
    from verifier.cli.terminal import print_json, progress_bars

    beside = declaration.parent
    voices = load_providers(providers or Path(os.environ.get("POR_PROVIDERS", beside / "providers.toml")))
    owed = liabilities or _if_there(beside / "liabilities")
    quotes = prices or _if_there(beside / "prices.json")
    with progress_bars() as report:
        done = run.collect(declaration, voices, out, owed, quotes, report)
    unread = sum(1 for position in done.case.positions if hasattr(position.result, "answers"))
    if as_json:
        blocks = [{"chain": b.chain, "height": b.height, "hash": b.hash} for b in done.case.blocks]
        print_json(
            {
                "bundle": str(done.bundle),
                "case": done.case.digest,
                "blocks": blocks,
                "holdings": len(done.case.positions),
                "without_quorum": unread,
                "calls": done.calls,
                "resumed_calls": done.resumed,
            }
        )
        return
    typer.echo(f"{done.bundle}: {len(done.case.positions):,} holdings from {done.calls:,} recorded answers")
    for block in done.case.blocks:
        typer.echo(f"  {block.chain} at block {block.height:,} {block.hash}")
    if unread:
        typer.echo(f"  {unread:,} holdings have no quorum; every answer is kept and the verdict will say so")
    if done.resumed:
        typer.echo(f"  {done.resumed:,} answers were kept from the interrupted run")
    typer.echo(f"  case {done.case.digest}")
    typer.echo(f"Next: por verify {done.bundle}")


collect.__doc__ = EXAMPLE


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None
