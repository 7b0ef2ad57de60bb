"""From declared wallets to balances: every coin in exactly one pool, every chain read at one block."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from chains.addresses import canonical_account
from chains.anchoring import CoinSet
from chains.errors import ChainError
from chains.ids import AccountId, AssetId, ChainId, account_id, chain_of
from chains.model import Balance, Disagreement, Holding
from chains.network import network_of
from chains.panel import Survey, survey
from chains.providers import Providers
from chains.transport import Transport
from verifier.declaration import Declaration, Pool, Wallet
from verifier.errors import InputError

MAX_HOLDINGS = 5_000_000

Progress = Callable[[str, int, int], None]


def silent(what: str, done: int, of: int) -> None:
    """Report no progress."""


class Placement(NamedTuple):
    """One declared holding and the pool it is in; `wallet` is its position in the declaration."""

    holding: Holding
    pool: Pool
    wallet: int


class Overlap(NamedTuple):
    """The same coins declared twice: a breach of the partition invariant."""

    holding: Holding
    first: Placement
    second: Placement

    def describe(self, declaration: Declaration) -> str:
        """Say in one line which two wallets claim the same coins, and how each names them."""
        names = [_name(declaration, placement) for placement in (self.first, self.second)]
        return f"{self.holding.asset} at {self.holding.account} is declared in {names[0]} and again in {names[1]}"


def _name(declaration: Declaration, placement: Placement) -> str:
    wallet = declaration.wallets[placement.wallet]
    way = "by descriptor" if wallet.descriptor else "by address"
    label = f" {wallet.label!r}" if wallet.label else ""
    return f"wallets.{placement.wallet}{label} ({placement.pool}, {way})"


class Placements(NamedTuple):
    """Every declared holding once, in a fixed order, and the overlaps that were found on the way."""

    placements: tuple[Placement, ...]
    overlaps: tuple[Overlap, ...]

    @property
    def chains(self) -> tuple[ChainId, ...]:
        """The chains that are to be read, in order."""
        return tuple(sorted({chain_of(placement.holding.account) for placement in self.placements}))


class Reserves(NamedTuple):
    """What the chains say: one result per placement, and one survey per chain."""

    results: dict[Holding, Balance | Disagreement]
    surveys: tuple[Survey, ...]

    @property
    def heights(self) -> dict[ChainId, int]:
        """The height at which each chain was read."""
        return {survey.block.chain: survey.block.height for survey in self.surveys if survey.block is not None}

    @property
    def newest(self) -> dict[AccountId, int]:
        """The height of the newest coin of each account whose coins are listed; 0 where it has none."""
        listed = ((one.holding.account, one.coins) for one in self.results.values() if isinstance(one, Balance))
        return {
            account: max((coin.height for coin in coins), default=0) for account, coins in listed if coins is not None
        }


def place_holdings(declaration: Declaration) -> Placements:
    """Turn declared wallets into holdings and find coins that are declared twice.

    Descriptors are expanded to their addresses, so an address and a descriptor that name the same coins meet.
    Raises InputError naming the wallet whose address, descriptor or asset is wrong.
    """
    first: dict[Holding, Placement] = {}
    overlaps: list[Overlap] = []
    for number, wallet in enumerate(declaration.wallets):
        for account in _accounts(number, wallet):
            for asset in wallet.assets:
                placement = Placement(Holding(account, _asset_on(number, account, asset)), wallet.pool, number)
                earlier = first.setdefault(placement.holding, placement)
                if earlier is not placement:
                    overlaps.append(Overlap(placement.holding, earlier, placement))
        if len(first) > MAX_HOLDINGS:
            raise InputError(f"wallets.{number}: more than {MAX_HOLDINGS:,} holdings in all")
    return Placements(tuple(sorted(first.values())), tuple(overlaps))


def declared_accounts(declaration: Declaration, placements: Placements) -> list[tuple[AccountId, Pool, str]]:
    """Return each declared account once, with the pool and label of the wallet that names it first."""
    found: dict[AccountId, tuple[AccountId, Pool, str]] = {}
    for placement in sorted(placements.placements, key=lambda one: one.wallet):
        account = placement.holding.account
        found.setdefault(account, (account, placement.pool, declaration.wallets[placement.wallet].label))
    return list(found.values())


def _accounts(number: int, wallet: Wallet) -> Iterable[AccountId]:
    try:
        chain = ChainId(wallet.chain or "") if wallet.account is None else chain_of(AccountId(wallet.account))
        network = network_of(chain)
        if wallet.descriptor is None:
            return (canonical_account(AccountId(wallet.account or "")),)
        from chains.bitcoin.descriptor import expand

        addresses = expand(network, wallet.descriptor, wallet.first_index, wallet.last_index)
        return [account_id(f"{chain}:{address}") for address in addresses]
    except ChainError as error:
        raise InputError(f"wallets.{number}: {error}") from error


def _asset_on(number: int, account: AccountId, asset: str) -> AssetId:
    if chain_of(AssetId(asset)) != chain_of(account):
        raise InputError(f"wallets.{number}: the asset {asset} is not on the chain of {account}")
    return AssetId(asset)


def read_reserves(
    placements: Sequence[Placement],
    providers: Providers,
    transport: Transport,
    progress: Progress = silent,
    coin_sets: Mapping[ChainId, CoinSet] | None = None,
) -> Reserves:
    """Read every placement, chain by chain in a fixed order, through the chain's providers and its set of all coins.

    Raises InputError when a chain has no provider: nothing is assumed to be zero.
    """
    by_chain: dict[ChainId, list[Holding]] = {}
    for placement in placements:
        by_chain.setdefault(chain_of(placement.holding.account), []).append(placement.holding)
    missing = [chain for chain in by_chain if not providers.serving(chain)]
    if missing:
        raise InputError(f"no provider for {', '.join(missing)}; add one to the providers file")
    surveys = []
    results: dict[Holding, Balance | Disagreement] = {}
    for chain, holdings in sorted(by_chain.items()):
        network = network_of(chain)

        def report(done: int, name: str = network.name, of: int = len(holdings)) -> None:
            progress(name, done, of)

        report(0)
        voices, coins = providers.serving(chain), (coin_sets or {}).get(chain)
        found = survey(network, voices, transport, holdings, providers.minimum_operators, report, coins)
        surveys.append(found)
        results.update(zip(holdings, found.results, strict=True))
    return Reserves(results, tuple(surveys))
