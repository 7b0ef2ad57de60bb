"""Compare a published leaf list with the exchange's own books: who was left out, and which leaf belongs to nobody."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from verifier.inclusion import sum_tree, wire
from verifier.inclusion.commitment import Commitment, load_commitment
from verifier.inclusion.finding import Finding
from verifier.inclusion.sum_tree import Node
from verifier.liabilities.accounts import Account, read_accounts
from verifier.liabilities.audit import audit_leaves
from verifier.liabilities.draw import Drawn
from verifier.liabilities.folder import read_secret
from verifier.liabilities.leaves import read_leaves
from verifier.liabilities.places import COMMITMENT, LEAVES

SHOWN = 10
_FIRST_ROW = 2  # the header is row 1


class Reconciliation(NamedTuple):
    """What an audit of a tree covered, and everything that is wrong; `accounts` is None when no books were given.

    `drawn` are the leaves that were asked for by number.
    """

    commitment: Commitment
    leaves: int
    accounts: int | None
    findings: tuple[Finding, ...]
    drawn: tuple[Drawn, ...] = ()

    def to_record(self) -> dict[str, Any]:
        """Return the audit as JSON values; amounts are base units as decimal texts."""
        return {
            "verdict": "fail" if self.findings else "pass",
            "root": self.commitment.digest,
            "leaves": self.leaves,
            "accounts": self.accounts,
            "findings": [finding._asdict() for finding in self.findings],
            "drawn": [drawn.to_record() for drawn in self.drawn],
        }


def audit_folder(folder: Path, books: tuple[Path, Path] | None = None, numbers: Sequence[int] = ()) -> Reconciliation:
    """Rebuild a tree's folder from its leaf list; with the books (accounts, secret), explain every leaf.

    `numbers` are leaves to show. Raises UnavailableError when a part cannot be read, InputError when one is malformed.
    """
    # 1. The leaf list leads to the published root, totals and count
    commitment = load_commitment(folder / COMMITMENT)
    listed: set[bytes] = set()
    drawn: dict[int, Drawn] = dict.fromkeys(numbers, Drawn(0, "", ()))
    audit = audit_leaves(commitment, _noting(read_leaves(folder / LEAVES, commitment.assets), listed, drawn))
    if books is None:
        return Reconciliation(commitment, audit.leaf_count, None, audit.findings, tuple(drawn.values()))
    # 2. Every account of the books has its leaf, and every leaf its account
    accounts, secret = books
    explained: dict[str, tuple[int, Account]] = {one.leaf: (0, Account("", ())) for one in drawn.values()}
    rows = read_accounts(accounts, commitment.assets)
    count, differences = _reconcile(commitment, read_secret(secret), rows, listed, explained)
    shown = tuple(_explained(one, *explained[one.leaf]) for one in drawn.values())
    return Reconciliation(commitment, audit.leaf_count, count, (*audit.findings, *differences), shown)


def _noting(leaves: Iterable[Node], hashes: set[bytes], drawn: dict[int, Drawn]) -> Iterator[Node]:
    for number, leaf in enumerate(leaves):
        hashes.add(leaf.hash)
        if number in drawn:
            drawn[number] = Drawn(number, leaf.hash.hex(), leaf.sums)
        yield leaf


def _explained(drawn: Drawn, row: int, account: Account) -> Drawn:
    return drawn._replace(account=account.id, row=row, booked=account.units) if row else drawn


def _reconcile(
    commitment: Commitment,
    secret: bytes,
    books: Iterable[Account],
    unexplained: set[bytes],
    asked: dict[str, tuple[int, Account]],
) -> tuple[int, list[Finding]]:
    salt_key, split_key = (derive(secret, commitment.run_id) for derive in (sum_tree.salt_key, sum_tree.split_key))
    seen: set[str] = set()
    left_out: list[str] = []
    doubled: list[str] = []
    for row, account in enumerate(books, _FIRST_ROW):
        name = account.id.encode()
        if account.id in seen:
            doubled.append(account.id)
        seen.add(account.id)
        leaves = set()
        for part, units in enumerate(sum_tree.split_units(split_key, name, account.units, commitment.parts)):
            salt, _ = sum_tree.salt_and_position(salt_key, name, part)
            leaves.add(sum_tree.leaf_hash(commitment.run_id, salt, name, units, part))
        asked.update({leaf.hex(): (row, account) for leaf in leaves if leaf.hex() in asked})
        if not leaves <= unexplained:
            left_out.append(account.id)
        unexplained -= leaves
    return len(seen), [*_named("account-doubled", "listed twice in the books", doubled), *_gaps(left_out, unexplained)]


def _gaps(left_out: list[str], unexplained: set[bytes]) -> list[Finding]:
    found = _named(
        "account-left-out", "without the leaves that the books ask for (left out, or another balance)", left_out
    )
    if unexplained:
        shown = ", ".join(leaf.hex()[:16] for leaf in islice(sorted(unexplained), SHOWN))
        text = f"{len(unexplained):,} leaves that no account of the books explains: {shown}"
        found.append(Finding("leaf-unexplained", text))
    return found


def _named(code: str, what: str, accounts: list[str]) -> list[Finding]:
    if not accounts:
        return []
    shown = ", ".join(wire.show(account) for account in accounts[:SHOWN])
    return [Finding(code, f"{len(accounts):,} accounts {what}: {shown}")]
