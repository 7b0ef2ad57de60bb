"""The whole audit of a large tree: rebuild it, compare it with the books, and show the leaves a beacon drew."""

from collections.abc import Sequence
from concurrent.futures import Executor

from verifier.liabilities.draw import Drawn
from verifier.liabilities.progress import Progress
from verifier.liabilities.publisher.audit import audit_list
from verifier.liabilities.publisher.blocks import BLOCK_HEIGHT, BLOCK_LEAVES, to_node
from verifier.liabilities.publisher.books import Books, compare_with_books
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Engine
from verifier.liabilities.publisher.rejects import Found
from verifier.liabilities.publisher.store import LeafList
from verifier.liabilities.reconcile import Reconciliation


def inspect(
    leaf_list: LeafList,
    books: Books | None,
    numbers: Sequence[int],
    executor: Executor,
    progress: Progress,
    engine: Engine = "plain",
) -> Reconciliation:
    """Audit a leaf list; `numbers` are leaves to be shown, with their accounts where the books are there."""
    commitment = leaf_list.commitment
    audit = audit_list(leaf_list, executor, progress, engine)
    rows = {number: _record(leaf_list, number) for number in numbers}
    if books is None:
        drawn = [_drawn(number, row[POSITION_BYTES:], None) for number, row in rows.items()]
        return Reconciliation(commitment, audit.leaf_count, None, audit.findings, tuple(drawn))
    positions = {number: row[:POSITION_BYTES] for number, row in rows.items()}
    explained = compare_with_books(leaf_list, books, frozenset(positions.values()), executor, progress, engine)
    drawn = [
        _drawn(number, row[POSITION_BYTES:], explained.asked.get(positions[number])) for number, row in rows.items()
    ]
    findings = (*audit.findings, *explained.findings)
    return Reconciliation(commitment, audit.leaf_count, explained.accounts, findings, tuple(drawn))


def _record(leaf_list: LeafList, number: int) -> bytes:
    return bytes(leaf_list.records(number >> BLOCK_HEIGHT)[number % BLOCK_LEAVES])


def _drawn(number: int, node: bytes, found: Found | None) -> Drawn:
    leaf = to_node(node)
    if found is None:
        return Drawn(number, leaf.hash.hex(), leaf.sums)
    return Drawn(number, leaf.hash.hex(), leaf.sums, found.account, found.row, found.units)
