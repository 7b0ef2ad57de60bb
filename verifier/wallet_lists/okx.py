"""OKX's wallet lists: 11 columns, 12 with the kind of staking, fewer in old ones, or merged without amounts."""

from collections.abc import Iterator

from verifier.wallet_lists.cells import amount_of, height_of
from verifier.wallet_lists.record import Claim, Role, Row, WalletList
from verifier.wallet_lists.tables import Table


def recognises(columns: tuple[str, ...]) -> bool:
    """Tell whether a header is OKX's: no other list has a second signature per row."""
    return "signature2" in columns


def read(table: Table) -> WalletList:
    """Return a list of OKX; its rows raise InputError with file and row when an amount is none."""
    name = f"okx-{len(table.columns)}-columns" if "amount" in table.columns else "okx-merged"
    return WalletList(name, "OKX", table.totals, _rows(table))


def _rows(table: Table) -> Iterator[Row]:
    for line, cells in table.rows:
        signatures = tuple(cells[name] for name in ("signature1", "signature2") if cells.get(name))
        owners = tuple(cells[name] for name in ("owner1", "owner2") if cells.get(name))
        claim = Claim(cells.get("message", ""), signatures, cells.get("material", ""), owners) if signatures else None
        yield Row(
            line,
            cells.get("asset", ""),
            cells.get("network", "") or cells.get("chain", ""),
            cells.get("address", ""),
            amount_of(cells.get("amount", ""), f"{table.path}:{line}:amount"),
            height_of(cells.get("height", "")),
            Role.WALLET,
            cells.get("kind", ""),
            claim,
        )
