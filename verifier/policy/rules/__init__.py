"""Rules: each is a function from a case and dated parameters to findings."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import cast

from verifier.case import Case
from verifier.errors import InputError
from verifier.policy.finding import Finding
from verifier.policy.pack import Pack, Rule

RuleFunction = Callable[[Case, Pack, Rule], Sequence[Finding]]

RULES: Mapping[str, str] = {
    "coverage-per-asset": "verifier.policy.rules.coverage:coverage_per_asset",
    "hot-share": "verifier.policy.rules.hot_share:hot_share",
    "guarantee-matches-hot": "verifier.policy.rules.guarantee:guarantee_matches_hot",
    "wallet-control": "verifier.policy.rules.control:wallet_control",
    "per-user-attributability": "verifier.policy.rules.attributability:per_user_attributability",
}


def rule_function(name: str) -> RuleFunction:
    """Return the function behind a rule's name. Raises InputError naming the known ones."""
    if name not in RULES:
        raise InputError(f"unknown rule {name!r}; known: {', '.join(sorted(RULES))}")
    module, _, function = RULES[name].partition(":")
    return cast(RuleFunction, getattr(import_module(module), function))
