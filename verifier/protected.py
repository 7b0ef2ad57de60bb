"""What the chains said of wallets that clients rely on, counted: how much, in which words, and who has not told."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from chains.ids import AccountId, AssetId
from chains.model import Tier
from chains.questions import Observation
from verifier.case import Case
from verifier.declaration import PROTECTED_POOLS


class Meaning(NamedTuple):
    """What one answer comes to: how much it counts, in which words, and why it leaves the total open."""

    amount: int = 0
    words: str = ""
    open: str = ""


MeaningOf = Callable[[AccountId, str], Meaning]


class Tally(NamedTuple):
    """A total over wallets, what makes it up in words, and the wallets that leave it open."""

    total: int
    words: tuple[str, ...]
    tier: Tier
    evidence: tuple[str, ...]
    open: tuple[str, ...]


def tally_accounts(case: Case, topic: str, meaning_of: MeaningOf, details: Iterable[str] = ("",)) -> Tally | None:
    """Add up what was answered about the accounts of protected pools; None when the run asked nothing."""
    if topic not in case.observed.topics:
        return None
    wanted = set(details)
    asked = ((told.question, told) for told in case.observed.about(topic))
    about = ((one.account, told) for one, told in asked if one.detail in wanted)
    return _tally(((who, told) for who, told in about if who in case.protected_accounts), meaning_of)


def tally_holders(case: Case, asset: AssetId, topic: str, detail: str, meaning_of: MeaningOf) -> Tally | None:
    """Add up what was answered about the accounts that hold an asset in a protected pool; None: nothing was asked."""
    if topic not in case.observed.topics:
        return None
    positions = (one for one in case.positions_by_asset.get(asset, ()) if one.placement.pool in PROTECTED_POOLS)
    accounts = (one.placement.holding.account for one in positions)
    return _tally(((who, case.observed.of(who, topic, detail)) for who in accounts), meaning_of)


def joined(*tallies: Tally | None) -> Tally:
    """Return several totals as one; those of what the run did not ask are left out."""
    asked = [one for one in tallies if one is not None]
    return Tally(
        sum(one.total for one in asked),
        tuple(word for one in asked for word in one.words),
        min((one.tier for one in asked), default=Tier.PROVEN),
        tuple(sorted({item for one in asked for item in one.evidence})),
        tuple(reason for one in asked for reason in one.open),
    )


NOTHING = Tally(0, (), Tier.PROVEN, (), ())


def _tally(about: Iterable[tuple[AccountId, Observation | None]], meaning_of: MeaningOf) -> Tally:
    """Add up what each answer means; the weakest answer's tier holds for the whole."""
    total, words, tier, evidence, opened = 0, list[str](), Tier.PROVEN, set[str](), list[str]()
    for account, told in about:
        if told is None or told.text is None:
            opened.append(f"{account}: {told.failure if told else 'was not asked'}")
            continue
        meaning = meaning_of(account, told.text)
        total += meaning.amount
        words += [f"{account} {meaning.words}"] if meaning.words else []
        opened += [f"{account}: {meaning.open}"] if meaning.open else []
        tier = min(tier, told.tier)
        evidence.update(told.evidence)
    return Tally(total, tuple(words), tier, tuple(sorted(evidence)), tuple(opened))
