"""Throw changed proofs at the parser for a while and print what happened: make fuzz, or SECONDS=600 make fuzz."""

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.builders.accounts import built, hand_over
from tests.builders.lists import BUILDERS
from tests.builders.own import own_cases
from tests.builders.paths import Built
from verifier import check_proofs
from verifier.errors import InputError
from verifier.inclusion.result import ProofVerdict

TOKENS = [b"{", b"}", b"[", b"]", b"\x22", b",", b":", b"null", b"true", b"-1", b"1e999", b"NaN", b"\\ud800", b"\xff",
          b"0" * 400,
          b"[" * 100, b'{"self":', b"path", b"balances", b"\n", b"\t", b"\x00", b"-", b".", b"9" * 90]  # fmt: skip


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Return a copy with one to four changes: a bit, a token put in, a part cut out, doubled or swapped."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at, size = rng.randrange(len(data) + 1), rng.randint(1, 40)
        kind = rng.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at:at] = rng.choice(TOKENS)
        elif kind == 2:
            del data[at : at + size]
        elif kind == 3:
            data[at:at] = data[at : at + size]
        else:
            data[at : at + size] = rng.randbytes(size)
    return bytes(data)


def retype(content: bytes, rng: random.Random) -> bytes:
    """Return JSON with one value replaced by one of another type."""
    value = json.loads(content)
    places = []

    def walk(node):
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], (dict, list)):
                walk(node[key])

    if isinstance(value, (dict, list)):
        walk(value)
    if places:
        node, key = rng.choice(places)
        node[key] = rng.choice([None, True, -1, 0, 2**70, "", "x", "-1", "1e9", [], {}, [[]], {"a": []}, "ab" * 32])
    return json.dumps(value).encode()


def run(seconds: float, seed: int) -> int:
    rng, seen, slowest, accepted = random.Random(seed), Counter(), 0.0, []
    cases = {name: built(name, 5, 2) for name in BUILDERS}
    cases |= {name: Built(case.files, case.root, {}) for name, case in own_cases().items() if not case.findings}
    names = sorted(cases)
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            name = rng.choice(names)
            case = cases[name]
            file = rng.choice(sorted(case.files))
            as_json = case.files[file][:1] in b"{[" and rng.random() < 0.3
            content = retype(case.files[file], rng) if as_json else mutate(case.files[file], rng)
            paths = hand_over(Path(folder), case, **{file: content})
            start = time.perf_counter()
            try:
                report = check_proofs(paths, root=case.root, facts=case.facts, expected=case.expected)
            except InputError:
                seen["bad input"] += 1
                continue
            except Exception:
                Path(f"fuzz-crash-{name}-{file}").write_bytes(content)
                print(f"crash in {name}: fuzz-crash-{name}-{file} keeps the file", file=sys.stderr)
                raise
            slowest = max(slowest, time.perf_counter() - start)
            seen[report.verdict.value] += 1

            if report.verdict is ProofVerdict.ACCEPTED and content != case.files[file]:
                accepted.append(name)

    total = sum(seen[key] for key in ("accepted", "refused", "unrecognised", "bad input"))
    print(f"{total} files in {seconds:.0f} s, seed {seed}: {dict(seen)}")
    print(f"slowest {slowest * 1000:.0f} ms; accepted by format: {dict(Counter(accepted).most_common(8))}; no crash")
    return 0


if __name__ == "__main__":
    sys.exit(run(float(os.environ.get("SECONDS", "60")), int(os.environ.get("SEED", str(random.randrange(2**32))))))
