"""Proof checks per second beside a bare hashing loop, a user's whole command, and how fast a tree is built."""

import random
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from tests.builders.deep import deep_okx_proof
from verifier.inclusion import sum_tree
from verifier.inclusion.check import check_proof, check_proofs
from verifier.inclusion.commitment import Commitment, TreeAsset
from verifier.inclusion.proof import InclusionProof, LeafProof, parse_proof
from verifier.inclusion.sum_tree import Node
from verifier.liabilities.accounts import Account
from verifier.liabilities.build import build, prove

LEVELS, ASSETS, RUNS = 30, 8, 5
AS_OF = "2026-11-22T00:00:00Z"


def table(assets: int) -> tuple[TreeAsset, ...]:
    return tuple(TreeAsset(f"eip155:1/erc20:0x{number:040x}", f"T{number}", 18) for number in range(assets))


def deep_proof(levels: int, assets: int) -> InclusionProof:
    """Make a valid proof of a tree with 2^levels leaves from random siblings: only one path of it exists."""
    draw = random.Random(7)
    path = tuple(Node(draw.randbytes(32), tuple(draw.getrandbits(80) for _ in range(assets))) for _ in range(levels))
    account, salt, units = "user-1234567", draw.randbytes(16), tuple(draw.getrandbits(70) for _ in range(assets))
    index = draw.getrandbits(levels)
    leaf = Node(sum_tree.leaf_hash("bench", salt, account.encode(), units), units)
    top = sum_tree.fold_path(leaf, index, path)
    header = Commitment("bench", AS_OF, table(assets), 1, 2**levels, levels, top.hash, top.sums)
    return InclusionProof(header, header.digest, account, (LeafProof(salt, units, index, path),))


def bare_walk(proof: InclusionProof) -> bytes:
    """Hash the same path with hashlib and nothing else: no checks, no records."""
    prefix = sha256(b"reserve-verifier/liabilities-tree/1/node").digest() * 2
    (leaf,) = proof.leaves
    node, sums, index = proof.node(0).hash, leaf.balances, leaf.index
    for sibling, held in leaf.path:
        own = node + b"".join([value.to_bytes(16, "big") for value in sums])
        other = sibling + b"".join([value.to_bytes(16, "big") for value in held])
        node = sha256(prefix + (other + own if index & 1 else own + other)).digest()
        sums = tuple(a + b for a, b in zip(sums, held, strict=True))
        index >>= 1
    return node


def seconds_each(action, times: int) -> float:
    """Return the best mean of several rounds: the machine's noise only ever adds."""
    means = []
    for _ in range(RUNS):
        started = time.perf_counter()
        for _ in range(times):
            action()
        means.append((time.perf_counter() - started) / times)
    return min(means)


def whole_command(content: bytes) -> tuple[float, float]:
    """Return the best time of `por check FILE`, and of starting Python with nothing to do."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "proof.json"
        path.write_bytes(content)
        por = [sys.executable, "-m", "verifier.cli.main", "check", str(path), "--json"]
        if (Path(sys.executable).parent / "por").exists():
            por = [str(Path(sys.executable).parent / "por"), "check", str(path), "--json"]
        return (
            seconds_each(lambda: subprocess.run(por, check=True, capture_output=True), 1),
            seconds_each(lambda: subprocess.run([sys.executable, "-c", ""], check=True), 1),
        )


def main(users: int = 20_000) -> None:
    proof = deep_proof(LEVELS, ASSETS)
    content = proof.to_json()
    assert check_proof(proof).verdict == "accepted"
    assert bare_walk(proof) == proof.commitment.root
    bare = seconds_each(lambda: bare_walk(proof), 500)
    record = seconds_each(lambda: check_proof(proof), 500)
    file = seconds_each(lambda: check_proof(parse_proof(content, "proof")), 200)
    command, empty = whole_command(content)
    with tempfile.TemporaryDirectory() as folder:
        foreign = Path(folder) / "okx.json"
        foreign.write_text(deep_okx_proof(LEVELS))
        detected = seconds_each(lambda: check_proofs([foreign]), 100)
    draw = random.Random(1)
    accounts = [Account(f"user-{n:08d}", tuple(draw.getrandbits(60) for _ in range(3))) for n in range(users)]
    started = time.perf_counter()
    tree = build(accounts, table(3), "bench", AS_OF, bytes(32))
    built = time.perf_counter() - started
    proved = seconds_each(lambda: prove(tree, "user-00000042"), 200)
    sys.stdout.write(
        f"\nInclusion proofs of {LEVELS} levels and {ASSETS} assets ({len(content):,} bytes of JSON)\n"
        f"  bare hashlib loop        {1 / bare:10,.0f} /s   {bare * 1e3:7.3f} ms\n"
        f"  check of a record        {1 / record:10,.0f} /s   {record * 1e3:7.3f} ms   {record / bare:5.2f} x bare\n"
        f"  check from the JSON file {1 / file:10,.0f} /s   {file * 1e3:7.3f} ms   {file / bare:5.2f} x bare\n"
        f"  OKX v1 file, recognised  {1 / detected:10,.0f} /s   {detected * 1e3:7.3f} ms\n"
        f"  `por check` as a command {command:18.3f} s    (python alone {empty:.3f} s)\n"
        f"Liabilities tree, {users:,} users x 3 assets\n"
        f"  build                    {users / built:10,.0f} users/s ({built:.2f} s)\n"
        f"  prove, each one checked  {1 / proved:10,.0f} /s\n"
    )


if __name__ == "__main__":
    main()
