"""Payments as lists that custody systems read, and as a Safe's transactions: files, written once and completely."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from verifier.compensation.payments.bitcoin_batches import BitcoinBatch
from verifier.compensation.payments.files import refuse_existing, write_list, write_rows
from verifier.compensation.payments.payees import Payees
from verifier.compensation.payments.safe_batches import SafeBatch
from verifier.files import write_file

HEADER = ("address", "amount", "units", "reference")
PAYMENTS_FORMAT, SAFE_FORMAT = "reserve-verifier/payments/1", "reserve-verifier/safe-transactions/1"


def write_csv(payees: Payees, out: Path) -> None:
    """Write a row for each address: whole coins, base units, and the hashes of its leaves, apart by semicolons."""
    rows = (
        [one.address, payees.amount(one.units), str(one.units), ";".join(one.references)] for one in payees.payments
    )
    write_rows(out, HEADER, rows)


def write_json(payees: Payees, out: Path) -> None:
    """Write what the plan pays and a line for each address."""
    head = {"format": PAYMENTS_FORMAT, **payees.to_record()}
    write_list(out, head, "payments", "[]", (json.dumps(payees.payment_record(one)) for one in payees.payments))


def write_safe(payees: Payees, batches: Sequence[SafeBatch], out: Path) -> None:
    """Write a Safe's transactions with what each of them pays, for its owners to compare, sign and send in order."""
    head = {"format": SAFE_FORMAT, "chain": payees.chain, **payees.to_record()}
    write_list(out, head, "batches", "[]", (json.dumps(_safe_record(payees, one)) for one in batches))


def psbt_files(out: Path, count: int) -> list[Path]:
    """Return where PSBTs go: to `out`, or numbered beside it when there are several."""
    if count == 1:
        return [out]
    digits = len(str(count))
    return [out.with_name(f"{out.stem}-{number:0{digits}}{out.suffix}") for number in range(1, count + 1)]


def write_psbts(batches: Sequence[BitcoinBatch], files: Sequence[Path]) -> None:
    """Write each PSBT as the bytes of the format. Source: BIP-174, "File extension and MIME type"."""
    for path in files:
        refuse_existing(path)
    for batch, path in zip(batches, files, strict=True):
        write_file(path, batch.psbt.content)


def _safe_record(payees: Payees, batch: SafeBatch) -> dict[str, Any]:
    return {
        "transaction": batch.to_record(),
        "units": str(sum(one.units for one in batch.payments)),
        "payments": [payees.payment_record(one) for one in batch.payments],
    }
