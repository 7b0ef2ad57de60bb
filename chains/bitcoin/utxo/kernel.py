"""The compiled loop that reads coins from a snapshot's bytes, finds wanted scripts and writes what hashes cover.

It reads exactly what `plain` reads, which is its reference. Positions and amounts are signed 64-bit integers, kept
from overflowing by bounds on every number.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from chains.bitcoin.utxo import coin_numbers, script_table, serial
from chains.bitcoin.utxo.coin_numbers import SHORT, compare, key_of, read_compact_size, read_varint, units_of
from chains.bitcoin.utxo.compressed_script import MAX_SCRIPT, SPECIAL_KINDS
from chains.bitcoin.utxo.script_table import Bytes, Integers, Wanted, lookup
from chains.bitcoin.utxo.serial import Coin, put_coin, put_older_coin, varint_size
from chains.bitcoin.utxo.snapshot import (
    HEADERLESS,
    MAX_BASE_BYTES,
    MAX_OUTPUTS,
    OUTPUT_BYTES,
    Fault,
)
from chains.compiled import compiled, inlined

MORE, DRAIN, SORT = 1, 2, 3  # wants more bytes; wants its results taken away; wants the closed group put in order
ROOM = MAX_SCRIPT + 256  # the most that one coin adds to the serialised bytes
MAX_CODE = 0xFFFF_FFFF


class At(IntEnum):
    """Where the loop's numbers stand in `Work.state`."""

    POSITION = 0
    LEFT = 1  # coins still to come in the open group
    COUNT = 2
    TOTAL = 3
    VOUT = 4  # of the coin before, -1 when there is none in this group
    GROUP_BYTES = 5
    FOUND = 6
    ENTRIES = 7
    SERIAL = 8
    UNFINISHED = 9
    GROUP_SERIAL = 10  # where the open group's entries begin among the serialised bytes
    GROUP_ENTRY = 11
    INVERTED = 12  # an index of the open group came after a larger one
    BEGUN = 13  # a first group is open


class Rules(NamedTuple):
    """What stays the same for a whole file."""

    version: int
    coin_count: int
    max_units: int
    serialise: bool


class Work(NamedTuple):
    """What the loop writes; `found` has rows of key, vout, code and units."""

    state: Integers
    txid: Bytes  # of the open group
    found: Integers
    found_txids: Bytes
    serial: Bytes
    ends: Integers
    vouts: Integers
    unfinished: Integers  # where a public key's y is to be filled in, times two, plus its parity


@inlined
def _open_group(rules: Rules, data: Any, at: int, work: Work) -> tuple[int, int]:
    """Read a group's head of version 2; return a status and where it ends."""
    if at + 33 > len(data):
        return MORE, at
    count, end = read_compact_size(data, at + 32)
    if end == SHORT:
        return MORE, at
    fault = 0
    if count < 0:
        fault = Fault.NOT_SHORTEST.value
    elif count == 0:
        fault = Fault.NO_COINS.value
    elif count > MAX_OUTPUTS:
        fault = Fault.TOO_MANY_OUTPUTS.value
    elif count > rules.coin_count - work.state[At.COUNT]:
        fault = Fault.COUNT.value
    elif work.state[At.BEGUN] and compare(work.txid, data, at) <= 0:
        fault = Fault.TXID_ORDER.value
    if fault:
        return fault, at
    _begin(rules, data, at, work)
    work.state[At.LEFT] = count
    return 0, end


@inlined
def _begin(rules: Rules, data: Any, at: int, work: Work) -> None:
    """Make the transaction id at `at` the open group's; the older hash puts it, and marks, between the groups."""
    state, size = work.state, work.state[At.SERIAL]
    for place in range(32):
        work.txid[place] = data[at + place]
    if rules.serialise and rules.version == HEADERLESS:
        if state[At.BEGUN]:
            work.serial[size] = 0
            size += 1
        for place in range(32):
            work.serial[size + place] = data[at + place]
        work.serial[size + 32] = 1
        state[At.SERIAL] = size + 33
    state[At.GROUP_SERIAL], state[At.GROUP_ENTRY] = state[At.SERIAL], state[At.ENTRIES]
    state[At.VOUT], state[At.GROUP_BYTES], state[At.BEGUN] = -1, 0, 1


@inlined
def _read_vout(rules: Rules, data: Any, work: Work) -> tuple[int, int, int]:
    """Return a status, the output index and where it ends, in version 2, opening the next group where one begins."""
    state = work.state
    at = state[At.POSITION]
    if state[At.LEFT] == 0:
        status, at = _open_group(rules, data, at, work)
        if status:
            return status, 0, at
        state[At.POSITION] = at
    vout, end = read_compact_size(data, at)
    if vout < 0:
        return Fault.NOT_SHORTEST.value, 0, at
    return (MORE if end == SHORT else 0), vout, end


@inlined
def _read_outpoint(rules: Rules, data: Any, work: Work) -> tuple[int, int, int]:
    """Do the same in the older format, in which every coin names its transaction."""
    state = work.state
    at = state[At.POSITION]
    if at + 36 > len(data):
        return MORE, 0, at
    order = compare(work.txid, data, at) if state[At.BEGUN] else 1
    if order < 0:
        return Fault.TXID_ORDER.value, 0, at
    if order > 0:
        if state[At.INVERTED]:
            return SORT, 0, at
        _begin(rules, data, at, work)
    vout: Any = np.int64(0)
    for place in range(4):
        vout |= np.int64(data[at + 32 + place]) << (8 * place)
    return 0, vout, at + 36


@inlined
def _read_coin(rules: Rules, data: Any, vout: int, at: int) -> Coin:
    """Return the coin whose numbers begin at `at`; it ends nowhere (SHORT) when the bytes end within them."""
    code, at = read_varint(data, at, MAX_CODE)
    number, stored, kind, payload, end = 0, at, 0, at, SHORT
    if at != SHORT:
        number, stored = read_varint(data, at, 10 * rules.max_units + 10)
    if stored != SHORT:
        kind, payload = read_varint(data, stored, MAX_SCRIPT + SPECIAL_KINDS)
        if payload != SHORT:
            end = payload + (20 if kind < 2 else 32 if kind < SPECIAL_KINDS else kind - SPECIAL_KINDS)
    return Coin(vout, code, units_of(number, rules.max_units), kind, stored, payload, end)


@inlined
def _status_of(rules: Rules, state: Any, data: Any, coin: Coin) -> int:
    """Return what is wrong with a coin by itself and beside the ones before it, MORE when it is cut off, or 0."""
    size, status = coin.end - coin.payload, 0
    if coin.end == SHORT:
        status = MORE
    elif coin.vout >= MAX_OUTPUTS:
        status = Fault.INDEX.value
    elif state[At.VOUT] >= 0 and key_of(coin.vout) <= key_of(state[At.VOUT]):
        status = Fault.INDEX_ORDER.value
    elif coin.code > MAX_CODE:
        status = Fault.CODE.value
    elif coin.units > rules.max_units:
        status = Fault.AMOUNT.value
    elif size > MAX_SCRIPT:
        status = Fault.SCRIPT.value
    elif state[At.GROUP_BYTES] + size + OUTPUT_BYTES > MAX_BASE_BYTES:
        status = Fault.BLOCK_SIZE.value
    elif state[At.TOTAL] + coin.units > rules.max_units:
        status = Fault.TOTAL.value
    elif coin.end > len(data):
        status = MORE
    return status


@inlined
def _is_full(rules: Rules, work: Work) -> bool:
    state = work.state
    return bool(
        state[At.FOUND] == len(work.found)
        or state[At.UNFINISHED] == len(work.unfinished)
        or (rules.serialise and (len(work.serial) - state[At.SERIAL] < ROOM or state[At.ENTRIES] == len(work.ends)))
    )


@inlined
def _take(rules: Rules, wanted: Wanted, data: Any, work: Work, coin: Coin) -> None:
    """Count a coin, note it when its script is wanted, and write it for the hash."""
    state = work.state
    key = lookup(wanted, data, coin.stored, coin.end)
    if key >= 0:
        row = state[At.FOUND]
        found = work.found[row]
        found[0], found[1], found[2], found[3] = key, coin.vout, coin.code, coin.units
        work.found_txids[row] = work.txid
        state[At.FOUND] += 1
    if rules.serialise:
        _serialise(rules, data, work, coin)
    if coin.vout < state[At.VOUT]:
        state[At.INVERTED] = 1
    state[At.VOUT] = coin.vout
    state[At.GROUP_BYTES] += coin.end - coin.payload + OUTPUT_BYTES
    state[At.TOTAL] += coin.units
    state[At.COUNT] += 1
    state[At.POSITION] = coin.end
    if rules.version != HEADERLESS:
        state[At.LEFT] -= 1


@inlined
def _serialise(rules: Rules, data: Any, work: Work, coin: Coin) -> None:
    state = work.state
    if rules.version == HEADERLESS:
        end = put_older_coin(work.serial, state[At.SERIAL], data, coin)
        script_end = end - varint_size(coin.units)
    else:
        script_end = end = put_coin(work.serial, state[At.SERIAL], work.txid, data, coin)
    if coin.kind in (4, 5):
        work.unfinished[state[At.UNFINISHED]] = (script_end - 33) << 1 | coin.kind & 1
        state[At.UNFINISHED] += 1
    work.ends[state[At.ENTRIES]] = end
    work.vouts[state[At.ENTRIES]] = coin.vout
    state[At.ENTRIES] += 1
    state[At.SERIAL] = end


@compiled(callees=(coin_numbers, serial, script_table))
def read_coins(rules: Rules, wanted: Wanted, data: Bytes, work: Work) -> int:
    """Read whole coins until bytes, room or the coins announced run out.

    Returns 0 when all coins are read, MORE, DRAIN, SORT, or a fault of the coin at `At.POSITION`.
    """
    state = work.state
    while state[At.COUNT] < rules.coin_count:
        if _is_full(rules, work):
            return DRAIN
        if rules.version != HEADERLESS and state[At.LEFT] == 0 and state[At.INVERTED]:
            return SORT
        if rules.version == HEADERLESS:
            status, vout, at = _read_outpoint(rules, data, work)
        else:
            status, vout, at = _read_vout(rules, data, work)
        if status:
            return status
        coin = _read_coin(rules, data, vout, at)
        status = _status_of(rules, state, data, coin)
        if status:
            return status
        _take(rules, wanted, data, work, coin)
    return SORT if state[At.INVERTED] else 0
