"""por publish: from the exchange's books to a sealed run in the log, in one command."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verifier.cli.collect import (
    Prices,
    PriceSources,
    Questions,
    Seed,
    UtxoSets,
    Voices,
    Window,
    if_there,
    plans_of,
    voices_for,
)
from verifier.cli.keys import PublicHalf, SealKey
from verifier.cli.terminal import print_result, progress_bars

if TYPE_CHECKING:
    from verifier.publish import Places, Published

EXAMPLE = """Make an attestation run in one step: tree, chains, verdict, seal, log.

Example: por publish declaration.json --accounts accounts.csv --out run-2026-11 --key exchange.pem --pack jp-psa-63-11

1. builds the liabilities tree of the accounts table; 2. completes the declaration with its digest, if it names none;
3. reads the chains once; 4. verifies the bundle offline; 5. seals what it came to; 6. enters it in the log, which is
started when there is none. Beside the bundle run-2026-11/ lie run-2026-11.dsse.json (the seal),
run-2026-11.tlog-proof, log/, and run-2026-11.tree/, whose private/ part stays with you.

The same command after an interruption goes on where it stood. A run that does not pass is sealed and not entered in
the log, which forgets nothing, unless --even-failing. The exit code is the verdict's.
"""


Log = Annotated[Path | None, typer.Option(help="the log's folder", show_default="log beside --out")]
LogKey = Annotated[Path | None, typer.Option(help="the key that signs the log's head (PEM)", show_default="--key")]
Origin = Annotated[str, typer.Option(help="the log's name, on every head", show_default="the exchange's id and /log")]
Tree = Annotated[Path | None, typer.Option(help="the tree's folder; has private parts", show_default="beside --out")]
RunId = Annotated[str, typer.Option(help="a name for this run", show_default="the date in `as_of`")]
SecretFile = Annotated[
    Path | None, typer.Option(help="the tree's secret; made if it does not exist", show_default="in the tree")
]
Leaves = Annotated[
    bool, typer.Option("--leaves/--no-leaves", help="hand out the leaf list, so that anyone can add it up")
]
EvenFailing = Annotated[bool, typer.Option("--even-failing", help="enter a run in the log that does not pass")]


def publish(
    declaration: Annotated[Path, typer.Argument(help="the exchange's declaration (JSON)")],
    accounts: Annotated[str, typer.Option(help="what is owed: CSV or Parquet, a folder of Parquet files, or a URL")],
    out: Annotated[Path, typer.Option(help="the bundle folder to write")],
    key: SealKey,
    pack: Annotated[list[str] | None, typer.Option(help="a rulebook; repeat for several")] = None,
    public: PublicHalf = None,
    log: Log = None,
    log_key: LogKey = None,
    origin: Origin = "",
    tree: Tree = None,
    run_id: RunId = "",
    secret_file: SecretFile = None,
    leaves: Leaves = True,
    even_failing: EvenFailing = False,
    providers: Voices = None,
    prices: Prices = None,
    price_plan: PriceSources = None,
    utxo_set: UtxoSets = None,
    window: Window = 0,
    seed: Seed = "",
    questions: Questions = True,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.declaration import load_declaration
    from verifier.errors import InputError
    from verifier.log.note import load_signer
    from verifier.publish import Keys, Places, Sources
    from verifier.publish import publish as publish_run
    from verifier.verification import DEFAULT_PACKS

    if ":" not in key and not Path(key).is_file():
        raise InputError(f"{key}: there is no such key; make one with `por log key NAME --out {key}`")
    if log_key is None and not Path(key).is_file():
        raise InputError("a key that is no file seals; the log's head needs an Ed25519 key in a PEM file (--log-key)")
    name = origin or f"{load_declaration(declaration).exchange.id}/log"
    keys = Keys(key, public, load_signer(log_key or Path(key), name))
    quotes = prices or if_there(declaration.parent / "prices.json")
    sources = Sources(declaration, accounts, run_id, secret_file, quotes, utxo_set or ())
    places = Places.beside(out, tree, log)
    voices, plans = voices_for(declaration, providers), plans_of(window, seed, questions, price_plan)
    with progress_bars() as report:
        done = publish_run(
            sources, places, keys, voices, tuple(pack or DEFAULT_PACKS), plans, leaves, even_failing, report
        )
    print_result(_record(places, keys.log.name, done), as_json, list(_lines(places, done)))
    raise typer.Exit(done.result.verdict.exit_code)


publish.__doc__ = EXAMPLE


def _record(places: "Places", origin: str, done: "Published") -> dict[str, Any]:
    head = done.head
    return {
        "verdict": str(done.result.verdict),
        "case": done.result.case.digest,
        "liabilities": done.commitment.digest,
        "bundle": str(places.bundle),
        "tree": str(places.tree),
        "seal": str(places.seal),
        "proof": str(places.proof) if head else None,
        "log": {"origin": origin, "index": done.place, "size": head.size, "root": head.root.hex()} if head else None,
    }


def _lines(places: "Places", done: "Published") -> Iterator[str]:
    result = done.result
    yield f"{str(result.verdict).upper()}: {places.bundle}, case {result.case.digest}"
    for judgement in result.judgements:
        yield f"  {judgement.pack.id}: {str(judgement.verdict).upper()}"
    yield f"  liabilities {done.commitment.digest} ({places.tree}; its private part stays with you)"
    yield f"  sealed: {places.seal}"
    if done.head is None:
        yield "  not entered in the log: it does not pass. See why with the next line; --even-failing enters it"
        yield f"Next: por verify {places.bundle} {' '.join(f'--pack {one.pack.id}' for one in result.judgements)}"
        return
    yield f"  entry {done.place} of {done.head.size:,} in {places.log}, root {done.head.root.hex()}"
    yield f"  its proof: {places.proof}"
    yield f"Next: publish these; hand out receipts with por tree export {places.tree} --out receipts/"
