"""The log from the command line: an exchange publishes, a witness signs, a user checks, and a split view is found."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from verifier.cli.main import app
from verifier.errors import InputError

RUNS = Path(__file__).parents[2] / "fixtures" / "runs"
ORIGIN = "por.example.com/log"


def por(*words: object) -> Result:
    return CliRunner().invoke(app, ["log", *map(str, words)])


def played(folder: Path) -> tuple[Path, str, Path]:
    """Make keys, a log with two runs, and a policy that asks for one witness; return log, key and policy."""
    log, pem, witness = folder / "log", folder / "log.pem", folder / "witness.pem"
    keys = json.loads(por("key", ORIGIN, "--out", pem, "--json").stdout)
    seer = json.loads(por("key", "w.example.org", "--out", witness, "--json").stdout)
    assert pem.stat().st_mode & 0o077 == 0
    assert por("init", log, "--origin", ORIGIN, "--key", pem).exit_code == 0
    done = por("append", log, RUNS / "knots-anvil-pass", RUNS / "knots-anvil-fail", "--origin", ORIGIN, "--key", pem)
    assert (done.exit_code, "2 entries" in done.stdout) == (0, True)
    policy = folder / "policy.txt"
    policy.write_text(f"log {keys['log']}\nwitness w {seer['witness']}\nquorum w\n")
    return log, keys["log"], policy


def test_a_run_is_published_witnessed_and_checked_by_its_proof(tmp_path: Path) -> None:
    log, key, policy = played(tmp_path)
    assert por("verify", log, "--policy", policy).exit_code == 2
    seen = ("witness", log, "--log", key, "--name", "w.example.org", "--key", tmp_path / "witness.pem")
    assert por(*seen, "--state", tmp_path / "seen", "--write").exit_code == 0
    assert por(*seen, "--state", tmp_path / "seen", "--write").exit_code == 0
    verified = json.loads(por("verify", log, "--policy", policy, "--json").stdout)
    assert (verified["verdict"], verified["size"], verified["cosigned"]) == ("pass", 2, ["w"])
    proof = tmp_path / "run.tlog-proof"
    assert por("prove", log, 0, "--out", proof).exit_code == 0
    assert por("check", proof, RUNS / "knots-anvil-pass", "--policy", policy).exit_code == 0
    other = por("check", proof, RUNS / "knots-anvil-fail", "--policy", policy, "--json")
    assert (other.exit_code, json.loads(other.stdout)["verdict"]) == (1, "refused")
    assert isinstance(por("prove", log, 2, "--out", proof).exception, InputError)


def test_a_damaged_log_fails_and_names_the_file(tmp_path: Path) -> None:
    log, _, policy = played(tmp_path)
    tile = log / "tile/entries/000.p/2"
    tile.write_bytes(tile.read_bytes().replace(b"case", b"cose"))
    done = por("verify", log, "--policy", policy, "--json")
    assert (done.exit_code, json.loads(done.stdout)["verdict"]) == (1, "fail")
    assert "tile/entries/000.p/2" in json.loads(done.stdout)["problems"][0]


def test_pooled_proofs_show_that_two_people_saw_two_logs(tmp_path: Path) -> None:
    log, key, _ = played(tmp_path)
    shadow = tmp_path / "shadow"
    assert por("init", shadow, "--origin", ORIGIN, "--key", tmp_path / "log.pem").exit_code == 0
    runs = (RUNS / "knots-anvil-pass", RUNS / "knots-anvil-pass")
    assert por("append", shadow, *runs, "--origin", ORIGIN, "--key", tmp_path / "log.pem").exit_code == 0
    mine, theirs = tmp_path / "mine.tlog-proof", tmp_path / "theirs.tlog-proof"
    por("prove", log, 0, "--out", mine)
    por("prove", shadow, 0, "--out", theirs)
    split = por("compare", mine, theirs, "--log", key, "--json")
    assert (split.exit_code, json.loads(split.stdout)["verdict"]) == (1, "fail")
    assert por("compare", mine, log / "checkpoint", "--log", key).exit_code == 0
    seen = ("--log", key, "--name", "w.example.org", "--key", tmp_path / "witness.pem", "--state", tmp_path / "seen")
    assert por("witness", log, *seen).exit_code == 0
    refused = por("witness", shadow, *seen, "--json")
    assert (refused.exit_code, json.loads(refused.stdout)) == (
        1,
        {"verdict": "refused", "reason": "two trees of one size", "fork": True},
    )


def test_a_private_key_is_never_overwritten_nor_shown(tmp_path: Path) -> None:
    pem = tmp_path / "log.pem"
    done = por("key", ORIGIN, "--out", pem)
    assert "PRIVATE" not in done.output
    assert isinstance(por("key", ORIGIN, "--out", pem).exception, InputError)
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN PRIVATE KEY-----\nsecretsecret\n-----END PRIVATE KEY-----\n")
    failed = por("init", tmp_path / "log", "--origin", ORIGIN, "--key", broken)
    assert isinstance(failed.exception, InputError) and "secret" not in str(failed.exception)
