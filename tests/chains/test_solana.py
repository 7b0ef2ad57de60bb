"""A Solana balance is of exactly the pinned slot, shown by the transactions around it, or it is a failure."""

import dataclasses

import pytest

from chains.addresses import canonical_account
from chains.errors import ChainError, IdentifierError, NetworkDataError, ProviderError
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, asset_id
from chains.model import Balance
from chains.network import networks
from chains.panel import survey
from chains.solana.address import canonical_address
from chains.solana.reader import SolanaReader
from tests.chains.solana_cases import (  # noqa: F401 -- fixtures are found by their names
    LOTS,
    OTHER,
    SOL,
    USER,
    chain_of_a_user,
    held,
    mint_of_the_chain,
    opened,
    read_at,
    reader_of_the_chain,
    spend,
    units_at,
)
from tests.live.litesvm import CHAIN, FEE, FIRST_SLOT, TOKEN_2022, LiteChain, SolanaHarness, TokenMint, pay, served


def test_an_account_nobody_touched_since_holds_what_it_held(chain: LiteChain, reader: SolanaReader) -> None:
    pinned = chain.slot
    for _ in range(5):
        chain.close(skipped=2)
    assert units_at(reader, pinned, held(USER.pubkey())) == [LOTS]


def test_what_came_and_went_since_the_pinned_slot_does_not_count(chain: LiteChain, reader: SolanaReader) -> None:
    pinned = chain.close()
    spend(chain)
    chain.close()
    chain.send([pay(chain.payer.pubkey(), USER.pubkey(), 77)])
    chain.close()
    assert units_at(reader, pinned, held(USER.pubkey())) == [LOTS]
    assert units_at(reader, chain.slot, held(USER.pubkey())) == [LOTS - 1_000 - FEE + 77]


def test_every_slot_of_a_busy_account_gives_its_own_balance(chain: LiteChain, reader: SolanaReader) -> None:
    expected = {chain.slot: LOTS}
    for number in range(30):
        for _ in range(number % 4):
            spend(chain, 1)
        balance = chain.svm.get_balance(USER.pubkey())
        assert balance is not None
        expected[chain.close(skipped=number % 3)] = balance
    assert len(set(expected.values())) > 20
    for slot, units in expected.items():
        assert units_at(reader, slot, held(USER.pubkey())) == [units]


def test_the_last_of_several_transactions_in_the_pinned_slot_counts(chain: LiteChain, reader: SolanaReader) -> None:
    for lamports in (1, 2, 3):
        spend(chain, lamports)
    pinned = chain.close()
    spend(chain, 4)
    spend(chain, 5)
    chain.close()
    assert units_at(reader, pinned, held(USER.pubkey()), held(OTHER.pubkey())) == [LOTS - 6 - 3 * FEE, 6]


def test_an_account_that_came_to_be_after_the_pinned_slot_held_nothing(chain: LiteChain, reader: SolanaReader) -> None:
    pinned = chain.slot
    spend(chain)
    chain.close()
    (reading,) = read_at(reader, pinned, held(OTHER.pubkey()))
    assert reading.units == 0
    assert len(reading.evidence) >= 3


def test_a_failed_transaction_costs_its_fee(chain: LiteChain, reader: SolanaReader) -> None:
    chain.send([pay(USER.pubkey(), OTHER.pubkey(), LOTS * 2)], USER, fails=True)
    pinned = chain.close()
    chain.send([pay(USER.pubkey(), OTHER.pubkey(), LOTS * 3)], USER, fails=True)
    chain.close()
    assert units_at(reader, pinned, held(USER.pubkey())) == [LOTS - FEE]
    assert units_at(reader, chain.slot, held(USER.pubkey())) == [LOTS - 2 * FEE]


def test_a_long_history_is_read_page_by_page(chain: LiteChain, reader: SolanaReader) -> None:
    pinned = chain.slot
    for _ in range(25):
        spend(chain, 1)
    chain.close()
    assert units_at(reader, pinned, held(USER.pubkey()), held(OTHER.pubkey())) == [LOTS, 0]


def test_a_node_that_caps_its_pages_lower_is_asked_for_more(chain: LiteChain, reader: SolanaReader) -> None:
    pinned = chain.slot
    for _ in range(25):
        spend(chain, 1)
    chain.close()
    chain.lie = lambda method, _, result: result[:7] if method == "getSignaturesForAddress" else result
    assert units_at(reader, pinned, held(USER.pubkey()), held(OTHER.pubkey())) == [LOTS, 0]


def test_a_history_that_never_ends_is_a_failure(
    chain: LiteChain, reader: SolanaReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chains.solana.history.FIRST_PAGE", 2)
    monkeypatch.setattr("chains.solana.history.PAGE", 2)
    pinned = chain.slot
    for _ in range(25):
        spend(chain, 1)
    chain.close()
    (reading,) = read_at(reader, pinned, held(USER.pubkey()))
    assert "more than 22 transactions" in reading.failure


@pytest.mark.parametrize("batch", ["1", "3", "100"])
def test_a_provider_that_takes_no_batches_can_be_asked_one_by_one(chain: LiteChain, batch: str) -> None:
    spend(chain)
    chain.close()
    chain.batches = batch != "1"
    for reader in opened(chain, batch=batch):
        assert units_at(reader, FIRST_SLOT + 1, held(USER.pubkey()), held(OTHER.pubkey())) == [LOTS, 0]


def test_a_provider_that_refuses_batches_is_an_error(chain: LiteChain, reader: SolanaReader) -> None:
    chain.batches = False
    with pytest.raises(ChainError):
        read_at(reader, chain.slot, held(USER.pubkey()))


@pytest.mark.parametrize("options", [{"batch": "0"}, {"batch": "101"}, {"batch": "x"}, {"size": "1"}])
def test_an_unknown_option_is_refused(chain: LiteChain, options: dict[str, str]) -> None:
    with pytest.raises(NetworkDataError):
        next(opened(chain, **options))


def test_the_panel_reads_a_chain_with_two_operators(chain: LiteChain) -> None:
    with served(chain) as url:
        found = SolanaHarness(chain, url)
        providers = [found.provider, dataclasses.replace(found.provider, operator="another")]
        seen = survey(found.network, providers, HttpTransport(Limits(tries=1)), [held(USER.pubkey())], 2)
    assert [one.units for one in seen.results if isinstance(one, Balance)] == [LOTS]


def test_a_skipped_slot_has_no_block_and_is_not_final(chain: LiteChain, reader: SolanaReader) -> None:
    last = chain.close(skipped=3)
    with pytest.raises(ProviderError, match="skipped"):
        reader.block_at(last - 1)
    chain.slot += 5
    assert reader.final_block().height == last


def test_a_chain_without_a_block_for_long_is_an_error(chain: LiteChain, reader: SolanaReader) -> None:
    chain.slot += 40
    with pytest.raises(ProviderError, match="has no block in the 32 slots"):
        reader.final_block()


def test_a_slot_the_node_no_longer_has_is_an_error(reader: SolanaReader) -> None:
    with pytest.raises(ProviderError, match="cleaned up"):
        reader.block_at(FIRST_SLOT - 1)


def test_a_block_pruned_while_it_was_read_is_a_failure(chain: LiteChain, reader: SolanaReader) -> None:
    block = reader.final_block()
    chain.close()
    del chain.blocks[FIRST_SLOT], chain.blocks[block.height]
    (reading,) = reader.read_balances(block, [held(USER.pubkey())])
    assert reading.units is None


@pytest.mark.parametrize("kept", [0, 1])
def test_a_pruned_history_is_a_failure(chain: LiteChain, reader: SolanaReader, kept: int) -> None:
    """Nothing listed, or only what came after the pinned slot: neither says what was there before."""
    pinned = chain.slot
    spend(chain)
    chain.close()
    chain.transactions = chain.transactions[-1:] if kept else []
    (reading,) = read_at(reader, pinned, held(USER.pubkey()))
    assert reading.units is None
    assert "history" in reading.failure


def test_a_balance_that_changed_without_a_transaction_is_a_failure(chain: LiteChain, reader: SolanaReader) -> None:
    pinned = chain.slot
    chain.svm.airdrop(USER.pubkey(), 5)
    chain.close()
    (reading,) = read_at(reader, pinned, held(USER.pubkey()))
    assert "without a transaction" in reading.failure
    spend(chain)
    chain.close()
    (reading,) = read_at(reader, pinned, held(USER.pubkey()))
    assert "without a transaction" in reading.failure


def test_tokens_moved_since_the_pinned_slot_are_still_there_at_it(
    chain: LiteChain, reader: SolanaReader, mint: TokenMint
) -> None:
    mine, theirs = mint.open(USER.pubkey(), 500), mint.open(OTHER.pubkey())
    pinned = chain.close()
    chain.send([mint.move(mine, theirs, USER.pubkey(), 120)], USER)
    chain.close()
    holdings = [held(USER.pubkey(), mint.asset), held(OTHER.pubkey(), mint.asset), held(USER.pubkey())]
    assert units_at(reader, pinned, *holdings) == [500, 0, LOTS]
    assert units_at(reader, chain.slot, *holdings) == [380, 120, LOTS - FEE]


def test_all_token_accounts_of_an_owner_are_added(chain: LiteChain, reader: SolanaReader, mint: TokenMint) -> None:
    other = TokenMint(chain, "another mint")
    for units in (1, 20, 300):
        mint.open(USER.pubkey(), units)
    other.open(USER.pubkey(), 4_000)
    holdings = [held(USER.pubkey(), mint.asset), held(USER.pubkey(), other.asset)]
    assert units_at(reader, chain.close(), *holdings) == [321, 4_000]


def test_tokens_of_the_newer_program_are_read(chain: LiteChain, reader: SolanaReader) -> None:
    mint = TokenMint(chain, "a newer mint", TOKEN_2022)
    mine = mint.open(USER.pubkey(), 50)
    pinned = chain.close()
    chain.send([mint.issue(mine, 5)])
    chain.close()
    assert units_at(reader, pinned, held(USER.pubkey(), mint.asset)) == [50]
    assert units_at(reader, chain.slot, held(USER.pubkey(), mint.asset)) == [55]


def test_a_token_account_opened_since_the_pinned_slot_held_nothing(
    chain: LiteChain, reader: SolanaReader, mint: TokenMint
) -> None:
    mint.open(USER.pubkey(), 7)
    pinned = chain.close()
    mint.open(USER.pubkey(), 30)
    chain.close()
    assert units_at(reader, pinned, held(USER.pubkey(), mint.asset)) == [7]


def test_a_token_account_closed_since_the_pinned_slot_counts_at_it(
    chain: LiteChain, reader: SolanaReader, mint: TokenMint
) -> None:
    mine, theirs = mint.open(USER.pubkey(), 9), mint.open(OTHER.pubkey())
    mint.open(USER.pubkey(), 100)
    pinned = chain.close()
    chain.send([mint.move(mine, theirs, USER.pubkey(), 9), mint.shut(mine, USER.pubkey())], USER)
    chain.close()
    assert units_at(reader, pinned, held(USER.pubkey(), mint.asset)) == [109]
    assert units_at(reader, chain.slot, held(USER.pubkey(), mint.asset)) == [100]


def test_a_token_account_handed_over_counts_for_its_owner_at_the_slot(
    chain: LiteChain, reader: SolanaReader, mint: TokenMint
) -> None:
    account = mint.open(USER.pubkey(), 9)
    pinned = chain.close()
    chain.send([mint.hand_over(account, USER.pubkey(), OTHER.pubkey())], USER)
    chain.close()
    holdings = [held(USER.pubkey(), mint.asset), held(OTHER.pubkey(), mint.asset)]
    assert units_at(reader, pinned, *holdings) == [9, 0]
    assert units_at(reader, chain.slot, *holdings) == [0, 9]


def test_lamports_sent_to_a_token_account_say_nothing_of_its_tokens(
    chain: LiteChain, reader: SolanaReader, mint: TokenMint
) -> None:
    """Nodes note no token balances for a transaction without a token program; that is not a balance of zero."""
    mine = mint.open(USER.pubkey(), 9)
    chain.send([pay(chain.payer.pubkey(), mine, 1)])
    pinned = chain.close()
    chain.send([pay(chain.payer.pubkey(), mine, 2)])
    chain.close()
    assert units_at(reader, pinned, held(USER.pubkey(), mint.asset)) == [9]


def test_more_owner_transactions_than_can_be_read_are_a_failure(
    chain: LiteChain, reader: SolanaReader, mint: TokenMint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chains.solana.history.MAX_SCANNED", 2)
    pinned = chain.close()
    for _ in range(3):
        spend(chain)
    chain.close()
    readings = read_at(reader, pinned, held(USER.pubkey(), mint.asset), held(USER.pubkey()))
    assert "at most 2 are read" in readings[0].failure
    assert readings[1].units == LOTS


def test_what_is_no_mint_is_a_failure(chain: LiteChain, reader: SolanaReader) -> None:
    (reading,) = read_at(reader, chain.slot, held(USER.pubkey(), asset_id(f"{CHAIN}/token:{OTHER.pubkey()}")))
    assert "could not find mint" in reading.failure


NO_ADDRESSES = ["", "1", "1" * 31, "1" * 33, "0" * 32, "1" * 200, "rG1QQv2nh2gr7RCZ1P8YYcBUKCCN633jCn", "é" * 32]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        canonical_address(text)


def test_an_address_is_kept_as_it_is() -> None:
    account = AccountId(f"{CHAIN}:7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv")
    assert canonical_account(account) == account
    assert canonical_address("1" * 32) == "1" * 32


def test_the_networks_name_their_own_coins() -> None:
    found = {name: network for name, network in networks().items() if name.startswith("solana:")}
    assert {network.native_asset for network in found.values()} == {f"{name}/slip44:501" for name in found}
    assert {network.decimals for network in found.values()} == {9}
