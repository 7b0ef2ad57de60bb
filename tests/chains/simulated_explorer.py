"""A block explorer whose pages a test writes: the transport under the readers of explorers."""

import json
from collections.abc import Callable
from typing import Any

from chains.providers import Provider
from chains.transport import Request, Response, evidence_id
from tests.chains.simulated_node import block_hash

TIP = 120


class SimulatedExplorer:
    """Answers Esplora's pages from `balances` (address -> received, spent); `before` runs ahead of every answer."""

    def __init__(self, balances: dict[str, tuple[Any, Any]] | None = None) -> None:
        self.tip = TIP
        self.balances = balances or {}
        self.overrides: dict[str, tuple[int, str]] = {}
        self.before: Callable[[str], None] = lambda path: None
        self.asked: list[str] = []

    def send(self, provider: Provider, request: Request) -> Response:
        assert request.method == "GET"
        self.asked.append(request.path)
        self.before(request.path)
        status, text = self.overrides.get(request.path) or self._page(request.path)
        return Response(status, text.encode(), evidence_id(provider, request, status, text.encode()))

    def _page(self, path: str) -> tuple[int, str]:
        known = {block_hash(height): height for height in range(self.tip + 1)}
        match path.split("/")[1:]:
            case ["blocks", "tip", "hash"]:
                return 200, block_hash(self.tip)
            case ["blocks", "tip", "height"]:
                return 200, str(self.tip)
            case ["block-height", height] if int(height) <= self.tip:
                return 200, block_hash(int(height))
            case ["block", name] if name in known:
                return 200, json.dumps(self._block(name, known[name]))
            case ["block", name, "txs", _] if name in known:
                return 200, '[{"txid": "aa"}]'
            case ["address", address]:
                return 200, json.dumps(self._address(address))
        return 404, "Block not found"

    def _block(self, name: str, height: int) -> dict[str, Any]:
        return {
            "id": name, "height": height, "timestamp": 1_700_000_000 + 600 * height, "tx_count": 1, "bits": 1,
            "merkle_root": "aa", "nonce": 0, "version": 1, "previousblockhash": None,
        }  # fmt: skip

    def _address(self, address: str) -> dict[str, Any]:
        received, spent = self.balances.get(address, (0, 0))
        return {
            "address": address,
            "chain_stats": {"funded_txo_sum": received, "spent_txo_sum": spent},
            "mempool_stats": {"funded_txo_sum": 7, "spent_txo_sum": 0},
        }
