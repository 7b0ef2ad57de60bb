"""A server that speaks TON's documented HTTP API, for want of a real one: no real node was available."""

import base64
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chains.base_codecs import crc16
from chains.ids import AccountId, AssetId, ChainId
from chains.network import network_of
from chains.providers import Provider
from tests.live.loopback_server import served_on_loopback

CHAIN = ChainId("tvm:-239")
FIRST = 30_497_145
FIRST_TIME = 1_687_271_330
WHOLE_SHARD = "-9223372036854775808"


class Refusal(Exception):
    """An error answer on its way out."""


class SimulatedTon:
    """Masterchain blocks with the balances at each one; `lie` may change any result before it is sent."""

    def __init__(self) -> None:
        self.tip = FIRST
        self.balances: dict[int, dict[str, int]] = {FIRST: {}}
        self.lie = lambda method, result: result

    def close(self, changes: dict[str, int] | None = None) -> None:
        """Add a block in which these accounts (raw form) hold these nanotons."""
        self.tip += 1
        self.balances[self.tip] = self.balances[self.tip - 1] | (changes or {})

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(path)
        method = parts.path.removeprefix("/")
        asked = {name: value for name, (value,) in parse_qs(parts.query).items()}
        try:
            return 200, {"ok": True, "result": self.lie(method, getattr(self, f"_{method}")(asked))}
        except Refusal as refusal:
            return 500, {"ok": False, "error": str(refusal), "code": 500}

    def _name(self, seqno: int) -> dict[str, Any]:
        if seqno not in self.balances:
            raise Refusal("LITE_SERVER_NOTREADY: ltdb: block not found")
        root, file = (base64.b64encode(sha256(f"{kind} {seqno}".encode()).digest()).decode() for kind in "rf")
        name = {"@type": "ton.blockIdExt", "workchain": -1, "shard": WHOLE_SHARD, "seqno": seqno}
        return name | {"root_hash": root, "file_hash": file}

    def _getMasterchainInfo(self, asked: dict[str, str]) -> dict[str, Any]:
        return {"@type": "blocks.masterchainInfo", "last": self._name(self.tip)}

    def _getBlockHeader(self, asked: dict[str, str]) -> dict[str, Any]:
        assert (asked["workchain"], asked["shard"]) == ("-1", WHOLE_SHARD)
        seqno = int(asked["seqno"])
        facts = {"global_id": -239, "gen_utime": FIRST_TIME + 5 * (seqno - FIRST), "is_key_block": False}
        return {"@type": "blocks.header", "id": self._name(seqno)} | facts

    def _getExtendedAddressInformation(self, asked: dict[str, str]) -> dict[str, Any]:
        name = self._name(int(asked["seqno"]))
        balance = self.balances[name["seqno"]].get(asked["address"], -1)
        account = {"@type": "accountAddress", "account_address": friendly(asked["address"])}
        state = {"@type": "uninited.accountState", "frozen_hash": ""}
        facts = {"@type": "fullAccountState", "address": account, "balance": str(balance), "block_id": name}
        return facts | {"sync_utime": FIRST_TIME, "account_state": state, "revision": 0}


def friendly(raw: str, tag: int = 0x11) -> str:
    """Return the user-friendly form of a raw address. Source: TEP-2."""
    workchain, _, account = raw.partition(":")
    data = bytes([tag]) + int(workchain).to_bytes(1, "big", signed=True) + bytes.fromhex(account)
    return base64.urlsafe_b64encode(data + crc16(data).to_bytes(2, "big")).decode()


def served(chain: SimulatedTon) -> AbstractContextManager[str]:
    """Serve a chain on loopback and yield the address."""
    return served_on_loopback(lambda path, question: chain.answer(path))


def raw_address(number: int) -> str:
    return f"0:{sha256(f'account {number}'.encode()).hexdigest()}"


class TonHarness:
    """What the shared behaviour suite needs."""

    def __init__(self, chain: SimulatedTon, url: str) -> None:
        self.network = network_of(CHAIN)
        self.provider = Provider("local-ton", CHAIN, "toncenter-v2", (), url)
        self._chain, self._accounts = chain, 0

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        account = self.empty()
        self._chain.close({raw_address(self._accounts): units} if units else {})
        return account

    def empty(self) -> AccountId:
        self._accounts += 1
        return AccountId(f"{CHAIN}:{raw_address(self._accounts).replace(':', '%3A')}")

    def token(self) -> AssetId | None:
        return None

    def advance(self) -> None:
        self._chain.close()

    def reorganise(self) -> bool:
        """Do nothing: a masterchain block is never replaced."""
        return False


@contextmanager
def harness() -> Iterator[TonHarness]:
    chain = SimulatedTon()
    with served(chain) as url:
        yield TonHarness(chain, url)
