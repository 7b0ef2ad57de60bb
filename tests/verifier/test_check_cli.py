"""`por check` as a user and a script see it."""

import json
import os
import subprocess
import sys
import time

import pytest
import typer
from typer.testing import CliRunner

from tests.verifier.test_sum_tree import AS_OF, ASSETS, RUN, SECRET
from verifier.cli import check
from verifier.errors import InputError, UnavailableError
from verifier.liabilities.accounts import Account
from verifier.liabilities.build import build, prove
from verifier.liabilities.commitment import save_commitment

TREE = build([Account(name, (5, 10**18)) for name in ("alice", "bob", "c\x1b[2J\u202ed")], ASSETS, RUN, AS_OF, SECRET)

app = typer.Typer(pretty_exceptions_enable=False)
app.command("check")(check.check)


@pytest.fixture
def proof(tmp_path):
    path = tmp_path / "alice.json"
    path.write_bytes(prove(TREE, "alice").to_json())
    return path


def por_check(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_an_anchored_proof_holds_and_the_answer_says_what_it_does_not_prove(proof):
    done = por_check(proof, "--root", TREE.commitment.digest, "--expect", "BTC=0.00000005", "--expect", "ETH=1")
    assert done.exit_code == 0
    for words in ("accepted", "alice", "0.00000005 BTC, 1 ETH", "0.00000015 BTC, 3 ETH", "does not prove", "published"):
        assert words in done.stdout
    assert "--expect" not in done.stdout


def test_json_is_one_object_and_nothing_else(proof, tmp_path):
    save_commitment(tmp_path / "commitment.json", TREE.commitment)
    done = por_check(proof, "--anchor", tmp_path, "--json", "--max-age-days", "36500")
    record = json.loads(done.stdout)
    assert record["verdict"] == "accepted"
    assert record["results"][0]["grade"]["root_anchored"] is True
    assert record["results"][0]["own"] == {"BTC": "0.00000005", "ETH": "1"}
    assert record["pool"] == {"verdict": "single", "fraud": []}


def test_a_balance_that_is_not_mine_is_refused(proof):
    done = por_check(proof, "--expect", "ETH=2")
    assert done.exit_code == 1
    assert "you expect 2 ETH, but the exchange counted 1" in done.stdout


def test_another_root_is_refused(proof):
    done = por_check(proof, "--root", "00" * 32, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["results"][0]["findings"][0]["code"] == "root-not-published"


def test_different_books_are_shown_as_fraud(proof, tmp_path):
    other = build([Account("bob", (1, 1))], ASSETS, RUN, AS_OF, SECRET)
    (tmp_path / "bob.json").write_bytes(prove(other, "bob").to_json())
    done = por_check(proof, tmp_path / "bob.json")
    assert done.exit_code == 1
    assert "two-roots" in done.stdout
    assert "bob.json" in done.stdout


def test_a_file_that_is_no_proof_ends_with_three(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    done = por_check(tmp_path / "x.json")
    assert done.exit_code == 3
    assert "unknown-format" in done.stdout


@pytest.mark.parametrize("option", [["--expect", "BTC"], ["--expect", "BTC=x"], ["--root", "zz"], ["--format", "okx"]])
def test_arguments_that_make_no_sense_are_bad_input(proof, option):
    assert isinstance(por_check(proof, *option).exception, InputError)


def test_the_same_asset_expected_twice_is_bad_input(proof):
    assert isinstance(por_check(proof, "--expect", "BTC=1", "--expect", "BTC=2").exception, InputError)


def test_a_missing_file_is_unavailable(tmp_path):
    assert isinstance(por_check(tmp_path / "none.json").exception, UnavailableError)


def test_an_account_id_cannot_command_the_terminal(tmp_path):
    path = tmp_path / "c.json"
    path.write_bytes(prove(TREE, "c\x1b[2J\u202ed").to_json())
    done = por_check(path)
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_help_has_an_example():
    assert "Example: por check" in por_check("--help").stdout


HEAVY = ("web3", "bitcoinlib", "btclib", "coincurve", "requests", "eth_account", "jinja2")
ALONE = f"""
import sys, typer
from verifier.cli import check
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(check.check)
try:
    app()
finally:
    loaded = [name for name in {HEAVY} if name in sys.modules]
    assert not loaded, loaded
"""


def test_a_users_check_is_quick_and_loads_no_chain_library(proof):
    command = [sys.executable, "-c", ALONE, str(proof), "--root", TREE.commitment.digest]
    best = 60.0
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"NO_COLOR": "1"}, check=False)
        best = min(best, time.perf_counter() - start)
        assert done.returncode == 0, done.stderr
    assert best < 1.0  # aim 0.4 s; `make bench` prints the figure, this catches a heavy import on a loaded machine
