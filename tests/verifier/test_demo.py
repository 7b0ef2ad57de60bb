"""The demonstration ends as it should: the honest exchange passes and every way to cheat is caught by name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="py-bitcoinkernel has no build for Python 3.14 yet")
def test_the_demonstration_passes_the_honest_exchange_and_catches_every_cheat(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "verifier.cli.main", "demo", "--users", "300", "--out", str(tmp_path / "demo")]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {scene["id"]: (scene["verdict"], scene["rule"]) for scene in told["scenes"]} == {
        "honest": ("pass", "all rules"),
        "user": ("accepted", "inclusion proof"),
        "spends-reserves": ("fail", "BASIC-COVERAGE"),
        "declares-twice": ("refused", "partition"),
        "parks-company-coins": ("fail", "JP-ATTRIBUTABLE"),
        "understates": ("refused", "inclusion proof"),
        "flips-a-bit": ("refused", "inclusion proof"),
    }
    assert Path(told["report"]).read_text("utf-8").startswith("<!doctype html>")
    again = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr


def test_a_folder_that_is_no_demonstration_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    command = [sys.executable, "-m", "verifier.cli.main", "demo", "--out", str(tmp_path / "precious")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "not an earlier demonstration" in done.stderr
