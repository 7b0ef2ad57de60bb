"""A server that speaks the XRP Ledger's documented JSON-RPC over HTTP, for want of a real one that runs here."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256, sha512
from typing import Any

from chains.base_codecs import RIPPLE_ALPHABET, base58_check
from chains.ids import AccountId, AssetId, ChainId
from chains.network import network_of
from chains.providers import Provider
from tests.live.loopback_server import served_on_loopback

CHAIN = ChainId("xrpl:0")
FIRST = 32_570


class SimulatedLedger:
    """Validated ledgers with the balances each one holds; `lie` may change any result before it is sent."""

    def __init__(self) -> None:
        network = network_of(CHAIN)
        assert network.canary is not None
        self.hashes = {FIRST: network.canary.hash}
        self.balances: dict[int, dict[str, int]] = {FIRST: {}}
        self.tip = FIRST
        self.lie = lambda method, result: result

    def close(self, changes: dict[str, int] | None = None) -> None:
        """Close a ledger in which these accounts hold these drops."""
        self.tip += 1
        self.hashes[self.tip] = sha512(f"ledger {self.tip}".encode()).hexdigest()[:64].upper()
        self.balances[self.tip] = self.balances[self.tip - 1] | (changes or {})

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        method, (parameters,) = question["method"], question["params"]
        return {"result": self.lie(method, getattr(self, f"_{method}")(parameters))}

    def _server_info(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"info": {"network_id": 0, "server_state": "full"}, "status": "success"}

    def _ledger(self, parameters: dict[str, Any]) -> dict[str, Any]:
        index = self.tip if parameters["ledger_index"] == "validated" else parameters["ledger_index"]
        if index not in self.hashes:
            return {"error": "lgrNotFound", "error_code": 21, "error_message": "ledgerNotFound", "status": "error"}
        where = {"ledger_hash": self.hashes[index], "ledger_index": index, "validated": True, "status": "success"}
        return where | {"ledger": {"close_time": 410_325_670 + 4 * (index - FIRST), "closed": True}}

    def _account_info(self, parameters: dict[str, Any]) -> dict[str, Any]:
        index = next((n for n, name in self.hashes.items() if name == parameters["ledger_hash"]), None)
        if index is None:
            return {"error": "lgrNotFound", "error_code": 21, "error_message": "ledgerNotFound", "status": "error"}
        account = parameters["account"]
        where = {"ledger_hash": self.hashes[index], "ledger_index": index, "validated": True}
        if account not in self.balances[index]:
            missing = {"error": "actNotFound", "error_code": 19, "error_message": "Account not found."}
            return where | missing | {"account": account, "status": "error"}
        data = {"Account": account, "Balance": str(self.balances[index][account]), "LedgerEntryType": "AccountRoot"}
        return where | {"account_data": data, "status": "success"}


def served(ledger: SimulatedLedger) -> AbstractContextManager[str]:
    """Serve a ledger on loopback and yield the address."""
    return served_on_loopback(lambda path, question: (200, ledger.answer(question)))


def address(number: int) -> str:
    return base58_check(b"\0" + sha256(f"account {number}".encode()).digest()[:20], RIPPLE_ALPHABET)


class XrplHarness:
    """What the shared behaviour suite needs."""

    def __init__(self, ledger: SimulatedLedger, url: str) -> None:
        self.network = network_of(CHAIN)
        self.provider = Provider("local-ledger", CHAIN, "xrpl", (), url)
        self._ledger, self._accounts = ledger, 0

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        account = self.empty()
        self._ledger.close({account.rpartition(":")[2]: units} if units else {})
        return account

    def empty(self) -> AccountId:
        self._accounts += 1
        return AccountId(f"{CHAIN}:{address(self._accounts)}")

    def token(self) -> AssetId | None:
        return None

    def advance(self) -> None:
        self._ledger.close()

    def reorganise(self) -> bool:
        """Do nothing: a validated ledger is never replaced."""
        return False


@contextmanager
def harness() -> Iterator[XrplHarness]:
    ledger = SimulatedLedger()
    ledger.close()
    with served(ledger) as url:
        yield XrplHarness(ledger, url)
