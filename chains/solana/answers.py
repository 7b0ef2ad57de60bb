"""The forms in which a Solana node answers, checked field by field."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from chains.base_codecs import base58, from_base58
from chains.errors import InvalidAnswerError
from chains.solana.address import is_key

MAX_UNITS = 2**64 - 1
MAX_SLOT = 2**63
MAX_TOKEN_ACCOUNTS = 1000
TOKEN_PROGRAMS = frozenset(
    {"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"}
)
_TOKEN_ACCOUNT_BYTES = 165
_MAX_DATA_TEXT = 100_000
_MAX_KEYS = 256
_AMOUNT = re.compile(r"0|[1-9][0-9]{0,19}")


class Held(NamedTuple):
    """Who holds a token account, of which mint, and how many base units; an old node leaves the owner out."""

    mint: str
    owner: str | None
    units: int


class Listed(NamedTuple):
    """One transaction as a history lists it."""

    signature: str
    slot: int


class Transaction(NamedTuple):
    """What one transaction left behind: lamports and tokens of every account in it, before and after."""

    keys: tuple[str, ...]
    lamports: tuple[tuple[int, ...], tuple[int, ...]]
    tokens: tuple[dict[int, Held], dict[int, Held]]


def whole(value: Any, most: int, what: str) -> int:
    """Return a number from 0 to `most`. Raises InvalidAnswerError."""
    if type(value) is not int or not 0 <= value <= most:
        raise InvalidAnswerError(f"{what} is {str(value)[:40]!r}, not a number from 0 to {most}")
    return value


def record(value: Any, what: str) -> dict[str, Any]:
    """Return a JSON object. Raises InvalidAnswerError."""
    if not isinstance(value, dict):
        raise InvalidAnswerError(f"{what} is no object")
    return value


def rows(value: Any, most: int, what: str) -> list[Any]:
    """Return a list of at most `most` items. Raises InvalidAnswerError."""
    if not isinstance(value, list) or len(value) > most:
        raise InvalidAnswerError(f"{what} is no list of at most {most} items")
    return value


def exactly(value: Any, count: int, what: str) -> list[Any]:
    """Return a list of `count` items. Raises InvalidAnswerError."""
    if len(found := rows(value, count, what)) != count:
        raise InvalidAnswerError(f"{what} has {len(found)} items; expected {count}")
    return found


def context_of(result: Any, pinned: int) -> tuple[int, Any]:
    """Return the slot an answer is of and its value. Raises InvalidAnswerError for a slot before `pinned`."""
    answer = record(result, "the answer")
    slot = whole(record(answer.get("context"), "the context").get("slot"), MAX_SLOT, "the context's slot")
    if slot < pinned:
        raise InvalidAnswerError(f"answered for slot {slot}, which is before the pinned slot {pinned}")
    return slot, answer.get("value")


def lamports_of(account: Any) -> int:
    """Return an account's lamports; an account that is not there has none. Raises InvalidAnswerError."""
    if account is None:
        return 0
    return whole(record(account, "the account").get("lamports"), MAX_UNITS, "the account's lamports")


def token_accounts(value: Any, owner: str, mint: str) -> dict[str, int]:
    """Return the base units of each token account listed for an owner and a mint. Raises InvalidAnswerError."""
    found: dict[str, int] = {}
    for item in rows(value, MAX_TOKEN_ACCOUNTS, "the list of token accounts"):
        row = record(item, "a token account")
        if not is_key(row.get("pubkey")) or row["pubkey"] in found:
            raise InvalidAnswerError("a token account has no address of its own")
        account = record(row.get("account"), "a token account")
        if account.get("owner") not in TOKEN_PROGRAMS:
            raise InvalidAnswerError("a listed account does not belong to a token program")
        found[row["pubkey"]] = _token_units(account.get("data"), owner, mint)
    return found


def _token_units(data: Any, owner: str, mint: str) -> int:
    """Read a token account's bytes: mint, owner, amount. Source: SPL Token, Account."""
    if not isinstance(data, list) or len(data) != 2 or data[1] != "base64" or not isinstance(data[0], str):
        raise InvalidAnswerError("a token account's data is not in base64")
    if len(data[0]) > _MAX_DATA_TEXT:
        raise InvalidAnswerError(f"a token account of {len(data[0])} letters; at most {_MAX_DATA_TEXT} are read")
    try:
        raw = base64.b64decode(data[0], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidAnswerError("a token account's data is not in base64") from error
    if len(raw) < _TOKEN_ACCOUNT_BYTES:
        raise InvalidAnswerError(f"a token account of {len(raw)} bytes; expected at least {_TOKEN_ACCOUNT_BYTES}")
    if (base58(raw[:32]), base58(raw[32:64])) != (mint, owner):
        raise InvalidAnswerError("a listed token account is of another mint or another owner")
    return int.from_bytes(raw[64:72], "little")


def listed(result: Any, most: int) -> list[Listed]:
    """Return one page of a history, newest first. Raises InvalidAnswerError when it is in another order."""
    page: list[Listed] = []
    for item in rows(result, most, "the history"):
        row = record(item, "an entry of the history")
        signature = row.get("signature")
        raw = from_base58(signature, 88) if isinstance(signature, str) else None
        if not isinstance(signature, str) or raw is None or len(raw) != 64:
            raise InvalidAnswerError("an entry of the history has no signature")
        page.append(Listed(signature, whole(row.get("slot"), MAX_SLOT, "the slot of a transaction")))
    return page


def transaction(result: Any, expected: Listed) -> Transaction:
    """Return what a transaction did to every account in it. Raises InvalidAnswerError when it is another one."""
    if result is None:
        raise InvalidAnswerError(f"lists the transaction {expected.signature[:20]}… and does not have it")
    found = record(result, "the transaction")
    if found.get("slot") != expected.slot:
        raise InvalidAnswerError(f"the transaction {expected.signature[:20]}… is in two slots")
    body, meta = record(found.get("transaction"), "the transaction's body"), record(found.get("meta"), "its meta")
    if rows(body.get("signatures"), _MAX_KEYS, "its signatures")[:1] != [expected.signature]:
        raise InvalidAnswerError(f"asked for the transaction {expected.signature[:20]}…, got another one")
    keys = _keys(record(body.get("message"), "the transaction's message"), meta.get("loadedAddresses"))
    return Transaction(
        keys,
        (_lamports(meta.get("preBalances"), len(keys)), _lamports(meta.get("postBalances"), len(keys))),
        (_tokens(meta.get("preTokenBalances"), len(keys)), _tokens(meta.get("postTokenBalances"), len(keys))),
    )


def _keys(message: dict[str, Any], loaded: Any) -> tuple[str, ...]:
    """Return all accounts in the order in which balances are numbered: static, then loaded from lookup tables."""
    keys = [*rows(message.get("accountKeys"), _MAX_KEYS, "its accounts")]
    if loaded is not None:
        tables = record(loaded, "its loaded addresses")
        for kind in ("writable", "readonly"):
            keys += rows(tables.get(kind), _MAX_KEYS, "its loaded addresses")
    if not all(is_key(key) for key in keys) or len(set(keys)) != len(keys):
        raise InvalidAnswerError("the transaction's accounts are no distinct addresses")
    return tuple(keys)


def _lamports(value: Any, count: int) -> tuple[int, ...]:
    return tuple(whole(one, MAX_UNITS, "a balance") for one in exactly(value, count, "the list of balances"))


def _tokens(value: Any, count: int) -> dict[int, Held]:
    found: dict[int, Held] = {}
    for item in rows([] if value is None else value, _MAX_KEYS, "its token balances"):
        row = record(item, "a token balance")
        place = whole(row.get("accountIndex"), count - 1, "a token balance's account")
        mint, owner = row.get("mint"), row.get("owner")
        amount = record(row.get("uiTokenAmount"), "a token balance").get("amount")
        if place in found or not isinstance(mint, str) or not is_key(mint) or not (owner is None or is_key(owner)):
            raise InvalidAnswerError("a token balance is of no account, mint and owner of its own")
        if not isinstance(amount, str) or not _AMOUNT.fullmatch(amount) or int(amount) > MAX_UNITS:
            raise InvalidAnswerError(f"a token balance is {str(amount)[:40]!r}, not a number up to {MAX_UNITS}")
        found[place] = Held(mint, owner, int(amount))
    return found


def sum_units(units: Sequence[int]) -> int:
    """Add up token accounts of one mint. Raises InvalidAnswerError beyond what a mint can issue."""
    total = sum(units)
    if total > MAX_UNITS:
        raise InvalidAnswerError(f"the token accounts hold {total} units together, more than a mint can issue")
    return total
