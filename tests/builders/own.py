"""Proofs in our own format: an account in several leaves, whole, and with its leaves told wrongly."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from verifier.inclusion.commitment import TreeAsset
from verifier.liabilities.accounts import Account
from verifier.liabilities.build import build

ASSETS = (
    TreeAsset("bip122:000000000019d6689c085ae165831e93/slip44:0", "BTC", 8),
    TreeAsset("eip155:1/slip44:60", "ETH", 18),
)
ACCOUNTS = tuple(Account(f"user-{number}", (number * 10**7, (5 - number) * 10**18)) for number in range(5))


@dataclass(frozen=True)
class OwnCase:
    """One proof file with what must come out; `findings` are the codes of a refusal."""

    title: str
    files: dict[str, bytes]
    root: str
    findings: tuple[str, ...] = ()
    own: dict[str, str] | None = None
    totals: dict[str, str] | None = None

    @property
    def verdict(self) -> str:
        return "refused" if self.findings else "accepted"


def _proof(parts: int, change: Callable[[list[Any]], object] = lambda leaves: None) -> tuple[bytes, str]:
    """Return the last account's proof as JSON, with its list of leaves changed, and the published digest."""
    tree = build(ACCOUNTS, ASSETS, "2026-11", "2026-11-22T00:00:00Z", bytes(range(32)), parts)
    record = json.loads(tree.prove("user-4").to_json())
    change(record["leaves"])
    return json.dumps(record, indent=1).encode() + b"\n", tree.commitment.digest


def own_cases() -> dict[str, OwnCase]:
    """Return every case by the name of its folder."""
    amounts = {"own": {"BTC": "0.4", "ETH": "1"}, "totals": {"BTC": "1", "ETH": "15"}}
    cases = {
        "own-whole": (1, "an account in one leaf is found", lambda leaves: None, ()),
        "own-split": (3, "an account in three leaves is found, with their sum as its balance", lambda leaves: None, ()),
        "own-split-leaf-repeated": (
            3,
            "one leaf stands for two parts of an account, so that it counts twice",
            lambda leaves: leaves.__setitem__(1, leaves[0]),
            ("leaf-repeated",),
        ),
        "own-split-part-missing": (
            3,
            "the last of three leaves of an account is left off",
            lambda leaves: leaves.pop(),
            ("parts-differ",),
        ),
        "own-split-parts-swapped": (
            3,
            "the leaves of an account are told in another order than the parts they are",
            lambda leaves: leaves.reverse(),
            ("root-differs", "root-differs"),
        ),
    }
    built = {}
    for name, (parts, title, change, findings) in cases.items():
        content, root = _proof(parts, change)
        built[name] = OwnCase(title, {"proof.json": content}, root, findings, **({} if findings else amounts))
    return built
