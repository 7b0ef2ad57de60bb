"""The light client on real Ethereum mainnet data, and on the consensus specification's own vectors."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("milagro_bls_binding", reason="needs reserve-verifier[lightclient]")

from chains.errors import ChainError, InvalidAnswerError, ProofError
from chains.evm.hexadecimal import hexadecimal
from chains.evm.light_client.bls import equivalent_keys, fast_aggregate_verify, signing_keys
from chains.evm.light_client.containers import EXECUTION_PAYLOAD_GINDEX, SyncCommittee, forms_of
from chains.evm.light_client.forks import MAINNET, Fork, beacon_network, gindices_of, network_of_config
from chains.evm.light_client.header import beacon_root
from chains.evm.light_client.proof import (
    HeaderProof,
    prove_block,
    prove_execution_header,
    read_header_proof,
    write_header_proof,
)
from chains.evm.light_client.store import is_better_update
from chains.evm.light_client.sync_steps import play_sync_steps
from tests.shared_vectors import vector_path, vectors

NETWORK = beacon_network("mainnet")
# A block root of August 2023, period 862; the real chain's, as the bootstrap of that time names it.
CHECKPOINT = bytes.fromhex("5afc212a7924789b2bc86acad3ab3a6ffb1f6e97253ea50bee7f4f51422c9275")
BLOCK = 17_923_026
BLOCK_HASH = "0xbc8499537876e5406c7a65e25f99063f1cd85a17014a3aa5ade38271b1fbf64f"
# Five days and some hours after the checkpoint.
AS_OF = 1_692_140_000
SPECIFICATION = "ethereum/consensus-spec-tests/tests"


def real_record() -> dict[str, Any]:
    return {
        "network": "mainnet",
        "checkpoint_root": hexadecimal(CHECKPOINT),
        "bootstrap": vectors("ethereum/light-client/bootstrap.json"),
        "updates": vectors("ethereum/light-client/updates.json"),
        "finality_update": vectors("ethereum/light-client/finality.json"),
    }


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return real_record()


@pytest.fixture(scope="module")
def proof(record: dict[str, Any]) -> HeaderProof:
    return read_header_proof(record, NETWORK)


def test_real_committees_prove_a_real_block(proof: HeaderProof) -> None:
    proven = prove_execution_header(proof, NETWORK, CHECKPOINT, AS_OF)
    assert (proven.block_number, proven.block_hash) == (BLOCK, BLOCK_HASH)
    assert proven.state_root.hex() == "226f5ff47ab3725b5a4a3afc74b1e79e4aa3a29704561eccce590e58900baec3"
    assert (proven.finalized_slot, proven.timestamp) == (7_109_344, NETWORK.time_of(7_109_344))
    assert (proven.signers, proven.fewest_signers, proven.committee_size) == (512, 510, 512)
    assert (proven.checkpoint_slot, proven.checkpoint_age_days) == (7_069_376, 5)
    assert len(proof.updates) == 6


def test_the_block_that_was_captured_for_state_proofs_is_not_this_one(proof: HeaderProof) -> None:
    proven = prove_execution_header(proof, NETWORK, CHECKPOINT, AS_OF)
    with pytest.raises(ProofError, match="the header hashes to 0x92dabfa3"):
        prove_block(proven, vectors("ethereum/block.json"))


def test_real_data_survive_bytes_and_json(record: dict[str, Any], proof: HeaderProof) -> None:
    assert write_header_proof(proof, NETWORK) == record
    forms = forms_of(Fork.CAPELLA, MAINNET)
    for update in proof.updates:
        assert forms.update.deserialize(forms.update.serialize(update), "update") == update


def test_the_signers_keys_and_the_committees_key_less_the_absent_agree_on_real_signatures(proof: HeaderProof) -> None:
    first = proof.updates[3]
    committee = proof.updates[2].next_sync_committee
    message = NETWORK.signing_root(beacon_root(first.attested_header.beacon), first.signature_slot)
    every, fewest = signing_keys(committee, first.sync_aggregate), equivalent_keys(committee, first.sync_aggregate)
    assert (len(every), len(fewest)) == (510, 3)
    for keys in (every, fewest):
        assert fast_aggregate_verify(keys, message, first.sync_aggregate.sync_committee_signature)
        assert not fast_aggregate_verify(keys[:-1], message, first.sync_aggregate.sync_committee_signature)


class Flip(NamedTuple):
    """One bit of one part, and the reason with which its change is refused."""

    path: tuple[str | int, ...]
    reason: str


BOOT, FINAL = ("bootstrap", "data"), ("finality_update", "data")
UPDATE = ("updates", 2, "data")
FLIPS = [
    *(
        Flip((*BOOT, "header", "beacon", name), "the bootstrap's block has root")
        for name in ("state_root", "body_root")
    ),
    Flip((*BOOT, "header", "beacon", "parent_root"), "the bootstrap's block has root"),
    Flip((*BOOT, "header", "execution", "block_hash"), "bootstrap header's execution block is not the one"),
    Flip((*BOOT, "header", "execution_branch", 3), "bootstrap header's execution block is not the one"),
    Flip((*BOOT, "current_sync_committee", "pubkeys", 511), "sync committee is not in the state at slot 7069376"),
    Flip((*BOOT, "current_sync_committee", "aggregate_pubkey"), "sync committee is not in the state at slot 7069376"),
    Flip((*BOOT, "current_sync_committee_branch", 0), "sync committee is not in the state at slot 7069376"),
    Flip((*UPDATE, "attested_header", "beacon", "parent_root"), "update 2: the signature of 511"),
    Flip((*UPDATE, "attested_header", "beacon", "state_root"), "update 2: the finalized header is not the one"),
    Flip((*UPDATE, "attested_header", "beacon", "body_root"), "update 2: the attested header's execution block"),
    Flip((*UPDATE, "attested_header", "execution", "logs_bloom"), "update 2: the attested header's execution block"),
    Flip((*UPDATE, "attested_header", "execution", "extra_data"), "update 2: the attested header's execution block"),
    Flip((*UPDATE, "next_sync_committee", "pubkeys", 0), "update 2: the sync committee is not in the state"),
    Flip((*UPDATE, "next_sync_committee", "aggregate_pubkey"), "update 2: the sync committee is not in the state"),
    Flip((*UPDATE, "next_sync_committee_branch", 4), "update 2: the sync committee is not in the state"),
    Flip((*UPDATE, "finalized_header", "beacon", "state_root"), "update 2: the finalized header is not the one"),
    Flip((*UPDATE, "finalized_header", "execution", "state_root"), "update 2: the finalized header's execution block"),
    Flip((*UPDATE, "finality_branch", 5), "update 2: the finalized header is not the one"),
    Flip((*UPDATE, "sync_aggregate", "sync_committee_bits"), "update 2: the signature of 51[02] committee members"),
    Flip((*UPDATE, "sync_aggregate", "sync_committee_signature"), "update 2: the signature of 511 committee members"),
    Flip((*FINAL, "attested_header", "beacon", "parent_root"), "finality update: the signature of 512"),
    Flip((*FINAL, "finalized_header", "beacon", "parent_root"), "finality update: the finalized header is not the one"),
    *(
        Flip((*FINAL, "finalized_header", "execution", name), "finality update: the finalized header's execution block")
        for name in ("parent_hash", "fee_recipient", "state_root", "receipts_root", "prev_randao", "block_hash")
    ),
    Flip((*FINAL, "finalized_header", "execution_branch", 0), "finality update: the finalized header's execution"),
    Flip((*FINAL, "finality_branch", 0), "finality update: the finalized header is not the one"),
    Flip((*FINAL, "sync_aggregate", "sync_committee_bits"), "finality update: the signature of 511 committee members"),
    Flip((*FINAL, "sync_aggregate", "sync_committee_signature"), "finality update: the signature of 512"),
    Flip(("checkpoint_root",), "the proof starts at checkpoint"),
]
NUMBERS = [
    Flip((*BOOT, "header", "beacon", "slot"), "the bootstrap's block has root"),
    Flip((*UPDATE, "attested_header", "beacon", "proposer_index"), "update 2: the signature of 511"),
    Flip((*FINAL, "finalized_header", "execution", "block_number"), "finalized header's execution block"),
    Flip((*FINAL, "finalized_header", "execution", "timestamp"), "finalized header's execution block"),
    Flip((*FINAL, "finalized_header", "execution", "base_fee_per_gas"), "finalized header's execution block"),
    Flip((*FINAL, "finalized_header", "beacon", "slot"), "finality update: the finalized header is not the one"),
]


def changed(record: dict[str, Any], path: tuple[str | int, ...], change: Callable[[str], str]) -> dict[str, Any]:
    copied = copy.deepcopy(record)
    *parents, last = path
    place: Any = copied
    for step in parents:
        place = place[step]
    place[last] = change(place[last])
    return copied


@pytest.mark.parametrize("flip", FLIPS, ids=lambda flip: ".".join(map(str, flip.path)))
@pytest.mark.parametrize("bit", [0, 3])
def test_one_flipped_bit_of_any_part_is_refused_with_its_own_reason(
    record: dict[str, Any], flip: Flip, bit: int
) -> None:
    def turn(text: str) -> str:
        content = bytearray.fromhex(text[2:])
        content[-1] ^= 1 << bit
        return hexadecimal(bytes(content))

    with pytest.raises(ProofError, match=flip.reason):
        altered = read_header_proof(changed(record, flip.path, turn), NETWORK)
        prove_execution_header(altered, NETWORK, CHECKPOINT, AS_OF)


@pytest.mark.parametrize("flip", NUMBERS, ids=lambda flip: ".".join(map(str, flip.path)))
def test_one_flipped_bit_of_any_number_is_refused_with_its_own_reason(record: dict[str, Any], flip: Flip) -> None:
    with pytest.raises(ProofError, match=flip.reason):
        altered = read_header_proof(changed(record, flip.path, lambda text: str(int(text) ^ 1)), NETWORK)
        prove_execution_header(altered, NETWORK, CHECKPOINT, AS_OF)


def test_another_checkpoint_stated_by_the_verifier_is_refused(proof: HeaderProof) -> None:
    with pytest.raises(ProofError, match="you stated 0x00"):
        prove_execution_header(proof, NETWORK, bytes(32), AS_OF)


def test_real_data_under_another_fork_version_or_chain_are_refused(proof: HeaderProof) -> None:
    deneb = tuple(
        scheduled._replace(version=b"\x09\x00\x00\x00") if scheduled.fork == Fork.CAPELLA else scheduled
        for scheduled in NETWORK.forks
    )
    for network in (NETWORK._replace(forks=deneb), NETWORK._replace(genesis_validators_root=bytes(32))):
        with pytest.raises(ProofError, match="update 0: the signature of 511 committee members does not verify"):
            prove_execution_header(proof, network, CHECKPOINT, AS_OF)


def test_a_real_version_of_another_fork_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(InvalidAnswerError, match=r"at slot 7109430 mainnet has capella|unknown fields|missing fields"):
        read_header_proof(changed(record, ("finality_update", "version"), lambda _: "deneb"), NETWORK)


def test_a_swapped_real_committee_is_refused(proof: HeaderProof) -> None:
    other: SyncCommittee = proof.updates[4].next_sync_committee
    swapped = proof._replace(bootstrap=proof.bootstrap._replace(current_sync_committee=other))
    with pytest.raises(ProofError, match="sync committee is not in the state at slot 7069376"):
        prove_execution_header(swapped, NETWORK, CHECKPOINT, AS_OF)


def test_missing_repeated_and_future_real_updates_are_refused(proof: HeaderProof) -> None:
    skipped = proof._replace(updates=proof.updates[:2] + proof.updates[3:])
    with pytest.raises(ProofError, match="update 2: the update is signed in period 865; the store, at period 863"):
        prove_execution_header(skipped, NETWORK, CHECKPOINT, AS_OF)
    repeated = proof._replace(updates=(*proof.updates, proof.updates[5]))
    assert proof.updates[5].finalized_header.beacon.slot < proof.updates[5].attested_header.beacon.slot
    with pytest.raises(ProofError, match="update 6: "):
        prove_execution_header(repeated, NETWORK, CHECKPOINT, AS_OF)
    with pytest.raises(ProofError, match=r"update 5: .* in the future of slot"):
        prove_execution_header(proof, NETWORK, CHECKPOINT, NETWORK.time_of(7_100_000))


def test_a_real_branch_at_a_wrong_generalized_index_is_refused(proof: HeaderProof) -> None:
    crossed = proof.finality_update._replace(finality_branch=proof.updates[5].finality_branch)
    with pytest.raises(ProofError, match="finality update: the finalized header is not the one in the state"):
        prove_execution_header(proof._replace(finality_update=crossed), NETWORK, CHECKPOINT, AS_OF)
    electra = NETWORK._replace(
        forks=tuple(
            scheduled._replace(epoch=0) if scheduled.fork == Fork.ELECTRA else scheduled
            for scheduled in NETWORK.forks
            if scheduled.fork in (Fork.CAPELLA, Fork.DENEB, Fork.ELECTRA)
        )
    )
    with pytest.raises(ProofError):
        prove_execution_header(proof, electra, CHECKPOINT, AS_OF)


def raw_ssz(path: Path) -> bytes:
    cramjam = pytest.importorskip("cramjam", reason="the official vectors are compressed; install cramjam")
    return bytes(cramjam.snappy.decompress_raw(path.read_bytes()))


def plain_yaml(path: Path) -> Any:
    yaml = pytest.importorskip("yaml", reason="the official vectors are described in YAML; install pyyaml")
    return yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # resolves no types


def official_cases(kind: str) -> list[Path]:
    root = vector_path(SPECIFICATION, may_be_absent=True)
    cases = sorted(path.parent for path in root.glob(f"*/*/light_client/{kind}/*/*/meta.yaml"))
    assert cases, f"no {kind} cases under {root}"
    return cases


def readable(case: Path) -> bool:
    """Say whether a case stays before Gloas, whose data forms are not read."""
    return "gloas" not in case.name and case.parts[-5] in {fork.label for fork in Fork if fork < Fork.GLOAS}


def test_official_sync_vectors_play_step_by_step() -> None:
    failed = []
    for case in filter(readable, official_cases("sync")):
        meta, steps, config = (plain_yaml(case / f"{name}.yaml") for name in ("meta", "steps", "config"))
        try:
            play_sync_steps(meta, config, steps, lambda name, case=case: raw_ssz(case / f"{name}.ssz_snappy"))
        except ChainError as error:
            failed.append(f"{case}: {error}")
    assert failed == []


def test_official_update_rankings_hold() -> None:
    for case in filter(readable, official_cases("update_ranking")):
        preset, fork = case.parts[-6], Fork[case.parts[-5].upper()]
        config = {"PRESET_BASE": preset, "GENESIS_FORK_VERSION": "0x00000001"}
        network = network_of_config(config, bytes(32))
        form = forms_of(fork, network.preset).update
        count = int(plain_yaml(case / "meta.yaml")["updates_count"])
        updates = [form.deserialize(raw_ssz(case / f"updates_{at}.ssz_snappy"), "update") for at in range(count)]
        for place, better in enumerate(updates):
            for worse in updates[place + 1 :]:
                assert not is_better_update(worse, better, network)


def test_official_merkle_proofs_stand_where_we_look() -> None:
    """The objects are whole states and bodies, which are not read here: the index and the depth are compared."""
    root = vector_path(SPECIFICATION, may_be_absent=True)
    paths = sorted(root.glob("*/*/light_client/single_merkle_proof/*/*/proof.yaml"))
    assert paths
    for path in (path for path in paths if readable(path.parent)):
        indices = gindices_of(Fork[path.parts[-6].upper()])
        expected = {
            "current_sync_committee_merkle_proof": indices.current_sync_committee,
            "next_sync_committee_merkle_proof": indices.next_sync_committee,
            "finality_root_merkle_proof": indices.finalized_root,
            "execution_merkle_proof": EXECUTION_PAYLOAD_GINDEX,
        }
        proof = plain_yaml(path)
        if path.parent.name in expected:
            assert int(proof["leaf_index"]) == expected[path.parent.name], path
            assert len(proof["branch"]) == expected[path.parent.name].bit_length() - 1
