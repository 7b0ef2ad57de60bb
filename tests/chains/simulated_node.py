"""A full node of the Bitcoin family that says what a test lets it say: the transport a reader under test asks."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from chains.providers import Provider
from chains.transport import Request, Response, evidence_id

Answer = dict[str, Any]


def header(height: int, branch: int = 0) -> bytes:
    """Return an 80-byte header whose time is 1,700,000,000 plus 600 seconds per block."""
    time = 1_700_000_000 + 600 * height
    return bytes([branch]) * 36 + height.to_bytes(32, "little") + time.to_bytes(4, "little") + bytes(8)


def block_hash(height: int, branch: int = 0) -> str:
    return sha256(sha256(header(height, branch)).digest()).digest()[::-1].hex()


BUSY = {"code": -8, "message": 'Scan already in progress, use action "abort" or "status"'}


class SimulatedNode:
    """Answers the dialect `bitcoin-core` from a list of coins; `lie` may change the JSON text of any scan's answer.

    Coins are (txid, vout, scriptPubKey hex, amount as JSON text, height).
    """

    def __init__(self, tip: int = 120, coins: list[tuple[str, int, str, str, int]] | None = None) -> None:
        self.tip = tip
        self.branch = 0
        self.coins = coins or []
        self.lie: Callable[[str], str] = lambda text: text
        self.scans: list[list[str]] = []
        self.error: Answer | None = None
        self.downloading = False
        self.waited: list[float] = []
        self.busy = 0  # scans refused because another one runs, before one is answered

    def pause(self, seconds: float) -> None:
        self.waited.append(seconds)

    def send(self, provider: Provider, request: Request) -> Response:
        question = json.loads(request.body)
        if isinstance(question, list):
            body = "[" + ",".join(self._answer(item) for item in question) + "]"
        else:
            body = self._answer(question)
        return Response(200, body.encode(), evidence_id(provider, request, 200, body.encode()))

    def _answer(self, question: Answer) -> str:
        method, parameters = question["method"], question["params"]
        if method == "scantxoutset" and self.busy:
            self.busy -= 1
            return json.dumps({"id": question["id"], "result": None, "error": BUSY})
        if method == "scantxoutset" and self.error:
            return json.dumps({"id": question["id"], "result": None, "error": self.error})
        result = getattr(self, f"_{method}")(*parameters)
        text = self.lie(result) if method == "scantxoutset" else json.dumps(result)
        return f'{{"id": {question["id"]}, "result": {text}, "error": null}}'

    def _getblockhash(self, height: int) -> str:
        return block_hash(height, self.branch)

    def _getblockheader(self, name: str, verbose: bool) -> str:
        assert not verbose
        heights = {block_hash(height, self.branch): height for height in range(self.tip + 1)}
        return header(heights[name], self.branch).hex()

    def _getblockchaininfo(self) -> Answer:
        return {
            "blocks": self.tip,
            "bestblockhash": block_hash(self.tip, self.branch),
            "initialblockdownload": self.downloading,
        }

    def _scantxoutset(self, action: str, descriptors: list[str]) -> str:
        assert action == "start"
        self.scans.append(descriptors)
        coins = ",".join(
            f'{{"txid": "{txid}", "vout": {vout}, "scriptPubKey": "{script}", "amount": {amount}, "height": {height}}}'
            for txid, vout, script, amount, height in self.coins
        )
        total = sum(round(float(amount) * 10**8) for *_, amount, _ in self.coins if not amount.startswith('"'))
        return (
            f'{{"success": true, "height": {self.tip}, "bestblock": "{block_hash(self.tip, self.branch)}", '
            f'"unspents": [{coins}], "total_amount": {total // 10**8}.{total % 10**8:08d}}}'
        )
