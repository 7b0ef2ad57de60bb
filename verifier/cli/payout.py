"""por payout: a plan turned into what pays, claims on a chain or batches of payments; nothing is signed or sent."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from verifier.cli import payout_batch
from verifier.cli.payout_payees import AddressTable, Asset, Json, Tree, exit_code, paying, unpaid_lines
from verifier.cli.terminal import print_result

app = typer.Typer(
    help="Turn a plan into what pays: claims on a chain, or batches of payments. Nothing is signed or sent.",
    no_args_is_help=True,
)
DISTRIBUTOR_EXAMPLE = """Write the claims of a token for an on-chain Merkle distributor: root, total, everybody's proof.

Example: por payout distributor plan/ --asset eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7 \
--addresses addresses.csv --out distributor.json

addresses.csv has the header leaf,address (the leaf's hash as in payouts.csv), or account,address with --tree, the
exchange's own tree of what it owes. Accounts without an address stand in distributor.json.unpaid.csv.

Exit codes: 0 everybody is in it, 2 somebody has no address.
"""
CHECK_EXAMPLE = """Check the claim of one address offline: its proof leads to the file's root.

Example: por payout distributor-check distributor.json --address 0x52908400098527886e0f7030069857d2e4169ee7 --root 0x…

Compare the root with the contract's own (merkleRoot()): without it, the file is only checked against itself.
"""


def distributor(
    plan: Annotated[Path, typer.Argument(help="a plan's folder")],
    asset: Asset,
    addresses: AddressTable,
    out: Annotated[Path, typer.Option(help="a new file for the claims (JSON)")],
    tree: Tree = None,
    kind: Annotated[
        Literal["indexed", "standard"],
        typer.Option(help="the leaf: index, address, amount packed; or hashed twice without an index"),
    ] = "indexed",
    as_json: Json = False,
) -> None:
    from verifier.compensation.payments.claim_hashes import Kind
    from verifier.compensation.payments.distributor import make_distributor, write_distributor
    from verifier.compensation.payments.files import refuse_existing, unpaid_file, write_unpaid

    for path in (out, unpaid_file(out)):
        refuse_existing(path)
    with paying(plan, asset, addresses, tree) as (_, payees):
        made = make_distributor(payees, Kind(kind))
        write_distributor(made, out)
        write_unpaid(payees, out)
    record = made.to_record()
    lines = [
        f"{out}: {len(payees.payments):,} claims, {payees.amount(payees.units)} {payees.asset.symbol}",
        f"  root {record['merkleRoot']} ({kind})",
        *unpaid_lines(payees, out),
        f"Next: por payout distributor-check {out} --address A",
    ]
    print_result(record | {"file": str(out), "unpaid_file": str(unpaid_file(out))}, as_json, lines)
    raise typer.Exit(exit_code(payees))


def distributor_check(
    file: Annotated[Path, typer.Argument(help="what por payout distributor wrote")],
    address: Annotated[str, typer.Option(help="whose claim")],
    root: Annotated[str | None, typer.Option(help="the root that the contract names")] = None,
    as_json: Json = False,
) -> None:
    from verifier.compensation.payments.distributor_check import check_claim

    found = check_claim(file, address, root)
    told = f"refused: {found.address}: {found.problem}"
    if not found.problem:
        against = "the root you named" if root else "the file's own root; compare it with the contract's"
        told = f"accepted: {found.address} is paid {found.units} base units\n  by {against}: {found.root}"
    print_result(found.to_record(), as_json, [told])
    raise typer.Exit(1 if found.problem else 0)


distributor.__doc__ = DISTRIBUTOR_EXAMPLE
distributor_check.__doc__ = CHECK_EXAMPLE
app.command("distributor")(distributor)
app.command("distributor-check")(distributor_check)
app.command("batch")(payout_batch.batch)
