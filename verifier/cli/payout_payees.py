"""What the commands of por payout share: the plan, the asset, the table of addresses, and who is left unpaid."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from verifier.compensation.payments.payees import Payees
    from verifier.compensation.payments.plan_payouts import PlanPayouts

Asset = Annotated[str, typer.Option(help="the asset to pay (CAIP-19), as it stands in plan.json")]
AddressTable = Annotated[Path, typer.Option(help="CSV with the header leaf,address or account,address")]
Tree = Annotated[Path | None, typer.Option(help="the tree's folder with its private part, for account ids")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object")]
SHOWN = 10


@contextmanager
def paying(plan: Path, asset: str, addresses: Path, tree: Path | None) -> Iterator[tuple["PlanPayouts", "Payees"]]:
    """Open a plan and yield its payouts of an asset, and who is paid how much of it at which address."""
    from chains.ids import ChainId
    from verifier.attestation.bundle import open_bundle
    from verifier.compensation.payments.account_leaves import leaves_of_accounts
    from verifier.compensation.payments.addresses import read_addresses
    from verifier.compensation.payments.payees import payees_of
    from verifier.compensation.payments.plan_payouts import open_payouts

    with open_bundle(plan) as opened:
        payouts = open_payouts(opened, asset)
        owed = str(payouts.record.get("liabilities"))
        of = None if tree is None else lambda accounts: leaves_of_accounts(tree, owed, accounts)
        yield payouts, payees_of(payouts, read_addresses(addresses, ChainId(payouts.chain), of))


def unpaid_lines(payees: "Payees", out: Path) -> Iterator[str]:
    """Say who is not paid: the first few by name, all of them in a file."""
    from verifier.compensation.payments.files import unpaid_file

    if not payees.unpaid:
        return
    total = f"{payees.amount(payees.unpaid_units)} {payees.asset.symbol}"
    yield f"  NOT PAID: {len(payees.unpaid):,} leaves, {total}; all in {unpaid_file(out)}"
    for one in payees.unpaid[:SHOWN]:
        yield f"    {one.leaf.hex()[:16]}…  {payees.amount(one.units)} {payees.asset.symbol}: {one.reason}"


def exit_code(payees: "Payees") -> int:
    return 2 if payees.unpaid else 0
