"""por payout: what a compensation plan pays, in the forms that pay. Nothing is signed or sent."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from verifier.cli.terminal import print_result

if TYPE_CHECKING:
    from verifier.compensation.payees import Payments

Addresses = Annotated[
    Path, typer.Option(help="CSV: leaf,address (leaves as in the plan's payouts), or account,address with --tree")
]
Asset = Annotated[str, typer.Option(help="what is paid (CAIP-19), such as eip155:1/slip44:60")]
Tree = Annotated[Path | None, typer.Option(help="the folder of the run's tree with its private part, for account ids")]
Out = Annotated[Path, typer.Option(help="the file to write")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]
# Safe's MultiSendCallOnly 1.4.1, at the same address on most networks; recalled, so compare it before signing.
MULTI_SEND = "0x9641d764fc13c8B624c04430C7356C1C7C8102e2"

app = typer.Typer(help="What a plan pays, for those who pay: unsigned, never sent.", no_args_is_help=True)


@app.command("distributor")
def distributor(
    plan: Annotated[Path, typer.Argument(help="the plan's folder")],
    asset: Asset,
    addresses: Addresses,
    out: Out,
    kind: Annotated[
        Literal["indexed", "standard"], typer.Option(help="indexed: Uniswap's; standard: OpenZeppelin's")
    ] = "indexed",
    tree: Tree = None,
    as_json: AsJson = False,
) -> None:
    """Write the root and the proofs that a Merkle distributor contract on an EVM chain takes.

    Example: por payout distributor plan/ --asset eip155:1/erc20:0xa0b8… --addresses addresses.csv --out claims.json
    """
    from verifier.canonical import canonical_json
    from verifier.compensation.distributor import FORMAT, build_distributor
    from verifier.files import write_file

    payments = _payments(plan, asset, addresses, tree)
    built = build_distributor(payments.payments, kind)
    record: dict[str, Any] = {
        "format": FORMAT,
        "kind": kind,
        "asset": payments.asset.asset,
        "merkleRoot": f"0x{built.root.hex()}",
        "tokenTotal": hex(built.total),
        "claims": {one.address: one.to_record() for one in built.claims},
        "unpaid": [{"leaf": leaf, "units": str(units)} for leaf, units in payments.unpaid],
    }
    write_file(out, canonical_json(record))
    short = {"root": record["merkleRoot"], "total": str(built.total), "claims": len(built.claims)}
    lines = [f"{out}: {len(built.claims):,} claims, root {record['merkleRoot']}", *_unpaid(payments)]
    print_result({**short, "unpaid": len(payments.unpaid)}, as_json, lines)


@app.command("batch")
def batch(
    plan: Annotated[Path, typer.Argument(help="the plan's folder")],
    asset: Asset,
    addresses: Addresses,
    out: Out,
    form: Annotated[Literal["csv", "json", "safe", "psbt"], typer.Option("--format", help="for whom")] = "csv",
    tree: Tree = None,
    multi_send: Annotated[str, typer.Option(help="with safe: the MultiSend contract")] = MULTI_SEND,
    bundle: Annotated[Path | None, typer.Option(help="with psbt: the run whose coins are spent")] = None,
    source: Annotated[str, typer.Option("--from", help="with psbt: the wallet that pays (CAIP-10)")] = "",
    fee_rate: Annotated[int, typer.Option(min=1, max=10_000, help="with psbt: base units per byte")] = 20,
    as_json: AsJson = False,
) -> None:
    """Write unsigned payments: a table for custody systems, transactions of a Safe, or PSBTs.

    Example: por payout batch plan/ --asset eip155:1/slip44:60 --addresses addresses.csv --format safe --out safe.json
    """
    from verifier.compensation.batches import csv_batch, json_batch, safe_batch
    from verifier.files import write_file

    payments = _payments(plan, asset, addresses, tree)
    if form == "csv":
        text = csv_batch(payments)
    elif form == "psbt":
        text = _psbts(payments, bundle, source, fee_rate)
    else:
        record = json_batch(payments) if form == "json" else safe_batch(payments, multi_send)
        text = json.dumps(record, indent=1) + "\n"
    write_file(out, text.encode())
    lines = [f"{out}: {len(payments.payments):,} payments, {payments.total:,} base units", *_unpaid(payments)]
    told = {"payments": len(payments.payments), "total": str(payments.total), "unpaid": len(payments.unpaid)}
    print_result(told, as_json, lines)


def _payments(plan: Path, asset: str, addresses: Path, tree: Path | None) -> "Payments":
    from chains.ids import asset_id, chain_of
    from verifier.attestation.bundle import open_bundle
    from verifier.compensation.payees import leaves_of_accounts, payments_of, read_payees

    paid = asset_id(asset)
    payees = read_payees(addresses, chain_of(paid), leaves_of_accounts(tree) if tree else None)
    with open_bundle(plan) as opened:
        return payments_of(opened, paid, payees)


def _psbts(payments: "Payments", bundle: Path | None, source: str, fee_rate: int) -> str:
    from chains.addresses import canonical_account
    from chains.ids import account_id
    from verifier.attestation.bundle import open_bundle
    from verifier.compensation.psbt import psbt_batches
    from verifier.errors import InputError
    from verifier.run import replay

    if bundle is None or not source:
        raise InputError("a PSBT spends recorded coins: name the run (--bundle) and the wallet (--from)")
    with open_bundle(bundle) as opened:
        case, _ = replay(opened)
    found = psbt_batches(case, canonical_account(account_id(source)), payments.payments, fee_rate)
    return "".join(f"{one.psbt}\n" for one in found)


def _unpaid(payments: "Payments") -> list[str]:
    if not payments.unpaid:
        return []
    units = sum(one for _, one in payments.unpaid)
    return [f"  {len(payments.unpaid):,} leaves have no address: {units:,} base units stay unpaid"]
