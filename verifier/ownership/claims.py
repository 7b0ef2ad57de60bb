"""Who controls each wallet: the declaration's claims, checked one by one."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from enum import StrEnum
from itertools import chain, repeat
from multiprocessing import get_context
from types import MappingProxyType
from typing import Any, NamedTuple

from chains.addresses import canonical_account
from chains.errors import ChainError, IdentifierError
from chains.evm.safe.record import read_record
from chains.ids import AccountId, ChainId, chain_of, family_of
from chains.questions import Observation
from chains.signatures import verify
from chains.signatures.result import OwnershipResult
from verifier.declaration import Declaration, OwnershipClaim, Pool, utc_seconds, utc_text
from verifier.observed import NOTHING, Observed, signature_question
from verifier.ownership.binding import Binding, Terms, age_days, bind, terms_of

MANY, PORTION = 5_000, 500
FIRST_TIME = 500_000_000  # from here on a lock time counts seconds, below it blocks. Source: BIP-65
_AGE, _AGE_IN_TIME, _AGE_UNIT = 0xFFFF, 1 << 22, 512  # an age counts blocks, or units of 512 seconds. Source: BIP-68
# What a scheme must be told by whoever verifies: a claim that brought its own state root would prove itself.
OURS = frozenset({"state_root"})
CONTRACT_SCHEMES = frozenset({"safe", "contract-owner", "eip-1271"})

Progress = Callable[[int], None]


class Control(StrEnum):
    """What is shown about an account.

    No claim at all, custody by a third party, and a claim whose other half the chain has not told, are states of their
    own.
    """

    SIGNED = "signed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNCLAIMED = "unclaimed"
    THIRD_PARTY = "third-party"


class Ownership(NamedTuple):
    """The best claim for one account: did its key sign, what does the message name, and how old is it.

    `age_days` counts from the date in the message to the declaration's `as_of`; None when the message states no date.
    `from_height` is the height from which the script that signed can spend, 0 for at once; `from_age` the age that a
    coin must have for it, as BIP-68 writes it.
    """

    account: AccountId
    control: Control
    scheme: str
    binding: Binding
    reason: str
    age_days: int | None = None
    from_height: int = 0
    from_age: int = 0


def check_ownership(
    declaration: Declaration,
    observed: Observed = NOTHING,
    progress: Progress = lambda done: None,
    heights: Mapping[ChainId, int] = MappingProxyType({}),
    newest: Mapping[AccountId, int] = MappingProxyType({}),
) -> dict[AccountId, Ownership]:
    """Check every ownership claim; the best one per account counts. An unreadable claim is refused, not fatal.

    Claims for contracts are judged by what was `observed` on the chain; scripts that open only at a later height than
    the pinned ones (`heights`), or when the account's `newest` coin (the height of its block) is older, show no control
    today. Many claims are checked by one process per core; `progress` is
    told how many are done.
    """
    found: dict[AccountId, Ownership] = {}
    terms = terms_of(declaration)
    keys = [claim for claim in declaration.ownership if claim.scheme not in CONTRACT_SCHEMES]
    contracts = [claim for claim in declaration.ownership if claim.scheme in CONTRACT_SCHEMES]
    signed = (_unless_young(_unless_locked(result, heights), heights, newest) for result in _checked(terms, keys))
    results = chain(signed, (check_contract(terms, claim, observed) for claim in contracts))
    for done, result in enumerate(results, 1):
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
    if result.valid_from_time >= FIRST_TIME and result.valid_from_time > utc_seconds(terms.as_of):
        opens = f"time-locked until {utc_text(result.valid_from_time)}"
        return Ownership(account, Control.REFUSED, claim.scheme, binding, opens, age)
    locked = result.valid_from_time if result.valid_from_time < FIRST_TIME else 0
    return Ownership(account, control, claim.scheme, binding, result.reason, age, locked, result.valid_from_age)


def _unless_locked(claim: Ownership, heights: Mapping[ChainId, int]) -> Ownership:
    """Refuse a claim whose script opens only above the pinned height; without one it is not known."""
    if not claim.from_height or claim.control is not Control.SIGNED:
        return claim
    height = heights.get(chain_of(claim.account))
    if height is None:
        return claim._replace(control=Control.UNKNOWN, reason=f"opens at height {claim.from_height}")
    if height < claim.from_height:
        return claim._replace(control=Control.REFUSED, reason=f"time-locked until height {claim.from_height}")
    return claim


def _unless_young(claim: Ownership, heights: Mapping[ChainId, int], newest: Mapping[AccountId, int]) -> Ownership:
    """Refuse a claim whose script opens only for coins older than the account's newest. Source: BIP-68."""
    if not claim.from_age or claim.control is not Control.SIGNED:
        return claim
    blocks = claim.from_age & _AGE
    height, coin = heights.get(chain_of(claim.account)), newest.get(claim.account)
    if claim.from_age & _AGE_IN_TIME or height is None or coin is None:
        said = f"{blocks * _AGE_UNIT} seconds" if claim.from_age & _AGE_IN_TIME else f"{blocks} blocks"
        return claim._replace(control=Control.UNKNOWN, reason=f"opens for coins that are {said} old")
    if height + 1 - coin < blocks:  # the next block may hold what spends it
        return claim._replace(control=Control.REFUSED, reason=f"time-locked until its coins are {blocks} blocks old")
    return claim


def check_contract(terms: Terms, claim: OwnershipClaim, observed: Observed) -> Ownership:
    """Check a claim for a contract by what the chain says of it at the pinned block.

    `safe`: the owners follow from a proof under the state root of the pinned block, and sign. `contract-owner`: the
    key account that the contract names as its owner signs. `eip-1271`: the contract itself takes the signature, which
    is its own word. What the chain has not told leaves the claim unknown, neither shown nor refused; a claim that
    nobody could ask about is refused.
    """
    binding, age = bind(terms, claim.message), age_days(terms, claim.message)
    account = AccountId(claim.account)

    def judged(control: Control, reason: str) -> Ownership:
        return Ownership(account, control, claim.scheme, binding, reason, age)

    try:
        account = canonical_account(account)
        told = _observation(claim, account, observed)
        if told is None or told.text is None:
            return judged(Control.UNKNOWN, told.failure if told else "the chain was not asked")
        result = _contract_result(claim, account, told)
    except ChainError as error:
        return judged(Control.REFUSED, str(error))
    return judged(Control.SIGNED if result.valid else Control.REFUSED, result.reason)


def _observation(claim: OwnershipClaim, account: AccountId, observed: Observed) -> Observation | None:
    if family_of(chain_of(account)) != "eip155":
        raise IdentifierError(f"{claim.scheme} serves accounts of eip155 only")
    match claim.scheme:
        case "safe":
            return observed.of(account, "safe")
        case "contract-owner":
            return observed.of(account, "owner")
        case _:
            question = signature_question(claim)
            return observed.of(question.account, question.topic, question.detail)


def _contract_result(claim: OwnershipClaim, account: AccountId, told: Observation) -> OwnershipResult:
    text = told.text or ""
    if claim.scheme == "safe":
        # The record was compared with the pinned block's hash; its state root is that block's, not the claim's.
        root = str(read_record(text)["state_root"])
        return verify("safe", account, claim.message, claim.signature, proof=text, state_root=root)
    if claim.scheme == "contract-owner":
        owner = AccountId(f"{chain_of(account)}:{text}")
        signed = verify("eip-191", owner, claim.message, claim.signature)
        return signed._replace(account=account, reason=f"{signed.reason} (the contract's owner: {_word_of(told)})")
    valid = text == "signed"
    return OwnershipResult(valid, f"{text} (the contract's own word: {_word_of(told)})", claim.scheme, account)


def _word_of(told: Observation) -> str:
    """Say on whose word an observation rests."""
    said = f"{told.tier.label} by {', '.join(told.operators)}"
    return f"{said}; {told.remark}" if told.remark else said


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


def _rank(ownership: Ownership) -> tuple[int, Binding, int]:
    age = -(10**6) if ownership.age_days is None else -abs(ownership.age_days)
    rank = {Control.SIGNED: 2, Control.UNKNOWN: 1}.get(ownership.control, 0)
    return rank, ownership.binding, age


def _material(claim: OwnershipClaim) -> dict[str, Any]:
    """Return what a scheme needs beside account, message and signature, as far as the claim gives it."""
    given: dict[str, Any] = {
        "public_key": claim.public_key,
        "script": claim.script,
        "more_signatures": claim.more_signatures,
    }
    given |= {name: value for name, value in (claim.material or {}).items() if name not in OURS}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items() if value}
