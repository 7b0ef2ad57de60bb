"""HTX's monthly wallet lists: totals, then wallets; a contract wallet is followed by the keys said to own it."""

from collections.abc import Iterator

from verifier.wallet_lists.cells import amount_of, height_of
from verifier.wallet_lists.record import Claim, Role, Row, WalletList
from verifier.wallet_lists.tables import Table


def recognises(columns: tuple[str, ...]) -> bool:
    """Tell whether a header is HTX's: one signature per row, and no column for the network."""
    found = set(columns)
    return {"asset", "address", "height", "amount", "message", "signature1"} <= found and not found & {
        "signature2",
        "network",
    }


def read(table: Table) -> WalletList:
    """Return a list of HTX; its rows raise InputError with file and row when an amount is none."""
    return WalletList("htx", "HTX", table.totals, _rows(table))


def _rows(table: Table) -> Iterator[Row]:
    for line, cells in table.rows:
        amount = amount_of(cells.get("amount", ""), f"{table.path}:{line}:balance")
        height = height_of(cells.get("height", ""))
        signature = cells.get("signature1", "")
        yield Row(
            line,
            cells.get("asset", ""),
            "",
            cells.get("address", ""),
            amount,
            height,
            Role.OWNER if amount is None and height is None else Role.WALLET,
            "",
            Claim(cells.get("message", ""), (signature,)) if signature else None,
        )
