"""The XRP Ledger is read by ledger hash; an answer for another ledger or account is a failure, never a number."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chains.errors import ChainError, IdentifierError
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId
from chains.model import Balance, Holding, Reading
from chains.panel import survey
from chains.xrpl import XrplReader, canonical_address
from tests.live.simulated_xrpl import CHAIN, SimulatedLedger, XrplHarness, address, served

XRP = AssetId("xrpl:0/slip44:144")
HELD = Holding(AccountId(f"{CHAIN}:{address(1)}"), XRP)


@pytest.fixture
def ledger() -> SimulatedLedger:
    found = SimulatedLedger()
    found.close({address(1): 99_999_999_999_999_999})
    return found


@pytest.fixture
def chain(ledger: SimulatedLedger) -> Iterator[XrplHarness]:
    with served(ledger) as url:
        yield XrplHarness(ledger, url)


def read(chain: XrplHarness) -> Reading:
    reader = XrplReader(chain.network, chain.provider, HttpTransport(Limits(tries=1)))
    return reader.read_balances(reader.final_block(), [HELD])[0]


def test_a_balance_and_an_account_that_is_not_there_pass_the_panel(chain: XrplHarness) -> None:
    nobody = Holding(AccountId(f"{CHAIN}:{address(2)}"), XRP)
    found = survey(chain.network, [chain.provider], HttpTransport(Limits(tries=1)), [HELD, nobody], 1)
    assert [one.units for one in found.results if isinstance(one, Balance)] == [99_999_999_999_999_999, 0]
    assert not found.exclusions


def test_a_server_without_the_oldest_ledger_is_not_trusted(chain: XrplHarness, ledger: SimulatedLedger) -> None:
    del ledger.hashes[32_570]
    found = survey(chain.network, [chain.provider], HttpTransport(Limits(tries=1)), [HELD], 1)
    assert "lgrNotFound" in found.exclusions[0].reason


LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another ledger": lambda result: result | {"ledger_hash": "AB" * 32},
    "another number": lambda result: result | {"ledger_index": 1},
    "not validated": lambda result: result | {"validated": False},
    "another account": lambda result: result | {"account_data": result["account_data"] | {"Account": address(9)}},
    "a number": lambda result: result | {"account_data": result["account_data"] | {"Balance": 5}},
    "negative": lambda result: result | {"account_data": result["account_data"] | {"Balance": "-5"}},
    "too much": lambda result: result | {"account_data": result["account_data"] | {"Balance": "1" + "0" * 18}},
    "a fraction": lambda result: result | {"account_data": result["account_data"] | {"Balance": "1.5"}},
    "no data": lambda result: {key: value for key, value in result.items() if key != "account_data"},
    "busy": lambda result: {"error": "tooBusy", "status": "error"},
    "not found without a ledger": lambda result: {"error": "actNotFound", "status": "error"},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_is_not_the_one_asked_for_is_a_failure(
    chain: XrplHarness, ledger: SimulatedLedger, lie: str
) -> None:
    ledger.lie = lambda method, result: LIES[lie](result) if method == "account_info" else result
    reading = read(chain)
    assert reading.units is None
    assert reading.failure


@pytest.mark.parametrize(
    "change",
    [{"validated": False}, {"ledger_hash": "x"}, {"ledger_hash": "ab" * 32}, {"ledger_index": "7"}, {"ledger": None}],
)
def test_a_ledger_that_is_not_validated_or_malformed_is_an_error(
    chain: XrplHarness, ledger: SimulatedLedger, change: dict[str, Any]
) -> None:
    ledger.lie = lambda method, result: result | change if method == "ledger" else result
    with pytest.raises(ChainError):
        read(chain)


@pytest.mark.parametrize("number", [True, -1, "0", None])
def test_a_server_that_names_no_network_is_an_error(chain: XrplHarness, ledger: SimulatedLedger, number: Any) -> None:
    ledger.lie = lambda method, result: {"info": {"network_id": number}, "status": "success"}
    with pytest.raises(ChainError):
        XrplReader(chain.network, chain.provider, HttpTransport(Limits(tries=1))).chain()


NO_ADDRESSES = [
    "",
    "r",
    "rG1QQv2nh2gr7RCZ1P8YYcBUKCCN633jCm",
    "X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ",
    "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH",
    "r" * 200,
]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_classic_address_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        canonical_address(text)


def test_the_documentations_own_address_is_read() -> None:
    assert canonical_address("rG1QQv2nh2gr7RCZ1P8YYcBUKCCN633jCn") == "rG1QQv2nh2gr7RCZ1P8YYcBUKCCN633jCn"
