"""Prove an execution block from one checkpoint root: the record a bundle stores, and what follows from it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from chains.errors import InvalidAnswerError, ProofError
from chains.evm.header import Header, verify_header
from chains.evm.hexadecimal import data, hexadecimal
from chains.evm.light_client.containers import (
    LightClientBootstrap,
    LightClientFinalityUpdate,
    LightClientUpdate,
    SyncAggregate,
    read_versioned,
    write_versioned,
)
from chains.evm.light_client.forks import BeaconNetwork, Fork
from chains.evm.light_client.header import beacon_root
from chains.evm.light_client.store import LightClientStore, initialize_light_client_store
from chains.evm.light_client.update import process_light_client_finality_update, process_light_client_update

# One update serves about 27 hours: more than three years of them.
MAX_UPDATES = 1024
_DAY = 86_400
_FIELDS = ("network", "checkpoint_root", "bootstrap", "updates", "finality_update")


class HeaderProof(NamedTuple):
    """What was captured: the checkpoint's bootstrap, one update for each period after it, and a finality update."""

    checkpoint_root: bytes
    bootstrap: LightClientBootstrap
    updates: tuple[LightClientUpdate, ...]
    finality_update: LightClientFinalityUpdate


class ProvenHeader(NamedTuple):
    """An execution block that follows from a checkpoint, and how strongly.

    `signers` of `committee_size` signed for its finality, `fewest_signers` at the weakest link of the chain to it.
    `timestamp` is Unix seconds; `checkpoint_age_days` counts whole days from the checkpoint's slot to `as_of`.
    """

    block_number: int
    block_hash: str
    state_root: bytes
    timestamp: int
    finalized_slot: int
    finalized_root: str
    signers: int
    fewest_signers: int
    committee_size: int
    checkpoint_root: str
    checkpoint_slot: int
    checkpoint_age_days: int


def read_header_proof(record: Any, network: BeaconNetwork) -> HeaderProof:
    """Read a stored proof; its parts stand as the beacon API answered them. Raises InvalidAnswerError with the path."""
    if not isinstance(record, dict) or set(record) != set(_FIELDS):
        raise InvalidAnswerError(f"header proof: expected an object with exactly {', '.join(_FIELDS)}")
    if record["network"] != network.name:
        raise InvalidAnswerError(f"header proof: it is of {str(record['network'])[:40]!r}; expected {network.name}")
    updates = record["updates"]
    if not isinstance(updates, list) or len(updates) > MAX_UPDATES:
        raise InvalidAnswerError(f"updates: expected a list of at most {MAX_UPDATES}")
    return HeaderProof(
        data(record["checkpoint_root"], "checkpoint_root", 32),
        read_versioned(record["bootstrap"], "bootstrap", network, "bootstrap"),
        tuple(read_versioned(update, "update", network, f"updates[{at}]") for at, update in enumerate(updates)),
        read_versioned(record["finality_update"], "finality_update", network, "finality_update"),
    )


def write_header_proof(proof: HeaderProof, network: BeaconNetwork) -> dict[str, Any]:
    """Write a proof in the form that `read_header_proof` reads."""
    return {
        "network": network.name,
        "checkpoint_root": hexadecimal(proof.checkpoint_root),
        "bootstrap": write_versioned(proof.bootstrap, "bootstrap", network),
        "updates": [write_versioned(update, "update", network) for update in proof.updates],
        "finality_update": write_versioned(proof.finality_update, "finality_update", network),
    }


def prove_execution_header(
    proof: HeaderProof, network: BeaconNetwork, checkpoint_root: bytes, as_of: int
) -> ProvenHeader:
    """Follow the sync committees from a checkpoint to a finalized block and return the execution block in it.

    `checkpoint_root` is stated by whoever verifies, never taken from the file; `as_of` is the Unix time of verifying:
    nothing signed after it is accepted. Only finality with two thirds of a committee moves the chain; forced updates
    are not part of a proof. Pure: reads no clock, file or network. Raises ProofError.
    """
    # 1. The file must start where the verifier's trust starts.
    if proof.checkpoint_root != checkpoint_root:
        raise ProofError(
            f"the proof starts at checkpoint {hexadecimal(proof.checkpoint_root)}; "
            f"you stated {hexadecimal(checkpoint_root)}"
        )
    store = initialize_light_client_store(checkpoint_root, proof.bootstrap, network, Fork.FULU)
    current_slot = network.slot_at(as_of)
    # 2. Each update hands over to the next committee.
    for number, update in enumerate(proof.updates):
        store = _advanced(store, update, current_slot, network, f"update {number}")
    # 3. The finality update names the block.
    finality = proof.finality_update
    _require_supermajority(finality.sync_aggregate, "finality update")
    try:
        store = process_light_client_finality_update(store, finality, current_slot, network)
    except ProofError as error:
        raise ProofError(f"finality update: {error}") from error
    if store.finalized_header != finality.finalized_header:
        raise ProofError(f"finality update: it does not finalize slot {finality.finalized_header.beacon.slot}")
    return _proven(proof, network, store, as_of)


def _require_supermajority(aggregate: SyncAggregate, what: str) -> None:
    if not aggregate.has_supermajority:
        size = len(aggregate.sync_committee_bits)
        needed = (2 * size + 2) // 3
        raise ProofError(f"{what}: only {aggregate.signers} of {size} signed; finality needs {needed}")


def _advanced(
    store: LightClientStore, update: LightClientUpdate, current_slot: int, network: BeaconNetwork, what: str
) -> LightClientStore:
    _require_supermajority(update.sync_aggregate, what)
    try:
        after = process_light_client_update(store, update, current_slot, network)
    except ProofError as error:
        raise ProofError(f"{what}: {error}") from error
    if after.best_valid_update is not None:
        raise ProofError(f"{what}: it neither brings a finalized committee nor moves finality")
    return after


def _proven(proof: HeaderProof, network: BeaconNetwork, store: LightClientStore, as_of: int) -> ProvenHeader:
    beacon, execution = store.finalized_header.beacon, store.finalized_header.execution
    if network.fork_at(beacon.slot) < Fork.CAPELLA:
        raise ProofError(f"slot {beacon.slot} is before Capella: its header binds no execution block")
    aggregate, checkpoint_slot = proof.finality_update.sync_aggregate, proof.bootstrap.header.beacon.slot
    return ProvenHeader(
        execution.block_number,
        hexadecimal(execution.block_hash),
        execution.state_root,
        execution.timestamp,
        beacon.slot,
        hexadecimal(beacon_root(beacon)),
        aggregate.signers,
        min([aggregate.signers, *(update.sync_aggregate.signers for update in proof.updates)]),
        network.preset.sync_committee_size,
        hexadecimal(proof.checkpoint_root),
        checkpoint_slot,
        (as_of - network.time_of(checkpoint_slot)) // _DAY,
    )


def prove_block(proven: ProvenHeader, block: Mapping[str, Any]) -> Header:
    """Check that a block, as JSON-RPC writes it, is the proven one; return what its header binds. Raises ProofError."""
    header = verify_header(block, proven.block_hash)
    if (header.height, header.time, header.state_root) != (proven.block_number, proven.timestamp, proven.state_root):
        raise ProofError(f"block {header.height} is not the one the beacon chain finalized")
    return header
