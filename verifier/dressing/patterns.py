"""Movements around a snapshot that call for an explanation: coins that came just before and went back just after."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from chains.history import History
from chains.ids import AccountId, AssetId, chain_of
from chains.model import Transfer
from verifier.case import Case
from verifier.declaration import CLIENT_POOLS, utc_seconds
from verifier.window import Window

HOUR = 3_600
BEFORE, RETURNED_WITHIN, LEFT_WITHIN = 72 * HOUR, 14 * 24 * HOUR, 48 * HOUR
NAMELESS = AccountId("")


class RoundTrip(NamedTuple):
    """Units that came from one counterpart shortly before the snapshot, and how many went back to it soon after."""

    asset: AssetId
    counterpart: AccountId
    came: int
    returned: int


class Departure(NamedTuple):
    """Units that left one wallet soon after the snapshot, of those it held then."""

    account: AccountId
    asset: AssetId
    held: int
    left: int


def moment_of(window: Window, height: int) -> int:
    """Return the time of a block inside a window, in Unix seconds, interpolated between the blocks that were read."""
    marks = sorted(
        {window.opening, window.last, *([window.snapshot] if window.snapshot else [])}, key=lambda b: b.height
    )
    for earlier, later in pairwise(marks):
        if earlier.height <= height <= later.height:
            span = max(1, later.height - earlier.height)
            return earlier.time + (later.time - earlier.time) * (height - earlier.height) // span
    return window.last.time


def round_trips(case: Case, asset: AssetId) -> list[RoundTrip]:
    """Return what client wallets received in the 72 hours before the snapshot and sent back within 14 days after it.

    Where a chain names no counterpart (Bitcoin), all nameless ones are taken as one: an upper bound.
    """
    came: dict[AccountId, int] = defaultdict(int)
    returned: dict[AccountId, int] = defaultdict(int)
    as_of = utc_seconds(case.declaration.as_of)
    for window, history in _client_histories(case, asset):
        ours = history.holding.account
        for transfer in _with_outsiders(case, history):
            moment = moment_of(window, transfer.height)
            if transfer.recipient == ours and as_of - BEFORE <= moment <= as_of:
                came[transfer.sender or NAMELESS] += transfer.units
            elif transfer.sender == ours and as_of < moment <= as_of + RETURNED_WITHIN:
                returned[transfer.recipient or NAMELESS] += transfer.units
    return [
        RoundTrip(asset, who, units, min(units, returned[who])) for who, units in sorted(came.items()) if returned[who]
    ]


def departures(case: Case, asset: AssetId) -> list[Departure]:
    """Return, per client wallet, what left to accounts nobody declared within 48 hours after the snapshot."""
    as_of = utc_seconds(case.declaration.as_of)
    found = []
    for window, history in _client_histories(case, asset):
        account = history.holding.account
        later = [(moment_of(window, one.height), one) for one in history.transfers]
        balance = case.units_of(history.holding)
        if balance is None:
            continue
        held = balance - sum(_signed(one, account) for moment, one in later if moment > as_of)
        left = sum(
            one.units
            for moment, one in later
            if one.sender == account and as_of < moment <= as_of + LEFT_WITHIN and one.recipient not in case.accounts
        )
        if left:
            found.append(Departure(account, asset, held, left))
    return found


def covers_aftermath(case: Case, asset: AssetId) -> bool:
    """Tell whether the window reaches far enough beyond the snapshot to see what left within 48 hours."""
    window = next((w for w in case.past.windows if w.last.chain == chain_of(asset)), None)
    return window is not None and window.last.time >= utc_seconds(case.declaration.as_of) + LEFT_WITHIN


def _client_histories(case: Case, asset: AssetId) -> Iterator[tuple[Window, History]]:
    windows = {window.last.chain: window for window in case.past.windows}
    for position in case.positions_by_asset.get(asset, ()):
        history = case.past.histories.get(position.placement.holding)
        if position.placement.pool in CLIENT_POOLS and isinstance(history, History):
            yield windows[chain_of(asset)], history


def _with_outsiders(case: Case, history: History) -> Iterator[Transfer]:
    """Yield the transfers whose other side no wallet of the declaration is."""
    ours = history.holding.account
    for transfer in history.transfers:
        other = transfer.sender if transfer.recipient == ours else transfer.recipient
        if other not in case.accounts:
            yield transfer


def _signed(transfer: Transfer, account: AccountId) -> int:
    return transfer.units * ((transfer.recipient == account) - (transfer.sender == account))
