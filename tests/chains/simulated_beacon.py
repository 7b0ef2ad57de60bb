"""A small beacon chain with keys of its own: it signs bootstraps and updates as a real one would."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any

import milagro_bls_binding as milagro

from chains.evm.header import header_hash
from chains.evm.hexadecimal import hexadecimal
from chains.evm.light_client.containers import (
    BEACON_BLOCK_HEADER,
    BeaconBlockHeader,
    Branch,
    ExecutionPayloadHeader,
    LightClientBootstrap,
    LightClientFinalityUpdate,
    LightClientHeader,
    LightClientUpdate,
    SyncAggregate,
    SyncCommittee,
    committee_form,
    empty_committee,
    execution_form,
)
from chains.evm.light_client.forks import MINIMAL, BeaconNetwork, Fork, ScheduledFork, compute_domain, gindices_of
from chains.evm.light_client.proof import HeaderProof, ProvenHeader, prove_execution_header
from chains.evm.light_client.ssz import hash_pair
from chains.evm.light_client.store import LightClientStore, initialize_light_client_store

GROUP_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
SLOTS_PER_PERIOD = 64
EXECUTION_LEAF = 25


def filler(*parts: object) -> bytes:
    return sha256(repr(parts).encode()).digest()


def simulated_network(epochs: Mapping[Fork, int]) -> BeaconNetwork:
    """A chain of the minimal preset whose forks begin at these epochs; slots last twelve seconds from time 1,000."""
    forks = tuple(ScheduledFork(fork, bytes([fork, 0, 0, 1]), epoch) for fork, epoch in sorted(epochs.items()))
    return BeaconNetwork("simulated", MINIMAL, filler("validators"), 1000, 12, bytes([0, 0, 0, 1]), forks)


class SparseTree:
    """A Merkle tree of which only some leaves are known; everything else is noise that depends on its place."""

    def __init__(self, leaves: Mapping[int, bytes], noise: object) -> None:
        self.leaves, self.noise = leaves, noise

    def node(self, gindex: int) -> bytes:
        if gindex in self.leaves:
            return self.leaves[gindex]
        if any(leaf >> (leaf.bit_length() - gindex.bit_length()) == gindex for leaf in self.leaves if leaf > gindex):
            return hash_pair(self.node(2 * gindex), self.node(2 * gindex + 1))
        return filler(self.noise, gindex)

    def branch(self, gindex: int) -> Branch:
        return tuple(self.node((gindex >> level) ^ 1) for level in range(gindex.bit_length() - 1))


@cache
def secret_keys(period: int) -> tuple[int, ...]:
    return tuple(int.from_bytes(filler("key", period, at)) % GROUP_ORDER for at in range(MINIMAL.sync_committee_size))


@cache
def committee_of(period: int) -> SyncCommittee:
    keys = [milagro.SkToPk(secret.to_bytes(32)) for secret in secret_keys(period)]
    total = sum(secret_keys(period)) % GROUP_ORDER
    return SyncCommittee(tuple(keys), milagro.SkToPk(total.to_bytes(32)))


class SimulatedBeacon:
    """Headers, states and signatures of one chain; finality lags two epochs and stops after `last_final` slots."""

    def __init__(self, network: BeaconNetwork, last_final: int = 2**32) -> None:
        self.network, self.last_final = network, last_final
        self.header = cache(self._header)

    def final_slot(self, slot: int) -> int:
        epoch = self.network.epoch_at(slot) - 2
        return max(0, min(epoch * MINIMAL.slots_per_epoch, self.last_final))

    def block(self, slot: int) -> dict[str, Any]:
        """The execution block of a slot, as JSON-RPC writes it."""
        fork = self.network.fork_at(slot)
        block = {
            **dict.fromkeys(("sha3Uncles", "transactionsRoot", "receiptsRoot", "mixHash"), hexadecimal(bytes(32))),
            **dict.fromkeys(("difficulty", "gasUsed"), "0x0"),
            "parentHash": hexadecimal(filler("parent", slot)),
            "miner": hexadecimal(bytes(20)),
            "stateRoot": hexadecimal(filler("state", slot)),
            "logsBloom": hexadecimal(bytes(256)),
            "number": hex(1000 + slot),
            "gasLimit": hex(30_000_000),
            "timestamp": hex(self.network.time_of(slot)),
            "extraData": "0x73696d",
            "nonce": hexadecimal(bytes(8)),
            "baseFeePerGas": "0x7",
            "withdrawalsRoot": hexadecimal(filler("withdrawals", slot)),
        }
        if fork >= Fork.DENEB:
            block |= {"blobGasUsed": "0x20000", "excessBlobGas": "0x0", "parentBeaconBlockRoot": block["parentHash"]}
        return block

    def execution(self, slot: int) -> ExecutionPayloadHeader:
        block = self.block(slot)
        return ExecutionPayloadHeader(
            state_root=bytes.fromhex(block["stateRoot"][2:]),
            block_number=int(block["number"], 16),
            timestamp=int(block["timestamp"], 16),
            extra_data=b"sim",
            base_fee_per_gas=7,
            block_hash=bytes.fromhex(header_hash(block)[2:]),
            blob_gas_used=int(block.get("blobGasUsed", "0x0"), 16),
        )

    def state(self, slot: int) -> SparseTree:
        period, final = self.network.period_at(slot), self.final_slot(slot)
        gindices, form = gindices_of(self.network.fork_at(slot)), committee_form(MINIMAL)
        root = BEACON_BLOCK_HEADER.hash_tree_root(self.header(final).beacon) if final else bytes(32)
        leaves = {
            gindices.current_sync_committee: form.hash_tree_root(committee_of(period)),
            gindices.next_sync_committee: form.hash_tree_root(committee_of(period + 1)),
            gindices.finalized_root: root,
        }
        return SparseTree(leaves, ("state", slot))

    def _header(self, slot: int) -> LightClientHeader:
        fork = self.network.fork_at(slot)
        if fork < Fork.CAPELLA:
            beacon = BeaconBlockHeader(slot, 7, filler("parent", slot), self.state(slot).node(1), filler("body", slot))
            return LightClientHeader(beacon)
        execution = self.execution(slot)
        body = SparseTree({EXECUTION_LEAF: execution_form(fork).hash_tree_root(execution)}, ("body", slot))
        beacon = BeaconBlockHeader(slot, 7, filler("parent", slot), self.state(slot).node(1), body.node(1))
        return LightClientHeader(beacon, execution, body.branch(EXECUTION_LEAF))

    def root(self, slot: int) -> bytes:
        return BEACON_BLOCK_HEADER.hash_tree_root(self.header(slot).beacon)

    def bootstrap(self, slot: int) -> LightClientBootstrap:
        place = gindices_of(self.network.fork_at(slot)).current_sync_committee
        committee = committee_of(self.network.period_at(slot))
        return LightClientBootstrap(self.header(slot), committee, self.state(slot).branch(place))

    def signature(self, header: LightClientHeader, signature_slot: int, signers: int, version: bytes) -> SyncAggregate:
        """The first `signers` members sign under a fork version: one signature by the sum of their keys."""
        secrets = secret_keys(self.network.period_at(signature_slot))[:signers]
        root = BEACON_BLOCK_HEADER.hash_tree_root(header.beacon)
        message = hash_pair(root, compute_domain(version, self.network.genesis_validators_root))
        signed = milagro.Sign((sum(secrets) % GROUP_ORDER).to_bytes(32), message) if signers else bytes(96)
        bits = tuple(at < signers for at in range(MINIMAL.sync_committee_size))
        return SyncAggregate(bits, signed)

    def update(
        self,
        attested: int,
        *,
        signers: int = 32,
        committee: bool = True,
        finality: bool = True,
        signed_at: int | None = None,
        version: bytes | None = None,
    ) -> LightClientUpdate:
        """The update for an attested slot, by default signed by all in the next slot under the version of that time."""
        header, state = self.header(attested), self.state(attested)
        gindices, final = gindices_of(self.network.fork_at(attested)), self.final_slot(attested)
        signature_slot = attested + 1 if signed_at is None else signed_at
        version = version or self.network.version_at(signature_slot - 1)
        zeros = (bytes(32),)
        return LightClientUpdate(
            header,
            committee_of(self.network.period_at(attested) + 1) if committee else empty_committee(MINIMAL),
            state.branch(gindices.next_sync_committee)
            if committee
            else zeros * (gindices.next_sync_committee.bit_length() - 1),
            self.header(final) if finality and final else LightClientHeader(),
            state.branch(gindices.finalized_root) if finality else zeros * (gindices.finalized_root.bit_length() - 1),
            self.signature(header, signature_slot, signers, version),
            signature_slot,
        )

    def finality_update(self, attested: int, signers: int = 32) -> LightClientFinalityUpdate:
        update = self.update(attested, signers=signers)
        return LightClientFinalityUpdate(
            update.attested_header,
            update.finalized_header,
            update.finality_branch,
            update.sync_aggregate,
            update.signature_slot,
        )


# A period has eight epochs: Capella holds in period 0, Deneb in 1, Electra in 2, Fulu from 3 on.
NETWORK = simulated_network(
    {Fork.ALTAIR: 0, Fork.BELLATRIX: 0, Fork.CAPELLA: 0, Fork.DENEB: 8, Fork.ELECTRA: 16, Fork.FULU: 24}
)
CHAIN = SimulatedBeacon(NETWORK)
START = 24
NOW = 10_000


def attested_in(period: int) -> int:
    """A slot whose finalized header stands in the same period, two epochs back."""
    return period * SLOTS_PER_PERIOD + 40


def proof_until(period: int, chain: SimulatedBeacon = CHAIN) -> HeaderProof:
    updates = tuple(chain.update(attested_in(number)) for number in range(period))
    return HeaderProof(chain.root(START), chain.bootstrap(START), updates, chain.finality_update(attested_in(period)))


def as_of(slot: int) -> int:
    return NETWORK.time_of(slot)


def prove(proof: HeaderProof, slot: int = NOW) -> ProvenHeader:
    return prove_execution_header(proof, NETWORK, CHAIN.root(START), as_of(slot))


def store_at(slot: int = START, chain: SimulatedBeacon = CHAIN, fork: Fork | None = None) -> LightClientStore:
    return initialize_light_client_store(chain.root(slot), chain.bootstrap(slot), chain.network, fork)
