"""What happened: which wallets or units were lost, when, and how the loss is to be valued."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from chains.addresses import canonical_account
from chains.errors import ChainError
from chains.ids import AccountField, AccountId, AssetField, AssetId
from chains.model import Balance, Holding
from verifier.case import Case, Position
from verifier.declaration import CLIENT_POOLS, Pool, UtcTime
from verifier.errors import InputError
from verifier.files import read_file
from verifier.policy.amounts import show_number
from verifier.records import parse_record
from verifier.snapshot import Price, PriceQuote, unit_prices

# Currencies whose smallest unit is not a hundredth. Source: ISO 4217.
_NO_MINOR, _THOUSANDTHS = ("JPY", "KRW", "VND", "CLP", "ISK", "PYG", "UGX"), ("BHD", "KWD", "OMR", "JOD", "TND")
_MINOR = dict.fromkeys(_NO_MINOR, 0) | dict.fromkeys(_THOUSANDTHS, 3)
MAX_BYTES = 16 * 1024 * 1024
MAX_LOSSES = 100_000

Units = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,77}$", description="base units")]
Money = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,30}$", description="smallest units of the currency")]
Share = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,17})(/[1-9][0-9]{0,17})?$", description="a fraction up to 1")]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Loss(_Record):
    """One loss: a wallet (all of it, one asset, or units), a scope of wallets, or a fraction of a pool."""

    wallet: AccountField | None = None
    asset: AssetField | None = None
    units: Units | None = None
    scope: Literal["all-hot", "largest-wallet"] | None = None
    pool: Annotated[Pool | None, Field(strict=False)] = None
    fraction: Share | None = None

    @model_validator(mode="after")
    def _one_way_to_name_it(self) -> Self:
        if sum(one is not None for one in (self.wallet, self.scope, self.pool)) != 1:
            raise ValueError("name one of `wallet`, `scope` or `pool`")
        if self.units is not None and (self.wallet is None or self.asset is None):
            raise ValueError("`units` needs `wallet` and `asset`")
        if (self.pool is None) != (self.fraction is None):
            raise ValueError("`pool` and `fraction` go together")
        if self.fraction is not None and not 0 < Fraction(self.fraction) <= 1:
            raise ValueError("`fraction` is not above 0 and at most 1")
        return self


class Incident(_Record):
    """An incident as it was reported; nothing in it is checked against the chain, only against the run's holdings.

    `tiers` are amounts up to which claims are met first, in smallest units of the currency, rising.
    """

    format: Literal["reserve-verifier/incident/1"]
    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    at: UtcTime
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    valuation: Literal["low", "middle", "high"] = "middle"
    prices: list[PriceQuote] = Field(default_factory=list, max_length=10_000)
    losses: list[Loss] = Field(min_length=1, max_length=MAX_LOSSES)
    tiers: list[Money] = Field(default_factory=list, max_length=16)

    def to_record(self) -> dict[str, Any]:
        """Return JSON values that are read back as the same incident."""
        return self.model_dump(mode="json", exclude_none=True)

    @model_validator(mode="after")
    def _tiers_rise(self) -> Self:
        amounts = [int(one) for one in self.tiers]
        if amounts != sorted(set(amounts)):
            raise ValueError("`tiers` do not rise")
        return self


class Lost(NamedTuple):
    """Units lost of one holding, of those it held."""

    holding: Holding
    pool: Pool
    units: int
    held: int


_INCIDENT = TypeAdapter(Incident)


def load_incident(path: Path) -> Incident:
    """Read an incident file (JSON). Raises UnavailableError when it cannot be read, InputError naming the field."""
    return parse_incident(read_file(path, MAX_BYTES), str(path))


def parse_incident(content: bytes, where: str) -> Incident:
    """Read an incident from JSON bytes. Raises InputError naming the field."""
    return parse_record(content, where, _INCIDENT.validate_python)


def resolve(incident: Incident, case: Case) -> tuple[Lost, ...]:
    """Return what was lost, holding by holding.

    Raises InputError for a wallet or asset that the run does not know, a loss larger than the holding, one holding
    named twice, and a holding whose balance the operators did not agree on.
    """
    known = {position.placement.holding: position for position in case.positions}
    found: dict[Holding, Lost] = {}
    for number, loss in enumerate(incident.losses):
        where = f"losses.{number}"
        for position, units in _of(loss, case, known, incident, where):
            holding, result = position.placement.holding, position.result
            if not isinstance(result, Balance):
                raise InputError(f"{where}: the operators agree on no balance of {holding.asset} at {holding.account}")
            lost = result.units if units is None else units
            if lost > result.units:
                raise InputError(
                    f"{where}: {lost} of {holding.asset} lost at {holding.account}, which held {result.units}"
                )
            if holding in found:
                raise InputError(f"{where}: {holding.account}, {holding.asset} is lost twice; losses must not overlap")
            found[holding] = Lost(holding, position.placement.pool, lost, result.units)
    return tuple(sorted((one for one in found.values() if one.units), key=lambda one: one.holding))


def _of(
    loss: Loss, case: Case, known: dict[Holding, Position], incident: Incident, where: str
) -> Iterator[tuple[Position, int | None]]:
    """Yield the positions a loss names, each with the units lost, None for all."""
    if loss.wallet is not None:
        yield from _of_wallet(loss, known, where)
    elif loss.scope == "all-hot":
        yield from _among(loss, [one for one in case.positions if one.placement.pool is Pool.CLIENT_HOT], where)
    elif loss.scope == "largest-wallet":
        account = largest_wallet(case, incident)
        yield from _among(loss, [one for one in case.positions if one.placement.holding.account == account], where)
    else:
        share = Fraction(loss.fraction or 0)
        for one, _ in _among(loss, [one for one in case.positions if one.placement.pool is loss.pool], where):
            held = one.result.units if isinstance(one.result, Balance) else 0
            yield one, held * share.numerator // share.denominator


def _of_wallet(loss: Loss, known: dict[Holding, Position], where: str) -> Iterator[tuple[Position, int | None]]:
    try:
        account = canonical_account(AccountId(loss.wallet or ""))
    except ChainError as error:
        raise InputError(f"{where}.wallet: {error}") from error
    found = [position for holding, position in known.items() if holding.account == account]
    if not found:
        raise InputError(f"{where}.wallet: {account} is no wallet of this run; an undeclared wallet held nothing of it")
    for position, _ in _among(loss, found, where):
        yield position, int(loss.units) if loss.units else None


def _among(loss: Loss, positions: Sequence[Position], where: str) -> Iterator[tuple[Position, None]]:
    found = [one for one in positions if loss.asset is None or one.placement.holding.asset == loss.asset]
    if not found:
        raise InputError(f"{where}: no holding of this run is meant{f' with {loss.asset}' if loss.asset else ''}")
    yield from ((one, None) for one in found)


def largest_wallet(case: Case, incident: Incident) -> AccountId:
    """Return the client wallet worth most at the incident's prices. Raises InputError where one cannot be valued."""
    values: dict[AccountId, Fraction] = {}
    prices = prices_of(incident, case)
    for position in case.positions:
        holding, pool, _ = position.placement
        if pool not in CLIENT_POOLS or not isinstance(position.result, Balance) or not position.result.units:
            continue
        if holding.asset not in prices:
            raise InputError(f"{holding.asset} has no price in {incident.currency}: the largest wallet is not known")
        value = position.result.units * prices[holding.asset]
        values[holding.account] = values.get(holding.account, Fraction(0)) + value
    if not values:
        raise InputError("no client wallet of this run holds anything")
    return max(values, key=lambda account: (values[account], account))


def prices_of(incident: Incident, case: Case) -> dict[AssetId, Fraction]:
    """Return the value of one base unit in smallest units of the currency: the incident's price, else the run's."""
    mine = [quote for quote in case.prices if quote.lookback_days == 0]
    scale = 10 ** minor_digits(incident.currency)
    decimals = case.declaration.decimals()
    found = unit_prices(mine, incident.currency, decimals) | unit_prices(incident.prices, incident.currency, decimals)
    return {asset: _chosen(incident.valuation, price) * scale for asset, price in found.items()}


def _chosen(valuation: str, price: Price) -> Fraction:
    if valuation == "middle":
        return (price.low + price.high) / 2
    return price.low if valuation == "low" else price.high


def show_money(amount: int, currency: str) -> str:
    """Return smallest units of a currency in words a reader knows."""
    return f"{show_number(Fraction(amount, 10 ** minor_digits(currency)))} {currency}"


def minor_digits(currency: str) -> int:
    """Return how many decimals a currency's smallest unit has. Source: ISO 4217."""
    return _MINOR.get(currency, 2)
