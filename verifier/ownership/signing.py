"""The exchange's side, offline: put signed claims into a declaration with keys that never leave this process."""

import os
import stat
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chains.errors import ChainError
from chains.ids import AccountField, AccountId
from chains.providers import describe_validation
from chains.signatures.signing import secret_of_text, sign
from verifier.declaration import Declaration, OwnershipClaim
from verifier.errors import InputError, UnavailableError
from verifier.files import read_file
from verifier.ownership.challenge import Challenge

MAX_KEYS_FILE = 64 * 1024 * 1024


class SigningKey(NamedTuple):
    """A private key for one account; `scheme` overrides the one that fits its family. Neither is ever shown."""

    secret: bytes
    scheme: str = ""

    def __repr__(self) -> str:
        return "SigningKey(…)"


class Signing(NamedTuple):
    """A declaration with its claims, and the accounts that no key was given for."""

    declaration: Declaration
    signed: tuple[AccountId, ...]
    missing: tuple[AccountId, ...]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    account: AccountField
    scheme: str = ""
    secret: str = ""
    secret_env: str = ""
    secret_file: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    key: list[_Entry] = Field(min_length=1, max_length=1_000_000)


def load_keys(path: Path) -> dict[AccountId, SigningKey]:
    """Read a keys file (TOML): per account a `secret`, `secret_env` or `secret_file`, and a `scheme` if need be.

    The file must be readable by its owner alone. Raises InputError that names the entry and never repeats a secret.
    """
    _require_private(path)
    try:
        parsed = _File.model_validate(tomllib.loads(read_file(path, MAX_KEYS_FILE).decode("utf-8")))
    except ValidationError as error:
        raise InputError(f"{path}: {describe_validation(error)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InputError(f"{path}: not TOML") from None  # the parser's own words could repeat a line of the file
    found: dict[AccountId, SigningKey] = {}
    for number, entry in enumerate(parsed.key, 1):
        account = AccountId(entry.account)
        if account in found:
            raise InputError(f"{path}: key {number}: {account} has a key already")
        found[account] = SigningKey(_secret(path, number, entry), entry.scheme)
    return found


def make_claim(account: AccountId, scheme: str, message: str, secret: bytes) -> OwnershipClaim:
    """Sign one message for one account. Raises IdentifierError when the key is not the account's."""
    signed = sign(scheme, account, message, secret)
    return OwnershipClaim(
        account=account,
        scheme=scheme,
        message=message,
        signature=signed.signature,
        public_key=signed.public_key or None,
    )


def sign_challenges(
    declaration: Declaration, challenges: Sequence[Challenge], keys: Mapping[AccountId, SigningKey]
) -> Signing:
    """Return the declaration with a claim for every challenge that a key is given for; earlier ones of these go.

    Raises InputError that names the account whose key is wrong or whose scheme one key does not suffice for.
    """
    unknown = sorted(set(keys) - {challenge.account for challenge in challenges})
    if unknown:
        raise InputError(f"{unknown[0]}: a key is given, but the declaration names no such wallet")
    made: list[OwnershipClaim] = []
    for challenge in challenges:
        key = keys.get(challenge.account)
        if key is None:
            continue
        try:
            made.append(make_claim(challenge.account, key.scheme or challenge.scheme, challenge.message, key.secret))
        except ChainError as error:
            raise InputError(f"{challenge.account}: {error}") from error
    signed = {claim.account for claim in made}
    kept = [claim for claim in declaration.ownership if claim.account not in signed]
    claimed = signed | {claim.account for claim in kept}
    missing = tuple(challenge.account for challenge in challenges if challenge.account not in claimed)
    whole = declaration.model_copy(update={"ownership": [*kept, *made]})
    return Signing(whole, tuple(AccountId(account) for account in sorted(signed)), missing)


def _require_private(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise InputError(f"{path}: holds private keys and others may read it; run: chmod 600 {path}")


def _secret(path: Path, number: int, entry: _Entry) -> bytes:
    given = [name for name in ("secret", "secret_env", "secret_file") if getattr(entry, name)]
    where = f"{path}: key {number} ({entry.account})"
    if len(given) != 1:
        raise InputError(f"{where}: give exactly one of secret, secret_env and secret_file")
    if entry.secret_env and entry.secret_env not in os.environ:
        raise InputError(f"{where}: the environment variable {entry.secret_env} is not set")
    text = entry.secret or (os.environ[entry.secret_env] if entry.secret_env else "")
    if entry.secret_file:
        beside = path.parent / entry.secret_file
        _require_private(beside)
        text = read_file(beside, 4096).decode("utf-8", "replace")
    try:
        return secret_of_text(text)
    except ChainError as error:
        raise InputError(f"{where}: {error}") from None
