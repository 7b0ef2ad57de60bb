"""The fast kernel is compiled once for all later starts, anew when its parts change, and runs without the lock."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

pytest.importorskip("numba")

from verifier.liabilities.publisher import rows, sha_ni
from verifier.liabilities.publisher.portable import SCHEDULE_WORDS

KERNELS = """
import numpy as np
from verifier.liabilities.publisher import fast, plain, rows
from verifier.liabilities.publisher.kernels import Ids
ids = Ids(np.frombuffer(b"abcde" * 99, dtype=np.uint8), np.array([0, 1, 70, 495], dtype=np.int64))
units = np.frombuffer(bytes(range(96)), dtype=np.uint8).reshape(3, 32)
records, expected = (kernel.leaf_records(bytes(32), "run", ids, units) for kernel in (fast, plain))
assert records.tobytes() == expected.tobytes()
assert fast.parents(records[:2, 16:]).tobytes() == plain.parents(records[:2, 16:]).tobytes()
compiled = (rows.advance, rows.join, rows.hash_leaves)
assert all(len(function.signatures) == 1 for function in compiled)
print(fast.KERNEL.native, *(sum(function.stats.cache_misses.values()) for function in compiled))
"""

CALLEE = """
from chains.compiled import compiled
@compiled()
def answer():
    return {}
"""

CALLER = """
from numba import types
import callee
from chains.compiled import compiled
@compiled(types.int64(), (callee,))
def ask():
    return callee.answer()
print(ask(), sum(ask.stats.cache_misses.values()))
"""


def start(code: str, cache: Path, **environment: str) -> str:
    """Run code in a new process whose compiled functions are kept in `cache`; return what it prints."""
    settled = {name: value for name, value in os.environ.items() if name != "POR_SHA"}
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**settled, "NUMBA_CACHE_DIR": str(cache), **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout.strip()


def test_a_second_start_loads_what_the_first_compiled_on_either_path(tmp_path):
    native = sha_ni.available()
    assert start(KERNELS, tmp_path) == f"{native} 1 1 1"
    assert start(KERNELS, tmp_path) == f"{native} 0 0 0"
    assert start(KERNELS, tmp_path, POR_SHA="portable") == "False 0 0 0"


def test_a_processor_without_the_instructions_takes_the_portable_path(tmp_path):
    assert start(KERNELS, tmp_path, NUMBA_CPU_NAME="generic") == "False 1 1 1"


def test_what_was_kept_is_not_used_after_a_change_in_a_module_it_was_compiled_from(tmp_path):
    code, kept, path = tmp_path / "code", tmp_path / "kept", os.pathsep.join(sys.path)
    code.mkdir()
    (code / "caller.py").write_text(CALLER)
    told = []
    for answer in (7, 7, 1_234):
        (code / "callee.py").write_text(CALLEE.format(answer))
        told.append(start("import caller", kept, PYTHONPATH=f"{code}{os.pathsep}{path}"))
    assert told == ["7 1", "7 0", "1234 1"]


def test_other_threads_run_while_compiled_code_hashes():
    # The portable path writes the state after each block: whoever sees it half-way has run meanwhile.
    state, blocks = np.zeros(32, dtype=np.uint8), np.zeros(64 << 19, dtype=np.uint8)
    before, seen = state.tobytes(), set()
    hashing = Thread(target=rows.advance, args=(False, state, blocks, np.empty(SCHEDULE_WORDS, dtype=np.uint32)))
    hashing.start()
    while hashing.is_alive():
        seen.add(state.tobytes())
    hashing.join()
    assert seen - {before, state.tobytes()}
