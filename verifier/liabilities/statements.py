"""Sign for every account what it is owed and which leaf will stand for it, before anybody sees the tree."""

from collections.abc import Iterable, Iterator

from verifier.dsse import Sealer
from verifier.inclusion.proof import parse_proof
from verifier.inclusion.statement import statement_from


def sign_statements(
    receipts: Iterable[tuple[str, bytes]], exchange: str, sealer: Sealer
) -> Iterator[tuple[str, bytes]]:
    """Yield (account, signed statement) for each (account, proof)."""
    for account, content in receipts:
        proof = parse_proof(content, account)
        yield account, sealer(statement_from(exchange, proof).to_json())
