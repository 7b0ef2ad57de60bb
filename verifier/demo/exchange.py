"""An exchange with users, wallets in every pool, and a declaration; it can also cheat."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Self

from chains.ids import AssetId, account_id
from chains.providers import Providers
from verifier.canonical import canonical_json
from verifier.declaration import Declaration, DeclaredAsset, Exchange, OwnershipClaim, Pool, Wallet
from verifier.demo.chain_side import ChainSide, secret_of
from verifier.inclusion.commitment import TreeAsset
from verifier.liabilities.accounts import Account
from verifier.liabilities.build import LiabilitiesTree, build
from verifier.liabilities.commitment import save_commitment
from verifier.liabilities.leaves import write_leaves

NAME, ID = "Sakura Exchange (played)", "sakura.example"
HOT_SHARE = 4  # percent of what users own, below the five that the law allows


@dataclass(frozen=True)
class Holding:
    """A wallet of the played exchange: its key's label, its pool, and what is paid into it."""

    label: str
    pool: Pool
    side: ChainSide
    units: Mapping[AssetId, int]

    @property
    def secret(self) -> bytes:
        return secret_of(self.label)

    @property
    def address(self) -> str:
        return self.side.address(self.secret)


def make_users(count: int, assets: Sequence[TreeAsset], seed: int = 2026) -> list[Account]:
    """Return users with heavy-tailed balances, about half of them zero; the same in every run."""
    random = Random(seed)  # noqa: S311 -- played users, not a secret
    largest = {"BTC": 25, "ETH": 1_000}  # hundredths of a coin; other assets: ten thousand coins
    cap = [largest.get(asset.symbol, 1_000_000) * 10**asset.decimals // 100 for asset in assets]
    return [
        Account(
            f"user-{number:07d}",
            tuple(random.randrange(1, most) >> random.randrange(8) if random.randrange(2) else 0 for most in cap),
        )
        for number in range(count)
    ]


def split(total: int, parts: int) -> list[int]:
    """Split units into parts that add up exactly."""
    share = total // parts
    return [share] * (parts - 1) + [total - share * (parts - 1)]


def plan_wallets(side: ChainSide, owed: Mapping[AssetId, int], name: str) -> list[Holding]:
    """Spread what users own over hot and cold wallets, exactly; beside it own guarantee, reserve and company funds."""
    hot = {asset: units * HOT_SHARE // 100 for asset, units in owed.items()}
    cold = {asset: split(units - hot[asset], 3) for asset, units in owed.items()}
    wallets = [Holding(f"{name} hot", Pool.CLIENT_HOT, side, hot)]
    wallets += [
        Holding(f"{name} cold {number + 1}", Pool.CLIENT_COLD, side, {a: parts[number] for a, parts in cold.items()})
        for number in range(3)
    ]
    tenth = {asset: units // 10 for asset, units in owed.items()}
    return [
        *wallets,
        Holding(f"{name} guarantee", Pool.GUARANTEE, side, hot),
        Holding(f"{name} reserve fund", Pool.RESERVE_FUND, side, {a: units // 5 for a, units in owed.items()}),
        Holding(f"{name} company", Pool.PROPRIETARY, side, tenth),
    ]


@dataclass(frozen=True)
class PlayedExchange:
    """Everything the played exchange knows; only the declaration, the tree's public parts and prices leave it."""

    as_of: str
    assets: tuple[TreeAsset, ...]
    users: tuple[Account, ...]
    wallets: tuple[Holding, ...]
    tree: LiabilitiesTree
    company_in_client_pool: bool = False

    @classmethod
    def open(
        cls, sides: Mapping[str, ChainSide], symbols: Mapping[AssetId, tuple[str, int]], users: int, as_of: str
    ) -> Self:
        """Open an exchange: users, their tree, and wallets that hold exactly what users own."""
        assets = tuple(TreeAsset(asset, *symbols[asset]) for side in sides.values() for asset in side.assets())
        accounts = make_users(users, assets)
        tree = build(accounts, assets, f"demo-{as_of[:10]}", as_of, secret_of("run secret"))
        owed = {AssetId(a.asset): total for a, total in zip(assets, tree.commitment.totals, strict=True)}
        wallets: list[Holding] = []
        for name, side in sides.items():
            mine = plan_wallets(side, {asset: owed[asset] for asset in side.assets()}, name)
            side.deposit({wallet.address: wallet.units for wallet in mine})
            wallets += mine
        return cls(as_of, assets, tuple(accounts), tuple(wallets), tree)

    def wallet(self, label: str) -> Holding:
        return next(wallet for wallet in self.wallets if wallet.label == label)

    def declaration(self) -> Declaration:
        """Return the signed claim; the company's Bitcoin wallet is named by descriptor, all others by address."""
        message = f"{ID} controls this wallet as of {self.as_of}"
        return Declaration(
            format="reserve-verifier/declaration/1",
            exchange=Exchange(name=NAME, id=ID),
            as_of=self.as_of,
            assets=[DeclaredAsset(**asset._asdict()) for asset in self.assets],
            wallets=list(self._declared_wallets()),
            ownership=[self._claim(wallet, message) for wallet in self.wallets],
            liabilities=self.tree.commitment.digest,
        )

    def _claim(self, wallet: Holding, message: str) -> OwnershipClaim:
        return wallet.side.claim(wallet.secret, message)

    def _declared_wallets(self) -> Iterable[Wallet]:
        for wallet in self.wallets:
            chain = wallet.side.network.chain
            common: dict[str, Any] = {"assets": list(wallet.units), "pool": wallet.pool, "label": wallet.label}
            account = account_id(f"{chain}:{wallet.address}")
            if wallet.pool is Pool.PROPRIETARY and wallet.side.network.bitcoin:
                yield Wallet(chain=chain, descriptor=f"addr({wallet.address})", **common)
                if self.company_in_client_pool:
                    yield Wallet(account=account, **(common | {"pool": Pool.CLIENT_COLD, "label": "new cold wallet"}))
            else:
                yield Wallet(account=account, **common)

    def declaring_company_coins_as_client_coins(self) -> "PlayedExchange":
        """Return the same exchange, which now also lists its company wallet as client cold storage."""
        return replace(self, company_in_client_pool=True)

    def understating(self, account: str) -> "PlayedExchange":
        """Return the same exchange, whose tree says it owes this user a fifth of the truth."""
        users = tuple(
            Account(user.id, tuple(units // 5 for units in user.units)) if user.id == account else user
            for user in self.users
        )
        tree = build(users, self.assets, self.tree.commitment.run_id, self.as_of, secret_of("run secret"))
        return replace(self, tree=tree)

    def providers(self) -> Providers:
        """Return whom the verifier may ask: one engine per chain, so one operator is enough here."""
        sides = {wallet.side.network.chain: wallet.side for wallet in self.wallets}
        return Providers(tuple(side.provider() for side in sides.values()), minimum_operators=1)

    def publish(self, folder: Path, prices: list[dict[str, str]]) -> Path:
        """Write declaration, prices and the tree's public parts; return the declaration's path."""
        (folder / "liabilities").mkdir(parents=True, exist_ok=True)
        save_commitment(folder / "liabilities" / "commitment.json", self.tree.commitment)
        write_leaves(folder / "liabilities" / "leaves.csv", self.assets, self.tree.levels[0])
        (folder / "prices.json").write_bytes(canonical_json(prices))
        (folder / "declaration.json").write_bytes(canonical_json(self.declaration().to_record()))
        return folder / "declaration.json"
