"""To which address each leaf of a plan is paid: the exchange's own table, checked row by row; nobody is dropped."""

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, NamedTuple

from chains.addresses import canonical_account
from chains.errors import ChainError
from chains.ids import AccountId, AssetId, ChainId, address_of
from verifier.attestation.bundle import Bundle
from verifier.compensation.claim_tree import CLAIMS, LARGE_TABLE, TABLE
from verifier.errors import InputError, UnavailableError
from verifier.inclusion.commitment import TreeAsset, load_commitment
from verifier.liabilities.accounts import Account, read_accounts
from verifier.liabilities.folder import open_folder
from verifier.liabilities.places import COMMITMENT

MAX_PAYEES = 20_000_000
MAX_LINE = 4_096
_HASH_DIGITS = 64


class Payment(NamedTuple):
    """What one address gets of one asset, in base units, and for which leaves."""

    address: str
    units: int
    leaves: tuple[str, ...]


class Payments(NamedTuple):
    """Every payment of an asset, by address; `unpaid` are leaves with an amount and no address."""

    asset: TreeAsset
    payments: tuple[Payment, ...]
    unpaid: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """What all payments add up to; with what is unpaid it is what the plan pays."""
        return sum(one.units for one in self.payments)


def read_payees(path: Path, chain: ChainId, leaves_of: Mapping[str, tuple[str, ...]] | None = None) -> dict[str, str]:
    """Return the address of each leaf (64 hex digits) from a CSV table.

    The header is `leaf,address`, or `account,address` with `leaves_of`, the leaves of each account id. Raises
    InputError with file and row for a malformed address, an unknown account, and a leaf with two addresses.
    """
    found: dict[str, str] = {}
    with _opened(path) as rows:
        header = next(rows, [])
        by_account = header == ["account", "address"]
        if header != ["leaf", "address"] and not (by_account and leaves_of is not None):
            raise InputError(f"{path}:1: expected the header leaf,address, or account,address with the tree (--tree)")
        for number, row in enumerate(rows, 2):
            if len(row) != 2 or number > MAX_PAYEES:
                raise InputError(f"{path}:{number}: expected two cells, and at most {MAX_PAYEES:,} rows")
            address = _address(chain, row[1], f"{path}:{number}")
            for leaf in _leaves(row[0], leaves_of if by_account else None, f"{path}:{number}"):
                if found.setdefault(leaf, address) != address:
                    raise InputError(f"{path}:{number}: {row[0][:80]} has two addresses")
    return found


def payments_of(plan: Bundle, asset: AssetId, payees: Mapping[str, str]) -> Payments:
    """Return what a plan pays of an asset to each address, several leaves of one address added up, in order of address.

    Raises InputError when the plan pays nothing of the asset.
    """
    header = load_commitment(plan.folder / CLAIMS / COMMITMENT)
    place = next((number for number, one in enumerate(header.assets) if one.asset == asset), None)
    if place is None:
        known = ", ".join(one.asset for one in header.assets)
        raise InputError(f"{plan.folder}: pays nothing of {asset}; it pays {known}")
    paid: dict[str, list[tuple[str, int]]] = {}
    unpaid: list[tuple[str, int]] = []
    for row in _rows(plan, header.assets):
        units = row.units[place]
        if units and row.id in payees:
            paid.setdefault(payees[row.id], []).append((row.id, units))
        elif units:
            unpaid.append((row.id, units))
    payments = (
        Payment(address, sum(units for _, units in parts), tuple(leaf for leaf, _ in parts))
        for address, parts in sorted(paid.items())
    )
    return Payments(header.assets[place], tuple(payments), tuple(unpaid))


def _rows(plan: Bundle, assets: tuple[TreeAsset, ...]) -> Iterator[Account]:
    if plan.path(TABLE) is not None:
        return read_accounts(plan.folder / TABLE, assets)
    if plan.path(LARGE_TABLE) is None:
        raise InputError(f"{plan.folder}: holds neither {TABLE} nor {LARGE_TABLE}")
    from verifier.compensation.large_claims import read_large

    return read_large(plan.folder)


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[list[str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield csv.reader(_lines(file, path), strict=True)
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is no CSV table in UTF-8: {error}") from error


def _lines(file: IO[str], path: Path) -> Iterator[str]:
    for number in count(1):
        line = file.readline(MAX_LINE + 1)
        if len(line) > MAX_LINE:
            raise InputError(f"{path}:{number}: longer than {MAX_LINE:,} characters")
        if not line:
            return
        yield line


def _leaves(cell: str, leaves_of: Mapping[str, tuple[str, ...]] | None, where: str) -> tuple[str, ...]:
    if leaves_of is not None:
        if cell not in leaves_of:
            raise InputError(f"{where}: {cell[:80]!r} is no account of the tree")
        return leaves_of[cell]
    if len(cell) != _HASH_DIGITS or any(letter not in "0123456789abcdef" for letter in cell):
        raise InputError(f"{where}: {cell[:80]!r} is no leaf; expected {_HASH_DIGITS} lower-case hexadecimal digits")
    return (cell,)


def _address(chain: ChainId, cell: str, where: str) -> str:
    try:
        return address_of(canonical_account(AccountId(f"{chain}:{cell}")))
    except ChainError as error:
        raise InputError(f"{where}: {error}") from error


def leaves_of_accounts(tree: Path) -> dict[str, tuple[str, ...]]:
    """Return the leaves of each account id, from the private part of a run's tree; a large tree keeps no ids."""
    opened = open_folder(tree)
    return {
        account: tuple(opened.levels[0][place].hash.hex() for place in places)
        for account, places in opened.places.items()
    }
