"""Accounts that every builder can take: exact amounts of eight decimals, zeros among them."""

from decimal import Decimal
from random import Random

from tests.builders.lists import BUILDERS

COINS = {
    "mexc": ["BTC", "ETH", "USDC", "USDT"],
    "bitbase": ["BTC", "ETH", "USDC", "USDT"],
    "uzx": [*(f"C{number}" for number in range(34)), "BTC", "USDT"],
}


def accounts(name: str, count: int, seed: int = 1) -> list[dict[str, Decimal]]:
    rng = Random(seed)

    def amount() -> Decimal:
        return Decimal(rng.randrange(1, 10**10)).scaleb(-8) if rng.random() < 0.85 else Decimal(0)

    return [{coin: amount() for coin in COINS.get(name, ["BTC", "ETH", "USDT"])} for _ in range(count)]


def built(name: str, count: int, user: int, seed: int = 1):
    return BUILDERS[name](accounts(name, count, seed), user)


def hand_over(folder, case, **changes):
    """Write a case's files and return their paths."""
    paths = []
    for file, content in {**case.files, **changes}.items():
        (folder / file).write_bytes(content)
        paths.append(folder / file)
    return paths
