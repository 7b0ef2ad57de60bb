"""A JSON-RPC node on loopback that can be told to lie, hang up, prune or reorganise: real HTTP, no real chain."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chains.embedded.loopback import LoopbackServer, RpcFaultError
from chains.ids import ChainId
from chains.providers import Provider

CHAIN = ChainId("eip155:31337")


def block_hash(height: int, branch: str = "a") -> str:
    return "0x" + f"{branch}{height:x}".rjust(64, "0")


@dataclass
class SimulatedNode:
    """One operator's node; every field may be changed while it runs."""

    balances: dict[str, int] = field(default_factory=dict)
    height: int = 100
    branch: str = "a"
    chain: str = "0x7a69"
    pruned: bool = False
    reorganise_after: int = 0  # balances answered until another branch wins; 0 means never
    asked: list[str] = field(default_factory=list)

    def block(self, height: int) -> dict[str, Any]:
        return {
            "number": hex(height),
            "hash": block_hash(height, self.branch),
            "timestamp": hex(1_700_000_000 + height),
        }

    def chain_id(self) -> str:
        self.asked.append("eth_chainId")
        return self.chain

    def block_by_number(self, tag: str, full: bool) -> dict[str, Any] | None:
        self.asked.append("eth_getBlockByNumber")
        height = self.height if tag in {"latest", "finalized", "safe"} else int(tag, 16)
        return self.block(height) if height <= self.height else None

    def balance(self, address: str, where: Any) -> str:
        self.asked.append("eth_getBalance")
        wanted = where["blockHash"]
        if self.pruned:
            raise RpcFaultError(-32000, "missing trie node")
        if wanted not in {block_hash(height, self.branch) for height in range(self.height + 1)}:
            raise RpcFaultError(-32000, "header for hash not found")
        if self.reorganise_after == 1:
            self.branch = "b"
        self.reorganise_after = max(0, self.reorganise_after - 1)
        return hex(self.balances.get(address, 0))

    def code(self, address: str, where: Any) -> str:
        return "0x"

    @contextmanager
    def provider(self, operator: str) -> Iterator[Provider]:
        methods = {
            "eth_chainId": self.chain_id,
            "eth_getBlockByNumber": self.block_by_number,
            "eth_getBalance": self.balance,
            "eth_getCode": self.code,
        }
        with LoopbackServer(methods) as server:
            yield Provider(operator, CHAIN, "json-rpc", url=server.url)
