"""Ways to divide what there is, side by side: what is given in kind, and by which rule the money follows."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from verifier.compensation.funds import GUARANTEE, RESERVE_FUND
from verifier.compensation.incident import Incident
from verifier.compensation.shares import Rule, equal_awards, pro_rata, tiers_of


class Strategy(NamedTuple):
    """A way to divide: pools whose coins go in kind to who is short of that very asset, and a rule for the money.

    `by_account`: the rule looks at how large a claim is, so that leaves must be whole accounts.
    """

    name: str
    text_en: str
    text_ja: str
    in_kind: tuple[str, ...]
    by_account: bool
    rule: Callable[[Sequence[int]], Rule | None]


def _always(rule: Rule) -> Callable[[Sequence[int]], Rule | None]:
    return lambda caps: rule


# Guarantee assets are held for the very asset they guarantee: they are never turned into money for somebody else.
STRATEGIES = (
    Strategy(
        "same-asset-first",
        "Coins of the lost asset are given in kind, from the guarantee assets and the reserve fund; money is divided in"
        " proportion to what is still short.",
        "失われた資産と同種の資産を、履行保証暗号資産及び準備金から現物で返還し、残額に応じて金銭を按分する。",
        (GUARANTEE, RESERVE_FUND),
        False,
        _always(pro_rata),
    ),
    Strategy(
        "pro-rata",
        "Guarantee assets are given in kind; everything else is turned into money and divided in proportion.",
        "履行保証暗号資産を現物で返還し、その他はすべて金銭に換えて按分する。",
        (GUARANTEE,),
        False,
        _always(pro_rata),
    ),
    Strategy(
        "small-accounts-whole",
        "Guarantee assets are given in kind; money is paid alike to everybody until small claims are met in full.",
        "履行保証暗号資産を現物で返還し、金銭は少額の請求が全額満たされるまで均等に支払う。",
        (GUARANTEE,),
        True,
        _always(equal_awards),
    ),
    Strategy(
        "priority-tiers",
        "Guarantee assets are given in kind; money meets claims up to the first amount of the incident's tiers, then up"
        " to the next.",
        "履行保証暗号資産を現物で返還し、金銭は事案に定める第一の額まで、次いで第二の額までの請求を順に満たす。",
        (GUARANTEE,),
        True,
        lambda caps: tiers_of(caps) if caps else None,
    ),
)


def strategy_named(name: str) -> Strategy | None:
    """Return a strategy by its name."""
    return next((one for one in STRATEGIES if one.name == name), None)


def rule_of(strategy: Strategy, incident: Incident) -> Rule | None:
    """Return how a strategy divides money, or None when the incident names no tiers for it."""
    return strategy.rule([int(one) for one in incident.tiers])
