"""por payout batch: payments as lists for custody systems, unsigned Bitcoin transactions, or a Safe's transactions."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from verifier.cli.payout_payees import AddressTable, Asset, Json, Tree, exit_code, paying, unpaid_lines
from verifier.cli.terminal import print_result, progress_bars

if TYPE_CHECKING:
    from verifier.compensation.payments.bitcoin_batches import BitcoinBatch
    from verifier.compensation.payments.bitcoin_source import Source
    from verifier.compensation.payments.payees import Payees
    from verifier.compensation.payments.plan_payouts import PlanPayouts

EXAMPLE = """Write a plan's payments of an asset for what signs and sends them: a custody system, a wallet, a Safe.

Example: por payout batch plan/ --asset bip122:000000000019d6689c085ae165831e93/slip44:0 --addresses addresses.csv \
--format psbt --bundle run-2026-11/ --from bip122:000000000019d6689c085ae165831e93:bc1q… --fee-rate 12.5 --out pay.psbt

csv, json: address, amount, base units, and the leaves it is for. psbt: unsigned transactions (BIP-174) out of the coins
that the run recorded of a wallet. safe: MultiSend call data and the fields the Safe's owners sign (JSON).
Accounts without an address stand in OUT.unpaid.csv.

Exit codes: 0 everybody is paid by it, 2 somebody is not.
"""
BITCOIN, SAFE = "--format psbt", "--format safe"


def batch(
    plan: Annotated[Path, typer.Argument(help="a plan's folder")],
    asset: Asset,
    addresses: AddressTable,
    form: Annotated[Literal["csv", "json", "psbt", "safe"], typer.Option("--format", help="what to write")],
    out: Annotated[Path, typer.Option(help="a new file; several PSBTs are numbered beside it")],
    tree: Tree = None,
    bundle: Annotated[Path | None, typer.Option(help="the run, whose coins pay", rich_help_panel=BITCOIN)] = None,
    source: Annotated[str | None, typer.Option("--from", help="the paying wallet", rich_help_panel=BITCOIN)] = None,
    fee_rate: Annotated[str | None, typer.Option(help="satoshi per virtual byte", rich_help_panel=BITCOIN)] = None,
    input_vbytes: Annotated[
        int | None,
        typer.Option(min=41, max=10_000, help="what an input of a script weighs, signed", rich_help_panel=BITCOIN),
    ] = None,
    multisend: Annotated[
        str | None,
        typer.Option(help="the MultiSend contract", show_default="MultiSendCallOnly 1.4.1", rich_help_panel=SAFE),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, max=1_000, help="transfers per transaction", rich_help_panel=SAFE)
    ] = 200,
    as_json: Json = False,
) -> None:
    from verifier.compensation.payments.files import refuse_existing, unpaid_file, write_unpaid
    from verifier.errors import InputError

    for path in (out, unpaid_file(out)):
        refuse_existing(path)
    with paying(plan, asset, addresses, tree) as (payouts, payees):
        if not payees.payments:
            raise InputError(f"{addresses}: gives no account that is paid an address; there is nothing to pay")
        if form == "psbt":
            written = _bitcoin(payouts, payees, out, _terms(bundle, source, fee_rate, input_vbytes))
        else:
            written = _listed(payees, form, out, batch_size, multisend)
        write_unpaid(written.payees, out)
    files = {"files": [str(one) for one in written.files], "unpaid_file": str(unpaid_file(out))}
    record = {**written.payees.to_record(), **written.more, **files}
    print_result(record, as_json, list(_lines(written, out)))
    raise typer.Exit(exit_code(written.payees))


batch.__doc__ = EXAMPLE


class _Terms(NamedTuple):
    """What a Bitcoin payment needs beside the plan."""

    bundle: Path
    source: str
    rate: Fraction
    input_vbytes: int | None


class _Written(NamedTuple):
    """Who is paid by which files, what is to be told of them, and the same for people."""

    payees: "Payees"
    files: list[Path]
    more: dict[str, Any]
    lines: list[str]


def _terms(bundle: Path | None, source: str | None, fee_rate: str | None, input_vbytes: int | None) -> _Terms:
    from verifier.compensation.payments.bitcoin_batches import read_fee_rate
    from verifier.errors import InputError

    if bundle is None or source is None or fee_rate is None:
        raise InputError("--format psbt needs --bundle RUN, --from ACCOUNT and --fee-rate")
    return _Terms(bundle, source, read_fee_rate(fee_rate), input_vbytes)


def _listed(payees: "Payees", form: str, out: Path, size: int, multisend: str | None) -> _Written:
    from verifier.compensation.payments.lists import write_csv, write_json, write_safe
    from verifier.compensation.payments.safe_batches import safe_batches

    if form != "safe":
        (write_csv if form == "csv" else write_json)(payees, out)
        return _Written(payees, [out], {}, [])
    made = safe_batches(payees, size, multisend)
    write_safe(payees, made, out)
    to = made[0].to
    told = f"  transactions of the Safe: {len(made):,}, each a delegate call of {to}; make sure that this is MultiSend"
    return _Written(payees, [out], {"transactions": len(made), "multisend": to}, [told])


def _bitcoin(payouts: "PlanPayouts", payees: "Payees", out: Path, terms: _Terms) -> _Written:
    from chains.ids import AssetId
    from verifier.attestation.bundle import open_bundle
    from verifier.compensation.payments.bitcoin_batches import bitcoin_batches, without_dust
    from verifier.compensation.payments.bitcoin_source import source_of
    from verifier.compensation.payments.lists import psbt_files, write_psbts
    from verifier.run import replay

    with progress_bars() as report, open_bundle(terms.bundle) as opened:
        case, _ = replay(opened, report)
    source = source_of(case, payouts.record, AssetId(payees.asset.asset), terms.source, terms.input_vbytes)
    payees = without_dust(payees, source)
    batches = bitcoin_batches(payees, source, terms.rate)
    files = psbt_files(out, len(batches))
    write_psbts(batches, files)
    more = {
        "from": source.account,
        "pool": source.pool,
        "drawn_from_pool": str(source.drawn),
        "transactions": [{"file": str(path), **one.to_record()} for path, one in zip(files, batches, strict=True)],
    }
    return _Written(payees, files, more, list(_bitcoin_lines(payees, source, batches, files)))


def _bitcoin_lines(
    payees: "Payees", source: "Source", batches: Sequence["BitcoinBatch"], files: Sequence[Path]
) -> Iterator[str]:
    for path, one in zip(files, batches, strict=True):
        waits = f", to be sent once {files[one.after - 1]} is confirmed" if one.after else ""
        yield (
            f"  {path}: payments {len(one.payments):,}, coins spent {len(one.inputs):,}, {one.virtual_bytes:,} vB, "
            f"fee {payees.amount(one.fee)}, change {payees.amount(one.change)}{waits}"
        )
    if payees.units > source.drawn:
        drawn = f"{payees.amount(source.drawn)} {payees.asset.symbol}"
        yield f"  NOTE: this is more than the {drawn} that the plan draws from {source.pool}"


def _lines(written: _Written, out: Path) -> Iterator[str]:
    payees = written.payees
    total = f"{payees.amount(payees.units)} {payees.asset.symbol}"
    yield f"{out}: {len(payees.payments):,} addresses, {total}; nothing is signed or sent"
    yield from written.lines
    yield from unpaid_lines(payees, out)
