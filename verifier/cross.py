"""Several exchanges side by side: wallets both claim, coins both counted, and coins that went round between them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from chains.history import History
from chains.ids import AccountId, AssetId, address_of, chain_of, family_of
from chains.model import Transfer
from verifier.case import Case
from verifier.declaration import Pool
from verifier.verdict import Verdict


class Party(NamedTuple):
    """One exchange: its verified runs, and the addresses of these and of the lists it published."""

    name: str
    cases: tuple[Case, ...]
    addresses: Mapping[str, str]  # address as everybody writes it → what it is declared for


class SharedWallet(NamedTuple):
    """An address that two exchanges claim as theirs."""

    address: str
    parties: tuple[str, str]
    roles: tuple[str, str]


class CountedTwice(NamedTuple):
    """Units that moved from one exchange to another between their snapshots, and stand in the totals of both."""

    asset: AssetId
    units: int
    parties: tuple[str, str]
    transaction: str
    height: int
    snapshots: tuple[int, int]


class RoundTrip(NamedTuple):
    """Units that went from one exchange to another before the other's snapshot, and came back soon after it."""

    asset: AssetId
    units: int
    parties: tuple[str, str]
    there: str
    back: str


class CrossReport(NamedTuple):
    """What several parties show together; `unseen` says which runs looked at no window, so that flows are not known."""

    parties: tuple[str, ...]
    shared: tuple[SharedWallet, ...]
    twice: tuple[CountedTwice, ...]
    round_trips: tuple[RoundTrip, ...]
    unseen: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """Return fail for a wallet claimed or a coin counted twice; a round trip asks for an explanation only."""
        if self.shared or self.twice:
            return Verdict.FAIL
        return Verdict.INDETERMINATE if self.unseen or self.round_trips else Verdict.PASS

    def to_record(self) -> dict[str, Any]:
        """Return plain JSON values; units are decimal strings."""

        def plain(records: Sequence[Any]) -> list[dict[str, Any]]:
            listed = [{k: list(v) if isinstance(v, tuple) else v for k, v in one._asdict().items()} for one in records]
            return [{k: str(v) if k == "units" else v for k, v in one.items()} for one in listed]

        return {
            "verdict": str(self.verdict),
            "parties": list(self.parties),
            "shared_wallets": plain(self.shared),
            "counted_twice": plain(self.twice),
            "round_trips": plain(self.round_trips),
            "without_window": list(self.unseen),
        }


def compare_parties(parties: Sequence[Party]) -> CrossReport:
    """Compare every two exchanges; several runs and lists of one exchange are taken together."""
    merged = _by_name(parties)
    pairs = list(combinations(merged, 2))
    shared = tuple(one for pair in pairs for one in _shared(*pair))
    flows = [(a, b) for pair in pairs for a, b in (pair, pair[::-1])]
    twice = tuple(one for a, b in flows for one in _counted_twice(a, b))
    trips = tuple(one for a, b in flows for one in _round_trips(a, b))
    unseen = tuple(party.name for party in merged if not any(case.past.windows for case in party.cases))
    return CrossReport(tuple(party.name for party in merged), shared, twice, trips, unseen)


def _by_name(parties: Sequence[Party]) -> list[Party]:
    merged: dict[str, Party] = {}
    for party in parties:
        known = merged.get(party.name, Party(party.name, (), {}))
        merged[party.name] = Party(party.name, (*known.cases, *party.cases), {**known.addresses, **party.addresses})
    return list(merged.values())


def party_of(case: Case) -> Party:
    """Return a verified run as a party."""
    addresses = {written(account): str(pool) for account, pool in case.accounts.items()}
    return Party(case.declaration.exchange.name, (case,), addresses)


def written(account: AccountId) -> str:
    """Return an address as it meets others: one spelling on all EVM chains, as it is elsewhere."""
    address = address_of(account)
    return address.lower() if family_of(chain_of(account)) == "eip155" else address


def _shared(first: Party, second: Party) -> Iterator[SharedWallet]:
    for address in sorted(first.addresses.keys() & second.addresses.keys()):
        roles = (first.addresses[address], second.addresses[address])
        yield SharedWallet(address, (first.name, second.name), roles)


def _between(giver: Party, taker: Party) -> list[tuple[AssetId, Transfer]]:
    """Return what went from wallets of one party to wallets of the other, as either of their windows shows it."""
    found: dict[tuple[str, str, int], tuple[AssetId, Transfer]] = {}
    spent: dict[tuple[str, str], int] = defaultdict(int)
    for asset, transfer in _transfers(giver):
        if transfer.coin and transfer.sender is not None:
            spent[asset, transfer.transaction] += transfer.units
    for asset, transfer in (*_transfers(giver), *_transfers(taker)):
        key = (asset, transfer.transaction, transfer.position)
        if transfer.coin:
            # A coin names one side only; the transaction that makes it for the one spends coins of the other.
            units = min(transfer.units, spent.get((asset, transfer.transaction), 0))
            if units and _is_of(taker, transfer.recipient):
                found[key] = asset, transfer._replace(units=units)
        elif _is_of(giver, transfer.sender) and _is_of(taker, transfer.recipient):
            found[key] = asset, transfer
    return sorted(found.values(), key=lambda one: (one[0], one[1].height, one[1].transaction, one[1].position))


def _transfers(party: Party) -> Iterator[tuple[AssetId, Transfer]]:
    """Yield what every run of a party shows, once each however many runs show it."""
    seen: set[tuple[AssetId, Transfer]] = set()
    for case in party.cases:
        for holding, history in case.past.histories.items():
            for transfer in history.transfers if isinstance(history, History) else ():
                if (holding.asset, transfer) not in seen:
                    seen.add((holding.asset, transfer))
                    yield holding.asset, transfer


def _is_of(party: Party, account: AccountId | None) -> bool:
    return account is not None and written(account) in party.addresses


def _counted_twice(giver: Party, taker: Party) -> Iterator[CountedTwice]:
    """What left after a block at which the giver counted, and arrived before one at which the taker did."""
    counted, counting = _blocks(giver), _blocks(taker)
    for asset, transfer in _between(giver, taker):
        chain = chain_of(asset)
        left = [height for height in counted[chain] if height < transfer.height]
        arrived = [height for height in counting[chain] if height >= transfer.height]
        if left and arrived and _counted(taker, transfer):
            snapshots = max(left), min(arrived)
            parties = giver.name, taker.name
            yield CountedTwice(asset, transfer.units, parties, transfer.transaction, transfer.height, snapshots)


def _round_trips(giver: Party, taker: Party) -> Iterator[RoundTrip]:
    """What came before the taker's snapshot and went back to the same party after it, within the windows."""
    there: dict[AssetId, list[Transfer]] = defaultdict(list)
    for asset, transfer in _between(giver, taker):
        there[asset].append(transfer)
    snapshots = _snapshots(taker)
    for asset, back in _between(taker, giver):
        for came in there[asset]:
            if any(came.height <= snapshot < back.height for snapshot in snapshots[chain_of(asset)]):
                units = min(came.units, back.units)
                yield RoundTrip(asset, units, (giver.name, taker.name), came.transaction, back.transaction)


def _blocks(party: Party) -> dict[str, set[int]]:
    """Return the heights at which a party's totals were counted, by chain."""
    found: dict[str, set[int]] = defaultdict(set)
    for case in party.cases:
        for block in case.blocks:
            found[block.chain].add(block.height)
    return found


def _snapshots(party: Party) -> dict[str, set[int]]:
    """Return the heights a party's declarations speak of, by chain."""
    found: dict[str, set[int]] = defaultdict(set)
    for case in party.cases:
        for window in case.past.windows:
            found[window.last.chain].add((window.snapshot or window.last).height)
    return found


def _counted(party: Party, transfer: Transfer) -> bool:
    pool = party.addresses.get(written(transfer.recipient)) if transfer.recipient else None
    return pool is not None and pool != Pool.PROPRIETARY
