"""por wallets movement: an odd amount, chosen by the verifier, moves on the chain before a deadline."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

DRAW_EXAMPLE = """Draw an odd amount for each wallet of a declaration, to be moved from the wallet to itself in time.

Example: por wallets movement draw declaration.json --providers providers.toml --hours 24 --out test.json

Keep test.json, and give it to the exchange now. No node lists the transfers of an EVM network's own coin: for those the
exchange names the transactions afterwards.
"""
CHECK_EXAMPLE = """Read from the chains whether each wallet moved its amount to itself in time.

Example: por wallets movement check test.json --providers providers.toml --transaction 0x…

Exit codes: 0 all moved, 1 some did not or were late, 2 what moved is not known. Of tokens it shows that the holder, or
somebody the holder approved, moved them.
"""
MAX_FILE = 64 * 1024 * 1024

app = typer.Typer(help="Control shown on the chain: a drawn amount moves in time.", no_args_is_help=True)


@app.command("draw", help=DRAW_EXAMPLE)
def draw(
    declaration: Annotated[Path, typer.Argument(help="the declaration (JSON)")],
    providers: Annotated[Path, typer.Option(help="who to ask for the chains' newest blocks (TOML)")],
    out: Annotated[Path, typer.Option(help="the drawn tests; must not exist yet")],
    hours: Annotated[int, typer.Option(help="time to move", min=1, max=24 * 31)] = 24,
) -> None:
    from chains.doors import NetworkTransport
    from chains.ids import chain_of
    from chains.providers import load_providers
    from verifier.canonical import canonical_json
    from verifier.declaration import load_declaration, utc_text
    from verifier.errors import InputError
    from verifier.files import write_file
    from verifier.movement import draw_tests, is_unlisted, movement_record, tips
    from verifier.reserves import place_holdings

    if out.exists():
        raise InputError(f"{out}: exists already; name a new file")
    stated, voices = load_declaration(declaration), load_providers(providers)
    asked = [placement.holding for placement in place_holdings(stated).placements]
    now = datetime.now(UTC).replace(microsecond=0)
    drawn, deadline = (utc_text(int(moment.timestamp())) for moment in (now, now + timedelta(hours=hours)))
    blocks = tips({chain_of(one.account) for one in asked}, voices, NetworkTransport())
    tests = draw_tests(stated.exchange.id, asked, blocks, drawn, deadline)
    write_file(out, canonical_json(movement_record(tests)))
    typer.echo(f"{out}: {len(tests.tests):,} amounts drawn, to be moved by {deadline}")
    unlisted = sum(is_unlisted(one.asset) for one in asked)
    if unlisted:
        typer.echo(f"  for {unlisted:,} of them, EVM networks' own coins, the exchange names its transactions")


@app.command("check", help=CHECK_EXAMPLE)
def check(
    tests: Annotated[Path, typer.Argument(help="what `draw` wrote")],
    providers: Annotated[Path, typer.Option(help="who to ask (TOML)")],
    transaction: Annotated[
        list[str] | None, typer.Option(help="a transaction the exchange names, for EVM networks' own coins; repeat")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from chains.doors import NetworkTransport
    from chains.providers import load_providers
    from verifier.cli.terminal import print_json
    from verifier.files import read_file
    from verifier.movement import Outcome, check_tests, read_tests

    drawn = read_tests(read_file(tests, MAX_FILE), str(tests))
    found = check_tests(drawn, load_providers(providers), NetworkTransport(), transaction or ())
    outcomes = {one.outcome for one in found}
    if as_json:
        record = [one._asdict() | {"test": one.test.model_dump(), "outcome": str(one.outcome)} for one in found]
        print_json({"exchange": drawn.exchange, "deadline": drawn.deadline, "results": record})
    else:
        for one in found:
            typer.echo(f"{one.outcome}: {one.test.asset} at {one.test.account}: {one.text}")
    refused = outcomes & {Outcome.NOT_MOVED, Outcome.LATE}
    raise typer.Exit(1 if refused else 2 if Outcome.UNKNOWN in outcomes else 0)
