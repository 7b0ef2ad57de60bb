"""The light client on a small chain of our own: what it proves, and that nothing else passes for a proof."""

import pytest

pytest.importorskip("milagro_bls_binding", reason="needs reserve-verifier[lightclient]")

from chains.errors import ProofError
from chains.evm.light_client.containers import (
    forms_of,
)
from chains.evm.light_client.forks import MINIMAL, Fork
from chains.evm.light_client.header import beacon_root
from chains.evm.light_client.proof import (
    HeaderProof,
    prove_block,
    prove_execution_header,
)
from chains.evm.light_client.store import (
    initialize_light_client_store,
)
from chains.evm.light_client.update import (
    process_light_client_update,
)
from tests.chains.simulated_beacon import (
    CHAIN,
    NETWORK,
    NOW,
    SLOTS_PER_PERIOD,
    START,
    SimulatedBeacon,
    as_of,
    attested_in,
    committee_of,
    proof_until,
    prove,
    simulated_network,
    store_at,
)


@pytest.mark.parametrize("period", [0, 1, 2, 3, 5])
def test_a_checkpoint_proves_an_execution_block_in_any_later_period_and_fork(period: int) -> None:
    proven = prove(proof_until(period))
    slot = attested_in(period) - 16
    assert (proven.finalized_slot, proven.block_number) == (slot, 1000 + slot)
    assert (proven.signers, proven.fewest_signers, proven.committee_size) == (32, 32, 32)
    header = prove_block(proven, CHAIN.block(slot))
    assert (header.height, header.state_root, header.time) == (1000 + slot, proven.state_root, proven.timestamp)


def test_the_age_of_the_checkpoint_is_counted_in_days_from_its_slot() -> None:
    proof = proof_until(0)
    assert prove(proof, START + 7200).checkpoint_age_days == 1
    assert prove(proof, START + 7199).checkpoint_age_days == 0


def test_another_block_than_the_proven_one_is_refused() -> None:
    proven = prove(proof_until(1))
    with pytest.raises(ProofError, match="the header hashes to"):
        prove_block(proven, CHAIN.block(proven.finalized_slot + 1))
    for other in (proven._replace(block_number=1), proven._replace(timestamp=1), proven._replace(state_root=bytes(32))):
        with pytest.raises(ProofError, match="is not the one the beacon chain finalized"):
            prove_block(other, CHAIN.block(proven.finalized_slot))


def test_a_checkpoint_that_the_verifier_did_not_state_is_refused() -> None:
    proof = proof_until(1)
    with pytest.raises(ProofError, match="you stated"):
        prove_execution_header(proof, NETWORK, CHAIN.root(START + 8), as_of(NOW))
    lying = proof._replace(checkpoint_root=CHAIN.root(START + 8))
    with pytest.raises(ProofError, match="the bootstrap's block has root"):
        prove_execution_header(lying, NETWORK, CHAIN.root(START + 8), as_of(NOW))


@pytest.mark.parametrize(("signers", "enough"), [(22, True), (21, False), (1, False), (0, False)])
def test_finality_needs_two_thirds_of_the_committee(signers: int, enough: bool) -> None:
    proof = proof_until(1)._replace(finality_update=CHAIN.finality_update(attested_in(1), signers))
    if enough:
        assert prove(proof).fewest_signers == signers
        return
    with pytest.raises(ProofError, match=f"finality update: only {signers} of 32 signed; finality needs 22"):
        prove(proof)


def test_a_handover_needs_two_thirds_of_the_committee() -> None:
    weak = (CHAIN.update(attested_in(0), signers=21),)
    with pytest.raises(ProofError, match="update 0: only 21 of 32 signed"):
        prove(proof_until(1)._replace(updates=weak))


def test_a_skipped_period_is_refused() -> None:
    proof = proof_until(2)
    with pytest.raises(ProofError, match="update 0: the update is signed in period 1; the store, at period 0"):
        prove(proof._replace(updates=proof.updates[1:]))
    with pytest.raises(ProofError, match="finality update: the update is signed in period 2"):
        prove(proof._replace(updates=proof.updates[:1]))


def test_a_repeated_update_and_an_older_finality_update_are_stale() -> None:
    proof = proof_until(2)
    with pytest.raises(ProofError, match="update 2: the update is signed in period 0"):
        prove(proof._replace(updates=(*proof.updates, proof.updates[0])))
    with pytest.raises(
        ProofError, match=r"update 2: stale: the update attests slot 104; slot 88 is|update 2: it neither"
    ):
        prove(proof._replace(updates=(*proof.updates, proof.updates[1])))
    early = CHAIN.finality_update(attested_in(1) - 17)
    with pytest.raises(ProofError, match=r"stale: the update attests slot 87; slot 88 is already final"):
        prove(proof._replace(finality_update=early))
    same_epoch = CHAIN.finality_update(attested_in(1) - 8)
    with pytest.raises(ProofError, match="does not finalize slot 80"):
        prove(proof._replace(finality_update=same_epoch))


def test_an_update_that_moves_nothing_is_refused() -> None:
    without_finality = CHAIN.update(attested_in(0), finality=False)
    with pytest.raises(ProofError, match="neither brings a finalized committee nor moves finality"):
        prove(proof_until(1)._replace(updates=(without_finality,)))


def test_what_is_signed_after_the_moment_of_verifying_is_refused() -> None:
    proof = proof_until(1)
    assert prove(proof, attested_in(1) + 1).finalized_slot == attested_in(1) - 16
    with pytest.raises(ProofError, match="in the future of slot 104"):
        prove(proof, attested_in(1))


def test_slots_out_of_order_are_refused() -> None:
    update = CHAIN.update(attested_in(0), signed_at=attested_in(0))
    with pytest.raises(ProofError, match="slots out of order"):
        process_light_client_update(store_at(), update, NOW, NETWORK)


def test_a_signature_under_another_fork_version_is_refused() -> None:
    update = CHAIN.update(attested_in(0), version=bytes([Fork.DENEB, 0, 0, 1]))
    with pytest.raises(ProofError, match="signature of 32 committee members does not verify"):
        process_light_client_update(store_at(), update, NOW, NETWORK)


def test_the_first_slot_of_a_fork_signs_under_the_version_before_it() -> None:
    last_of_capella = SLOTS_PER_PERIOD - 1
    capella, deneb = (bytes([fork, 0, 0, 1]) for fork in (Fork.CAPELLA, Fork.DENEB))
    chain = SimulatedBeacon(NETWORK)
    store = process_light_client_update(store_at(), chain.update(attested_in(0)), NOW, NETWORK)
    good = chain.update(last_of_capella, committee=False, version=capella)
    after = process_light_client_update(store, good, NOW, NETWORK)
    assert after.finalized_header == chain.header(chain.final_slot(last_of_capella))
    with pytest.raises(ProofError, match="does not verify"):
        process_light_client_update(store, chain.update(last_of_capella, committee=False, version=deneb), NOW, NETWORK)


def test_a_swapped_committee_is_refused_wherever_it_stands() -> None:
    proof = proof_until(1)
    other = committee_of(9)
    header = proof.bootstrap.header._replace(execution=CHAIN.execution(41))
    for changed, reason in [
        (proof._replace(bootstrap=proof.bootstrap._replace(header=header)), "bootstrap header's execution block"),
        (proof._replace(bootstrap=proof.bootstrap._replace(current_sync_committee=other)), "is not in the state"),
        (proof._replace(updates=(proof.updates[0]._replace(next_sync_committee=other),)), "is not in the state"),
    ]:
        with pytest.raises(ProofError, match=reason):
            prove(changed)
    store = process_light_client_update(store_at(), proof.updates[0], NOW, NETWORK)
    late = CHAIN.update(attested_in(0) + 8)._replace(next_sync_committee=other)
    with pytest.raises(ProofError, match="another next sync committee than the one already known"):
        process_light_client_update(store, late, NOW, NETWORK)


def test_a_branch_to_another_place_of_the_state_is_refused() -> None:
    state, update = CHAIN.state(attested_in(0)), CHAIN.update(attested_in(0))
    swaps = [
        (update._replace(next_sync_committee_branch=state.branch(54)), "sync committee is not in the state"),
        (update._replace(finality_branch=state.branch(104)), "finalized header is not the one in the state"),
        (update._replace(finalized_header=CHAIN.header(16)), "finalized header is not the one in the state"),
        (update._replace(finality_branch=(bytes(32),) * 6), "finalized header without a branch"),
        (update._replace(next_sync_committee_branch=(bytes(32),) * 5), "next sync committee without a branch"),
        (
            update._replace(attested_header=update.attested_header._replace(execution=CHAIN.execution(41))),
            "attested header's execution block is not the one in its beacon block",
        ),
        (
            update._replace(finalized_header=update.finalized_header._replace(execution=CHAIN.execution(41))),
            "finalized header's execution block is not the one in its beacon block",
        ),
    ]
    for changed, reason in swaps:
        with pytest.raises(ProofError, match=reason):
            process_light_client_update(store_at(), changed, NOW, NETWORK)


def test_blob_fields_before_deneb_and_execution_before_capella_are_refused() -> None:
    update = CHAIN.update(attested_in(0))
    blobs = update.attested_header.execution._replace(blob_gas_used=1)
    changed = update._replace(attested_header=update.attested_header._replace(execution=blobs))
    with pytest.raises(ProofError, match="blob fields before Deneb"):
        process_light_client_update(store_at(), changed, NOW, NETWORK)
    old = SimulatedBeacon(simulated_network({Fork.ALTAIR: 0, Fork.CAPELLA: 100}))
    early = old.update(attested_in(0))
    store = store_at(chain=old)
    assert process_light_client_update(store, early, NOW, old.network).finalized_header == old.header(24)
    header = early.attested_header._replace(execution=blobs)
    with pytest.raises(ProofError, match="an execution block before Capella"):
        process_light_client_update(
            store, early._replace(attested_header=header._replace(execution=CHAIN.execution(0))), NOW, old.network
        )
    with pytest.raises(ProofError, match="before Capella: its header binds no execution block"):
        proof = HeaderProof(old.root(START), old.bootstrap(START), (), old.finality_update(attested_in(0) + 8))
        prove_execution_header(proof, old.network, old.root(START), as_of(NOW))


def test_data_of_gloas_are_refused_by_name() -> None:
    later = simulated_network({Fork.CAPELLA: 0, Fork.GLOAS: 1})
    header = CHAIN.header(START)
    with pytest.raises(ProofError, match="light-client data of gloas is not read"):
        initialize_light_client_store(beacon_root(header.beacon), CHAIN.bootstrap(START), later)
    with pytest.raises(ProofError, match="gloas"):
        forms_of(Fork.GLOAS, MINIMAL)
