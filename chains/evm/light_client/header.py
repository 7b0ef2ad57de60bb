"""Checks of one header: its roots, its execution block, and which header we may start from."""

from chains.errors import ProofError
from chains.evm.light_client.containers import (
    BEACON_BLOCK_HEADER,
    EXECUTION_PAYLOAD_GINDEX,
    ZERO_HASH,
    BeaconBlockHeader,
    ExecutionPayloadHeader,
    LightClientHeader,
    execution_form,
)
from chains.evm.light_client.forks import BeaconNetwork, Fork, gindices_of
from chains.evm.light_client.ssz import is_valid_normalized_merkle_branch

_NO_EXECUTION = ExecutionPayloadHeader()


def beacon_root(header: BeaconBlockHeader) -> bytes:
    """Return a beacon block's root, by which everyone names it."""
    return BEACON_BLOCK_HEADER.hash_tree_root(header)


def get_lc_execution_root(header: LightClientHeader, network: BeaconNetwork) -> bytes:
    """Return the root of the execution payload header in its own fork's form; zero before Capella."""
    fork = network.fork_at(header.beacon.slot)
    return execution_form(fork).hash_tree_root(header.execution) if fork >= Fork.CAPELLA else ZERO_HASH


def check_light_client_header(header: LightClientHeader, network: BeaconNetwork, what: str) -> None:
    """Check that a header's execution block is the one in its beacon block's body (is_valid_light_client_header).

    Raises ProofError that names `what`. Source: consensus specification, Capella and Deneb light client.
    """
    fork = network.fork_at(header.beacon.slot)
    gindices_of(fork)
    execution = header.execution
    if fork < Fork.DENEB and (execution.blob_gas_used or execution.excess_blob_gas):
        raise ProofError(f"the {what} header has blob fields before Deneb")
    if fork < Fork.CAPELLA:
        if execution != _NO_EXECUTION or any(any(node) for node in header.execution_branch):
            raise ProofError(f"the {what} header has an execution block before Capella")
        return
    root = get_lc_execution_root(header, network)
    if not is_valid_normalized_merkle_branch(
        root, header.execution_branch, EXECUTION_PAYLOAD_GINDEX, header.beacon.body_root
    ):
        raise ProofError(f"the {what} header's execution block is not the one in its beacon block")
