"""What a wallet list says, row by row, whatever format it came in."""

from collections.abc import Iterator
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What a row is in its list; only `wallet` and `custodial` rows hold coins that are counted."""

    WALLET = "wallet"
    OWNER = "owner"  # a key that is said to control the contract wallet above it
    CUSTODIAL = "custodial"  # held by a third party, no key of the exchange
    UNSPENDABLE = "unspendable"


class Claim(NamedTuple):
    """What a row offers as proof; `material` is a redeem script or public key, `owners` are said to have signed."""

    message: str
    signatures: tuple[str, ...]
    material: str = ""
    owners: tuple[str, ...] = ()


class Row(NamedTuple):
    """One row: where it stands, what it holds and what it offers as proof; amounts in whole coins."""

    line: int
    asset: str
    network: str
    address: str
    amount: Decimal | None
    height: int | None
    role: Role
    kind: str  # the list's own word, such as `Native ETH Staking`
    claim: Claim | None
    fault: str = ""  # why the row cannot be right, whatever was signed


class DeclaredTotal(NamedTuple):
    """A total the list states: its label as written, and the labels that stand below it as its parts."""

    line: int
    label: str
    amount: Decimal
    height: int | None = None
    parts: tuple[str, ...] = ()


class WalletList(NamedTuple):
    """An opened list: the declared totals are known, the rows come one by one and can be read once.

    `exact` when the format counts base units, so that no amount can have been rounded.
    """

    format: str
    exchange: str
    totals: tuple[DeclaredTotal, ...]
    rows: Iterator[Row]
    exact: bool = False


def exact_sum(first: Decimal, second: Decimal) -> Decimal:
    """Return the sum of two decimals with every digit: the usual 28 digits of precision would round."""
    with localcontext() as context:
        context.prec = 400
        return first + second
