"""Explorers state balances at a moving tip: every number is tied to a block seen before and after, or is not given."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from chains.bitcoin.address import address_of_script
from chains.errors import ChainError, InvalidAnswerError, MissingExtraError, NetworkDataError, ProviderError
from chains.ids import AccountId, AssetId, ChainId, chain_id
from chains.model import Holding, Reading
from chains.network import network_of
from chains.providers import Provider
from chains.reader import ChainReader
from chains.registry import open_reader
from chains.transcript import RecordingTransport, ReplayTransport
from chains.transport import Transport
from tests.chains.simulated_explorer import TIP, SimulatedExplorer
from tests.chains.simulated_node import block_hash

BITCOIN = network_of(chain_id("bip122:000000000019d6689c085ae165831e93"))
LITECOIN_REGTEST = network_of(chain_id("bip122:530827f38f93b43ed12af0b3ad25a288"))
ADDRESSES = [address_of_script(BITCOIN, b"\x00\x14" + bytes([number]) * 20) or "" for number in (1, 2)]
RICH, POOR = ADDRESSES
DIALECTS = {
    "esplora": Provider("explorer", ChainId(BITCOIN.chain), "esplora"),
    "mempool": Provider("explorer", ChainId(BITCOIN.chain), "bitcoinlib", (("client", "mempool"),)),
    "blockstream": Provider("explorer", ChainId(BITCOIN.chain), "bitcoinlib", (("client", "blockstream"),)),
}


def holding(address: str) -> Holding:
    return Holding(AccountId(f"{BITCOIN.chain}:{address}"), AssetId(BITCOIN.native_asset))


@pytest.fixture(params=DIALECTS)
def provider(request: pytest.FixtureRequest) -> Provider:
    found = DIALECTS[request.param]
    if found.dialect == "bitcoinlib":
        pytest.importorskip("bitcoinlib", reason="the extra bitcoinlib is not installed")
    return found


def reader_of(provider: Provider, transport: Transport) -> ChainReader:
    return open_reader(BITCOIN, provider, transport)


def read(provider: Provider, explorer: Transport, addresses: Sequence[str] = ADDRESSES) -> list[Reading]:
    reader = reader_of(provider, explorer)
    return list(reader.read_balances(reader.final_block(), [holding(address) for address in addresses]))


def test_confirmed_coins_are_received_minus_spent(provider: Provider) -> None:
    rich, poor = read(provider, SimulatedExplorer({RICH: (5_000_000_000_000_000, 4_999_999_999_999_999)}))
    assert (rich.units, poor.units) == (1, 0)
    assert len(rich.evidence) >= 3
    assert set(rich.evidence) != set(poor.evidence)


def test_a_tip_that_moves_while_reading_makes_every_reading_a_failure(provider: Provider) -> None:
    explorer = SimulatedExplorer({RICH: (10, 0)})

    def advance(path: str) -> None:
        explorer.tip += path.startswith("/address/") and explorer.tip == TIP

    explorer.before = advance
    readings = read(provider, explorer)
    assert [reading.units for reading in readings] == [None, None]
    assert all("the tip moved" in reading.failure and reading.evidence for reading in readings)


def test_a_tip_beyond_the_pinned_block_asks_for_no_address(provider: Provider) -> None:
    explorer = SimulatedExplorer({RICH: (10, 0)})
    reader = reader_of(provider, explorer)
    pinned = reader.final_block()
    explorer.tip += 1
    (reading,) = reader.read_balances(pinned, [holding(RICH)])
    assert (reading.units, reading.failure[:14]) == (None, "the tip moved:")
    assert not any(path.startswith("/address/") for path in explorer.asked)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 301, 204])
def test_a_refused_address_is_a_failure_and_spoils_no_other(provider: Provider, status: int) -> None:
    explorer = SimulatedExplorer({POOR: (3, 1)})
    explorer.overrides[f"/address/{RICH}"] = (status, "Too many history entries\x1b[2J")
    rich, poor = read(provider, explorer)
    assert (rich.units, poor.units) == (None, 2)
    assert f"HTTP {status}" in rich.failure
    assert "Too many history entries" in rich.failure
    assert rich.failure.isprintable()


@pytest.mark.parametrize(
    ("received", "spent"),
    [(1, 2), (-1, 0), (0, -1), (1.5, 0), ("1", 0), (None, 0), (True, 0), (2_100_000_000_000_001, 0), (10**80, 0)],
)
def test_sums_that_cannot_be_are_refused(provider: Provider, received: object, spent: object) -> None:
    # bitcoinlib subtracts before we can look, so what it lets pass must still be a possible balance
    explorer = SimulatedExplorer({RICH: (received, spent)})
    if provider.dialect == "bitcoinlib" and (received, spent) in [(0, -1), (True, 0)]:
        assert read(provider, explorer)[0].units == 1
        return
    with pytest.raises(InvalidAnswerError):
        read(provider, explorer)


@pytest.mark.parametrize("body", ["", "[]", "null", "<html>", '{"chain_stats": []}', "{}", "\x00", "9" * 5000])
def test_a_page_of_another_form_is_refused(provider: Provider, body: str) -> None:
    explorer = SimulatedExplorer()
    explorer.overrides[f"/address/{RICH}"] = (200, body)
    with pytest.raises(InvalidAnswerError):
        read(provider, explorer)


def test_another_addresss_page_is_refused() -> None:
    explorer = SimulatedExplorer({POOR: (5, 0)})
    explorer.overrides[f"/address/{RICH}"] = (200, json.dumps(explorer._address(POOR)))
    with pytest.raises(InvalidAnswerError, match="was shown"):
        read(DIALECTS["esplora"], explorer)


def test_another_blocks_page_is_refused(provider: Provider) -> None:
    explorer = SimulatedExplorer()
    explorer.overrides["/block-height/7"] = (200, block_hash(8))
    with pytest.raises(InvalidAnswerError, match="asked for block 7"):
        reader_of(provider, explorer).block_at(7)
    explorer.overrides["/block-height/7"] = (200, "not a hash")
    with pytest.raises(ChainError):
        reader_of(provider, explorer).block_at(7)


def test_a_block_that_is_not_there_is_an_error(provider: Provider) -> None:
    with pytest.raises(ProviderError, match="404"):
        reader_of(provider, SimulatedExplorer()).block_at(TIP + 1)


def test_a_recorded_run_replays_to_the_same_readings(provider: Provider, tmp_path: Path) -> None:
    explorer = SimulatedExplorer({RICH: (10, 4)})
    recording = RecordingTransport(explorer, tmp_path / "journal")
    first = read(provider, recording)
    replay = ReplayTransport(recording.close())
    assert read(provider, replay) == first
    assert replay.unused() == 0


@pytest.mark.parametrize("client", ["", "bitgo", "no-such-client"])
def test_an_unknown_bitcoinlib_client_is_refused_by_name(client: str) -> None:
    options = (("client", client),) if client else ()
    with pytest.raises(NetworkDataError, match="mempool, blockstream"):
        reader_of(Provider("explorer", ChainId(BITCOIN.chain), "bitcoinlib", options), SimulatedExplorer())


def test_a_network_bitcoinlib_does_not_know_is_refused() -> None:
    provider = Provider("explorer", ChainId(LITECOIN_REGTEST.chain), "bitcoinlib", (("client", "mempool"),))
    with pytest.raises(NetworkDataError, match="does not know"):
        open_reader(LITECOIN_REGTEST, provider, SimulatedExplorer())


def test_opening_bitcoinlib_leaves_home_environment_and_warnings_alone(tmp_path: Path) -> None:
    pytest.importorskip("bitcoinlib", reason="the extra bitcoinlib is not installed")
    script = """
import os, sys, warnings
from chains.registry import open_reader
from chains.network import network_of
from chains.providers import Provider
import requests
assert "bitcoinlib" not in sys.modules
filters = list(warnings.filters)
network = network_of("bip122:000000000019d6689c085ae165831e93")
reader = open_reader(network, Provider("x", network.chain, "bitcoinlib", (("client", "mempool"),)), None)
assert "bitcoinlib" in sys.modules
assert warnings.filters == filters, "warnings changed"
assert "BCL_DATA_DIR" not in os.environ
"""
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment, cwd=Path(__file__).parents[2])
    assert list(home.iterdir()) == []
    assert list(tmp_path.iterdir()) == [home], "the temporary folder is gone with the process"


def test_without_bitcoinlib_its_dialect_names_the_extra() -> None:
    script = """
import sys
sys.modules["bitcoinlib"] = None
from chains.registry import open_reader
from chains.network import network_of
from chains.providers import Provider
from chains.errors import MissingExtraError
network = network_of("bip122:000000000019d6689c085ae165831e93")
try:
    open_reader(network, Provider("x", network.chain, "bitcoinlib", (("client", "mempool"),)), None)
except MissingExtraError as error:
    sys.exit(0 if "reserve-verifier[bitcoinlib]" in str(error) else str(error))
sys.exit("opened")
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])
    assert issubclass(MissingExtraError, ChainError)


def test_the_plain_readers_load_no_optional_package() -> None:
    script = """
import sys
import chains.bitcoin.core, chains.bitcoin.esplora, chains.bitcoin.address, chains.bitcoin.descriptor, chains.addresses
heavy = {"bitcoinlib", "pbk", "web3", "eth_tester", "btclib_wallet"} & set(sys.modules)
sys.exit(f"loaded {heavy}" if heavy else 0)
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])
