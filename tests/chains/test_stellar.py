"""Stellar is read from the present; a balance counts only when nothing changed it since the pinned ledger."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chains.addresses import canonical_account
from chains.errors import ChainError, IdentifierError
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId
from chains.model import Balance, BlockRef, Holding, Reading
from chains.panel import survey
from chains.stellar import HorizonReader, canonical_address
from tests.live.simulated_stellar import CHAIN, NOT_FOUND, SimulatedHorizon, StellarHarness, address, served, strkey

ISSUER = address(1_000_000)
HOLDER = address(1)
LUMENS = Holding(AccountId(f"{CHAIN}:{HOLDER}"), AssetId(f"{CHAIN}/slip44:148"))
DOLLARS = LUMENS._replace(asset=AssetId(f"{CHAIN}/asset:USDC-{ISSUER}"))
LONG = LUMENS._replace(asset=AssetId(f"{CHAIN}/asset:MYCOIN88-{ISSUER}"))
NOBODY = LUMENS._replace(account=AccountId(f"{CHAIN}:{address(2)}"))
USDC, MYCOIN88 = (HOLDER, "USDC", ISSUER), (HOLDER, "MYCOIN88", ISSUER)


@pytest.fixture
def server() -> SimulatedHorizon:
    """A server where the holder has all there can be of lumens, 12.3456789 of one asset and nothing of another."""
    found = SimulatedHorizon()
    found.close({HOLDER: 2**63 - 1}, {USDC: 123_456_789, MYCOIN88: 0})
    found.close()
    return found


@pytest.fixture
def chain(server: SimulatedHorizon) -> Iterator[StellarHarness]:
    with served(server) as url:
        yield StellarHarness(server, url)


@pytest.fixture
def reader(chain: StellarHarness) -> HorizonReader:
    return HorizonReader(chain.network, chain.provider, HttpTransport(Limits(tries=1)))


def read(reader: HorizonReader, holding: Holding, block: BlockRef | None = None) -> Reading:
    return reader.read_balances(block or reader.final_block(), [holding])[0]


def test_a_survey_reads_lumens_assets_and_an_account_that_is_not_there(chain: StellarHarness) -> None:
    holdings = [LUMENS, DOLLARS, LONG, NOBODY]
    found = survey(chain.network, [chain.provider], HttpTransport(Limits(tries=1)), holdings, 1)
    assert [one.units for one in found.results if isinstance(one, Balance)] == [2**63 - 1, 123_456_789, 0, 0]
    assert not found.exclusions


def test_a_time_is_read_as_seconds(reader: HorizonReader, server: SimulatedHorizon) -> None:
    server.lie = lambda path, status, answer: (status, answer | {"closed_at": "2015-09-30T17:15:54Z"})
    assert reader.block_at(server.tip).time == 1_443_633_354


def test_a_balance_that_changed_after_the_pinned_ledger_is_a_failure(
    reader: HorizonReader, server: SimulatedHorizon
) -> None:
    pinned = reader.final_block()
    server.close({HOLDER: 5})
    reading = read(reader, LUMENS, pinned)
    assert reading.units is None
    assert f"changed in ledger {server.tip}, after the pinned one" in reading.failure
    assert read(reader, DOLLARS, pinned).units == 123_456_789


def test_a_trust_line_that_changed_after_the_pinned_ledger_is_a_failure(
    reader: HorizonReader, server: SimulatedHorizon
) -> None:
    pinned = reader.final_block()
    server.close(lines={USDC: 0})
    assert read(reader, DOLLARS, pinned).units is None
    assert read(reader, LONG, pinned).units == 0


def test_a_trust_line_that_never_was_is_zero(reader: HorizonReader) -> None:
    reading = read(reader, LUMENS._replace(asset=AssetId(f"{CHAIN}/asset:EURC-{ISSUER}")))
    assert (reading.units, len(reading.evidence)) == (0, 3)


def test_a_trust_line_removed_after_the_pinned_ledger_is_a_failure(
    reader: HorizonReader, server: SimulatedHorizon
) -> None:
    pinned = reader.final_block()
    server.close(lines={USDC: None})
    assert read(reader, DOLLARS, pinned).units is None
    assert read(reader, DOLLARS).units == 0


def test_an_account_removed_after_the_pinned_ledger_is_a_failure(
    reader: HorizonReader, server: SimulatedHorizon
) -> None:
    pinned = reader.final_block()
    server.close({HOLDER: None})
    for holding in (LUMENS, DOLLARS):
        reading = read(reader, holding, pinned)
        assert reading.units is None
        assert "removed after" in reading.failure


def test_an_account_removed_before_the_pinned_ledger_is_zero(reader: HorizonReader, server: SimulatedHorizon) -> None:
    server.close({HOLDER: None})
    server.close()
    reading = read(reader, LUMENS)
    assert (reading.units, len(reading.evidence)) == (0, 4)


def test_a_server_whose_present_is_before_the_pinned_ledger_is_a_failure(
    reader: HorizonReader, server: SimulatedHorizon
) -> None:
    server.behind = 1
    reading = read(reader, LUMENS)
    assert reading.units is None
    assert "has not ingested" in reading.failure


def test_a_ledger_of_another_hash_is_a_failure(reader: HorizonReader) -> None:
    pinned = reader.final_block()._replace(hash="ab" * 32)
    reading = read(reader, LUMENS, pinned)
    assert reading.units is None
    assert "ab" * 32 in reading.failure


def changed(answer: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an account whose lumens and trust lines have these fields."""
    return answer | {"balances": [line | changes for line in answer["balances"]]}


ACCOUNT_LIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another account": lambda answer: answer | {"account_id": address(9)},
    "no account": lambda answer: {},
    "no balances": lambda answer: answer | {"balances": None},
    "balances in words": lambda answer: answer | {"balances": ["x"]},
    "negative": lambda answer: changed(answer, balance="-1.0000000"),
    "too much": lambda answer: changed(answer, balance="922337203685.4775808"),
    "six places": lambda answer: changed(answer, balance="1.000000"),
    "eight places": lambda answer: changed(answer, balance="1.00000000"),
    "no places": lambda answer: changed(answer, balance="1"),
    "a leading zero": lambda answer: changed(answer, balance="01.0000000"),
    "other digits": lambda answer: changed(answer, balance="١.0000000"),
    "a number": lambda answer: changed(answer, balance=1.5),
    "no amount": lambda answer: changed(answer, balance=None),
    "everything twice": lambda answer: answer | {"balances": answer["balances"] * 2},
    "a list": lambda answer: [],
}


@pytest.mark.parametrize("lie", ACCOUNT_LIES)
@pytest.mark.parametrize("holding", [LUMENS, DOLLARS])
def test_an_answer_that_is_not_the_one_asked_for_is_a_failure(
    reader: HorizonReader, server: SimulatedHorizon, lie: str, holding: Holding
) -> None:
    server.lie = lambda path, status, answer: (
        (status, ACCOUNT_LIES[lie](answer)) if path.startswith("/accounts/") else (status, answer)
    )
    reading = read(reader, holding)
    assert reading.units is None
    assert reading.failure


@pytest.mark.parametrize("modified", [None, "5", -1, True, 2**32, 10.5])
@pytest.mark.parametrize("holding", [LUMENS, DOLLARS])
def test_a_balance_that_does_not_say_when_it_changed_is_a_failure(
    reader: HorizonReader, server: SimulatedHorizon, modified: Any, holding: Holding
) -> None:
    when = {"last_modified_ledger": modified}
    server.lie = lambda path, status, answer: (
        (status, changed(answer, **when) | when) if path.startswith("/accounts/") else (status, answer)
    )
    assert read(reader, holding).units is None


def test_an_account_without_lumens_is_a_failure(reader: HorizonReader, server: SimulatedHorizon) -> None:
    server.lie = lambda path, status, answer: (
        status,
        changed(answer, asset_type="x") if "balances" in answer else answer,
    )
    assert read(reader, LUMENS).units is None


def page(*records: Any) -> dict[str, Any]:
    return {"_embedded": {"records": list(records)}}


OPERATIONS: dict[str, tuple[int, Any]] = {
    "a token in words": (200, page({"paging_token": "x"})),
    "a token that is a number": (200, page({"paging_token": 5})),
    "a token without end": (200, page({"paging_token": "1" * 400})),
    "no token": (200, page({})),
    "a record in words": (200, page("x")),
    "two records": (200, page({"paging_token": "1"}, {"paging_token": "2"})),
    "no page": (200, {}),
    "a page in words": (200, {"_embedded": 5}),
    "no history": (410, {"type": "https://stellar.org/horizon-errors/before_history", "title": "gone", "status": 410}),
    "busy": (500, {"title": "busy"}),
    "not Horizon": (404, {"message": "no route"}),
    "a list": (404, []),
}


@pytest.mark.parametrize("answer", OPERATIONS)
def test_without_a_history_of_a_missing_account_there_is_no_zero(
    reader: HorizonReader, server: SimulatedHorizon, answer: str
) -> None:
    server.lie = lambda path, status, honest: OPERATIONS[answer] if "/operations" in path else (status, honest)
    reading = read(reader, NOBODY)
    assert reading.units is None
    assert reading.failure


def test_a_missing_account_with_no_operations_is_zero(reader: HorizonReader, server: SimulatedHorizon) -> None:
    server.lie = lambda path, status, honest: (200, page()) if "/operations" in path else (status, honest)
    assert read(reader, NOBODY).units == 0


@pytest.mark.parametrize("answer", [(404, {"message": "no route"}), (404, {}), (403, NOT_FOUND), (500, {})])
def test_an_error_about_an_account_is_not_a_zero(
    reader: HorizonReader, server: SimulatedHorizon, answer: tuple[int, Any]
) -> None:
    server.lie = lambda path, status, honest: answer if path.startswith("/accounts/") else (status, honest)
    assert read(reader, NOBODY).units is None
    assert read(reader, LUMENS).units is None


@pytest.mark.parametrize("status", [304, 403, 500])
def test_an_account_with_a_status_of_error_is_a_failure(
    reader: HorizonReader, server: SimulatedHorizon, status: int
) -> None:
    server.lie = lambda path, honest, answer: (status if path.startswith("/accounts/") else honest, answer)
    assert read(reader, LUMENS).units is None


@pytest.mark.parametrize(
    "change",
    [
        {"hash": "x"},
        {"hash": "AB" * 32},
        {"hash": None},
        {"sequence": "7"},
        {"sequence": 0},
        {"sequence": 2**32},
        {"sequence": True},
        {"closed_at": 5},
        {"closed_at": "2021-02-30T00:00:00Z"},
        {"closed_at": "2021-02-19 15:50:02"},
    ],
)
def test_a_malformed_ledger_is_an_error(
    reader: HorizonReader, server: SimulatedHorizon, change: dict[str, Any]
) -> None:
    server.lie = lambda path, status, answer: (status, page(server.ledger(server.tip) | change))
    with pytest.raises(ChainError):
        reader.final_block()
    server.lie = lambda path, status, answer: (status, answer | change)
    with pytest.raises(ChainError):
        reader.block_at(server.tip)


@pytest.mark.parametrize("answer", [{}, page(), page(5), {"_embedded": {"records": {}}}, [], "x"])
def test_a_page_without_a_ledger_is_an_error(reader: HorizonReader, server: SimulatedHorizon, answer: Any) -> None:
    server.lie = lambda path, status, honest: (status, answer)
    with pytest.raises(ChainError):
        reader.final_block()


def test_a_ledger_of_another_number_is_an_error(reader: HorizonReader, server: SimulatedHorizon) -> None:
    server.lie = lambda path, status, answer: (status, server.ledger(server.tip))
    with pytest.raises(ChainError, match="asked for ledger"):
        reader.block_at(server.tip - 1)


@pytest.mark.parametrize("passphrase", [None, "", "Standalone Network ; February 2017", ["x"], {}])
def test_a_server_of_an_unknown_network_is_an_error(
    reader: HorizonReader, server: SimulatedHorizon, passphrase: Any
) -> None:
    server.lie = lambda path, status, answer: (status, answer | {"network_passphrase": passphrase})
    with pytest.raises(ChainError):
        reader.chain()


@pytest.mark.parametrize("root", [{}, {"ingest_latest_ledger": "9" * 9, "history_latest_ledger": 1}, {"x": None}])
def test_a_server_that_does_not_say_how_far_it_is_reads_nothing(
    reader: HorizonReader, server: SimulatedHorizon, root: Any
) -> None:
    server.lie = lambda path, status, answer: (status, root if path == "/" else answer)
    assert read(reader, LUMENS).units is None


@pytest.mark.parametrize(
    "holding",
    [
        LUMENS._replace(asset=AssetId(f"{CHAIN}/asset:USDC")),
        LUMENS._replace(asset=AssetId(f"{CHAIN}/asset:TOOLONGACODEX-{ISSUER}")),
        LUMENS._replace(asset=AssetId(f"{CHAIN}/sep41:{strkey(2, bytes(32))}")),
        LUMENS._replace(asset=AssetId(f"{CHAIN}/asset:USDC-{HOLDER}")),
        LUMENS._replace(asset=AssetId("stellar:testnet/slip44:148")),
        LUMENS._replace(account=AccountId(f"stellar:testnet:{HOLDER}")),
        LUMENS._replace(account=AccountId(f"{CHAIN}:{HOLDER[:-1]}")),
    ],
)
def test_what_this_network_does_not_have_is_a_failure(reader: HorizonReader, holding: Holding) -> None:
    reading = read(reader, holding)
    assert reading.units is None
    assert reading.failure


MUXED = "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLK"  # SEP-23's own example
NO_ACCOUNTS = [
    "",
    "G",
    "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGY",
    "ga7qynf7sowq3glr2bgmzehxavirza4kvwltjjfc7mgxua74p7ujvsgz",
    strkey(18, bytes(32)),
    "G" * 200,
]


@pytest.mark.parametrize("text", NO_ACCOUNTS)
def test_what_is_no_account_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        canonical_address(text)


def test_a_muxed_account_is_refused_with_a_hint() -> None:
    with pytest.raises(IdentifierError, match="its account's G… address"):
        canonical_address(MUXED)


def test_an_account_keeps_its_spelling() -> None:
    account = AccountId("stellar:pubnet:GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ")
    assert canonical_account(account) == account
