"""The sync protocol: check one update against a store and return the store after it."""

from chains.errors import ProofError
from chains.evm.light_client.bls import equivalent_keys, fast_aggregate_verify
from chains.evm.light_client.containers import (
    ZERO_HASH,
    LightClientFinalityUpdate,
    LightClientHeader,
    LightClientOptimisticUpdate,
    LightClientUpdate,
    empty_committee,
)
from chains.evm.light_client.forks import BeaconNetwork, gindices_of
from chains.evm.light_client.header import beacon_root, check_light_client_header
from chains.evm.light_client.ssz import is_valid_normalized_merkle_branch
from chains.evm.light_client.store import (
    LightClientStore,
    check_committee,
    get_safety_threshold,
    is_better_update,
    is_finality_update,
    is_next_sync_committee_known,
    is_sync_committee_update,
    upgrade_lc_update,
)

MIN_SYNC_COMMITTEE_PARTICIPANTS = 1
_NO_HEADER = LightClientHeader()


def validate_light_client_update(
    store: LightClientStore, update: LightClientUpdate, current_slot: int, network: BeaconNetwork
) -> None:
    """Check everything an update claims against what the store knows. Raises ProofError with the reason.

    Source: consensus specification, Altair light client sync protocol, with the header checks of Capella and Deneb
    and the generalized indices of Electra.
    """
    if update.sync_aggregate.signers < MIN_SYNC_COMMITTEE_PARTICIPANTS:
        raise ProofError("nobody of the sync committee signed the update")
    check_light_client_header(update.attested_header, network, "attested")
    _check_slots(update, current_slot)
    _check_period(store, update, network)
    _check_finality(update, network)
    _check_next_committee(store, update, network)
    _check_signature(store, update, network)


def _check_slots(update: LightClientUpdate, current_slot: int) -> None:
    signed, attested = update.signature_slot, update.attested_header.beacon.slot
    finalized = update.finalized_header.beacon.slot
    if signed > current_slot:
        raise ProofError(f"the update is signed in slot {signed}, in the future of slot {current_slot}")
    if not signed > attested >= finalized:
        raise ProofError(f"slots out of order: signed {signed}, attested {attested}, finalized {finalized}")


def _check_period(store: LightClientStore, update: LightClientUpdate, network: BeaconNetwork) -> None:
    known = is_next_sync_committee_known(store, network)
    here = network.period_at(store.finalized_header.beacon.slot)
    signed = network.period_at(update.signature_slot)
    if signed != here and not (known and signed == here + 1):
        raise ProofError(f"the update is signed in period {signed}; the store, at period {here}, has no such committee")
    attested = update.attested_header.beacon.slot
    brings_committee = not known and is_sync_committee_update(update) and network.period_at(attested) == here
    if attested <= store.finalized_header.beacon.slot and not brings_committee:
        raise ProofError(
            f"stale: the update attests slot {attested}; slot {store.finalized_header.beacon.slot} is already final"
        )


def _check_finality(update: LightClientUpdate, network: BeaconNetwork) -> None:
    finalized, attested = update.finalized_header, update.attested_header.beacon
    if not is_finality_update(update) or finalized.beacon.slot == 0:
        # The genesis checkpoint stands in the state as a zero root.
        if finalized != _NO_HEADER:
            raise ProofError("the update names a finalized header without a branch to it")
        if not is_finality_update(update):
            return
        root = ZERO_HASH
    else:
        check_light_client_header(finalized, network, "finalized")
        root = beacon_root(finalized.beacon)
    gindex = gindices_of(network.fork_at(attested.slot)).finalized_root
    if not is_valid_normalized_merkle_branch(root, update.finality_branch, gindex, attested.state_root):
        raise ProofError(f"the finalized header is not the one in the state at slot {attested.slot}")


def _check_next_committee(store: LightClientStore, update: LightClientUpdate, network: BeaconNetwork) -> None:
    committee, attested = update.next_sync_committee, update.attested_header
    if not is_sync_committee_update(update):
        if committee != empty_committee(network.preset):
            raise ProofError("the update names a next sync committee without a branch to it")
        return
    here = network.period_at(store.finalized_header.beacon.slot)
    same_period = network.period_at(attested.beacon.slot) == here
    if same_period and is_next_sync_committee_known(store, network) and committee != store.next_sync_committee:
        raise ProofError("the update names another next sync committee than the one already known")
    gindex = gindices_of(network.fork_at(attested.beacon.slot)).next_sync_committee
    check_committee(committee, update.next_sync_committee_branch, gindex, attested, network)


def _check_signature(store: LightClientStore, update: LightClientUpdate, network: BeaconNetwork) -> None:
    here = network.period_at(store.finalized_header.beacon.slot)
    current = network.period_at(update.signature_slot) == here
    committee = store.current_sync_committee if current else store.next_sync_committee
    message = network.signing_root(beacon_root(update.attested_header.beacon), update.signature_slot)
    keys = equivalent_keys(committee, update.sync_aggregate)
    if not fast_aggregate_verify(keys, message, update.sync_aggregate.sync_committee_signature):
        raise ProofError(
            f"the signature of {update.sync_aggregate.signers} committee members does not verify for the header "
            f"at slot {update.attested_header.beacon.slot}"
        )


def apply_light_client_update(
    store: LightClientStore, update: LightClientUpdate, network: BeaconNetwork
) -> LightClientStore:
    """Return the store moved to an update's finalized header, and to the next period if that has begun."""
    here = network.period_at(store.finalized_header.beacon.slot)
    finalized = network.period_at(update.finalized_header.beacon.slot)
    if not is_next_sync_committee_known(store, network):
        if finalized != here:
            raise ProofError(f"the update finalizes period {finalized}, but the committee after {here} is unknown")
        store = store._replace(next_sync_committee=update.next_sync_committee)
    elif finalized == here + 1:
        store = store._replace(
            current_sync_committee=store.next_sync_committee,
            next_sync_committee=update.next_sync_committee,
            previous_max_active_participants=store.current_max_active_participants,
            current_max_active_participants=0,
        )
    if update.finalized_header.beacon.slot > store.finalized_header.beacon.slot:
        ahead = update.finalized_header.beacon.slot > store.optimistic_header.beacon.slot
        optimistic = update.finalized_header if ahead else store.optimistic_header
        store = store._replace(finalized_header=update.finalized_header, optimistic_header=optimistic)
    return store


def process_light_client_store_force_update(
    store: LightClientStore, current_slot: int, network: BeaconNetwork
) -> LightClientStore:
    """Return the store moved to the best update seen, when a whole period has passed without finality.

    What it then calls finalized is only attested: nothing may be proven from such a store.
    """
    best = store.best_valid_update
    if best is None or current_slot <= store.finalized_header.beacon.slot + network.preset.slots_per_period:
        return store
    if best.finalized_header.beacon.slot <= store.finalized_header.beacon.slot:
        best = best._replace(finalized_header=best.attested_header)
    return apply_light_client_update(store, best, network)._replace(best_valid_update=None)


def process_light_client_update(
    store: LightClientStore, update: LightClientUpdate, current_slot: int, network: BeaconNetwork
) -> LightClientStore:
    """Check an update and return the store after it; with two thirds of the signatures finality moves.

    Raises ProofError; the store given stays as it was.
    """
    update = upgrade_lc_update(update, store.fork)
    validate_light_client_update(store, update, current_slot, network)
    signers = update.sync_aggregate.signers
    best = store.best_valid_update
    store = store._replace(
        best_valid_update=update if best is None or is_better_update(update, best, network) else best,
        current_max_active_participants=max(store.current_max_active_participants, signers),
    )
    if (
        signers > get_safety_threshold(store)
        and update.attested_header.beacon.slot > store.optimistic_header.beacon.slot
    ):
        store = store._replace(optimistic_header=update.attested_header)
    if update.sync_aggregate.has_supermajority and _moves(store, update, network):
        store = apply_light_client_update(store, update, network)._replace(best_valid_update=None)
    return store


def _moves(store: LightClientStore, update: LightClientUpdate, network: BeaconNetwork) -> bool:
    finalized, attested = update.finalized_header.beacon.slot, update.attested_header.beacon.slot
    brings_finalized_committee = (
        not is_next_sync_committee_known(store, network)
        and is_sync_committee_update(update)
        and is_finality_update(update)
        and network.period_at(finalized) == network.period_at(attested)
    )
    return finalized > store.finalized_header.beacon.slot or brings_finalized_committee


def process_light_client_finality_update(
    store: LightClientStore, update: LightClientFinalityUpdate, current_slot: int, network: BeaconNetwork
) -> LightClientStore:
    """Process an update that shows finality and brings no committee."""
    whole = LightClientUpdate(
        update.attested_header,
        empty_committee(network.preset),
        (),
        update.finalized_header,
        update.finality_branch,
        update.sync_aggregate,
        update.signature_slot,
    )
    return process_light_client_update(store, whole, current_slot, network)


def process_light_client_optimistic_update(
    store: LightClientStore, update: LightClientOptimisticUpdate, current_slot: int, network: BeaconNetwork
) -> LightClientStore:
    """Process an update that shows only what was signed last."""
    whole = LightClientUpdate(
        update.attested_header,
        empty_committee(network.preset),
        (),
        _NO_HEADER,
        (),
        update.sync_aggregate,
        update.signature_slot,
    )
    return process_light_client_update(store, whole, current_slot, network)
