"""Sync-committee updates and Ethereum account proofs checked per second, and how much of it is BLS."""

import json
import sys
import time
from importlib.util import find_spec
from typing import Any

from chains.evm.header import verify_header
from chains.evm.light_client.bls import equivalent_keys, fast_aggregate_verify, signing_keys
from chains.evm.light_client.forks import beacon_network
from chains.evm.light_client.header import beacon_root
from chains.evm.light_client.proof import HeaderProof, prove_execution_header, read_header_proof
from chains.evm.state_proof import verify_proof
from tests.shared_vectors import FOLDER

RUNS = 3
SECONDS = 0.4
AS_OF = 1_692_140_000


def seconds_each(action) -> float:
    """Return the best mean of several rounds: the machine's noise only ever adds."""
    best = float("inf")
    for _ in range(RUNS):
        times, started = 0, time.perf_counter()
        while time.perf_counter() - started < SECONDS:
            action()
            times += 1
        best = min(best, (time.perf_counter() - started) / times)
    return best


def real(name: str) -> Any:
    return json.loads((FOLDER / "ethereum" / name).read_text("utf-8"))


def stored_proof() -> dict[str, Any]:
    bootstrap = real("light-client/bootstrap.json")
    return {
        "network": "mainnet",
        "checkpoint_root": "0x5afc212a7924789b2bc86acad3ab3a6ffb1f6e97253ea50bee7f4f51422c9275",
        "bootstrap": bootstrap,
        "updates": real("light-client/updates.json"),
        "finality_update": real("light-client/finality.json"),
    }


def signature_times(proof: HeaderProof) -> tuple[float, float, float | None]:
    """Return the seconds of one real signature: fewest keys, all 512 keys, and all keys in Python alone."""
    network, update = beacon_network("mainnet"), proof.updates[1]
    committee, aggregate = proof.updates[0].next_sync_committee, update.sync_aggregate
    message = network.signing_root(beacon_root(update.attested_header.beacon), update.signature_slot)
    signature = aggregate.sync_committee_signature
    every, fewest = signing_keys(committee, aggregate), equivalent_keys(committee, aggregate)
    assert fast_aggregate_verify(every, message, signature)
    python = None
    if find_spec("py_ecc") is not None:
        from py_ecc.bls import G2ProofOfPossession

        started = time.perf_counter()
        assert G2ProofOfPossession.FastAggregateVerify(every, message, signature)
        python = time.perf_counter() - started
    return (
        seconds_each(lambda: fast_aggregate_verify(fewest, message, signature)),
        seconds_each(lambda: fast_aggregate_verify(every, message, signature)),
        python,
    )


def main() -> None:
    if not (FOLDER / "ethereum" / "light-client").is_dir() or find_spec("milagro_bls_binding") is None:
        sys.stdout.write("\nBeacon light client: not measured (needs ../shared/vectors and the extra lightclient)\n")
        return
    network, record = beacon_network("mainnet"), stored_proof()
    proof = read_header_proof(record, network)
    signatures = len(proof.updates) + 1
    prove = seconds_each(lambda: prove_execution_header(proof, network, proof.checkpoint_root, AS_OF))
    read = seconds_each(lambda: read_header_proof(record, network))
    fewest, every, python = signature_times(proof)
    block, answer = real("block.json"), real("proof.json")
    header = verify_header(block, block["hash"])
    account = seconds_each(lambda: verify_proof(header.state_root, answer["address"], answer))
    recomputed = seconds_each(lambda: verify_header(block, block["hash"]))
    naive = prove - signatures * fewest + signatures * every
    slow = (
        "  (py-ecc is not installed)" if python is None else f"{python:10.2f} s   one signature, Python alone (py-ecc)"
    )
    sys.stdout.write(
        f"\nBeacon light client, real mainnet data: {signatures} signatures of 512 members\n"
        f"  checkpoint to block      {prove * 1e3:10.1f} ms  {signatures / prove:8.0f} updates/s  "
        f"BLS {signatures * fewest / prove:.0%}\n"
        f"  the same with all keys   {naive * 1e3:10.1f} ms  {signatures / naive:8.0f} updates/s  "
        f"BLS {signatures * every / naive:.0%}  {naive / prove:.1f} x\n"
        f"  reading the JSON         {read * 1e3:10.1f} ms\n"
        f"  one signature            {fewest * 1e3:10.1f} ms  with all keys {every * 1e3:.1f} ms  {every / fewest:.1f} x\n"
        f"  {slow}\n"
        f"  block header recomputed  {1 / recomputed:10,.0f} /s\n"
        f"  account and slot proof   {1 / account:10,.0f} /s\n"
    )


if __name__ == "__main__":
    main()
