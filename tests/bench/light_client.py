"""Sync-committee updates and Ethereum account proofs checked per second, and how much of it is BLS."""

import json
import sys
import time
from importlib.util import find_spec
from typing import Any, NamedTuple

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


class Signed(NamedTuple):
    """One link of the real chain: who signed what."""

    every_key: list[bytes]
    fewest_keys: list[bytes]
    message: bytes
    signature: bytes

    def verify(self, keys: list[bytes]) -> None:
        assert fast_aggregate_verify(keys, self.message, self.signature)


def signed_links(proof: HeaderProof) -> list[Signed]:
    network = beacon_network("mainnet")
    committees = [proof.bootstrap.current_sync_committee, *(update.next_sync_committee for update in proof.updates)]
    links = []
    # The last two are signed in the same period, by the same committee.
    signed: list[Any] = [*proof.updates, proof.finality_update]
    for at, update in enumerate(signed):
        committee, aggregate = committees[min(at, len(proof.updates) - 1)], update.sync_aggregate
        message = network.signing_root(beacon_root(update.attested_header.beacon), update.signature_slot)
        keys = signing_keys(committee, aggregate), equivalent_keys(committee, aggregate)
        links.append(Signed(*keys, message, aggregate.sync_committee_signature))
    return links


def seconds_in_python(link: Signed) -> float | None:
    """Return how long one signature takes with py-ecc, or None without it."""
    if find_spec("py_ecc") is None:
        return None
    from py_ecc.bls.ciphersuites import G2ProofOfPossession

    started = time.perf_counter()
    assert G2ProofOfPossession.FastAggregateVerify(link.every_key, link.message, link.signature)
    return time.perf_counter() - started


def main() -> None:
    if not (FOLDER / "ethereum" / "light-client").is_dir() or find_spec("milagro_bls_binding") is None:
        sys.stdout.write("\nBeacon light client: not measured (needs ../shared/vectors and the extra lightclient)\n")
        return
    network, record = beacon_network("mainnet"), stored_proof()
    proof = read_header_proof(record, network)
    links = signed_links(proof)
    prove = seconds_each(lambda: prove_execution_header(proof, network, proof.checkpoint_root, AS_OF))
    read = seconds_each(lambda: read_header_proof(record, network))
    fewest = seconds_each(lambda: [link.verify(link.fewest_keys) for link in links])
    every = seconds_each(lambda: [link.verify(link.every_key) for link in links])
    python = seconds_in_python(links[1])
    block, answer = real("block.json"), real("proof.json")
    header = verify_header(block, block["hash"])
    account = seconds_each(lambda: verify_proof(header.state_root, answer["address"], answer))
    recomputed = seconds_each(lambda: verify_header(block, block["hash"]))
    naive, count = prove - fewest + every, len(links)
    slow = (
        "(py-ecc is not installed)" if python is None else f"{python:8.2f} s   one signature with py-ecc, Python alone"
    )
    sys.stdout.write(
        f"\nBeacon light client, real mainnet data: {count} signatures of 512 members\n"
        f"  checkpoint to block      {prove * 1e3:8.1f} ms  {count / prove:6.1f} updates/s  BLS {fewest / prove:.0%}\n"
        f"  the same with all keys   {naive * 1e3:8.1f} ms  {count / naive:6.1f} updates/s  BLS {every / naive:.0%}"
        f"  {naive / prove:.1f} x\n"
        f"  one signature            {fewest / count * 1e3:8.1f} ms  with all keys {every / count * 1e3:.1f} ms\n"
        f"                           {slow}\n"
        f"  reading the JSON         {read * 1e3:8.1f} ms\n"
        f"  block header recomputed  {1 / recomputed:8,.0f} /s\n"
        f"  account and slot proof   {1 / account:8,.0f} /s\n"
    )


if __name__ == "__main__":
    main()
