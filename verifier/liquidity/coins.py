"""When each coin of a Bitcoin wallet can be spent: new coinbases, locks of the script, and coins not worth moving."""

from collections.abc import Iterator
from typing import NamedTuple

from chains.bitcoin.spending import Lock
from chains.model import BlockRef, UnspentOutput

COINBASE_MATURITY = 100  # blocks. Source: Bitcoin's consensus rules
BLOCKS_PER_HOUR = 6
SECONDS_PER_HOUR = 3_600
# What an input of the commonest kind adds to a transaction, and a fee that was seen in crowded days: a coin that costs
# more than it is worth is no money on the day it is needed.
INPUT_VIRTUAL_BYTES = 68
CROWDED_FEE_RATE = 100
BLOCK_VIRTUAL_BYTES = 1_000_000
SHARE_OF_BLOCK = 4  # at most a quarter of each block goes to one sweep


class Slice(NamedTuple):
    """Units that can be had after so many hours (None: never, or not known when), and what keeps them so long."""

    units: int
    hours: int | None
    why: str = ""


def slices_of_coins(coins: tuple[UnspentOutput, ...], lock: Lock, tip: BlockRef) -> Iterator[Slice]:
    """Yield the coins of one wallet with their waits; the time to sweep them all is added to each.

    A coin whose source does not tell whether it is of a coinbase, and is young enough to matter, is not known when.
    """
    dust = INPUT_VIRTUAL_BYTES * CROWDED_FEE_RATE
    sweep = -(-len(coins) * INPUT_VIRTUAL_BYTES * SHARE_OF_BLOCK // BLOCK_VIRTUAL_BYTES) // BLOCKS_PER_HOUR
    for coin in coins:
        age = tip.height - coin.height + 1
        if coin.units < dust:
            yield Slice(coin.units, None, "coins worth less than the fee to move them")
        elif coin.coinbase is None and age < COINBASE_MATURITY:
            yield Slice(coin.units, None, "young coins that may be a miner's, which wait for 100 blocks")
        else:
            new = COINBASE_MATURITY - age if coin.coinbase else 0
            locked = _locked_hours(lock, age, tip)
            yield Slice(coin.units, max(_hours(new), locked) + sweep, _reason(new, locked))


def _locked_hours(lock: Lock, age: int, tip: BlockRef) -> int:
    waits = (
        _hours(lock.height - tip.height),
        -(-(lock.time - tip.time) // SECONDS_PER_HOUR) if lock.time else 0,
        _hours(lock.age_blocks - age),
        -(-lock.age_seconds // SECONDS_PER_HOUR),
    )
    return max(0, *waits)


def _hours(blocks: int) -> int:
    return max(0, -(-blocks // BLOCKS_PER_HOUR))


def _reason(new: int, locked: int) -> str:
    if locked:
        return "locked by its script"
    return "a coinbase younger than 100 blocks" if new > 0 else ""
