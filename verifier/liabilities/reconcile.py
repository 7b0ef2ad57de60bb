"""Compare a published leaf list with the exchange's own books: who was left out, and which leaf belongs to nobody."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from verifier.inclusion import sum_tree, wire
from verifier.inclusion.commitment import Commitment, load_commitment
from verifier.inclusion.finding import Finding
from verifier.inclusion.sum_tree import Node
from verifier.liabilities.accounts import Account, read_accounts
from verifier.liabilities.audit import audit_leaves
from verifier.liabilities.folder import read_secret
from verifier.liabilities.leaves import read_leaves
from verifier.liabilities.places import COMMITMENT, LEAVES

SHOWN = 10


class Reconciliation(NamedTuple):
    """What an audit of a tree covered, and everything that is wrong; `accounts` is None when no books were given."""

    commitment: Commitment
    leaves: int
    accounts: int | None
    findings: tuple[Finding, ...]


def audit_folder(folder: Path, accounts: Path | None = None, secret: Path | None = None) -> Reconciliation:
    """Rebuild a tree's folder from its leaf list; with the books and the run's secret, explain every leaf.

    Raises UnavailableError when a part cannot be read, InputError when one is malformed.
    """
    # 1. The leaf list leads to the published root, totals and count
    commitment = load_commitment(folder / COMMITMENT)
    listed: set[bytes] = set()
    audit = audit_leaves(commitment, _noting(read_leaves(folder / LEAVES, commitment.assets), listed))
    if accounts is None or secret is None:
        return Reconciliation(commitment, audit.leaf_count, None, audit.findings)
    # 2. Every account of the books has its leaf, and every leaf its account
    books = read_accounts(accounts, commitment.assets)
    count, differences = _reconcile(commitment, read_secret(secret), books, listed)
    return Reconciliation(commitment, audit.leaf_count, count, (*audit.findings, *differences))


def _noting(leaves: Iterable[Node], hashes: set[bytes]) -> Iterator[Node]:
    for leaf in leaves:
        hashes.add(leaf.hash)
        yield leaf


def _reconcile(
    commitment: Commitment, secret: bytes, books: Iterable[Account], unexplained: set[bytes]
) -> tuple[int, list[Finding]]:
    key = sum_tree.salt_key(secret, commitment.run_id)
    seen: set[bytes] = set()
    left_out: list[str] = []
    doubled: list[str] = []
    for account in books:
        name = account.id.encode()
        salt = sum_tree.salt_of(key, name)
        place = sum_tree.position_of(salt, name)
        if place in seen:
            doubled.append(account.id)
        seen.add(place)
        leaf = sum_tree.leaf_hash(commitment.run_id, salt, name, account.units)
        if leaf in unexplained:
            unexplained.remove(leaf)
        else:
            left_out.append(account.id)
    return len(seen), [*_named("account-doubled", "listed twice in the books", doubled), *_gaps(left_out, unexplained)]


def _gaps(left_out: list[str], unexplained: set[bytes]) -> list[Finding]:
    found = _named("account-left-out", "without a leaf for what the books say (left out, or another balance)", left_out)
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
