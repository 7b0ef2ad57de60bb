"""What the exchange says: wallets with their pools, the liabilities commitment, off-chain funds."""

from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from chains.ids import AccountField, AssetField, ChainField
from verifier.canonical import digest
from verifier.files import read_file
from verifier.records import FrozenRecord, parse_record

FORMAT = "reserve-verifier/declaration/1"
MAX_BYTES = 256 * 1024 * 1024
MAX_WALLETS = 1_000_000

Units = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,77})$", description="base units as a decimal integer string")]


def _utc(text: str) -> str:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError("expected a UTC time such as 2026-11-22T00:00:00Z") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


UtcTime = Annotated[str, AfterValidator(_utc)]


def utc_seconds(text: str) -> int:
    """Return a UTC time text as Unix seconds."""
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def utc_text(seconds: int) -> str:
    """Return Unix seconds as a UTC time text; seconds that no calendar holds are returned as a number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"Unix time {seconds}"


class Pool(StrEnum):
    """What a holding is for; the law treats each differently."""

    CLIENT_HOT = "client-hot"
    CLIENT_COLD = "client-cold"
    CLIENT_THIRD_PARTY = "client-third-party"
    GUARANTEE = "guarantee"
    RESERVE_FUND = "reserve-fund"
    PROPRIETARY = "proprietary"


class OffChainPool(StrEnum):
    FIAT_TRUST = "fiat-trust"
    INSURANCE = "insurance"
    BANK_GUARANTEE = "bank-guarantee"


CLIENT_POOLS = (Pool.CLIENT_HOT, Pool.CLIENT_COLD, Pool.CLIENT_THIRD_PARTY)
# What clients are paid from: nobody else may move it, and the company may not mix it with its own.
PROTECTED_POOLS = (*CLIENT_POOLS, Pool.GUARANTEE, Pool.RESERVE_FUND)


class _Record(FrozenRecord):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class DeclaredAsset(_Record):
    """An asset with its symbol and the number of decimals of its base unit."""

    asset: AssetField
    symbol: str = Field(min_length=1, max_length=16)
    decimals: int = Field(ge=0, le=36)


class OwnershipClaim(_Record):
    """A signature that is said to show control of an account, and what its scheme needs beside it."""

    account: AccountField
    scheme: str = Field(max_length=32)
    message: str = Field(max_length=10_000)
    signature: str = Field(max_length=1_000_000)
    public_key: str | None = Field(default=None, max_length=10_000)
    script: str | None = Field(default=None, max_length=20_000)
    more_signatures: list[Annotated[str, Field(max_length=10_000)]] | None = Field(default=None, max_length=100)
    material: dict[str, Annotated[str, Field(max_length=1_000_000)]] | None = Field(default=None, max_length=8)


class Wallet(_Record):
    """One declared wallet: an account, or a Bitcoin output descriptor with an index range; which assets; which pool."""

    account: AccountField | None = None
    chain: ChainField | None = None
    descriptor: str | None = Field(default=None, max_length=10_000)
    first_index: int = Field(default=0, ge=0)
    last_index: int = Field(default=0, ge=0)
    assets: list[AssetField] = Field(min_length=1, max_length=2_000)
    pool: Annotated[Pool, Field(strict=False)]
    label: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _one_way_to_name_it(self) -> Self:
        if (self.account is None) == (self.descriptor is None):
            raise ValueError("give either `account` or `descriptor` (with `chain`), and not both")
        if self.descriptor is not None and self.chain is None:
            raise ValueError("a `descriptor` needs its `chain`")
        return self


class CoverTerms(_Record):
    """When a cover holds, what of a loss it never pays, and how many hours it takes to pay, as declared."""

    valid_from: UtcTime
    valid_until: UtcTime
    deductible: Units = "0"
    delay_hours: int = Field(ge=0, le=100_000)


class OffChainHolding(_Record):
    """Money or cover outside the chains; `document` is the SHA-256 of the paper that shows it."""

    pool: Annotated[OffChainPool, Field(strict=False)]
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    units: Units
    decimals: int = Field(ge=0, le=8)
    document: str = Field(pattern=r"^[0-9a-f]{64}$")
    terms: CoverTerms | None = None


class Exchange(_Record):
    name: str = Field(min_length=1, max_length=200)
    id: str = Field(min_length=1, max_length=200, description="a domain name or LEI that outlives the brand")


class StatedFact(_Record):
    """A number that only the exchange can state and that a rulebook asks for, such as its yearly trading volume.

    `asset` restricts it to one asset; `document` is the SHA-256 of the paper that shows it.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    value: str = Field(pattern=r"^(0|[1-9][0-9]{0,30})(/[1-9][0-9]{0,30})?$")
    asset: AssetField | None = None
    document: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class Declaration(_Record):
    """The exchange's whole claim, as of one moment; nothing in it is believed because it is written here."""

    format: Literal["reserve-verifier/declaration/1"]
    exchange: Exchange
    as_of: UtcTime
    assets: list[DeclaredAsset] = Field(min_length=1, max_length=2_000)
    wallets: list[Wallet] = Field(min_length=1, max_length=MAX_WALLETS)
    ownership: list[OwnershipClaim] = Field(default_factory=list, max_length=MAX_WALLETS)
    liabilities: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", description="digest of the commitment")
    off_chain: list[OffChainHolding] = Field(default_factory=list, max_length=1_000)
    statements: list[StatedFact] | None = Field(default=None, max_length=10_000)

    @property
    def digest(self) -> str:
        """The SHA-256 of the declaration's canonical JSON."""
        return digest(self.to_record())

    @cached_property
    def challenge_digest(self) -> str:
        """The digest of the declaration without its ownership claims: a claim that names it fits no other one."""
        return digest({name: value for name, value in self.to_record().items() if name != "ownership"})

    def to_record(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)

    def decimals(self) -> dict[str, int]:
        return {asset.asset: asset.decimals for asset in self.assets}

    def symbols(self) -> dict[str, str]:
        return {asset.asset: asset.symbol for asset in self.assets}

    @model_validator(mode="after")
    def _assets_are_declared_once(self) -> Self:
        known = [asset.asset for asset in self.assets]
        if len(set(known)) != len(known):
            raise ValueError("an asset is listed twice in `assets`")
        stated = [(fact.name, fact.asset) for fact in self.statements or ()]
        if len(set(stated)) != len(stated):
            raise ValueError("a fact is stated twice in `statements`")
        table = set(known)
        for number, wallet in enumerate(self.wallets):
            unknown = [asset for asset in wallet.assets if asset not in table]
            if unknown:
                raise ValueError(f"wallets.{number}: unknown asset {unknown[0]}; add it to `assets`")
        return self


def parse_declaration(text: bytes, where: str) -> Declaration:
    """Read a declaration from JSON bytes. Raises InputError naming the file and the path of the bad field."""
    return parse_record(text, where, Declaration.model_validate)


def load_declaration(path: Path) -> Declaration:
    """Read a declaration file. Raises UnavailableError when it cannot be read, InputError when it is malformed."""
    return parse_declaration(read_file(path, MAX_BYTES), str(path))
