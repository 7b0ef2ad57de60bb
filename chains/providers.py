"""Who we ask: providers with the operator behind them; URLs and credentials never leave this machine."""

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chains.errors import NetworkDataError, UnreadableFileError
from chains.ids import ChainField, ChainId
from chains.pacing import Rate, parse_rate

MAX_PROVIDERS = 256
# A full node says nothing until it has walked all its coins, which takes minutes on a main network.
PATIENCE = {"bitcoin-core": 1_800}
LINE_SCHEMES = ("tcp://", "ssl://")
_SCHEMES = {"electrum": LINE_SCHEMES}


@dataclass(frozen=True)
class Provider:
    """One endpoint of one operator for one chain.

    `operator` is who runs it: answers of one operator count once in a quorum, however many endpoints it has.
    `url`, `username` and `password` are secrets: they are not shown, recorded or compared. `patience` is how many
    seconds a single answer may take to begin where that is longer than the transport's own limit; `rate` is how often
    the provider may be asked, None when it does not matter.
    """

    operator: str
    chain: ChainId
    dialect: str
    options: tuple[tuple[str, str], ...] = ()
    url: str = field(default="", repr=False, compare=False)
    username: str = field(default="", repr=False, compare=False)
    password: str = field(default="", repr=False, compare=False)
    patience: int = field(default=0, compare=False)
    rate: Rate | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The name the transcript knows this provider by."""
        return f"{self.operator}/{self.dialect}/{self.chain}"

    def option(self, name: str, default: str = "") -> str:
        return dict(self.options).get(name, default)


@dataclass(frozen=True)
class Providers:
    """The providers of a run and how many independent operators must agree."""

    providers: tuple[Provider, ...]
    minimum_operators: int

    def serving(self, chain: ChainId) -> tuple[Provider, ...]:
        return tuple(provider for provider in self.providers if provider.chain == chain)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    operator: str = Field(min_length=1, max_length=64, pattern=r"^[-_.a-zA-Z0-9 ]+$")
    chain: ChainField
    dialect: str = Field(min_length=1, max_length=32, pattern=r"^[-a-z0-9]+$")
    url: str = ""
    url_env: str = ""
    cookie_file: str = ""
    username_env: str = ""
    password_env: str = ""
    patience: int | None = Field(default=None, ge=1, le=86_400)
    rate: str = Field(default="", max_length=16)
    options: dict[str, str] = Field(default_factory=dict)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    minimum_operators: int = Field(default=2, ge=1, le=16)
    provider: list[_Entry] = Field(min_length=1, max_length=MAX_PROVIDERS)


def load_providers(path: Path) -> Providers:
    """Read a providers TOML file; secrets may come from the environment (`url_env`, `password_env`) or a node's cookie.

    Raises NetworkDataError naming the entry and the field.
    """
    try:
        parsed = _File.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise UnreadableFileError(
            f"{path}: cannot be read: {error.strerror}; a providers file says whom to ask (README, Providers)"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NetworkDataError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        raise NetworkDataError(f"{path}: {describe_validation(error)}") from error
    return Providers(
        tuple(_provider(path, number, entry) for number, entry in enumerate(parsed.provider, 1)),
        parsed.minimum_operators,
    )


def _provider(path: Path, number: int, entry: _Entry) -> Provider:
    where = f"{path}: provider {number} ({entry.operator})"
    url = entry.url or _from_environment(where, entry.url_env)
    schemes = _SCHEMES.get(entry.dialect, ("http://", "https://"))
    if not url.startswith(schemes):
        raise NetworkDataError(f"{where}: give `url` or `url_env` with an address of {' or '.join(schemes)}")
    username, password = (
        _from_environment(where, entry.username_env),
        _from_environment(where, entry.password_env),
    )
    if entry.cookie_file:
        try:
            cookie = (path.parent / Path(entry.cookie_file).expanduser()).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NetworkDataError(f"{where}: cookie file cannot be read: is the node running?") from error
        username, _, password = cookie.partition(":")
    return Provider(
        entry.operator,
        ChainId(entry.chain),
        entry.dialect,
        tuple(sorted(entry.options.items())),
        url.rstrip("/"),
        username,
        password,
        PATIENCE.get(entry.dialect, 0) if entry.patience is None else entry.patience,
        _rate(where, entry.rate),
    )


def _rate(where: str, text: str) -> Rate | None:
    try:
        return parse_rate(text) if text else None
    except NetworkDataError as error:
        raise NetworkDataError(f"{where}: {error}") from error


def _from_environment(where: str, name: str) -> str:
    if not name:
        return ""
    if name not in os.environ:
        raise NetworkDataError(f"{where}: the environment variable {name} is not set")
    return os.environ[name]


def public_record(providers: Providers) -> dict[str, Any]:
    """Return what a bundle may say about its providers: operators, dialects, chains; no address, no credential."""
    return {
        "minimum_operators": providers.minimum_operators,
        "providers": [
            {"operator": p.operator, "chain": p.chain, "dialect": p.dialect, "options": dict(p.options)}
            for p in providers.providers
        ],
    }


class _PublicEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    operator: str = Field(min_length=1, max_length=64)
    chain: ChainField
    dialect: str = Field(min_length=1, max_length=32)
    options: dict[str, str]


class _PublicFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    minimum_operators: int = Field(ge=1, le=16)
    providers: list[_PublicEntry] = Field(min_length=1, max_length=MAX_PROVIDERS)


def from_public_record(record: Any) -> Providers:
    """Rebuild the providers of a recorded run from `public_record`; they have no address, so they only replay.

    Raises NetworkDataError.
    """
    try:
        parsed = _PublicFile.model_validate(record)
    except ValidationError as error:
        raise NetworkDataError(f"providers: {describe_validation(error)}") from error
    return Providers(
        tuple(
            Provider(entry.operator, ChainId(entry.chain), entry.dialect, tuple(sorted(entry.options.items())))
            for entry in parsed.providers
        ),
        parsed.minimum_operators,
    )


def describe_validation(error: ValidationError) -> str:
    """Say in one line where a record is wrong: the path of the first bad field, what is wrong, how many more."""
    problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{where}: {first['msg']}{more}"
