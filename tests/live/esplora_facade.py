"""Esplora's documented pages over a real node's RPC: the explorer that cannot be installed here, its data real."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from chains.embedded.loopback import LoopbackServer
from chains.errors import ProviderError

HASH = "[0-9a-f]{64}"
PREVOUT_VERBOSITY = 3


class EsploraFacade:
    """Index a small chain by address and answer the pages that wallets and explorers' clients ask for."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self._tip = ""
        self._stats: dict[str, dict[str, int]] = {}
        self.requests: list[str] = []

    def server(self) -> LoopbackServer:
        return LoopbackServer({}, self.page)

    def page(self, path: str) -> str | None:
        self.requests.append(path)
        try:
            return self._page(path)
        except ProviderError:
            return None

    def _page(self, path: str) -> str | None:
        if path == "/blocks/tip/hash":
            return str(self._call("getbestblockhash"))
        if path == "/blocks/tip/height":
            return str(self._call("getblockcount"))
        if found := re.fullmatch(r"/block-height/(\d{1,9})", path):
            return str(self._call("getblockhash", int(found[1])))
        if found := re.fullmatch(f"/block/({HASH})", path):
            return json.dumps(self._block(found[1]))
        if found := re.fullmatch(rf"/block/({HASH})/txs(?:/(\d+))?", path):
            block = self._call("getblock", found[1], 1)
            start = int(found[2] or 0)
            return json.dumps([{"txid": txid} for txid in block["tx"][start : start + 25]])
        if found := re.fullmatch(r"/address/([a-zA-Z0-9]+)", path):
            return self._address(found[1])
        return None

    def _block(self, block_hash: str) -> dict[str, Any]:
        header = self._call("getblockheader", block_hash)
        return {
            "id": header["hash"],
            "height": header["height"],
            "version": header["version"],
            "timestamp": header["time"],
            "tx_count": header["nTx"],
            "merkle_root": header["merkleroot"],
            "previousblockhash": header.get("previousblockhash"),
            "mediantime": header["mediantime"],
            "nonce": header["nonce"],
            "bits": int(header["bits"], 16),
        }

    def _address(self, address: str) -> str | None:
        if not self._call("validateaddress", address)["isvalid"]:
            return None
        self._follow()
        empty = dict.fromkeys(("funded_txo_count", "funded_txo_sum", "spent_txo_count", "spent_txo_sum", "tx_count"), 0)
        return json.dumps(
            {"address": address, "chain_stats": self._stats.get(address, empty), "mempool_stats": dict(empty)}
        )

    def _follow(self) -> None:
        """Index the main chain anew whenever its tip is another one; regtest chains are short."""
        tip = self._call("getbestblockhash")
        if tip == self._tip:
            return
        self._stats = {}
        block_hash: str | None = tip
        while block_hash:
            block = self._call("getblock", block_hash, PREVOUT_VERBOSITY)
            for transaction in block["tx"]:
                self._count(transaction)
            block_hash = block.get("previousblockhash")
        self._tip = tip

    def _count(self, transaction: dict[str, Any]) -> None:
        touched = set()
        sides = [("funded", output) for output in transaction["vout"]]
        sides += [("spent", spent["prevout"]) for spent in transaction["vin"] if "prevout" in spent]
        for side, output in sides:
            address = output["scriptPubKey"].get("address")
            if address is None:
                continue
            stats = self._stats.setdefault(
                address,
                {"funded_txo_count": 0, "funded_txo_sum": 0, "spent_txo_count": 0, "spent_txo_sum": 0, "tx_count": 0},
            )
            stats[f"{side}_txo_count"] += 1
            stats[f"{side}_txo_sum"] += int(Decimal(output["value"]).scaleb(8))
            touched.add(address)
        for address in touched:
            self._stats[address]["tx_count"] += 1
