"""The light client's store: forced updates, committees, forks, and whole recorded sequences."""

import json
from typing import Any

import pytest

pytest.importorskip("milagro_bls_binding", reason="needs reserve-verifier[lightclient]")

from chains.errors import ChainError, NetworkDataError, ProofError
from chains.evm.hexadecimal import hexadecimal
from chains.evm.light_client.containers import (
    LightClientOptimisticUpdate,
    LightClientUpdate,
    empty_committee,
    forms_of,
)
from chains.evm.light_client.forks import MINIMAL, Fork
from chains.evm.light_client.header import beacon_root, get_lc_execution_root
from chains.evm.light_client.store import (
    is_better_update,
    is_next_sync_committee_known,
    upgrade_lc_store,
)
from chains.evm.light_client.sync_steps import compute_fork_digests, play_sync_steps
from chains.evm.light_client.update import (
    process_light_client_optimistic_update,
    process_light_client_store_force_update,
    process_light_client_update,
)
from tests.chains.simulated_beacon import (
    CHAIN,
    NETWORK,
    NOW,
    SLOTS_PER_PERIOD,
    START,
    SimulatedBeacon,
    attested_in,
    committee_of,
    simulated_network,
    store_at,
)


def test_a_forced_update_waits_a_whole_period_and_goes_to_the_best_update() -> None:
    chain = SimulatedBeacon(NETWORK, last_final=0)
    store = store_at(chain=chain)
    for slot, signers in [(30, 20), (34, 30), (38, 25)]:
        update = chain.update(slot, signers=signers, finality=False)
        store = process_light_client_update(store, update, 50, NETWORK)
        assert store.finalized_header.beacon.slot == START
    assert store.optimistic_header == chain.header(38)
    assert process_light_client_store_force_update(store, START + SLOTS_PER_PERIOD, NETWORK) == store
    forced = process_light_client_store_force_update(store, START + SLOTS_PER_PERIOD + 1, NETWORK)
    assert forced.finalized_header == chain.header(34)
    assert forced.best_valid_update is None
    assert is_next_sync_committee_known(forced, NETWORK)
    again = process_light_client_update(forced, chain.update(attested_in(1), committee=False), NOW, NETWORK)
    assert again.optimistic_header == chain.header(attested_in(1))


def test_a_forced_update_hands_over_to_the_next_period() -> None:
    chain = SimulatedBeacon(NETWORK, last_final=START)
    store = process_light_client_update(store_at(chain=chain), chain.update(attested_in(0)), 50, NETWORK)
    assert is_next_sync_committee_known(store, NETWORK)
    store = upgrade_lc_store(store, Fork.DENEB)
    store = process_light_client_update(store, chain.update(attested_in(1), signers=31), 110, NETWORK)
    assert store.finalized_header.beacon.slot == START
    forced = process_light_client_store_force_update(store, 150, NETWORK)
    assert forced.finalized_header == chain.header(attested_in(1))
    assert (forced.current_sync_committee, forced.next_sync_committee) == (committee_of(1), committee_of(2))
    assert (forced.previous_max_active_participants, forced.current_max_active_participants) == (32, 0)


def test_a_store_without_the_next_committee_cannot_be_forced_into_the_next_period() -> None:
    store = store_at()._replace(best_valid_update=CHAIN.update(attested_in(1)))
    with pytest.raises(ProofError, match="the committee after 0 is unknown"):
        process_light_client_store_force_update(store, NOW, NETWORK)


def test_a_committee_may_come_from_an_update_before_the_bootstrap() -> None:
    late_start = attested_in(0) + 16
    store = process_light_client_update(store_at(late_start), CHAIN.update(attested_in(0)), NOW, NETWORK)
    assert store.finalized_header == CHAIN.header(late_start)
    assert store.next_sync_committee == committee_of(1)


def test_a_store_takes_older_data_and_refuses_newer_ones_until_upgraded() -> None:
    old = simulated_network({Fork.CAPELLA: 0, Fork.DENEB: 2, Fork.ELECTRA: 4})
    chain = SimulatedBeacon(old)
    store = store_at(16, chain)
    electra = chain.update(56)
    with pytest.raises(ProofError, match="newer fork than the store; upgrade the store first"):
        process_light_client_update(store, electra, NOW, old)
    waiting = process_light_client_update(store, chain.update(25, signers=5), NOW, old)
    upgraded = upgrade_lc_store(waiting, Fork.ELECTRA)
    assert waiting.best_valid_update is not None and upgraded.best_valid_update is not None
    assert [len(update.finality_branch) for update in (waiting.best_valid_update, upgraded.best_valid_update)] == [6, 7]
    assert upgraded.best_valid_update.finality_branch[0] == bytes(32)
    assert process_light_client_update(upgraded, electra, NOW, old).finalized_header == chain.header(40)
    assert process_light_client_update(upgraded, chain.update(30), NOW, old).optimistic_header == chain.header(30)
    with pytest.raises(ProofError, match="cannot go back"):
        upgrade_lc_store(upgraded, Fork.DENEB)


def test_a_longer_branch_is_accepted_only_with_zeros_in_front() -> None:
    store = store_at(fork=Fork.ELECTRA)
    update = CHAIN.update(attested_in(0))
    padded = update._replace(finality_branch=(bytes(32), *update.finality_branch))
    assert process_light_client_update(store, padded, NOW, NETWORK).finalized_header == CHAIN.header(24)
    noisy = update._replace(finality_branch=(bytes(31) + b"\x01", *update.finality_branch))
    with pytest.raises(ProofError, match="finalized header is not the one in the state"):
        process_light_client_update(store, noisy, NOW, NETWORK)


def test_a_committee_from_the_period_before_is_not_the_next_one() -> None:
    late = CHAIN.update(SLOTS_PER_PERIOD - 1, signed_at=SLOTS_PER_PERIOD + 8)
    with pytest.raises(ProofError, match="stale: the update attests slot 63; slot 70 is already final"):
        process_light_client_update(store_at(SLOTS_PER_PERIOD + 6), late, NOW, NETWORK)


def test_a_committee_waits_until_the_period_itself_is_finalized() -> None:
    store = store_at(SLOTS_PER_PERIOD + 6)
    early = CHAIN.update(SLOTS_PER_PERIOD + 8)
    assert CHAIN.final_slot(SLOTS_PER_PERIOD + 8) < SLOTS_PER_PERIOD
    waiting = process_light_client_update(store, early, NOW, NETWORK)
    assert not is_next_sync_committee_known(waiting, NETWORK)
    assert waiting.best_valid_update == early
    settled = process_light_client_update(waiting, CHAIN.update(attested_in(1)), NOW, NETWORK)
    assert is_next_sync_committee_known(settled, NETWORK)
    assert settled.best_valid_update is None


def test_an_optimistic_update_moves_only_the_optimistic_header() -> None:
    update = CHAIN.update(30)
    optimistic = LightClientOptimisticUpdate(update.attested_header, update.sync_aggregate, update.signature_slot)
    store = process_light_client_optimistic_update(store_at(), optimistic, NOW, NETWORK)
    assert (store.finalized_header, store.optimistic_header) == (CHAIN.header(START), CHAIN.header(30))


def test_few_signers_below_half_of_the_most_seen_do_not_move_the_optimistic_header() -> None:
    store = process_light_client_update(store_at(), CHAIN.update(30, signers=20, finality=False), NOW, NETWORK)
    quiet = process_light_client_update(store, CHAIN.update(31, signers=10), NOW, NETWORK)
    assert quiet.optimistic_header == CHAIN.header(30)
    loud = process_light_client_update(store, CHAIN.update(31, signers=11), NOW, NETWORK)
    assert loud.optimistic_header == CHAIN.header(31)


def test_better_updates_come_first() -> None:
    """Each differs from the one after it in one thing, in the order in which the specification asks."""
    crossing = CHAIN.update(SLOTS_PER_PERIOD - 1)
    ranked = [
        CHAIN.update(40),
        CHAIN.update(40, signed_at=43),
        CHAIN.update(41),
        CHAIN.update(41, signed_at=43),
        CHAIN.update(41, signers=31),
        CHAIN.update(SLOTS_PER_PERIOD + 8),
        CHAIN.update(41, finality=False),
        CHAIN.update(41, committee=False),
        crossing._replace(next_sync_committee=empty_committee(MINIMAL)),
        CHAIN.update(40, signers=21),
        CHAIN.update(40, signers=21, finality=False),
        CHAIN.update(40, signers=20),
        CHAIN.update(40, signers=20, finality=False),
    ]
    for place, better in enumerate(ranked):
        assert not is_better_update(better, better, NETWORK)
        for worse in ranked[place + 1 :]:
            assert is_better_update(better, worse, NETWORK)
            assert not is_better_update(worse, better, NETWORK)


CONFIG = {
    "PRESET_BASE": "minimal",
    "GENESIS_FORK_VERSION": "0x00000001",
    **{f"{fork.name}_FORK_VERSION": f"0x0{fork.value}000001" for fork in Fork},
    "ALTAIR_FORK_EPOCH": "0",
    "BELLATRIX_FORK_EPOCH": "0",
    "CAPELLA_FORK_EPOCH": "0",
    "DENEB_FORK_EPOCH": "8",
    "ELECTRA_FORK_EPOCH": "16",
    "FULU_FORK_EPOCH": "24",
    "MAX_BLOBS_PER_BLOCK_ELECTRA": "9",
    "BLOB_SCHEDULE": [{"EPOCH": "26", "MAX_BLOBS_PER_BLOCK": "15"}],
}


def checks(chain: SimulatedBeacon, finalized: int, optimistic: int) -> dict[str, dict[str, str]]:
    def check(slot: int) -> dict[str, str]:
        header = chain.header(slot)
        roots = {"beacon_root": beacon_root(header.beacon), "execution_root": get_lc_execution_root(header, NETWORK)}
        return {"slot": str(slot), **{name: hexadecimal(root) for name, root in roots.items()}}

    return {"finalized_header": check(finalized), "optimistic_header": check(optimistic)}


def recorded_case() -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, bytes]]:
    """A sequence in the form of the official vectors: an update, finality that stops, an upgrade, a forced update."""
    chain = SimulatedBeacon(NETWORK, last_final=START)
    digests = {fork: hexadecimal(digest) for digest, fork in compute_fork_digests(NETWORK, [(16, 9), (26, 15)]).items()}
    first: LightClientUpdate = chain.update(attested_in(0))
    second = chain.update(attested_in(1), signers=31)
    objects = {
        "bootstrap": forms_of(Fork.CAPELLA, MINIMAL).bootstrap.serialize(chain.bootstrap(START)),
        "first": forms_of(Fork.CAPELLA, MINIMAL).update.serialize(first),
        "second": forms_of(Fork.DENEB, MINIMAL).update.serialize(second),
    }
    meta = {
        "genesis_validators_root": hexadecimal(NETWORK.genesis_validators_root),
        "trusted_block_root": hexadecimal(chain.root(START)),
        "bootstrap_fork_digest": digests[Fork.CAPELLA],
        "store_fork_digest": digests[Fork.CAPELLA],
    }
    capella = {"update_fork_digest": digests[Fork.CAPELLA], "update": "first", "current_slot": "50"}
    deneb = {"update_fork_digest": digests[Fork.DENEB], "update": "second", "current_slot": "110"}
    steps: list[dict[str, Any]] = [
        {"process_update": {**capella, "checks": checks(chain, START, 40)}},
        {"upgrade_store": {"store_fork_digest": digests[Fork.FULU], "checks": checks(chain, START, 40)}},
        {"process_update": {**deneb, "checks": checks(chain, START, 104)}},
        {"force_update": {"current_slot": "150", "checks": checks(chain, 104, 104)}},
    ]
    return meta, steps, objects


def test_a_recorded_sequence_plays_with_upgrade_and_forced_update() -> None:
    meta, steps, objects = recorded_case()
    store = play_sync_steps(meta, CONFIG, steps, objects.__getitem__)
    assert (store.fork, store.finalized_header.beacon.slot) == (Fork.FULU, attested_in(1))


def test_a_recorded_sequence_with_a_wrong_check_or_a_malformed_file_is_refused() -> None:
    meta, steps, objects = recorded_case()
    wrong = json.loads(json.dumps(steps))
    wrong[3]["force_update"]["checks"]["finalized_header"]["slot"] = "103"
    with pytest.raises(ProofError, match=r"step 3 \(force_update\): finalized_header.slot is 104; expected 103"):
        play_sync_steps(meta, CONFIG, wrong, objects.__getitem__)
    for case in [({}, CONFIG, steps), (meta, {}, steps), (meta, CONFIG, [{}]), (meta, CONFIG, [{"jump": {}}])]:
        with pytest.raises(ChainError):
            play_sync_steps(*case, objects.__getitem__)
    unknown = {**meta, "store_fork_digest": "0x00000000"}
    with pytest.raises(NetworkDataError, match="belongs to no fork"):
        play_sync_steps(unknown, CONFIG, steps, objects.__getitem__)
