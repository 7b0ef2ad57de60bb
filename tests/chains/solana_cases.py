"""A chain on which one user holds 10 SOL, and ways to read it, for the tests of the Solana reader."""

import dataclasses
from collections.abc import Iterator

import pytest
from solders.pubkey import Pubkey

from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId
from chains.model import Holding, Reading
from chains.solana.reader import SolanaReader
from tests.live.litesvm import CHAIN, LiteChain, SolanaHarness, TokenMint, keypair, pay, served

SOL = AssetId(f"{CHAIN}/slip44:501")
USER, OTHER = keypair("user"), keypair("other")
LOTS = 10**10


@pytest.fixture(name="chain")
def chain_of_a_user() -> LiteChain:
    """Return a chain on which the user holds 10 SOL."""
    made = LiteChain()
    made.send([pay(made.payer.pubkey(), USER.pubkey(), LOTS)])
    made.close()
    return made


@pytest.fixture(name="mint")
def mint_of_the_chain(chain: LiteChain) -> TokenMint:
    return TokenMint(chain, "a mint")


@pytest.fixture(name="reader")
def reader_of_the_chain(chain: LiteChain) -> Iterator[SolanaReader]:
    yield from opened(chain)


def opened(chain: LiteChain, **options: str) -> Iterator[SolanaReader]:
    with served(chain) as url:
        found = SolanaHarness(chain, url)
        provider = dataclasses.replace(found.provider, options=tuple(options.items()))
        yield SolanaReader(found.network, provider, HttpTransport(Limits(tries=1)))


def held(key: Pubkey, asset: AssetId = SOL) -> Holding:
    return Holding(AccountId(f"{CHAIN}:{key}"), asset)


def read_at(reader: SolanaReader, slot: int, *holdings: Holding) -> list[Reading]:
    return list(reader.read_balances(reader.block_at(slot), holdings))


def units_at(reader: SolanaReader, slot: int, *holdings: Holding) -> list[int | None]:
    readings = read_at(reader, slot, *holdings)
    assert all(reading.failure == "" for reading in readings if reading.units is not None)
    return [reading.units for reading in readings]


def spend(chain: LiteChain, lamports: int = 1_000) -> None:
    chain.send([pay(USER.pubkey(), OTHER.pubkey(), lamports)], USER)
