"""What every reader must do, held over every chain and dialect: the same questions, real nodes, no exceptions made."""

import dataclasses
from collections.abc import Iterator, Sequence

import pytest

from chains.doors import NetworkTransport
from chains.errors import ChainError
from chains.http import Limits
from chains.ids import AssetId, ChainId, asset_id, family_of
from chains.model import Balance, BlockRef, Holding, Reading, Tier
from chains.network import networks
from chains.panel import survey
from chains.reader import ChainReader
from chains.registry import open_reader
from tests.live.harness import HARNESSES, ChainHarness, open_harness

MARKS = {
    "anvil": pytest.mark.real_anvil,
    "anvil-web3": pytest.mark.real_anvil,
    "knots": pytest.mark.real_bitcoind,
    "knots-history": pytest.mark.real_bitcoind,
    "knots-esplora": pytest.mark.real_bitcoind,
    "knots-bitcoinlib": pytest.mark.real_bitcoind,
    "electrum": pytest.mark.real_bitcoind,
    "litecoind": pytest.mark.real_litecoind,
}


def _entries() -> list[object]:
    return [pytest.param(name, marks=MARKS.get(name, ()), id=name) for name in HARNESSES]


@pytest.fixture(scope="module", params=_entries())
def chain(request: pytest.FixtureRequest) -> Iterator[ChainHarness]:
    """One running chain per entry; the tests of this module share it, so each funds accounts of its own."""
    with open_harness(request.param) as harness:
        yield harness


@pytest.fixture
def reader(chain: ChainHarness) -> ChainReader:
    return open_reader(chain.network, chain.provider, NetworkTransport(Limits(tries=1)))


def _native(chain: ChainHarness, units: int) -> Holding:
    return Holding(chain.fund(units), AssetId(chain.network.native_asset))


def _read(reader: ChainReader, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
    """Read, holding the reader to the form every answer must have."""
    readings = reader.read_balances(block, holdings)
    assert [reading.holding for reading in readings] == list(holdings)
    for reading in readings:
        assert reading.block == block
        assert reading.operator
        if reading.units is None:
            assert reading.failure
        else:
            assert isinstance(reading.units, int)
            assert reading.evidence
            assert not reading.failure
    return readings


def _units(reader: ChainReader, block: BlockRef, holdings: Sequence[Holding]) -> list[int | None]:
    return [reading.units for reading in _read(reader, block, holdings)]


def test_the_provider_says_which_chain_it_serves(chain: ChainHarness, reader: ChainReader) -> None:
    assert reader.chain() == chain.network.chain


def test_a_provider_that_serves_another_chain_is_noticed(chain: ChainHarness) -> None:
    """The panel compares this answer with the chain that was meant; a reader must not echo its own configuration."""
    family = family_of(ChainId(chain.network.chain))
    other = next(
        network for name, network in networks().items() if family_of(name) == family and network != chain.network
    )
    mistaken = dataclasses.replace(chain.provider, chain=ChainId(other.chain))
    try:
        served = open_reader(other, mistaken, NetworkTransport(Limits(tries=1))).chain()
    except ChainError:
        return
    assert served == chain.network.chain
    assert served != other.chain


def test_the_final_block_is_on_the_main_chain(chain: ChainHarness, reader: ChainReader) -> None:
    block = reader.final_block()
    assert block.chain == chain.network.chain
    assert reader.block_at(block.height) == block


def test_a_new_block_becomes_final_when_the_rule_says_so(chain: ChainHarness, reader: ChainReader) -> None:
    before = reader.final_block()
    chain.advance()
    after = reader.final_block()
    assert after.height == before.height + 1
    assert after.hash != before.hash


def test_a_block_beyond_the_tip_is_an_error(chain: ChainHarness, reader: ChainReader) -> None:
    with pytest.raises(ChainError):
        reader.block_at(reader.final_block().height + 1_000_000)


def test_a_native_balance_is_read_exactly(chain: ChainHarness, reader: ChainReader) -> None:
    holding = _native(chain, 123_456_789)
    assert _units(reader, reader.final_block(), [holding]) == [123_456_789]


def test_nothing_asked_is_nothing_answered(chain: ChainHarness, reader: ChainReader) -> None:
    assert list(reader.read_balances(reader.final_block(), [])) == []


def test_many_holdings_are_answered_in_order(chain: ChainHarness, reader: ChainReader) -> None:
    amounts = [100_000 + 1_000 * number for number in range(20)]
    holdings = [_native(chain, units) for units in amounts]
    token = chain.token()
    if token is not None:
        holdings += [Holding(chain.fund(units, token), token) for units in amounts]
        amounts = amounts * 2
    block = reader.final_block()
    assert _units(reader, block, holdings) == amounts
    assert _units(reader, block, holdings[::-1]) == amounts[::-1]


def test_an_account_asked_twice_is_answered_twice(chain: ChainHarness, reader: ChainReader) -> None:
    holding = _native(chain, 250_000)
    assert _units(reader, reader.final_block(), [holding, holding]) == [250_000, 250_000]


def test_an_unknown_account_is_zero_with_evidence(chain: ChainHarness, reader: ChainReader) -> None:
    holding = Holding(chain.empty(), AssetId(chain.network.native_asset))
    (reading,) = _read(reader, reader.final_block(), [holding])
    assert reading.units == 0
    assert reading.evidence


def test_an_unknown_token_is_a_failure_and_spoils_no_other(chain: ChainHarness, reader: ChainReader) -> None:
    holding = _native(chain, 300_000)
    nowhere = asset_id(f"{chain.network.chain}/erc20:0x{'00' * 19}ff")
    readings = _read(reader, reader.final_block(), [Holding(holding.account, nowhere), holding])
    assert [reading.units for reading in readings] == [None, 300_000]


def test_an_old_block_gives_its_own_balance_or_a_failure(chain: ChainHarness, reader: ChainReader) -> None:
    later = Holding(chain.empty(), AssetId(chain.network.native_asset))
    holding = _native(chain, 400_000)
    pinned = reader.final_block()
    chain.advance()
    for reading, units in zip(_read(reader, pinned, [holding, later]), [400_000, 0], strict=True):
        assert reading.units == units or (reading.units is None and "tip" in reading.failure)


def test_a_block_from_before_the_funding_never_shows_the_funds(chain: ChainHarness, reader: ChainReader) -> None:
    chain.advance()
    before = reader.final_block()
    holding = _native(chain, 500_000)
    assert _units(reader, before, [holding])[0] in (0, None)
    assert _units(reader, reader.final_block(), [holding]) == [500_000]


def test_a_replaced_block_can_no_longer_be_read(chain: ChainHarness, reader: ChainReader) -> None:
    holding = _native(chain, 600_000)
    chain.advance()
    old = reader.final_block()
    if not chain.reorganise():
        pytest.skip(f"{chain.provider.dialect}: this engine cannot reorganise")
    assert reader.block_at(old.height).hash != old.hash
    (reading,) = _read(reader, old, [holding])
    assert reading.units is None
    assert _units(reader, reader.final_block(), [holding]) == [600_000]


def test_an_invented_block_cannot_be_read(chain: ChainHarness, reader: ChainReader) -> None:
    holding = _native(chain, 700_000)
    block = reader.final_block()
    prefix = "0x" if block.hash.startswith("0x") else ""
    invented = block._replace(hash=prefix + "ab" * 32)
    assert _units(reader, invented, [holding]) == [None]


def test_a_provider_that_cannot_be_reached_is_an_error(chain: ChainHarness, reader: ChainReader) -> None:
    block = reader.final_block()
    gone = dataclasses.replace(chain.provider, url="http://127.0.0.1:9")
    lost = open_reader(chain.network, gone, NetworkTransport(Limits(tries=1)))
    holding = Holding(chain.empty(), AssetId(chain.network.native_asset))
    with pytest.raises(ChainError) as caught:
        _everything_fails(lost.read_balances(block, [holding]))
    assert "127.0.0.1" not in str(caught.value)
    with pytest.raises(ChainError):
        lost.chain()


def _everything_fails(readings: Sequence[Reading]) -> None:
    """Count failed readings as the error they are: a reader may report either way, never a number."""
    assert all(reading.units is None for reading in readings)
    raise ChainError(readings[0].failure)


def test_one_operator_observes_two_corroborate_and_none_of_it_is_proof(chain: ChainHarness) -> None:
    """What raises a tier is a second operator, or a proof that was asked for; nothing an answer says of itself does."""
    holding = _native(chain, 800_000)
    second = dataclasses.replace(chain.provider, operator="another operator")
    for voices, tier in (([chain.provider], Tier.OBSERVED), ([chain.provider, second], Tier.CORROBORATED)):
        found = survey(chain.network, voices, NetworkTransport(Limits(tries=1)), [holding], len(voices))
        (balance,) = found.results
        assert isinstance(balance, Balance), balance
        assert (balance.units, balance.tier, balance.proof, found.anchor) == (800_000, tier, None, None)
