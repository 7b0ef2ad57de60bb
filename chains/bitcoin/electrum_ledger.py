"""What follows from an Electrum server's lists and raw transactions: a script's coins at a block, and its payments."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from btclib.exceptions import BTClibException
from btclib.tx import Tx

from chains.bitcoin.core import MAX_OUTPUT_INDEX
from chains.bitcoin.holdings import MAX_HEIGHT, checked_hash, checked_number, checked_record
from chains.bitcoin.payments import Outpoint, Payment
from chains.errors import InvalidAnswerError
from chains.model import UnspentOutput
from chains.providers import Provider

UNCONFIRMED = (0, -1)  # in the second case also a parent is unconfirmed

# What touched a script: transaction ids with the heights of their blocks, 0 or -1 while unconfirmed.
Entries = tuple[tuple[str, int], ...]


class Coin(NamedTuple):
    """An unspent output to the script that was asked for; `height` is 0 while it is unconfirmed."""

    outpoint: Outpoint
    units: int
    height: int


class UnreadableTransactionError(InvalidAnswerError):
    """The bytes of a transaction are not understood: damaged, or of a kind that is not known here."""


class Transaction(NamedTuple):
    """A transaction's bytes, and what matters here: outpoints it spends, and (script, base units) it pays."""

    raw: bytes
    inputs: tuple[Outpoint, ...]
    outputs: tuple[tuple[bytes, int], ...]


def parse_history(provider: Provider, result: Any) -> Entries:
    """Read the answer to `blockchain.scripthash.get_history`. Raises InvalidAnswerError."""
    return tuple(_entry(provider, item) for item in _items(provider, result, "the history"))


def parse_coins(provider: Provider, result: Any, max_money: int) -> tuple[Coin, ...]:
    """Read the answer to `blockchain.scripthash.listunspent`. Raises InvalidAnswerError."""
    return tuple(_coin(provider, item, max_money) for item in _items(provider, result, "the list of unspent coins"))


def parse_transaction(provider: Provider, result: Any, txid: str) -> Transaction:
    """Read a raw transaction, whose bytes must hash to `txid`.

    Raises UnreadableTransactionError, and InvalidAnswerError when it is another one.
    """
    try:
        raw = bytes.fromhex(result)
        parsed = Tx.parse(raw, check_validity=False)
        found = parsed.id.hex()
    except (BTClibException, TypeError, ValueError) as error:
        raise UnreadableTransactionError(
            f"{provider.name}: {txid} was answered with what is no transaction, or one of an unknown kind"
        ) from error
    if found != txid:
        raise InvalidAnswerError(f"{provider.name}: asked for the transaction {txid}, was shown {found}")
    if any(one.value < 0 for one in parsed.vout):
        raise InvalidAnswerError(f"{provider.name}: the transaction {txid} pays less than nothing")
    return Transaction(
        raw,
        tuple((one.prev_out.tx_id.hex(), one.prev_out.vout) for one in parsed.vin),
        tuple((one.script_pub_key.script, one.value) for one in parsed.vout),
    )


def heights_of(provider: Provider, entries: Entries, tip: int) -> dict[str, int]:
    """Return the height of each transaction of a history. Raises InvalidAnswerError for one told twice."""
    heights = dict(entries)
    if len(heights) != len(entries):
        raise InvalidAnswerError(f"{provider.name}: a history names the same transaction twice")
    if any(height > tip for height in heights.values()):
        raise InvalidAnswerError(f"{provider.name}: a history goes beyond the tip {tip}")
    return heights


def later_than(heights: Mapping[str, int], height: int) -> list[str]:
    """Return the transactions that are not yet in the chain at `height`."""
    return [txid for txid, place in heights.items() if not 0 < place <= height]


def spent_from(
    heights: Mapping[str, int], spenders: Sequence[str], transactions: Mapping[str, Transaction], height: int
) -> list[str]:
    """Return, sorted, the transactions up to `height` out of which some of `spenders` may spend."""
    spent = {outpoint[0] for txid in spenders if txid in transactions for outpoint in transactions[txid].inputs}
    return sorted(txid for txid in spent if 0 < heights.get(txid, 0) <= height)


def unspent_at(
    provider: Provider,
    script: bytes,
    height: int,
    heights: Mapping[str, int],
    coins: Sequence[Coin],
    transactions: Mapping[str, Transaction],
) -> tuple[UnspentOutput, ...]:
    """Return the coins a script held after the block at `height`: those unspent now, and those spent only later.

    `transactions` holds those later than the block, and the earlier ones they may spend from. Raises
    InvalidAnswerError for what no truthful server can say.
    """
    held: list[UnspentOutput] = []
    listed: set[Outpoint] = set()
    for coin in coins:
        place = heights.get(coin.outpoint[0])
        if coin.outpoint in listed:
            raise _impossible(provider, coin.outpoint, "is listed twice")
        if place is None or max(place, 0) != coin.height:
            raise _impossible(provider, coin.outpoint, "is unspent, but its transaction is not in the history there")
        listed.add(coin.outpoint)
        if coin.outpoint[0] in transactions and not _pays(transactions[coin.outpoint[0]], coin, script):
            raise _impossible(provider, coin.outpoint, "is listed as another than its transaction makes")
        if 0 < coin.height <= height:
            held.append(_unspent(coin.outpoint, coin.units, coin.height))
    for txid in later_than(heights, height):
        for outpoint, units in _spends(script, txid, heights, transactions):
            if outpoint in listed:
                raise _impossible(provider, outpoint, "is spent more than once, or spent and unspent")
            listed.add(outpoint)
            if 0 < heights[outpoint[0]] <= height:
                held.append(_unspent(outpoint, units, heights[outpoint[0]]))
    return tuple(sorted(held))


def _unspent(outpoint: Outpoint, units: int, height: int) -> UnspentOutput:
    return UnspentOutput(f"{outpoint[0]}:{outpoint[1]}", units, height)


def payments_of(
    script: bytes,
    heights: Mapping[str, int],
    first: int,
    last: int,
    transactions: Mapping[str, Transaction],
    hashes: Mapping[int, str],
) -> Iterator[Payment]:
    """Yield what a script received and spent from height `first` to `last`; `hashes` are the blocks' by height."""
    for txid, height in heights.items():
        if not first <= height <= last or height <= 0:
            continue
        for index, (paid, units) in enumerate(transactions[txid].outputs):
            if paid == script:
                yield Payment(script.hex(), units, (txid, index), hashes[height], height)
        for outpoint, units in _spends(script, txid, heights, transactions):
            yield Payment(script.hex(), units, outpoint, hashes[height], height, txid)


def _spends(
    script: bytes, txid: str, heights: Mapping[str, int], transactions: Mapping[str, Transaction]
) -> Iterator[tuple[Outpoint, int]]:
    """Yield the script's own coins that a transaction spends, as far as their transactions are known."""
    for outpoint in transactions[txid].inputs:
        maker = transactions.get(outpoint[0]) if outpoint[0] in heights else None
        if maker and outpoint[1] < len(maker.outputs) and maker.outputs[outpoint[1]][0] == script:
            yield outpoint, maker.outputs[outpoint[1]][1]


def _pays(maker: Transaction, coin: Coin, script: bytes) -> bool:
    index = coin.outpoint[1]
    return index < len(maker.outputs) and maker.outputs[index] == (script, coin.units)


def _entry(provider: Provider, item: Any) -> tuple[str, int]:
    record = checked_record(provider, item, "an entry of the history")
    txid = checked_hash(provider, record.get("tx_hash"), "a transaction's id")
    height = record.get("height")
    if type(height) is int and height in UNCONFIRMED:
        return txid, height
    return txid, checked_number(provider, height, "a transaction's height", MAX_HEIGHT)


def _coin(provider: Provider, item: Any, max_money: int) -> Coin:
    record = checked_record(provider, item, "an unspent coin")
    outpoint = (
        checked_hash(provider, record.get("tx_hash"), "a coin's txid"),
        checked_number(provider, record.get("tx_pos"), "a coin's output index", MAX_OUTPUT_INDEX),
    )
    units = checked_number(provider, record.get("value"), f"the amount of {outpoint[0]}:{outpoint[1]}", max_money)
    return Coin(outpoint, units, checked_number(provider, record.get("height"), "a coin's height", MAX_HEIGHT))


def _items(provider: Provider, result: Any, what: str) -> list[Any]:
    if not isinstance(result, list):
        raise InvalidAnswerError(f"{provider.name}: {what} is {str(result)[:80]!r}, not a list")
    return result


def _impossible(provider: Provider, outpoint: Outpoint, what: str) -> InvalidAnswerError:
    return InvalidAnswerError(f"{provider.name}: the coin {outpoint[0]}:{outpoint[1]} {what}")
