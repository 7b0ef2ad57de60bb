"""Who controls each wallet: the declaration's claims, checked one by one."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from enum import StrEnum
from itertools import repeat
from multiprocessing import get_context
from typing import Any, NamedTuple

from chains.addresses import canonical_account
from chains.errors import ChainError
from chains.ids import AccountId
from chains.signatures import verify
from verifier.declaration import Declaration, OwnershipClaim, Pool
from verifier.ownership.binding import Binding, Terms, age_days, bind, terms_of

MANY, PORTION = 5_000, 500
# What a scheme must be told by whoever verifies: a claim that brought its own state root would prove itself.
OURS = frozenset({"state_root"})

Progress = Callable[[int], None]


class Control(StrEnum):
    """What is shown about an account. No claim at all, and custody by a third party, are states of their own."""

    SIGNED = "signed"
    REFUSED = "refused"
    UNCLAIMED = "unclaimed"
    THIRD_PARTY = "third-party"


class Ownership(NamedTuple):
    """The best claim for one account: did its key sign, what does the message name, and how old is it.

    `age_days` counts from the date in the message to the declaration's `as_of`; None when the message states no date.
    """

    account: AccountId
    control: Control
    scheme: str
    binding: Binding
    reason: str
    age_days: int | None = None


def check_ownership(declaration: Declaration, progress: Progress = lambda done: None) -> dict[AccountId, Ownership]:
    """Check every ownership claim; the best one per account counts. An unreadable claim is refused, not fatal.

    Many claims are checked by one process per core; `progress` is told how many are done.
    """
    found: dict[AccountId, Ownership] = {}
    for done, result in enumerate(_checked(terms_of(declaration), declaration.ownership), 1):
        if done % PORTION == 0:
            progress(done)
        earlier = found.get(result.account)
        if earlier is None or _rank(result) > _rank(earlier):
            found[result.account] = result
    return found


def _checked(terms: Terms, claims: Sequence[OwnershipClaim]) -> Iterator[Ownership]:
    cores = os.cpu_count() or 1
    if len(claims) < MANY or cores < 2:
        yield from (check_claim(terms, claim) for claim in claims)
        return
    portions = [claims[start : start + PORTION] for start in range(0, len(claims), PORTION)]
    with ProcessPoolExecutor(cores, get_context("forkserver")) as pool:
        for results in pool.map(_check_portion, repeat(terms), portions):
            yield from results


def _check_portion(terms: Terms, claims: Sequence[OwnershipClaim]) -> list[Ownership]:
    return [check_claim(terms, claim) for claim in claims]


def check_claim(terms: Terms, claim: OwnershipClaim) -> Ownership:
    """Check one claim: a signature by another key, an unknown scheme or a malformed account is refused."""
    binding, age = bind(terms, claim.message), age_days(terms, claim.message)
    try:
        account = canonical_account(AccountId(claim.account))
        result = verify(claim.scheme, account, claim.message, claim.signature, **_material(claim))
    except ChainError as error:
        return Ownership(AccountId(claim.account), Control.REFUSED, claim.scheme, binding, str(error), age)
    control = Control.SIGNED if result.valid else Control.REFUSED
    return Ownership(account, control, claim.scheme, binding, result.reason, age)


def control_of(ownership: Ownership | None, pool: Pool) -> Control:
    """Return the state of a wallet: what its claim shows, or why there may be none."""
    if ownership is not None:
        return ownership.control
    return Control.THIRD_PARTY if pool is Pool.CLIENT_THIRD_PARTY else Control.UNCLAIMED


def reused_claims(declaration: Declaration, earlier: Declaration) -> tuple[AccountId, ...]:
    """Return the accounts whose very signature was already in an earlier declaration: it shows nothing new."""
    known = Counter((claim.account, claim.signature) for claim in earlier.ownership)
    again = {AccountId(claim.account) for claim in declaration.ownership if (claim.account, claim.signature) in known}
    return tuple(sorted(again))


def _rank(ownership: Ownership) -> tuple[bool, Binding, int]:
    age = -(10**6) if ownership.age_days is None else -abs(ownership.age_days)
    return ownership.control is Control.SIGNED, ownership.binding, age


def _material(claim: OwnershipClaim) -> dict[str, Any]:
    """Return what a scheme needs beside account, message and signature, as far as the claim gives it."""
    given: dict[str, Any] = {
        "public_key": claim.public_key,
        "script": claim.script,
        "more_signatures": claim.more_signatures,
    }
    given |= {name: value for name, value in (claim.material or {}).items() if name not in OURS}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items() if value}
