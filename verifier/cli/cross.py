"""por cross: several exchanges side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from verifier.cross import CrossReport, Party

EXAMPLE = """Compare several exchanges: wallets both claim, coins both counted, and coins that went round between them.

Takes bundles of `por collect` (with --window, so that flows are known) and published wallet lists.

Example: por cross exchange-a/ exchange-b/ okx_por_2026-11.csv

Exit codes: 0 nothing in common, 1 a wallet or coin stands in two totals, 2 flows are not known or ask for an
explanation, 3 bad input.
"""
SHOWN = 10


def cross(
    sources: Annotated[list[Path], typer.Argument(help="bundles and wallet lists, two or more")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.cli.terminal import print_json
    from verifier.cross import compare_parties
    from verifier.errors import InputError

    if len(sources) < 2:
        raise InputError("name at least two bundles or wallet lists: one alone has nothing to be compared with")
    report = compare_parties([_party(source) for source in sources])
    if as_json:
        print_json(report.to_record())
    else:
        typer.echo("\n".join(_lines(report)))
    raise typer.Exit(report.verdict.exit_code)


cross.__doc__ = EXAMPLE


def _party(source: Path) -> "Party":
    from verifier.attestation.bundle import open_bundle
    from verifier.cross import Party, party_of
    from verifier.run import replay
    from verifier.wallet_lists.detect import open_list
    from verifier.wallet_lists.lines import LineReader
    from verifier.wallet_lists.record import Role

    if source.is_dir() or source.suffix == ".zip":
        with open_bundle(source) as bundle:
            return party_of(replay(bundle)[0])
    listed = open_list(source, LineReader(source))
    counted = (row for row in listed.rows if row.role in (Role.WALLET, Role.CUSTODIAL))
    addresses = {row.address.lower() if row.address[:2] == "0x" else row.address: str(row.role) for row in counted}
    return Party(listed.exchange, (), addresses)


def _lines(report: "CrossReport") -> list[str]:
    lines = [f"{str(report.verdict).upper()}: {', '.join(report.parties)}"]
    lines += [
        f"  {one.address} is claimed by {one.parties[0]} ({one.roles[0]}) and {one.parties[1]} ({one.roles[1]})"
        for one in report.shared[:SHOWN]
    ]
    lines += [
        f"  {one.units} base units of {one.asset} went from {one.parties[0]} to {one.parties[1]} in block {one.height},"
        f" between their snapshots ({one.snapshots[0]}, {one.snapshots[1]}): both count them ({one.transaction})"
        for one in report.twice[:SHOWN]
    ]
    lines += [
        f"  to be explained: {one.units} base units of {one.asset} went from {one.parties[0]} to {one.parties[1]}"
        f" before a snapshot and back after it ({one.there}, {one.back})"
        for one in report.round_trips[:SHOWN]
    ]
    hidden = sum(max(0, len(found) - SHOWN) for found in (report.shared, report.twice, report.round_trips))
    lines += [f"  and {hidden:,} more (--json shows all)"] if hidden else []
    lines += [f"  {name}: no window was read, so what went to others is not known" for name in report.unseen]
    return lines
