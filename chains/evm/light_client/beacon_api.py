"""Capture what ties an execution block to a checkpoint, from a beacon node's API, and check it on the spot."""

from typing import Any

from chains.errors import InvalidAnswerError, NetworkDataError, ProviderError
from chains.evm.hexadecimal import data, hexadecimal
from chains.evm.light_client.containers import (
    LightClientBootstrap,
    LightClientFinalityUpdate,
    LightClientUpdate,
    read_versioned,
)
from chains.evm.light_client.forks import BeaconNetwork, beacon_network
from chains.evm.light_client.proof import MAX_UPDATES, HeaderProof, ProvenHeader, prove_execution_header
from chains.ids import ChainId
from chains.model import Anchor, BlockRef, ProofKind
from chains.network import Network
from chains.providers import Provider
from chains.rest import decode_page
from chains.transport import Request, Response, Transport

_BASE = "/eth/v1/beacon/light_client"
# Nodes answer at most this many updates at once (MAX_REQUEST_LIGHT_CLIENT_UPDATES).
UPDATES_PER_REQUEST = 128


class BeaconApi:
    """Find the block that a finality update names, and follow the sync committees to it (dialect `beacon-api`).

    The provider's option `checkpoint` is the root of a finalized beacon block from which to start, 0x and 64 digits.
    Nothing the node answers is believed: a wrong answer proves no block. Source: Ethereum Beacon APIs, light client.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network, self._provider, self._transport = network, provider, transport
        if network.evm is None or not network.evm.beacon:
            raise NetworkDataError(f"{provider.name}: {network.name} has no beacon chain of its own")
        self._beacon: BeaconNetwork = beacon_network(network.evm.beacon)
        if set(dict(provider.options)) != {"checkpoint"}:
            raise NetworkDataError(
                f"{provider.name}: needs the option `checkpoint` and no other: the root of a finalized beacon block"
            )
        try:
            self._checkpoint = data(provider.option("checkpoint"), "checkpoint", 32)
        except InvalidAnswerError as error:
            raise NetworkDataError(f"{provider.name}: {error}") from error

    def anchor(self) -> Anchor:
        """Return the finalized execution block that follows from the checkpoint. Raises ChainError."""
        evidence: list[str] = []
        # 1. The finality update: its block is the one to attest at.
        found = self._part("/finality_update", evidence)
        finality: LightClientFinalityUpdate = read_versioned(found, "finality_update", self._beacon, "finality_update")
        # 2. The checkpoint's own committee.
        found = self._part(f"/bootstrap/{hexadecimal(self._checkpoint)}", evidence)
        bootstrap: LightClientBootstrap = read_versioned(found, "bootstrap", self._beacon, "bootstrap")
        # 3. One update for each period between the two.
        first = self._beacon.period_at(bootstrap.header.beacon.slot)
        last = self._beacon.period_at(finality.signature_slot)
        updates = self._updates(first, last - first, evidence)
        # 4. The proof, as whoever verifies will repeat it from the same answers.
        proof = HeaderProof(self._checkpoint, bootstrap, updates, finality)
        signed = self._beacon.time_of(finality.signature_slot)
        proven = prove_execution_header(proof, self._beacon, self._checkpoint, signed)
        block = BlockRef(ChainId(self._network.chain), proven.block_number, proven.block_hash, proven.timestamp)
        return Anchor(block, ProofKind.STATE, proven.checkpoint_root, _about(proven), tuple(evidence))

    def _updates(self, first: int, count: int, evidence: list[str]) -> tuple[LightClientUpdate, ...]:
        if not 0 <= count <= MAX_UPDATES:
            raise NetworkDataError(
                f"{self._provider.name}: the checkpoint is {count} sync committee periods before the newest finalized"
                f" block; 0 to {MAX_UPDATES} are followed: state a newer one"
            )
        found: list[LightClientUpdate] = []
        while len(found) < count:
            wanted = min(UPDATES_PER_REQUEST, count - len(found))
            page = self._get(f"/updates?start_period={first + len(found)}&count={wanted}", evidence)
            if not isinstance(page, list) or not 1 <= len(page) <= wanted:
                raise InvalidAnswerError(f"{self._provider.name}: asked for {wanted} updates, got another number")
            for entry in page:
                where = f"updates[{len(found)}]"
                found.append(read_versioned(_parts(entry, where), "update", self._beacon, where))
        return tuple(found)

    def _part(self, path: str, evidence: list[str]) -> dict[str, Any]:
        return _parts(self._get(path, evidence), path.split("/")[1])

    def _get(self, path: str, evidence: list[str]) -> Any:
        response: Response = self._transport.send(self._provider, Request("GET", _BASE + path))
        evidence.append(response.evidence)
        if response.status != 200:
            raise ProviderError(f"{self._provider.name}: HTTP {response.status} for {path[:60]}", response.status)
        return decode_page(self._provider, response, path[:60])


def _parts(answer: Any, where: str) -> dict[str, Any]:
    """Return what a proof stores of an answer; nodes add fields such as `finalized` that say nothing here."""
    if not isinstance(answer, dict) or not {"version", "data"} <= set(answer):
        raise InvalidAnswerError(f"{where}: expected an object with version and data")
    return {"version": answer["version"], "data": answer["data"]}


def _about(proven: ProvenHeader) -> str:
    return (
        f"finalized in slot {proven.finalized_slot}; at the weakest link {proven.fewest_signers} of"
        f" {proven.committee_size} signed; the checkpoint is {proven.checkpoint_age_days} days older"
    )
