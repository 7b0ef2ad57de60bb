"""`por publish` on real chains as people use it: killed and run again, then verified where no socket opens."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.record_runs import real_exchange
from verifier.attestation.bundle import pack_zip
from verifier.canonical import canonical_json
from verifier.demo.chain_side import secret_of
from verifier.demo.exchange import PlayedExchange
from verifier.demo.story import price_records_of
from verifier.liabilities.accounts import write_accounts
from verifier.log.note import load_signer, new_key
from verifier.log.writer import read_head

pytestmark = [pytest.mark.real_bitcoind, pytest.mark.real_anvil]

OFFLINE = """
import sys
def watch(event, arguments):
    if event.startswith("socket."):
        raise AssertionError(f"a verification opened a socket: {event}")
sys.addaudithook(watch)
from verifier.cli.main import main
main()
"""


def por(*words: object, offline: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
    program = ["-c", OFFLINE] if offline else ["-m", "verifier.cli.main"]
    command = [sys.executable, *program, *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **environment}
    )


class Desk:
    """What the exchange has on its machine, and the command it types."""

    def __init__(self, folder: Path, exchange: PlayedExchange) -> None:
        self.folder = folder
        declaration = exchange.declaration().model_copy(update={"liabilities": None})
        (folder / "declaration.json").write_bytes(canonical_json(declaration.to_record()))
        (folder / "prices.json").write_bytes(canonical_json(price_records_of(exchange)))
        (folder / "secret").write_text(secret_of("run secret").hex() + "\n")
        write_accounts(folder / "accounts.csv", exchange.assets, exchange.users)
        new_key(folder / "exchange.pem")
        providers = exchange.providers().providers
        lines = ["minimum_operators = 1"]
        self.environment = {}
        for number, one in enumerate(providers):
            lines += ["[[provider]]", f'operator = "{one.operator}"', f'chain = "{one.chain}"']
            lines += [f'dialect = "{one.dialect}"', f'url_env = "URL_{number}"']
            self.environment[f"URL_{number}"] = one.url
            if one.username:
                lines += [f'username_env = "USER_{number}"', f'password_env = "PASSWORD_{number}"']
                self.environment |= {f"USER_{number}": one.username, f"PASSWORD_{number}": one.password}
        (folder / "providers.toml").write_text("\n".join(lines) + "\n")

    def command(self, out: Path) -> list[str]:
        given = ["--accounts", self.folder / "accounts.csv", "--secret-file", self.folder / "secret"]
        given += ["--key", self.folder / "exchange.pem", "--pack", "model-basic", "--pack", "jp-psa-63-11"]
        return ["publish", *map(str, [self.folder / "declaration.json", *given, "--out", out, "--json"])]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with real_exchange(users=200) as exchange:
        yield Desk(tmp_path_factory.mktemp("desk"), exchange)


def test_what_was_published_is_verified_elsewhere_without_a_socket(desk: Desk, tmp_path: Path) -> None:
    done = por(*desk.command(tmp_path / "run"), **desk.environment)
    assert done.returncode == 0, done.stderr
    published = json.loads(done.stdout)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    pack_zip(tmp_path / "run", elsewhere / "run.zip")
    for name in ("run.dsse.json", "run.tlog-proof"):
        (tmp_path / name).rename(elsewhere / name)
    seal = ["--seal", elsewhere / "run.dsse.json", "--signer", desk.folder / "exchange.pem.pub"]
    verified = por("verify", elsewhere / "run.zip", *seal, "--json", offline=True)
    assert verified.returncode == 0, verified.stderr
    told = json.loads(verified.stdout)
    assert (told["verdict"], told["case"]) == ("pass", published["case"]) == (published["verdict"], told["case"])
    origin = published["log"]["origin"]
    policy = elsewhere / "policy.txt"
    policy.write_text(f"log {load_signer(desk.folder / 'exchange.pem', origin).key()}\nquorum none\n")
    entered = por("log", "check", elsewhere / "run.tlog-proof", elsewhere / "run.zip", "--policy", policy, offline=True)
    assert (entered.returncode, "ACCEPTED: entry 0" in entered.stdout) == (0, True), entered.stderr


def test_a_killed_run_goes_on_and_is_entered_once(desk: Desk, tmp_path: Path) -> None:
    whole = por(*desk.command(tmp_path / "whole" / "run"), **desk.environment)
    assert whole.returncode == 0, whole.stderr
    command = [sys.executable, "-m", "verifier.cli.main", *desk.command(tmp_path / "cut" / "run")]
    for seconds in (0.4, 0.8, 1.2, 1.6, 2.4):
        process = subprocess.Popen(command, env={**os.environ, **desk.environment}, stdout=subprocess.DEVNULL)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    done = por(*desk.command(tmp_path / "cut" / "run"), **desk.environment)
    assert done.returncode == 0, done.stderr
    told, expected = json.loads(done.stdout), json.loads(whole.stdout)
    assert (told["case"], told["liabilities"]) == (expected["case"], expected["liabilities"])
    assert read_head(tmp_path / "cut" / "log").text == read_head(tmp_path / "whole" / "log").text
