"""A server that speaks Horizon's documented HTTP interface, for want of a real one that runs here."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from chains.base_codecs import base32, crc16
from chains.ids import AccountId, AssetId, ChainId
from chains.network import network_of
from chains.providers import Provider
from tests.live.loopback_server import served_on_loopback

CHAIN = ChainId("stellar:pubnet")
FIRST = 34_073_932
NOT_FOUND = {"type": "https://stellar.org/horizon-errors/not_found", "title": "Resource Missing", "status": 404}

Line = tuple[str, str, str]  # account, code, issuer


def strkey(version: int, payload: bytes) -> str:
    body = bytes([version << 3]) + payload
    return base32(body + crc16(body).to_bytes(2, "little"))


def address(number: int) -> str:
    return strkey(6, sha256(f"account {number}".encode()).digest())


class SimulatedHorizon:
    """The present of a network, and which ledger last changed each part of it.

    `lie` may change any answer, and its HTTP status, before it is sent. `behind` is how many ledgers the server's
    present lags.
    """

    def __init__(self) -> None:
        self.tip = FIRST
        self.lumens: dict[str, tuple[int, int]] = {}
        self.lines: dict[Line, tuple[int, int]] = {}
        self.operations: dict[str, int] = {}
        self.behind = 0
        self.lie = lambda path, status, answer: (status, answer)

    def close(self, lumens: dict[str, int | None] | None = None, lines: dict[Line, int | None] | None = None) -> None:
        """Close a ledger that sets these balances, in stroops; None removes the account or the trust line."""
        self.tip += 1
        for account, units in (lumens or {}).items():
            self._set(self.lumens, account, units)
            self.operations[account] = self.tip
        for line, units in (lines or {}).items():
            if units is None or line not in self.lines:
                # The account counts its trust lines, so it changes with them.
                self._set(self.lumens, line[0], self.lumens.get(line[0], (10_000_000, 0))[0])
            self._set(self.lines, line, units)
            self.operations[line[0]] = self.tip

    def _set(self, kept: Any, key: Any, units: int | None) -> None:
        if units is None:
            del kept[key]
        else:
            kept[key] = (units, self.tip)

    def answer(self, path: str, question: Any) -> tuple[int, Any]:
        status, answer = self._honest(urlsplit(path).path)
        return self.lie(path, status, answer)

    def _honest(self, path: str) -> tuple[int, Any]:
        match path.strip("/").split("/"):
            case [""]:
                latest = self.tip - self.behind
                passphrase = "Public Global Stellar Network ; September 2015"
                heights = {
                    "ingest_latest_ledger": latest,
                    "history_latest_ledger": latest,
                    "history_elder_ledger": FIRST,
                }
                return 200, heights | {"core_latest_ledger": self.tip, "network_passphrase": passphrase}
            case ["ledgers"]:
                return 200, {"_embedded": {"records": [self.ledger(self.tip)]}}
            case ["ledgers", number] if FIRST <= int(number) <= self.tip:
                return 200, self.ledger(int(number))
            case ["accounts", account] if account in self.lumens:
                return 200, self._account(account)
            case ["accounts", account, "operations"] if account in self.operations:
                token = str((self.operations[account] << 32) + 4097)
                return 200, {"_embedded": {"records": [{"id": token, "paging_token": token, "type": "payment"}]}}
        return 404, NOT_FOUND

    def ledger(self, height: int) -> dict[str, Any]:
        closed = datetime.fromtimestamp(1_613_749_802 + 5 * (height - FIRST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        name = sha256(f"ledger {height}".encode()).hexdigest()
        return {"id": name, "hash": name, "sequence": height, "closed_at": closed}

    def _account(self, account: str) -> dict[str, Any]:
        units, modified = self.lumens[account]
        native = {"balance": decimal(units), "asset_type": "native", "buying_liabilities": "0.0000000"}
        lines = [
            {
                "balance": decimal(held),
                "last_modified_ledger": when,
                "asset_type": "credit_alphanum4" if len(code) <= 4 else "credit_alphanum12",
                "asset_code": code,
                "asset_issuer": issuer,
            }
            for (holder, code, issuer), (held, when) in self.lines.items()
            if holder == account
        ]
        return {"id": account, "account_id": account, "last_modified_ledger": modified, "balances": [*lines, native]}


def decimal(units: int) -> str:
    return f"{units // 10**7}.{units % 10**7:07d}"


def served(server: SimulatedHorizon) -> AbstractContextManager[str]:
    """Serve a network on loopback and yield the address."""
    return served_on_loopback(server.answer)


class StellarHarness:
    """What the shared behaviour suite needs."""

    def __init__(self, server: SimulatedHorizon, url: str) -> None:
        self.network = network_of(CHAIN)
        self.provider = Provider("local-horizon", CHAIN, "horizon", (), url)
        self._server, self._accounts = server, 0

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        account = self.empty()
        holder = account.rpartition(":")[2]
        if asset is None:
            self._server.close({holder: units})
        else:
            code, _, issuer = asset.rpartition(":")[2].partition("-")
            self._server.close(lines={(holder, code, issuer): units})
        return account

    def empty(self) -> AccountId:
        self._accounts += 1
        return AccountId(f"{CHAIN}:{address(self._accounts)}")

    def token(self) -> AssetId | None:
        return AssetId(f"{CHAIN}/asset:USDC-{address(1_000_000)}")

    def advance(self) -> None:
        self._server.close()

    def reorganise(self) -> bool:
        """Do nothing: a closed ledger is never replaced."""
        return False


@contextmanager
def harness() -> Iterator[StellarHarness]:
    server = SimulatedHorizon()
    server.close()
    with served(server) as url:
        yield StellarHarness(server, url)
