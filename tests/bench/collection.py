"""Measure a whole `por collect`: thousands of readings of anvil and of Bitcoin Knots, also killed and resumed.

Run `python -m tests.bench.collection [readings]`, also with 100000; it starts both nodes. The figures are of the whole
command, with start, journal, bundle and case; a run that was killed and resumed must give the same bundle to the byte.
"""

import filecmp
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from chains.bitcoin.address import address_of_script
from chains.ids import AccountId, account_id
from chains.model import Holding
from tests.bench.readings import fund
from tests.live.anvil import Anvil, AnvilHarness, running_anvil
from tests.live.bitcoind import Node, knots

POR = str(Path(sys.executable).with_name("por"))
OUTPUTS_PER_TRANSACTION = 2_000
NAIVE_SAMPLE = 50
KILLS = 5
MIB = 1024 * 1024


class Run(NamedTuple):
    """One whole command: wall seconds, and the most memory it held, in bytes."""

    seconds: float
    peak: int


def pay(node: Node, count: int) -> list[AccountId]:
    """Pay 1,000 base units and more to so many fresh addresses."""
    node.mine(101 + count // OUTPUTS_PER_TRANSACTION)
    scripts = [b"\x00\x14" + sha256(f"wallet {number}".encode()).digest()[:20] for number in range(count)]
    addresses = [address_of_script(node.network, script) or "" for script in scripts]
    for start in range(0, count, OUTPUTS_PER_TRANSACTION):
        part = addresses[start : start + OUTPUTS_PER_TRANSACTION]
        amounts = {a: str(Decimal(1_000 + start + n).scaleb(-8)) for n, a in enumerate(part)}
        node.call("sendmany", "", amounts, wallet="miner")
        node.mine()
    return [account_id(f"{node.network.chain}:{address}") for address in addresses]


def declare(folder: Path, ethereum: Sequence[Holding], bitcoin: Sequence[AccountId], native: str) -> Path:
    """Write the declaration of an exchange that has all these wallets, half of them on each chain."""
    wallets: dict[str, list[str]] = {}
    for account, asset in ethereum:
        wallets.setdefault(account, []).append(asset)
    wallets |= {account: [native] for account in bitcoin}
    assets = sorted({asset for held in wallets.values() for asset in held})
    record = {
        "format": "reserve-verifier/declaration/1",
        "exchange": {"name": "Many Wallets", "id": "many.example"},
        "as_of": "2026-11-22T00:00:00Z",
        "assets": [{"asset": asset, "symbol": f"A{n}", "decimals": 8} for n, asset in enumerate(assets)],
        "wallets": [{"account": a, "assets": held, "pool": "client-cold"} for a, held in wallets.items()],
    }
    path = folder / "declaration.json"
    path.write_text(json.dumps(record))
    return path


def name_providers(folder: Path, anvil: AnvilHarness, node: Node, **options: str) -> Path:
    def entry(operator: str, chain: str, dialect: str, url: str, more: str) -> str:
        return f'[[provider]]\noperator="{operator}"\nchain="{chain}"\ndialect="{dialect}"\nurl="{url}"\n{more}\n'

    asked = ", ".join(f'{name} = "{value}"' for name, value in options.items())
    user = 'username_env = "BENCH_USER"\npassword_env = "BENCH_PASSWORD"'
    os.environ["BENCH_USER"], os.environ["BENCH_PASSWORD"] = node.provider.username, node.provider.password
    path = folder / "providers.toml"
    path.write_text(
        "minimum_operators = 1\n"
        + entry("anvil", anvil.network.chain, "json-rpc", anvil.anvil.url, f"options = {{ {asked} }}")
        + entry("knots", node.network.chain, "bitcoin-core", node.provider.url, user)
    )
    return path


def command(declaration: Path, providers: Path, out: Path) -> list[str]:
    return [POR, "collect", str(declaration), "--providers", str(providers), "--out", str(out), "--json"]


def run(words: Sequence[str]) -> tuple[Run, dict[str, Any]]:
    """Run a command to its end and ask the kernel what it took."""
    started = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        printed = process.stdout.read() if process.stdout else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, printed
    return Run(time.perf_counter() - started, used.ru_maxrss * 1024), json.loads(printed)


def run_with_kills(words: Sequence[str], journal: Path, whole: int, seed: int = 7) -> tuple[int, dict[str, Any]]:
    """Kill the command at moments spread over its work, then let it finish; return how often it was killed."""
    chance = random.Random(seed)
    killed = 0
    for part in range(1, KILLS + 1):
        wanted = whole * part // (KILLS + 1) + chance.randrange(whole // 50)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            if journal.exists() and journal.stat().st_size >= wanted:
                process.send_signal(signal.SIGKILL)
                killed += 1
                break
            time.sleep(0.002)
        process.wait()
    return killed, run(words)[1]


def same_files(first: Path, second: Path) -> bool:
    names = sorted(path.relative_to(first).as_posix() for path in first.rglob("*") if path.is_file())
    found = sorted(path.relative_to(second).as_posix() for path in second.rglob("*") if path.is_file())
    return names == found and not filecmp.cmpfiles(first, second, names, shallow=False)[1]


def naive_scan(node: Node, accounts: Sequence[AccountId]) -> float:
    """Return the seconds one address takes when each is asked for alone, as a wallet's first script would."""
    started = time.perf_counter()
    for account in accounts[:NAIVE_SAMPLE]:
        node.call("scantxoutset", "start", [f"addr({account.rpartition(':')[2]})"])
    return (time.perf_counter() - started) / NAIVE_SAMPLE


def measure(readings: int) -> None:
    with (
        tempfile.TemporaryDirectory() as temporary,
        running_anvil("--gas-limit", "300000000") as node,
        knots() as bitcoin,
    ):
        folder = Path(temporary)
        ethereum = AnvilHarness(Anvil(node.url), "json-rpc")
        holdings, _ = fund(ethereum, readings // 2)
        accounts = pay(bitcoin, readings)
        declaration = declare(folder, holdings, accounts, bitcoin.network.native_asset)
        total = 2 * readings
        whole, said = run(command(declaration, name_providers(folder, ethereum, bitcoin), folder / "run"))
        print(f"\n{readings:,} readings of anvil (native + ERC-20) and {readings:,} of Knots, whole `por collect`")
        print(
            f"{whole.seconds:.1f} s, {total / whole.seconds:,.0f} readings/s, {said['calls']:,} requests"
            f" ({1000 * said['calls'] / total:.2f} per 1,000 readings), peak memory {whole.peak / MIB:,.0f} MiB"
        )
        each = naive_scan(bitcoin, accounts)
        print(
            f"Knots one address at a time: {each * 1000:.0f} ms each, {each * readings:,.0f} s for all;"
            f" {readings // 10_000} scans instead of {readings:,} requests"
        )
        small = name_providers(folder, ethereum, bitcoin, multicall="off", batch="20")
        words = command(declaration, small, folder / "small")
        slow, said = run(words)
        journal_size = (folder / "small" / "transcript.jsonl").stat().st_size
        resumed = command(declaration, small, folder / "resumed")
        killed, after = run_with_kills(resumed, folder / "resumed.journal", journal_size)
        assert same_files(folder / "small", folder / "resumed"), "the resumed bundle differs"
        print(
            f"batches of 20: {slow.seconds:.1f} s, {said['calls']:,} requests; killed {killed} times with SIGKILL, then"
            f" finished with {after['resumed_calls']:,} answers kept: the same bundle to the byte"
        )


def main(arguments: Sequence[str] = ()) -> None:
    measure(int(arguments[0]) if arguments else 20_000)


if __name__ == "__main__":
    main(sys.argv[1:])
