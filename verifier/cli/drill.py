"""por drill: can the reserve be moved at once? Wallets and amounts are drawn by a seed and a later public beacon."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli.terminal import print_result, progress_bars

if TYPE_CHECKING:
    from chains.ids import ChainId
    from chains.model import BlockRef
    from chains.providers import Providers
    from chains.transport import Transport
    from verifier.declaration import Pool
    from verifier.drill import Beacon, Drilled

GROUP = """Readiness drill: how long until the reserve's wallets have moved?

1. The verifier makes a seed and publishes its SHA-256 (`commit`). 2. A later block's hash and the seed draw wallets, by
their value, and an odd amount for each (`draw`). 3. The exchange moves each amount from the wallet to itself. 4. The
chains show what moved and when (`check`); `por collect --drill` takes it into a run, where it counts for the rules.
"""
Voices = Annotated[Path, typer.Option(help="whom to ask (TOML)")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]
Transactions = Annotated[
    list[str] | None, typer.Option(help="a transaction the exchange names, for EVM networks' own coins; repeat")
]

app = typer.Typer(help=GROUP, no_args_is_help=True)


@app.command("commit")
def commit(
    out: Annotated[Path, typer.Option(help="where the seed goes; keep it closed until the beacon is there")],
    as_json: AsJson = False,
) -> None:
    """Make a seed and print what to publish.

    Example: por drill commit --out seed.txt
    """
    from hashlib import sha256
    from secrets import token_bytes

    from verifier.errors import InputError
    from verifier.liabilities.receipts import write_receipt

    if out.exists():
        raise InputError(f"{out}: exists already; name a new file")
    seed = token_bytes(32)
    write_receipt(out, f"{seed.hex()}\n".encode())
    digest = sha256(seed).hexdigest()
    print_result({"seed": str(out), "publish": digest}, as_json, [f"publish now: {digest}", f"the seed is in {out}"])


@app.command("draw")
def draw(
    run: Annotated[Path, typer.Argument(help="a bundle: its holdings are drawn from, by value")],
    seed_file: Annotated[Path, typer.Option(help="what `commit` made")],
    beacon_chain: Annotated[str, typer.Option(help="the beacon's chain (CAIP-2), such as eip155:1")],
    beacon_height: Annotated[int, typer.Option(min=0, help="the height of its block, announced beforehand")],
    providers: Voices,
    out: Annotated[Path, typer.Option(help="the drill to write")],
    pool: Annotated[list[str] | None, typer.Option(help="a pool to draw from; default reserve-fund; repeat")] = None,
    wallets: Annotated[int, typer.Option(min=1, max=10_000, help="so many wallets")] = 5,
    hours: Annotated[int, typer.Option(min=1, max=24 * 31, help="the time to move")] = 24,
    as_json: AsJson = False,
) -> None:
    """Draw wallets and amounts from the seed and the beacon's block.

    Example: por drill draw run-2026-11/ --seed-file seed.txt --beacon-chain eip155:1 --beacon-height 24000000 \
--providers providers.toml --out drill.json
    """
    from chains.doors import NetworkTransport
    from chains.ids import chain_id
    from chains.providers import load_providers
    from verifier.attestation.bundle import open_bundle
    from verifier.canonical import canonical_json
    from verifier.compensation.drawing import chains_of, draw_drill
    from verifier.errors import InputError
    from verifier.files import write_file
    from verifier.liabilities.folder import read_secret
    from verifier.run import replay

    if out.exists():
        raise InputError(f"{out}: exists already; name a new file")
    pools, seed = _pools(pool or ["reserve-fund"]), read_secret(seed_file).hex()
    voices, transport = load_providers(providers), NetworkTransport()
    with progress_bars() as report, open_bundle(run) as opened:
        case, _ = replay(opened, report)
    beacon = _beacon(chain_id(beacon_chain), beacon_height, voices, transport)
    tips = _tips(chains_of(case, pools), beacon, voices, transport)
    drill = draw_drill(case, pools, wallets, hours, seed, beacon, tips)
    record = drill.model_dump(mode="json")
    write_file(out, canonical_json(record))
    lines = [f"{out}: {len(drill.tests)} wallets, to move by {drill.movements.deadline}"]
    lines += [f"  {one.units} base units of {one.asset} at {one.account}, to itself" for one in drill.tests]
    lines += [f"The seed's SHA-256 is {drill.commitment}: it must have been public before the beacon"]
    print_result(record, as_json, lines)


@app.command("check")
def check(
    drill: Annotated[Path, typer.Argument(help="what `draw` wrote")],
    providers: Voices,
    run: Annotated[Path | None, typer.Option(help="the bundle: also check that the draw follows from it")] = None,
    transaction: Transactions = None,
    as_json: AsJson = False,
) -> None:
    """Read from the chains what moved, and how long it took.

    Example: por drill check drill.json --providers providers.toml --run run-2026-11/

    Exit codes: 0 all moved in time, 1 some did not, or the draw does not follow, 2 not known.
    """
    from chains.doors import NetworkTransport
    from chains.providers import load_providers
    from verifier.drill import MAX_DRILL, read_drill, watch
    from verifier.files import read_file

    drawn = read_drill(read_file(drill, MAX_DRILL), str(drill))
    named = drawn.model_copy(update={"transactions": [*drawn.transactions, *(transaction or [])]})
    follows = run is None or _follows(run, drill)
    found = watch(named, load_providers(providers), NetworkTransport())
    late = found.wallets - found.moved - found.unknown > 0 or found.most is None or found.most > drawn.hours * 3_600
    verdict = "fail" if not follows or (late and not found.unknown) else "indeterminate" if found.unknown else "pass"
    record = {
        **found._asdict(), "pools": list(found.pools), "tier": found.tier.label, "verdict": verdict,
        "draw_follows": follows if run else None,
    }  # fmt: skip
    print_result(record, as_json, list(_lines(found, verdict, follows)))
    raise typer.Exit({"pass": 0, "fail": 1}.get(verdict, 2))


def _lines(found: "Drilled", verdict: str, follows: bool) -> list[str]:
    lines = [f"{verdict.upper()}: {found.moved} of {found.wallets} wallets moved"]
    lines += [] if follows else ["  the wallets and amounts do not follow from the seed, the beacon and the run"]
    for name, seconds in (("half of them", found.half), ("nineteen of twenty", found.most)):
        lines.append(f"  {name} within {f'{-(-seconds // 60):,} minutes' if seconds is not None else 'no known time'}")
    return [*lines, *(f"  {text}" for text in found.texts)]


def _follows(run: Path, drill: Path) -> bool:
    from verifier.attestation.bundle import open_bundle
    from verifier.compensation.drawing import drawn_alike
    from verifier.drill import MAX_DRILL, read_drill
    from verifier.files import read_file
    from verifier.run import replay

    with open_bundle(run) as opened:
        case, _ = replay(opened)
    return drawn_alike(read_drill(read_file(drill, MAX_DRILL), str(drill)), case)


def _pools(names: list[str]) -> list["Pool"]:
    from verifier.declaration import Pool
    from verifier.errors import InputError

    try:
        return [Pool(name) for name in names]
    except ValueError as error:
        raise InputError(f"--pool: {error}; known: {', '.join(Pool)}") from error


def _beacon(chain: "ChainId", height: int, voices: "Providers", transport: "Transport") -> "Beacon":
    from chains.history import BlockFinder
    from chains.network import network_of
    from verifier.drill import Beacon
    from verifier.errors import UnavailableError

    finder = BlockFinder(network_of(chain), voices.serving(chain), transport, voices.minimum_operators)
    block = finder.at(height)
    if block is None:
        raise UnavailableError(f"{chain}: the operators agree on no block at height {height:,}")
    return Beacon(chain=chain, height=block.height, hash=block.hash, time=block.time)


def _tips(
    chains: "set[ChainId]", beacon: "Beacon", voices: "Providers", transport: "Transport"
) -> "dict[ChainId, BlockRef]":
    from chains.ids import ChainId
    from chains.model import BlockRef
    from verifier.movement import tips

    own = ChainId(beacon.chain)
    found = {block.chain: block for block in tips(chains - {own}, voices, transport)}
    return {**found, own: BlockRef(own, beacon.height, beacon.hash, beacon.time)}
