"""Every recorded run gives its expected verdict, offline and without any optional package."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUNS = Path(__file__).resolve().parents[2] / "fixtures" / "runs"
OFFLINE = """
import sys
def watch(event, arguments):
    if event.startswith("socket."):
        raise AssertionError(f"a verification opened a socket: {event}")
sys.addaudithook(watch)
for name in ("web3", "eth_account", "eth_tester", "eth", "bitcoinlib", "pbk"):
    sys.modules[name] = None
from verifier import verify_bundle
print(verify_bundle(sys.argv[1]).verdict)
"""


def test_there_are_recorded_runs_of_both_outcomes() -> None:
    expected = {json.loads(path.read_text())["verdict"] for path in RUNS.glob("*/expected.json")}
    assert {"pass", "fail"} <= expected


@pytest.mark.parametrize("run", sorted(path for path in RUNS.iterdir() if path.is_dir()), ids=lambda path: path.name)
def test_a_recorded_run_gives_its_verdict_with_sockets_blocked_and_no_extras(run: Path) -> None:
    done = subprocess.run([sys.executable, "-c", OFFLINE, str(run)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == json.loads((run / "expected.json").read_text())["verdict"], done.stderr
    assert (run / "README.md").read_text().startswith(f"# {run.name}")
