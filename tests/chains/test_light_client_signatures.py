"""Sync committee signatures: which keys count, and under which domain they sign."""

import sys

import pytest

pytest.importorskip("milagro_bls_binding", reason="needs reserve-verifier[lightclient]")

from chains.errors import MissingExtraError, NetworkDataError
from chains.evm.light_client.bls import equivalent_keys, fast_aggregate_verify, signing_keys
from chains.evm.light_client.containers import (
    SyncAggregate,
)
from chains.evm.light_client.forks import Fork, beacon_network, compute_domain
from chains.evm.light_client.header import beacon_root
from chains.evm.light_client.sync_steps import compute_fork_digests
from tests.chains.simulated_beacon import (
    CHAIN,
    NETWORK,
    committee_of,
)


@pytest.mark.parametrize("signers", [1, 16, 17, 31, 32])
def test_the_sum_of_signers_is_that_of_the_committee_less_the_absent(signers: int) -> None:
    update = CHAIN.update(30, signers=signers)
    committee, aggregate = committee_of(0), update.sync_aggregate
    message = NETWORK.signing_root(beacon_root(update.attested_header.beacon), update.signature_slot)
    for keys in (signing_keys(committee, aggregate), equivalent_keys(committee, aggregate)):
        assert fast_aggregate_verify(keys, message, aggregate.sync_committee_signature)
        assert not fast_aggregate_verify(keys, bytes(32), aggregate.sync_committee_signature)
    assert len(equivalent_keys(committee, aggregate)) <= 16
    wrong = SyncAggregate((*aggregate.sync_committee_bits[1:], False), aggregate.sync_committee_signature)
    if signers > 1:
        assert not fast_aggregate_verify(equivalent_keys(committee, wrong), message, wrong.sync_committee_signature)


INFINITY = b"\xc0" + bytes(47)
# The point with x = 4: on the curve, outside the group of prime order.
OUTSIDE_THE_GROUP = b"\x80" + bytes(46) + b"\x04"
OFF_THE_CURVE = b"\x80" + bytes(46) + b"\x01"


@pytest.mark.parametrize("bad", [INFINITY, OUTSIDE_THE_GROUP, OFF_THE_CURVE, bytes(48), b"", bytes(47)], ids=range(6))
def test_an_invalid_public_key_spoils_a_good_signature(bad: bytes) -> None:
    update = CHAIN.update(30)
    message = NETWORK.signing_root(beacon_root(update.attested_header.beacon), update.signature_slot)
    keys, signature = list(committee_of(0).pubkeys), update.sync_aggregate.sync_committee_signature
    assert fast_aggregate_verify(keys, message, signature)
    assert not fast_aggregate_verify([*keys, bad], message, signature)
    assert not fast_aggregate_verify([bad], message, b"\xc0" + bytes(95))
    assert not fast_aggregate_verify([], message, b"\xc0" + bytes(95))
    assert not fast_aggregate_verify(keys, message, bad)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "milagro_bls_binding", None)
    with pytest.raises(MissingExtraError, match=r"reserve-verifier\[lightclient\]"):
        fast_aggregate_verify([committee_of(0).pubkeys[0]], bytes(32), bytes(96))


def test_the_domain_of_sepolia_since_fulu_is_the_one_others_published() -> None:
    sepolia = beacon_network("sepolia")
    domain = compute_domain(sepolia.version_at(272_640 * 32), sepolia.genesis_validators_root)
    assert domain.hex() == "07000000f52c15272cff99835cd05aa522af469210b5b2c8807e372b6b9ca539"


def test_the_digest_of_sepolia_with_its_last_blob_limit_is_the_one_nodes_announced() -> None:
    digests = compute_fork_digests(beacon_network("sepolia"), [(222_464, 9), (274_176, 15), (275_712, 21)])
    assert digests[bytes.fromhex("74d01459")] == Fork.FULU
    assert sorted(digests.values()).count(Fork.FULU) == 3


def test_an_unknown_chain_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NetworkDataError, match="known: development, mainnet, sepolia"):
        beacon_network("../mainnet")
