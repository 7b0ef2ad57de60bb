"""por payout: a plan turned into what pays, claims on a chain or batches of payments; nothing is signed or sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from verifier.cli.terminal import print_result

if TYPE_CHECKING:
    from verifier.compensation.payees import Payees

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
Asset = Annotated[str, typer.Option(help="the asset to pay (CAIP-19), as it stands in plan.json")]
AddressTable = Annotated[Path, typer.Option(help="CSV with the header leaf,address or account,address")]
Tree = Annotated[Path | None, typer.Option(help="the tree's folder with its private part, for account ids")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object")]
SHOWN = 10


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
    from verifier.compensation.claim_hashes import Kind
    from verifier.compensation.distributor import make_distributor, write_distributor
    from verifier.compensation.payment_files import refuse_existing, unpaid_file, write_unpaid

    for path in (out, unpaid_file(out)):
        refuse_existing(path)
    with paying(plan, asset, addresses, tree) as payees:
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
    from verifier.compensation.distributor_check import check_claim

    found = check_claim(file, address, root)
    told = f"refused: {found.address}: {found.problem}"
    if not found.problem:
        against = "the root you named" if root else "the file's own root; compare it with the contract's"
        told = f"accepted: {found.address} is paid {found.units} base units\n  by {against}: {found.root}"
    print_result(found.to_record(), as_json, [told])
    raise typer.Exit(1 if found.problem else 0)


@contextmanager
def paying(plan: Path, asset: str, addresses: Path, tree: Path | None) -> Iterator["Payees"]:
    """Open a plan and yield who is paid how much of an asset at which address."""
    from chains.ids import ChainId
    from verifier.attestation.bundle import open_bundle
    from verifier.compensation.account_leaves import leaves_of_accounts
    from verifier.compensation.payees import payees_of
    from verifier.compensation.payout_addresses import read_addresses
    from verifier.compensation.plan_payouts import open_payouts

    with open_bundle(plan) as opened:
        payouts = open_payouts(opened, asset)
        owed = str(payouts.record.get("liabilities"))
        of = None if tree is None else lambda accounts: leaves_of_accounts(tree, owed, accounts)
        yield payees_of(payouts, read_addresses(addresses, ChainId(payouts.chain), of))


def unpaid_lines(payees: "Payees", out: Path) -> Iterator[str]:
    """Say who is not paid: the first few by name, all of them in a file."""
    from verifier.compensation.payment_files import unpaid_file

    if not payees.unpaid:
        return
    total = f"{payees.amount(payees.unpaid_units)} {payees.asset.symbol}"
    yield f"  NOT PAID: {len(payees.unpaid):,} leaves, {total}; all in {unpaid_file(out)}"
    for one in payees.unpaid[:SHOWN]:
        yield f"    {one.leaf.hex()[:16]}…  {payees.amount(one.units)} {payees.asset.symbol}: {one.reason}"


def exit_code(payees: "Payees") -> int:
    return 2 if payees.unpaid else 0


distributor.__doc__ = DISTRIBUTOR_EXAMPLE
distributor_check.__doc__ = CHECK_EXAMPLE
app.command("distributor")(distributor)
app.command("distributor-check")(distributor_check)
