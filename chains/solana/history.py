"""What an account held at a past slot: told by the transactions on both sides of it, or not told at all."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from chains.errors import InvalidAnswerError
from chains.jsonrpc import Answer, JsonRpc
from chains.solana.answers import TOKEN_PROGRAMS, Listed, Transaction, listed, transaction

FIRST_PAGE, PAGE, MAX_PAGES = 20, 1000, 10
# Anyone may send lamports to a token account; so many such transactions in a row are passed over.
MAX_ROUNDS = 20
MAX_SCANNED = 500


class Token(NamedTuple):
    """A mint, and the owner whose units of it count."""

    owner: str
    mint: str


class Watch(NamedTuple):
    """One account to trace back: what it holds at the slot `context`, in lamports or in units of `token`."""

    address: str
    units: int
    context: int
    token: Token | None = None


class Outcome(NamedTuple):
    """The units at the pinned slot, or why there are none, and the evidence for either."""

    units: int | None
    evidence: tuple[str, ...] = ()
    failure: str = ""


class _Listing(NamedTuple):
    entries: tuple[Listed, ...] = ()
    evidence: tuple[str, ...] = ()
    failure: str = ""
    ended: bool = False


class _Traced(NamedTuple):
    found: Transaction | None
    evidence: str
    failure: str = ""


class History:
    """Read the transactions around one pinned slot through one provider, each of them once."""

    def __init__(self, rpc: JsonRpc, batch: int, pinned: int) -> None:
        self._rpc, self._batch, self._pinned = rpc, batch, pinned
        self._listings: dict[str, _Listing] = {}
        self._traced: dict[str, _Traced] = {}

    def ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> Iterator[Answer]:
        """Ask many questions, in batches unless the provider takes none."""
        if self._batch == 1:
            return (self._rpc.ask(method, *parameters) for method, parameters in calls)
        return self._rpc.batch(calls, self._batch)

    def list_back(self, addresses: Iterable[str], context: int) -> None:
        """List each account's transactions, as a node sees them at `context` or later, back to the pinned slot."""
        opened = [address for address in dict.fromkeys(addresses) if address not in self._listings]
        self._listings |= dict.fromkeys(opened, _Listing())
        for number in range(MAX_PAGES + 1):
            calls = [("getSignaturesForAddress", [one, self._page(one, number, context)]) for one in opened]
            size = PAGE if number else FIRST_PAGE
            for address, answer in zip(opened, self.ask(calls), strict=True):
                self._listings[address] = self._longer(self._listings[address], answer, size)
            opened = [address for address in opened if self._is_open(self._listings[address])]
        for address in opened:
            failure = f"more than {FIRST_PAGE + MAX_PAGES * PAGE} transactions since slot {self._pinned}"
            self._listings[address] = self._listings[address]._replace(failure=failure)

    def accounts_of(self, token: Token, context: int) -> tuple[set[str], Outcome]:
        """Return the token accounts of an owner that its own transactions since the pinned slot name.

        The outcome carries the evidence, and a failure when the transactions cannot all be read.
        """
        listing = self._listings[token.owner]
        since = [entry for entry in listing.entries if self._pinned < entry.slot <= context]
        if listing.failure or len(since) > MAX_SCANNED:
            many = f"the owner has {len(since)} transactions since slot {self._pinned}; at most {MAX_SCANNED} are read"
            return set(), Outcome(None, listing.evidence, listing.failure or many)
        self._fetch(since)
        traced = [self._traced[entry.signature] for entry in since]
        evidence = (*listing.evidence, *(one.evidence for one in traced))
        failure = next((one.failure for one in traced if one.failure), "")
        if failure:
            return set(), Outcome(None, evidence, failure)
        named = {key for one in traced if one.found for key in _held_by(one.found, token)}
        return named, Outcome(0, evidence)

    def trace(self, watches: Sequence[Watch]) -> list[Outcome]:
        """Return what each account held at the pinned slot; its history must have been listed."""
        for _ in range(MAX_ROUNDS):
            wanted = [entry for watch in watches for entry in self._wanted(watch)]
            if not wanted:
                break
            self._fetch(wanted)
        return [self._judge(watch) for watch in watches]

    def _page(self, address: str, number: int, context: int) -> dict[str, Any]:
        options = {"commitment": "finalized", "limit": PAGE if number else FIRST_PAGE, "minContextSlot": context}
        if number:
            options["before"] = self._listings[address].entries[-1].signature
        return options

    def _longer(self, listing: _Listing, answer: Answer, size: int) -> _Listing:
        evidence = (*listing.evidence, answer.evidence)
        if answer.error:
            return listing._replace(evidence=evidence, failure=str(answer.error))
        try:
            page = listed(answer.result, size)
        except InvalidAnswerError as error:
            return listing._replace(evidence=evidence, failure=str(error))
        entries = (*listing.entries, *page)
        slots = [entry.slot for entry in entries]
        if slots != sorted(slots, reverse=True) or len({entry.signature for entry in entries}) != len(entries):
            return listing._replace(evidence=evidence, failure="the history is not in order, or repeats itself")
        return _Listing(entries, evidence, "", ended=not page)

    def _is_open(self, listing: _Listing) -> bool:
        """Say whether older transactions must be listed: a short page is no end, some nodes cap pages lower."""
        reached = bool(listing.entries) and listing.entries[-1].slot <= self._pinned
        return not (listing.failure or listing.ended or reached)

    def _fetch(self, entries: Iterable[Listed]) -> None:
        fresh = list({entry.signature: entry for entry in entries if entry.signature not in self._traced}.values())
        options = {"encoding": "json", "commitment": "finalized", "maxSupportedTransactionVersion": 0}
        calls = [("getTransaction", [entry.signature, options]) for entry in fresh]
        for entry, answer in zip(fresh, self.ask(calls), strict=True):
            self._traced[entry.signature] = _traced(entry, answer)

    def _sides(self, watch: Watch) -> tuple[list[Listed], list[Listed], list[Listed]]:
        """Return the transactions up to the pinned slot, those after it, and all: nearest to the slot first."""
        entries = [entry for entry in self._listings[watch.address].entries if entry.slot <= watch.context]
        before = [entry for entry in entries if entry.slot <= self._pinned]
        after = [entry for entry in entries if entry.slot > self._pinned]
        return before, after[::-1], entries

    def _wanted(self, watch: Watch) -> list[Listed]:
        if self._listings[watch.address].failure:
            return []
        return [entry for side in self._sides(watch) for entry in self._unread(side, watch)]

    def _unread(self, side: Sequence[Listed], watch: Watch) -> list[Listed]:
        for entry in side:
            traced = self._traced.get(entry.signature)
            if traced is None:
                return [entry]
            if _speaks(traced, watch):
                return []
        return []

    def _judge(self, watch: Watch) -> Outcome:
        listing = self._listings[watch.address]
        if listing.failure:
            return Outcome(None, listing.evidence, listing.failure)
        telling: list[_Traced | None] = []
        for side in self._sides(watch):
            if self._unread(side, watch):
                return Outcome(None, listing.evidence, f"{MAX_ROUNDS} transactions in a row name no tokens")
            read = (self._traced[entry.signature] for entry in side)
            telling.append(next((traced for traced in read if _speaks(traced, watch)), None))
        evidence = (*listing.evidence, *dict.fromkeys(one.evidence for one in telling if one))
        failure = next((one.failure for one in telling if one and one.failure), "")
        if failure:
            return Outcome(None, evidence, failure)
        try:
            before, after, newest = (one.found if one else None for one in telling)
            return Outcome(_bracketed(watch, before, after, newest), evidence)
        except InvalidAnswerError as error:
            return Outcome(None, evidence, str(error))


def _bracketed(watch: Watch, before: Transaction | None, after: Transaction | None, newest: Transaction | None) -> int:
    """Return what an account held between two transactions. Raises InvalidAnswerError when they do not fit together.

    What the newest one left must be there now, what the last one up to the pinned slot left must be what the next one
    found, and an account without an earlier one must have been empty.
    """
    left = _units(newest, watch, after=True)
    if left != watch.units:
        raise InvalidAnswerError(
            f"{watch.address} holds {watch.units} and its newest transaction left {left}: the history is not complete, "
            "or the balance changed without a transaction"
        )
    units = _units(before, watch, after=True)
    met = units if after is None else _units(after, watch, after=False)
    if met != units:
        raise InvalidAnswerError(
            f"{watch.address} was left with {units} before the pinned slot and met with {met} after it: the history "
            "does not reach back far enough, or the balance changed without a transaction"
        )
    return units


def _units(found: Transaction | None, watch: Watch, after: bool) -> int:
    if found is None:
        return 0
    if watch.address not in found.keys:
        raise InvalidAnswerError(f"a transaction listed for {watch.address} does not touch it")
    place = found.keys.index(watch.address)
    if watch.token is None:
        return found.lamports[after][place]
    held = found.tokens[after].get(place)
    # A node that leaves the owner out is taken at its neighbour's word: the two sides must give the same units.
    if held is None or held.mint != watch.token.mint or held.owner not in (None, watch.token.owner):
        return 0
    return held.units


def _speaks(traced: _Traced, watch: Watch) -> bool:
    """Say whether a transaction tells the balance: nodes note tokens only where a token program takes part."""
    return watch.token is None or traced.found is None or not TOKEN_PROGRAMS.isdisjoint(traced.found.keys)


def _held_by(found: Transaction, token: Token) -> set[str]:
    held = [(place, one) for moment in found.tokens for place, one in moment.items()]
    return {found.keys[place] for place, one in held if one.mint == token.mint and one.owner in (None, token.owner)}


def _traced(entry: Listed, answer: Answer) -> _Traced:
    if answer.error:
        return _Traced(None, answer.evidence, str(answer.error))
    try:
        return _Traced(transaction(answer.result, entry), answer.evidence)
    except InvalidAnswerError as error:
        return _Traced(None, answer.evidence, str(error))
