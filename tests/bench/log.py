"""100,000 entries: appended one by one and in batches, proven, and the whole log hashed again."""

import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymerkle import InmemoryTree

from verifier.log.audit import audit_log
from verifier.log.checkpoint import read_checkpoint
from verifier.log.note import Signer
from verifier.log.policy import parse_policy
from verifier.log.proof import check_proof, prove_entry
from verifier.log.writer import append_entries, create_log, read_head

BATCH, SINGLE, PROOFS = 1_000, 200, 200


def timed(action) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 100_000
    entries = [f"entry {number:08d} ".encode() + bytes(180) for number in range(count)]
    signer = Signer("bench.example/log", Ed25519PrivateKey.generate())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        create_log(folder, signer)
        parts = [entries[at : at + BATCH] for at in range(0, count, BATCH)]
        appended = timed(lambda: [append_entries(folder, part, signer) for part in parts])
        single = timed(lambda: [append_entries(folder, [entry], signer) for entry in entries[:SINGLE]])
        head = read_checkpoint(read_head(folder), "head")
        audited = timed(lambda: audit_log(folder, head))
        policy = parse_policy(f"log {signer.key()}\nquorum none\n".encode(), "policy")
        places = range(0, count, count // PROOFS)
        proven = timed(lambda: [check_proof(prove_entry(folder, at), entries[at], policy, "proof") for at in places])

    def plain() -> None:
        tree = InmemoryTree(algorithm="sha256")
        for entry in entries:
            tree.append_entry(entry)

    oracle = timed(plain)
    print(f"{count:,} entries in batches of {BATCH:,}, every batch forced to disk: {count / appended:,.0f} entries/s")
    print(f"  {oracle / appended:.1f} times pymerkle's in-memory tree, which keeps nothing")
    print(f"one entry at a time, each forced to disk: {SINGLE / single:,.0f}/s")
    print(f"whole log hashed again: {head.size / audited:,.0f} entries/s")
    print(f"proofs made and checked: {len(places) / proven:,.0f}/s")


if __name__ == "__main__":
    main()
