"""A plan made from the recorded run, and the tables of addresses an exchange would keep for it."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from chains.evm.keccak import keccak256
from verifier.cli.main import app
from verifier.demo.chain_side import secret_of
from verifier.demo.exchange import make_users
from verifier.inclusion.amounts import parse_amount
from verifier.inclusion.commitment import load_commitment
from verifier.liabilities.accounts import write_accounts
from verifier.liabilities.folder import build_folder

RUN = Path(__file__).resolve().parents[2] / "fixtures" / "runs" / "knots-anvil-pass"
USERS = 200
BTC = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1"
ETH = "eip155:31337/slip44:60"
USDD = "eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3"
SYMBOLS = {BTC: ("BTC", 8), ETH: ("ETH", 18), USDD: ("USDD", 6)}
HACK = {
    "format": "reserve-verifier/incident/1", "id": "hack", "at": "2026-11-22T03:00:00Z", "currency": "JPY",
    "losses": [{"pool": "client-cold", "fraction": "1/10"}],
}  # fmt: skip


def por(*words: object) -> Result:
    """Run a command; what is no verdict of it is raised."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def told(*words: object) -> dict[str, Any]:
    """Run a command and return the one JSON object that it prints."""
    found: dict[str, Any] = json.loads(por(*words, "--json").stdout)
    return found


def make_plan(folder: Path, run: Path = RUN, **change: Any) -> Path:
    incident = folder / "incident.json"
    incident.write_text(json.dumps(HACK | change))
    assert por("plan", run, "--incident", incident, "--out", folder / "plan").exit_code == 0
    return folder / "plan"


def make_tree(folder: Path, run: Path = RUN) -> Path:
    """Build the exchange's own tree of the recorded run again, with its private part."""
    published = load_commitment(run / "liabilities")
    table, secret = folder / "accounts.csv", folder / "secret"
    write_accounts(table, published.assets, make_users(USERS, published.assets))
    secret.write_text(f"{secret_of('run secret').hex()}\n")
    made = build_folder(table, published.assets, published.run_id, published.as_of, folder / "tree", secret)
    assert made.commitment == published
    return folder / "tree"


def paid(plan: Path, asset: str) -> dict[str, int]:
    """Return what the plan's table pays each leaf of an asset, in base units."""
    symbol, decimals = SYMBOLS[asset]
    with (plan / "payouts.csv").open(newline="") as file:
        amounts = {row["account"]: parse_amount(row[symbol], decimals) for row in csv.DictReader(file)}
    return {leaf: units for leaf, units in amounts.items() if units}


def evm_address(seed: str) -> str:
    return "0x" + keccak256(seed.encode())[12:].hex()


def write_addresses(path: Path, rows: Mapping[str, str], header: str = "leaf,address") -> Path:
    path.write_text("\n".join([header, *(f"{name},{address}" for name, address in rows.items())]) + "\n")
    return path
