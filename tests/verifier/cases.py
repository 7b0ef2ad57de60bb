"""Cases made by hand for the rules' tests: real records, no mocks."""

from chains.ids import AccountId, AssetId, ChainId
from chains.model import Balance, BlockRef, Disagreement, DisagreementReason, Holding, Reading, Tier
from verifier.case import Case, Position
from verifier.declaration import Declaration, DeclaredAsset, Exchange, Pool, Wallet
from verifier.liabilities.check import Liabilities
from verifier.ownership.binding import Binding
from verifier.ownership.claims import Control, Ownership
from verifier.reserves import Placement
from verifier.snapshot import PriceQuote

CHAIN = ChainId("eip155:31337")
ETH = AssetId("eip155:31337/slip44:60")
USD = AssetId("eip155:31337/erc20:0x" + "11" * 20)
BLOCK = BlockRef(CHAIN, 100, "0x" + "22" * 32, 1_700_000_000)
AS_OF = "2026-11-22T00:00:00Z"


def account(number: int) -> AccountId:
    return AccountId(f"{CHAIN}:0x{number:040x}")


def held(units: int | None, asset: AssetId, number: int, tier: Tier = Tier.OBSERVED) -> Balance | Disagreement:
    holding = Holding(account(number), asset)
    if units is None:
        answers = tuple(Reading(holding, f"operator-{n}", BLOCK, n) for n in range(2))
        return Disagreement(holding, DisagreementReason.VALUES_DIFFER, answers)
    return Balance(holding, units, BLOCK, tier, ("operator",), ("evidence",))


def position(
    pool: Pool,
    units: int | None,
    asset: AssetId = ETH,
    number: int = 1,
    control: Control | None = Control.SIGNED,
    tier: Tier = Tier.OBSERVED,
) -> Position:
    ownership = Ownership(account(number), control, "eip-191", Binding.NAMED, "", 0) if control else None
    return Position(Placement(Holding(account(number), asset), pool, 0), held(units, asset, number, tier), ownership)


def price(asset: AssetId, low: str, high: str | None = None) -> PriceQuote:
    return PriceQuote(asset=asset, currency="JPY", low=low, high=high or low, source="test", at=AS_OF)


def case(
    *positions: Position,
    owed: dict[AssetId, int] | None = None,
    liabilities_tier: Tier = Tier.PROVEN,
    prices: tuple[PriceQuote, ...] = (),
    problem: str = "",
) -> Case:
    assets = [
        DeclaredAsset(asset=ETH, symbol="ETH", decimals=0),
        DeclaredAsset(asset=USD, symbol="USD", decimals=0),
    ]
    declaration = Declaration(
        format="reserve-verifier/declaration/1",
        exchange=Exchange(name="Test Exchange", id="test.example"),
        as_of=AS_OF,
        assets=assets,
        wallets=[Wallet(account=account(1), assets=[ETH], pool=Pool.CLIENT_COLD)],
    )
    liabilities = None
    if owed is not None:
        liabilities = Liabilities("c" * 64, "run", AS_OF, 3, dict(owed), liabilities_tier, problem)
    return Case(
        declaration=declaration,
        positions=positions,
        overlaps=(),
        blocks=(BLOCK,),
        liabilities=liabilities,
        prices=prices,
        transcript="t" * 64,
    )
