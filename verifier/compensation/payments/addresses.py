"""The exchange's own table of payout addresses: every address checked, every doubtful row refused with its place."""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import IO

from chains.addresses import canonical_account
from chains.errors import ChainError
from chains.ids import AccountId, ChainId, address_of
from verifier.errors import InputError, UnavailableError
from verifier.inclusion import wire
from verifier.inclusion.sum_tree import HASH_BYTES, MAX_ACCOUNT_BYTES
from verifier.inclusion.wire import MalformedError

MAX_ROWS = 20_000_000
MAX_LINE = 4_096
LeavesOf = Callable[[Collection[str]], Mapping[str, list[bytes]]]
Addresses = dict[bytes, str]
_FORMS = (["leaf", "address"], ["account", "address"])
_NOBODY = "0x" + "00" * 20


def read_addresses(path: Path, chain: ChainId, leaves_of: LeavesOf | None) -> Addresses:
    """Return the payout address of each leaf, in the one spelling of its chain.

    The header is `leaf,address` (hash of the leaf in hexadecimal), or `account,address`; for that `leaves_of` says
    which leaves are an account's. Raises UnavailableError when the file cannot be read, and InputError with file and
    row for a malformed row, a wrong address, and an account or leaf that has a row already, contradictory or not.
    """
    try:
        with path.open("r", encoding="utf-8-sig", newline="") as file:
            rows = _rows(csv.reader(_lines(file, path), strict=True), path)
            return _read(rows, path, chain, leaves_of)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8") from error
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error


def _read(rows: Iterator[list[str]], path: Path, chain: ChainId, leaves_of: LeavesOf | None) -> Addresses:
    header = next(rows, [])
    if header not in _FORMS:
        raise InputError(f"{path}:1: expected the header leaf,address or account,address; found {header!r:.80}")
    by_account = header[0] == "account"
    if by_account and leaves_of is None:
        raise InputError(f"{path}:1: account ids need the tree that says which leaf is whose; add --tree DIR")
    found: dict[str, str] = {}
    first: dict[str, int] = {}
    for number, cells in enumerate(rows, 2):
        where = f"{path}:{number}"
        if len(cells) != 2:
            raise InputError(f"{where}: {len(cells)} cells; expected 2, {','.join(header)}")
        name, address = _name(cells[0], by_account, where), _address(chain, cells[1], where)
        if name in first:
            said = "again" if found[name] == address else f"with another address, {found[name]} before"
            raise InputError(f"{where}: {wire.show(name)} stands on row {first[name]} and here {said}; keep one row")
        found[name], first[name] = address, number
    if not by_account or leaves_of is None:
        return {bytes.fromhex(leaf): address for leaf, address in found.items()}
    return _of_leaves(found, first, leaves_of(found), path)


def _of_leaves(
    found: dict[str, str], first: Mapping[str, int], leaves: Mapping[str, list[bytes]], path: Path
) -> Addresses:
    for account in found:
        if account not in leaves:
            raise InputError(f"{path}:{first[account]}: the tree knows no account {wire.show(account)}")
    return {leaf: address for account, address in found.items() for leaf in leaves[account]}


def _name(text: str, by_account: bool, where: str) -> str:
    try:
        if by_account:
            return wire.read_text(text, f"{where}:account", MAX_ACCOUNT_BYTES)
        return wire.read_hex(text, f"{where}:leaf", HASH_BYTES).hex()
    except MalformedError as error:
        raise InputError(str(error)) from error


def _address(chain: ChainId, text: str, where: str) -> str:
    try:
        address = address_of(canonical_account(AccountId(f"{chain}:{text}")))
    except ChainError as error:
        raise InputError(f"{where}: {error}") from error
    if address == _NOBODY:
        raise InputError(f"{where}: {address} is nobody's: what is paid there is lost")
    return address


def _rows(reader: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    for number in range(1, MAX_ROWS + 2):
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{path}:{number}: not CSV: {error}") from error
    raise InputError(f"{path}: more than {MAX_ROWS:,} rows")


def _lines(file: IO[str], path: Path) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise InputError(f"{path}:{number}: longer than {MAX_LINE:,} characters")
        yield line
