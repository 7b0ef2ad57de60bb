"""por collect: read the chains once and keep the evidence."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from chains.providers import Providers
    from verifier.further import Plans
    from verifier.run import Collected

EXAMPLE = """Read the chains once and keep the evidence in a bundle that anyone can verify offline.

Example: por collect declaration.json --providers providers.toml --liabilities liabilities/ --out run-2026-11/

An interrupted run is resumed by the same command; nothing is asked twice.
"""


Voices = Annotated[
    Path | None,
    typer.Option(help="who to ask (TOML); default: POR_PROVIDERS, then providers.toml beside the declaration"),
]
Prices = Annotated[
    Path | None, typer.Option(help="price quotes (JSON); default: prices.json beside the declaration, if there")
]
PriceSources = Annotated[
    Path | None, typer.Option(help="sources to ask for prices (TOML, docs/prices.md); their answers are recorded")
]
UtxoSets = Annotated[
    list[Path] | None,
    typer.Option(help="a node's `dumptxoutset` file: proves every balance of its chain; repeat for several chains"),
]
Window = Annotated[
    int, typer.Option(metavar="DAYS", help="also read what moved in so many days before the pinned blocks")
]
Seed = Annotated[
    str,
    typer.Option(metavar="HEX", help="32 bytes that draw the blocks to be sampled; publish their SHA-256 before"),
]
Questions = Annotated[
    bool, typer.Option("--questions/--no-questions", help="also ask for code, owners, allowances and frozen tokens")
]

DrillFile = Annotated[
    Path | None, typer.Option(help="a drill that was drawn (por drill): what moved since counts for the rules")
]


def collect(
    declaration: Annotated[Path, typer.Argument(help="the exchange's declaration (JSON)")],
    out: Annotated[Path, typer.Option(help="the bundle folder to write; must not exist yet")],
    providers: Voices = None,
    liabilities: Annotated[
        Path | None,
        typer.Option(help="folder of `por tree build`; default: liabilities/ beside the declaration, if there"),
    ] = None,
    prices: Prices = None,
    price_plan: PriceSources = None,
    utxo_set: UtxoSets = None,
    window: Window = 0,
    seed: Seed = "",
    questions: Questions = True,
    drill: DrillFile = None,
    pack: Annotated[
        list[str] | None, typer.Option(help="a rulebook: its text and what the run comes to by it are kept too")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier import run
    from verifier.cli.terminal import print_json, progress_bars

    beside = declaration.parent
    voices = voices_for(declaration, providers)
    owed = liabilities or if_there(beside / "liabilities")
    quotes = prices or if_there(beside / "prices.json")
    plans = plans_of(window, seed, questions, price_plan, drill)
    with progress_bars() as report:
        done = run.collect(
            declaration, voices, out, owed, quotes, report, utxo_sets=utxo_set or (), plans=plans, packs=pack or ()
        )
    if as_json:
        print_json(_record(done))
    else:
        typer.echo("\n".join(_lines(done)))


collect.__doc__ = EXAMPLE


def voices_for(declaration: Path, providers: Path | None) -> "Providers":
    """Return whom to ask: the file that is named, else POR_PROVIDERS, else the one beside the declaration."""
    from chains.providers import load_providers

    return load_providers(providers or Path(os.environ.get("POR_PROVIDERS", declaration.parent / "providers.toml")))


def plans_of(window: int, seed: str, questions: bool, price_plan: Path | None, drill: Path | None = None) -> "Plans":
    """Return what is read beyond balances."""
    from verifier.drill import MAX_DRILL, read_drill
    from verifier.files import read_file
    from verifier.further import Plans
    from verifier.observed import QuestionPlan
    from verifier.prices.plan import load_plan
    from verifier.window import plan_window

    prices = load_plan(price_plan) if price_plan else None
    drawn = read_drill(read_file(drill, MAX_DRILL), str(drill)) if drill else None
    return Plans(plan_window(window, seed), QuestionPlan() if questions else None, prices, drawn)


def if_there(path: Path) -> Path | None:
    """Return a path when something lies there."""
    return path if path.exists() else None


def _record(done: "Collected") -> dict[str, Any]:
    return {
        "bundle": str(done.bundle),
        "case": done.case.digest,
        "blocks": [{"chain": b.chain, "height": b.height, "hash": b.hash} for b in done.case.blocks],
        "anchors": [{"chain": a.block.chain, "root": a.root, "about": a.about} for a in done.case.anchors],
        "holdings": len(done.case.positions),
        "without_quorum": _unread(done),
        "calls": done.calls,
        "resumed_calls": done.resumed,
    }


def _lines(done: "Collected") -> Iterator[str]:
    yield f"{done.bundle}: {len(done.case.positions):,} holdings from {done.calls:,} recorded answers"
    for refused in done.refused:
        yield f"  no price: {refused}"
    for block in done.case.blocks:
        yield f"  {block.chain} at block {block.height:,} {block.hash}"
    for anchor in done.case.anchors:
        yield f"  {anchor.block.chain}: {anchor.kind}s lead to the root {anchor.root} ({anchor.about})"
    for left_out in done.case.exclusions:
        yield f"  {left_out.operator} was not believed: {left_out.reason}"
    if _unread(done):
        yield f"  {_unread(done):,} holdings have no quorum; every answer is kept and the verdict will say so"
    if done.resumed:
        yield f"  {done.resumed:,} answers were kept from the interrupted run"
    yield f"  case {done.case.digest}"
    yield f"Next: por verify {done.bundle}"


def _unread(done: "Collected") -> int:
    return sum(1 for position in done.case.positions if hasattr(position.result, "answers"))
