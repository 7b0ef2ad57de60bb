"""What a light client knows: a finalized header, the committees around it, and the best update it has seen."""

from collections.abc import Sequence
from typing import NamedTuple

from chains.errors import ProofError
from chains.evm.hexadecimal import hexadecimal
from chains.evm.light_client.containers import (
    ZERO_HASH,
    Branch,
    LightClientBootstrap,
    LightClientHeader,
    LightClientUpdate,
    SyncCommittee,
    committee_form,
    empty_committee,
)
from chains.evm.light_client.forks import BeaconNetwork, Fork, gindices_of
from chains.evm.light_client.header import beacon_root, check_light_client_header
from chains.evm.light_client.ssz import is_valid_normalized_merkle_branch


class LightClientStore(NamedTuple):
    """The specification's store as a value: every step returns a new one, so a refused step changes nothing.

    `fork` is the newest fork whose data it takes; older data are brought to its form on the way in.
    """

    fork: Fork
    finalized_header: LightClientHeader
    current_sync_committee: SyncCommittee
    next_sync_committee: SyncCommittee
    best_valid_update: LightClientUpdate | None
    optimistic_header: LightClientHeader
    previous_max_active_participants: int = 0
    current_max_active_participants: int = 0


def initialize_light_client_store(
    trusted_block_root: bytes, bootstrap: LightClientBootstrap, network: BeaconNetwork, fork: Fork | None = None
) -> LightClientStore:
    """Start from a block root that is trusted: check the bootstrap against it and return a store.

    `fork` defaults to the one at the bootstrap's slot. Raises ProofError.
    Source: consensus specification, Altair light client sync protocol.
    """
    header = bootstrap.header
    found = beacon_root(header.beacon)
    if found != trusted_block_root:
        raise ProofError(
            f"the bootstrap's block has root {hexadecimal(found)}; trusted is {hexadecimal(trusted_block_root)}"
        )
    check_light_client_header(header, network, "bootstrap")
    check_committee(
        bootstrap.current_sync_committee,
        bootstrap.current_sync_committee_branch,
        gindices_of(network.fork_at(header.beacon.slot)).current_sync_committee,
        header,
        network,
    )
    return LightClientStore(
        network.fork_at(header.beacon.slot) if fork is None else fork,
        header,
        bootstrap.current_sync_committee,
        empty_committee(network.preset),
        None,
        header,
    )


def check_committee(
    committee: SyncCommittee, branch: Branch, gindex: int, header: LightClientHeader, network: BeaconNetwork
) -> None:
    """Check that a sync committee stands at a place of the state a header names. Raises ProofError."""
    root = committee_form(network.preset).hash_tree_root(committee)
    if not is_valid_normalized_merkle_branch(root, branch, gindex, header.beacon.state_root):
        raise ProofError(f"the sync committee is not in the state at slot {header.beacon.slot}")


def is_sync_committee_update(update: LightClientUpdate) -> bool:
    """Say whether an update brings the next sync committee."""
    return any(node != ZERO_HASH for node in update.next_sync_committee_branch)


def is_finality_update(update: LightClientUpdate) -> bool:
    """Say whether an update shows what is finalized."""
    return any(node != ZERO_HASH for node in update.finality_branch)


def is_next_sync_committee_known(store: LightClientStore, network: BeaconNetwork) -> bool:
    """Say whether a store knows the committee after the current one."""
    return store.next_sync_committee != empty_committee(network.preset)


def get_safety_threshold(store: LightClientStore) -> int:
    """Return how many signers a header must exceed to be followed before it is finalized."""
    return max(store.previous_max_active_participants, store.current_max_active_participants) // 2


def is_better_update(new: LightClientUpdate, old: LightClientUpdate, network: BeaconNetwork) -> bool:
    """Say whether a forced update should rather go to `new` than to `old`.

    In this order: two thirds of the signatures; without them, more signatures; a usable committee; finality, and
    finality within the period; more signatures; older data. Source: consensus specification, Altair.
    """
    return _rank(new, network) > _rank(old, network)


def _rank(update: LightClientUpdate, network: BeaconNetwork) -> tuple[int, ...]:
    """Return what orders updates: a greater tuple is the better update."""
    attested = update.attested_header.beacon.slot
    period = network.period_at(attested)
    aggregate = update.sync_aggregate
    finality = is_finality_update(update)
    return (
        aggregate.has_supermajority,
        0 if aggregate.has_supermajority else aggregate.signers,
        is_sync_committee_update(update) and period == network.period_at(update.signature_slot),
        finality,
        finality and period == network.period_at(update.finalized_header.beacon.slot),
        aggregate.signers,
        -attested,
        -update.signature_slot,
    )


def normalize_merkle_branch(branch: Sequence[bytes], gindex: int, what: str) -> Branch:
    """Put zero nodes in front of a branch until it is as long as a generalized index needs.

    Raises ProofError for one that is longer: its fork is newer than the store's.
    """
    extra = gindex.bit_length() - 1 - len(branch)
    if extra < 0:
        raise ProofError(f"the {what} branch is of a newer fork than the store; upgrade the store first")
    return (ZERO_HASH,) * extra + tuple(branch)


def upgrade_lc_update(update: LightClientUpdate, fork: Fork) -> LightClientUpdate:
    """Bring an update of the same or an older fork to a fork's form (upgrade_lc_update_to_…)."""
    gindices = gindices_of(fork)
    return update._replace(
        next_sync_committee_branch=normalize_merkle_branch(
            update.next_sync_committee_branch, gindices.next_sync_committee, "sync committee"
        ),
        finality_branch=normalize_merkle_branch(update.finality_branch, gindices.finalized_root, "finality"),
    )


def upgrade_lc_store(store: LightClientStore, fork: Fork) -> LightClientStore:
    """Bring a store to a newer fork, before data of that fork are processed (upgrade_lc_store_to_…).

    Our records hold the fields of every fork, so only the branches of the waiting update change their length.
    Raises ProofError for an older fork.
    """
    if fork < store.fork:
        raise ProofError(f"a store of {store.fork.label} cannot go back to {fork.label}")
    waiting = store.best_valid_update
    return store._replace(fork=fork, best_valid_update=waiting and upgrade_lc_update(waiting, fork))
