"""Payments in Bitcoin as unsigned transactions: which coins, which fee, how much change, and when one is too large."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any, NamedTuple

from chains.bitcoin.address import script_of
from chains.bitcoin.unsigned_psbt import (
    SpentOutput,
    UnsignedPsbt,
    dust_limit,
    frame_weight,
    is_witness_program,
    make_psbt,
    output_weight,
)
from verifier.compensation.payments.bitcoin_source import Source
from verifier.compensation.payments.payees import Payees, Payment
from verifier.errors import InputError

MAX_WEIGHT = 400_000  # what nodes pass on: 100,000 virtual bytes. Source: Bitcoin Core, MAX_STANDARD_TX_WEIGHT
MAX_FEE_RATE = 10_000  # satoshi per virtual byte, as in Bitcoin Core's own guard against slips


class BitcoinBatch(NamedTuple):
    """One transaction: the PSBT, what it pays, what becomes of the rest; `after` is the one whose change it spends."""

    psbt: UnsignedPsbt
    inputs: tuple[SpentOutput, ...]
    payments: tuple[Payment, ...]
    change: int
    fee: int
    virtual_bytes: int
    after: int | None

    def to_record(self) -> dict[str, Any]:
        return {
            "txid": self.psbt.txid if self.psbt.final else None,
            "inputs": [{"outpoint": one.outpoint, "units": str(one.units)} for one in self.inputs],
            "payments": len(self.payments),
            "units": str(sum(one.units for one in self.payments)),
            "change": str(self.change),
            "fee": str(self.fee),
            "virtual_bytes": self.virtual_bytes,
            "after": self.after,
        }


@dataclass
class _Draft:
    """A transaction that is being filled; sums are kept so that thousands of outputs are added quickly."""

    source: Source
    rate: Fraction
    inputs: list[SpentOutput] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    held: int = 0
    paid: int = 0
    outputs_weight: int = 0

    def take(self, coin: SpentOutput) -> None:
        self.inputs.append(coin)
        self.held += coin.units

    def give_back(self) -> SpentOutput:
        coin = self.inputs.pop()
        self.held -= coin.units
        return coin

    def add(self, payment: Payment, script: bytes) -> None:
        self.payments.append(payment)
        self.paid += payment.units
        self.outputs_weight += output_weight(script)

    def remove(self, script: bytes) -> None:
        self.paid -= self.payments.pop().units
        self.outputs_weight -= output_weight(script)

    def weight(self, with_change: bool) -> int:
        change = output_weight(self.source.script) if with_change else 0
        frame = frame_weight(len(self.inputs), len(self.payments) + with_change)
        return frame + len(self.inputs) * self.source.weight + self.outputs_weight + change

    def fee(self, with_change: bool) -> int:
        return ceil(self.rate * self.virtual_bytes(with_change))

    def virtual_bytes(self, with_change: bool) -> int:
        return -(-self.weight(with_change) // 4)

    @property
    def missing(self) -> int:
        """What the inputs lack, in satoshi."""
        return max(0, self.paid + self.fee(with_change=False) - self.held)

    @property
    def change(self) -> int:
        """What goes back to the wallet: nothing when it is less than an output is worth."""
        rest = self.held - self.paid - self.fee(with_change=True)
        return rest if rest >= self.source.dust else 0


def read_fee_rate(text: str) -> Fraction:
    """Read a fee rate in satoshi per virtual byte. Raises InputError."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= MAX_FEE_RATE or len(text) > 20:
        raise InputError(f"--fee-rate {text[:40]!r}: expected satoshi per virtual byte, at most {MAX_FEE_RATE:,}")
    return rate


def without_dust(payees: Payees, source: Source) -> Payees:
    """Return the payees without those whose payment nodes would not pass on, who are unpaid for that reason."""
    dust = {}
    for one in payees.payments:
        limit = dust_limit(source.network, script_of(source.network, one.address))
        if one.units < limit:
            dust[one.address] = f"below the network's dust limit of {limit} base units"
    return payees.leaving_out(dust)


def bitcoin_batches(payees: Payees, source: Source, rate: Fraction) -> list[BitcoinBatch]:
    """Return the transactions that pay everybody, in the order in which they are to be sent.

    Coins that cost more to spend than they are worth are left lying. Where ids are known before signing, a transaction
    may spend the change of an earlier one. Raises InputError when the coins do not suffice.
    """
    pool = deque(one for one in source.coins if one.units > rate * source.weight / 4)
    found = list(_batches(payees.payments, source, rate, pool))
    assert sum(one.units for batch in found for one in batch.payments) == payees.units
    for one in found:
        held = sum(coin.units for coin in one.inputs)
        assert held == sum(payment.units for payment in one.payments) + one.change + one.fee
    return found


def _batches(
    payments: Sequence[Payment], source: Source, rate: Fraction, pool: deque[SpentOutput]
) -> Iterator[BitcoinBatch]:
    made: dict[str, int] = {}
    draft = _Draft(source, rate)
    left = deque(payments)
    while left:
        if _grow(draft, left[0], pool):
            left.popleft()
            continue
        if not draft.payments:
            raise InputError(f"{source.account}: its coins are so small that one payment needs too large a transaction")
        yield _finish(draft, pool, made)
        draft = _Draft(source, rate)
    if draft.payments:
        yield _finish(draft, pool, made)


def _grow(draft: _Draft, payment: Payment, pool: deque[SpentOutput]) -> bool:
    """Add a payment and the coins it needs; leave all as it was when the transaction would grow too large."""
    source = draft.source
    script = script_of(source.network, payment.address)
    draft.add(payment, script)
    taken = 0
    while draft.missing and draft.weight(with_change=True) <= MAX_WEIGHT:
        if not pool:
            raise InputError(
                f"{source.account}: its recorded coins do not suffice: at least {draft.missing} base units are missing "
                f"for payments and fees{_of_change(source)}"
            )
        draft.take(pool.popleft())
        taken += 1
    if draft.weight(with_change=True) <= MAX_WEIGHT:
        return True
    draft.remove(script)
    for _ in range(taken):
        pool.appendleft(draft.give_back())
    return False


def _of_change(source: Source) -> str:
    if is_witness_program(source.script):
        return ""
    return (
        " (change of earlier transactions cannot be counted on before it is confirmed: pay a part, then collect anew)"
    )


def _finish(draft: _Draft, pool: deque[SpentOutput], made: dict[str, int]) -> BitcoinBatch:
    """Make the PSBT; its change, where its id is known, is the first coin of the next one."""
    source, change = draft.source, draft.change
    outputs = [(script_of(source.network, one.address), one.units) for one in draft.payments]
    psbt = make_psbt(source.script, draft.inputs, [*outputs, *([(source.script, change)] if change else [])])
    number = len(made) + 1
    after = max((made.get(one.outpoint, 0) for one in draft.inputs), default=0) or None
    outpoint = f"{psbt.txid}:{len(outputs)}"
    made[outpoint] = number
    if change and psbt.final:
        pool.appendleft(SpentOutput(outpoint, change))
    fee = draft.held - draft.paid - change
    virtual_bytes = draft.virtual_bytes(with_change=change > 0)
    return BitcoinBatch(psbt, tuple(draft.inputs), tuple(draft.payments), change, fee, virtual_bytes, after)
