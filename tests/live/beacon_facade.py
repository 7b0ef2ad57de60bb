"""A beacon chain over anvil: finalizes its blocks, signs as sync committees do, and serves the beacon API."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chains.evm.hexadecimal import hexadecimal
from chains.evm.light_client.containers import ExecutionPayloadHeader, write_versioned
from chains.evm.light_client.forks import beacon_network
from chains.providers import Provider
from tests.chains.simulated_beacon import SimulatedBeacon, attested_in
from tests.live.anvil import CHAIN, Anvil
from tests.live.loopback_server import served_on_loopback

START = 24
_NUMBERS = {
    "block_number": "number",
    "gas_limit": "gasLimit",
    "gas_used": "gasUsed",
    "timestamp": "timestamp",
    "base_fee_per_gas": "baseFeePerGas",
    "blob_gas_used": "blobGasUsed",
    "excess_blob_gas": "excessBlobGas",
}
_BYTES = {
    "parent_hash": "parentHash",
    "fee_recipient": "miner",
    "state_root": "stateRoot",
    "receipts_root": "receiptsRoot",
    "logs_bloom": "logsBloom",
    "prev_randao": "mixHash",
    "extra_data": "extraData",
    "block_hash": "hash",
}


class AnvilBeacon(SimulatedBeacon):
    """The beacon chain whose finalized slot in `period` holds a block of anvil; `lie` may change any answer."""

    def __init__(self, anvil: Anvil, period: int = 1) -> None:
        super().__init__(beacon_network("development"))
        self.period = period
        self.final = self.final_slot(attested_in(period))
        self.finalized = anvil.rpc("eth_getBlockByNumber", "latest", False)
        self.checkpoint = hexadecimal(self.root(START))
        self.lie: Callable[[str, Any], Any] = lambda what, answer: answer

    def execution(self, slot: int) -> ExecutionPayloadHeader:
        if slot != self.final:
            return super().execution(slot)
        block = self.finalized
        numbers: dict[str, Any] = {name: int(block[field], 16) for name, field in _NUMBERS.items()}
        return ExecutionPayloadHeader(
            **numbers, **{name: bytes.fromhex(block[field][2:]) for name, field in _BYTES.items()}
        )

    def answer(self, path: str) -> Any:
        """Answer one path of the light-client API; None is HTTP 404."""
        parts = urlsplit(path)
        what = parts.path.removeprefix("/eth/v1/beacon/light_client/")
        if what == "finality_update":
            update = self.finality_update(attested_in(self.period))
            found: Any = self._written(update, "finality_update")
        elif what == f"bootstrap/{self.checkpoint}":
            found = self._written(self.bootstrap(START), "bootstrap")
        elif what == "updates":
            asked = {name: int(value) for name, (value,) in parse_qs(parts.query).items()}
            periods = range(asked["start_period"], asked["start_period"] + asked["count"])
            found = [self._written(self.update(attested_in(period)), "update") for period in periods]
        else:
            return None
        return self.lie(what.split("/")[0], found)

    def _written(self, value: Any, kind: str) -> dict[str, Any]:
        return {"finalized": True, **write_versioned(value, kind, self.network)}


@contextmanager
def served(beacon: AnvilBeacon, operator: str = "beacon") -> Iterator[Provider]:
    """Serve a beacon chain on loopback and yield its provider, whose checkpoint is the chain's own."""

    def answer(path: str, question: Any) -> tuple[int, Any]:
        found = beacon.answer(path)
        return (404 if found is None else 200), found

    with served_on_loopback(answer) as address:
        yield Provider(operator, CHAIN, "beacon-api", (("checkpoint", beacon.checkpoint),), address)
