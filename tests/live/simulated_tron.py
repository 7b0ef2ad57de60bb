"""A node that speaks java-tron's documented HTTP and JSON-RPC interfaces, for want of a real one that runs here."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from typing import Any, NamedTuple

from chains.base_codecs import base58_check, from_base58_check
from chains.ids import AccountId, AssetId, ChainId
from chains.network import network_of
from chains.providers import Provider
from chains.tron.header import block_id
from chains.tron.tokens import TRANSFER
from tests.live.loopback_server import served_on_loopback

CHAIN = ChainId("tron:2494104990")
# The header of Shasta's first block; its witness is a sentence, whose "A" is the byte that addresses begin with.
GENESIS = {
    "txTrieRoot": "ea97ca7ac977cf2765093fa0e4732e561dc4ff8871c17e35fd2bcabb8b5f821d",
    "witness_address": "41"
    + " new system must allow existing systems to be linked together without requiring "
    "any central control or coordination".encode("ascii").hex(),
    "parentHash": "957dc2d350daecc7bb6a38f3938ebde0a0c1cedafe15f0edae4256a2907449f6",
}
NOT_FOUND = {"Error": "class org.tron.core.exception.ItemNotFoundException : This block does not exist"}
MISMATCH = {"Error": "class java.lang.IllegalArgumentException : number and hash do not match"}
MOST_LOGS_BLOCKS = 5_000


class Transfer(NamedTuple):
    """Units of a token that changed hands; no sender means that they were made."""

    token: str
    sender: str
    receiver: str
    units: int


def address(number: int) -> str:
    return base58_check(b"\x41" + sha256(f"account {number}".encode()).digest()[:20])


NOBODY = base58_check(b"\x41" + bytes(20))
TOKEN = address(1_000_000)


class SimulatedTron:
    """Solidified blocks with the balances and transfers of each.

    `history_from` is the first block with a balance history, None without one. `lie` may change any answer before it
    is sent; `meanwhile` runs before each question is answered.
    """

    def __init__(self) -> None:
        self.headers: list[dict[str, Any]] = [GENESIS]
        self.changes: list[dict[str, int]] = [{}]
        self.transfers: list[list[Transfer]] = [[]]
        self.history_from: int | None = 0
        self.status = 200
        self.lie = lambda path, answer: answer
        self.meanwhile = lambda path: None

    @property
    def tip(self) -> int:
        return len(self.headers) - 1

    def close(self, changes: dict[str, int] | None = None, transfers: Sequence[Transfer] = (), salt: str = "") -> None:
        """Close a block in which these accounts come to hold these sun, and these tokens move."""
        height = len(self.headers)
        root, witness = sha256(f"{height} {salt}".encode()).hexdigest(), "41" + "b2" * 20
        header = {"number": height, "txTrieRoot": root, "witness_address": witness, "version": 34}
        self.headers.append(
            header | {"parentHash": self.id(height - 1), "timestamp": 1_777_445_121_000 + 3000 * height}
        )
        self.changes.append(changes or {})
        self.transfers.append(list(transfers))

    def replace_tip(self) -> None:
        """Replace the newest block by another one with the same balances."""
        self.headers.pop()
        self.close(self.changes.pop(), self.transfers.pop(), "another")

    def id(self, height: int) -> str:
        found = block_id(self.headers[height])
        assert found is not None
        return found

    def answer(self, path: str, question: dict[str, Any]) -> tuple[int, Any]:
        self.meanwhile(path)
        name = path.rpartition("/")[2]
        return self.status, self.lie(path, getattr(self, f"_{name}")(question))

    def _getblockbynum(self, question: dict[str, Any]) -> dict[str, Any]:
        height = question["num"]
        if not 0 <= height <= self.tip:
            return {}
        return {"blockID": self.id(height), "block_header": {"raw_data": self.headers[height], "witness_signature": ""}}

    def _getnowblock(self, question: dict[str, Any]) -> dict[str, Any]:
        return self._getblockbynum({"num": self.tip})

    def _getaccountbalance(self, question: dict[str, Any]) -> dict[str, Any]:
        asked, holder = question["block_identifier"], question["account_identifier"]["address"]
        if asked["number"] > self.tip:
            error = f"class org.tron.core.exception.ItemNotFoundException : number: {asked['number']} is not found!"
            return {"Error": error}
        if asked["hash"] != self.id(asked["number"]):
            return MISMATCH
        for height in range(asked["number"], -1, -1):
            if self.history_from is not None and height >= self.history_from and holder in self.changes[height]:
                where = {"hash": self.id(height), "number": height}
                return {"balance": self.changes[height][holder], "block_identifier": where}
        return {"balance": 0, "block_identifier": asked}

    def _getblockbalance(self, question: dict[str, Any]) -> dict[str, Any]:
        height = question["number"]
        if self.history_from is None or not self.history_from <= height <= self.tip:
            return NOT_FOUND
        if question["hash"] != self.id(height):
            return MISMATCH
        return {
            "block_identifier": {"hash": question["hash"], "number": height},
            "timestamp": 1,
            "transaction_balance_trace": [],
        }

    def _getaccount(self, question: dict[str, Any]) -> dict[str, Any]:
        held = [change[question["address"]] for change in self.changes if question["address"] in change]
        return {"address": question["address"], "balance": held[-1]} if held else {}

    def _triggerconstantcontract(self, question: dict[str, Any]) -> dict[str, Any]:
        token = question["contract_address"]
        moved = [transfer for block in self.transfers for transfer in block if transfer.token == token]
        if not moved:
            return {"result": {"code": "CONTRACT_VALIDATE_ERROR", "message": "Smart contract is not exist."}}
        holder = base58_check(b"\x41" + bytes.fromhex(question["parameter"])[12:])
        units = sum(one.units * ((one.receiver == holder) - (one.sender == holder)) for one in moved)
        asked = {"owner_address": question["owner_address"], "contract_address": token}
        value = asked | {"data": "70a08231" + question["parameter"]}
        contract = {"parameter": {"value": value}, "type": "TriggerSmartContract"}
        transaction = {"ret": [{}], "visible": True, "raw_data": {"contract": [contract]}}
        outcome = {"result": {"result": True}, "energy_used": 935, "constant_result": [f"{units:064x}"]}
        return outcome | {"transaction": transaction}

    def _jsonrpc(self, question: dict[str, Any]) -> dict[str, Any]:
        assert question["method"] == "eth_getLogs"
        (asked,) = question["params"]
        start, end = int(asked["fromBlock"], 16), int(asked["toBlock"], 16)
        frame = {"jsonrpc": "2.0", "id": question["id"]}
        if end - start >= MOST_LOGS_BLOCKS:
            return frame | {"error": {"code": -32602, "message": f"exceed max block range: {MOST_LOGS_BLOCKS}"}}
        logs = [
            log
            for height in range(start, min(end, self.tip) + 1)
            for log in self._logs(height)
            if log["address"] == asked["address"]
            and all(want in (None, have) for want, have in zip(asked["topics"], log["topics"], strict=False))
        ]
        return frame | {"result": logs}

    def _logs(self, height: int) -> Iterator[dict[str, Any]]:
        for place, (token, sender, receiver, units) in enumerate(self.transfers[height]):
            parties = ["0x" + bytes(12).hex() + twenty_bytes(one) for one in (sender or NOBODY, receiver)]
            where = {"blockNumber": hex(height), "blockHash": "0x" + self.id(height), "logIndex": hex(place)}
            what = {"address": "0x" + twenty_bytes(token), "topics": [TRANSFER, *parties], "data": f"0x{units:064x}"}
            yield where | what | {"removed": False}


def twenty_bytes(text: str) -> str:
    payload = from_base58_check(text)
    assert payload is not None
    return payload[1:].hex()


def served(node: SimulatedTron) -> AbstractContextManager[str]:
    """Serve a node on loopback and yield the address."""
    return served_on_loopback(node.answer)


class TronHarness:
    """What the shared behaviour suite needs."""

    def __init__(self, node: SimulatedTron, url: str) -> None:
        self.network = network_of(CHAIN)
        self.provider = Provider("local-node", CHAIN, "tron", (), url)
        self._node, self._accounts = node, 0

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        account = self.empty()
        receiver = account.rpartition(":")[2]
        if asset is None:
            self._node.close({receiver: units})
        else:
            self._node.close(transfers=[Transfer(asset.rpartition(":")[2], "", receiver, units)])
        return account

    def empty(self) -> AccountId:
        self._accounts += 1
        return AccountId(f"{CHAIN}:{address(self._accounts)}")

    def token(self) -> AssetId | None:
        return AssetId(f"{CHAIN}/trc20:{TOKEN}")

    def advance(self) -> None:
        self._node.close()

    def reorganise(self) -> bool:
        self._node.replace_tip()
        return True


@contextmanager
def harness() -> Iterator[TronHarness]:
    node = SimulatedTron()
    node.close()
    with served(node) as url:
        yield TronHarness(node, url)
