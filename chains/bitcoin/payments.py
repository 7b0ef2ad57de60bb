"""Coins that came to a script or left it, and what is said of them as transfers; the same for every dialect."""

from collections.abc import Sequence
from typing import NamedTuple

from chains.bitcoin.holdings import Target
from chains.model import BlockRef, Movements, Transfer
from chains.providers import Provider

Outpoint = tuple[str, int]


class Payment(NamedTuple):
    """One output to (`spent_in` empty) or input from a script that was asked for, in a block of the main chain."""

    script: str
    units: int
    outpoint: Outpoint
    block_hash: str
    height: int
    spent_in: str = ""


def movements_of(
    provider: Provider,
    first: int,
    last: BlockRef,
    target: Target,
    payments: Sequence[Payment] | None,
    evidence: tuple[str, ...],
    failure: str,
) -> Movements:
    """Return one target's movements out of the payments of all, or why there are none."""
    failure = target.failure or failure
    if failure or payments is None:
        return Movements(target.holding, provider.operator, first, last, None, evidence, failure)
    script = target.script.hex()
    mine = sorted((one for one in payments if one.script == script), key=_order)
    transfers = tuple(_transfer(target, payment) for payment in mine)
    return Movements(target.holding, provider.operator, first, last, transfers, evidence)


def _order(payment: Payment) -> tuple[int, bool, Outpoint]:
    return payment.height, bool(payment.spent_in), payment.outpoint


def _transfer(target: Target, payment: Payment) -> Transfer:
    txid, index = payment.outpoint
    sender, recipient = (target.holding.account, None) if payment.spent_in else (None, target.holding.account)
    return Transfer(
        target.holding.asset, payment.units, sender, recipient, payment.height, payment.block_hash,
        payment.spent_in or txid, index,
        f"{txid}:{index}",
    )  # fmt: skip
