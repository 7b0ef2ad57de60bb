"""Go through a list once and count everything that is said about it afterwards."""

import base64
import binascii
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

from chains.ids import ChainId, family_of
from verifier.errors import InputError
from verifier.wallet_lists.dates import KNOWN_BLOCKS
from verifier.wallet_lists.judge import Outcome, Status
from verifier.wallet_lists.networks import network_of_row, normal, parse_label
from verifier.wallet_lists.record import Role, Row, exact_sum
from verifier.wallet_lists.totals import Sums

MAX_MESSAGES = 1_000
MAX_KINDS = 64
MAX_NAMES = 20_000
SHOWN_LINES = 5
_ROLE_BITS = {Role.WALLET: 1, Role.OWNER: 2, Role.CUSTODIAL: 4, Role.UNSPENDABLE: 8}


class Tally:
    """How often something occurred, and on which lines first."""

    def __init__(self) -> None:
        self.count = 0
        self.lines: list[int] = []

    def add(self, line: int) -> None:
        """Count one more."""
        self.count += 1
        if len(self.lines) < SHOWN_LINES:
            self.lines.append(line)

    @property
    def place(self) -> str:
        """Return the first lines as words."""
        more = ", …" if self.count > len(self.lines) else ""
        return f"line{'s' if self.count > 1 else ''} {', '.join(str(line) for line in self.lines)}{more}"


class SignedBy(NamedTuple):
    """Where a signature stands in a list."""

    line: int
    address: str


class Survey:
    """The counts of one list; rows are added one by one and not kept."""

    def __init__(self) -> None:
        self.statuses: Counter[Status] = Counter()
        self.schemes: Counter[str] = Counter()
        self.roles: Counter[Role] = Counter()
        self.reasons: dict[tuple[Status, str], Tally] = {}
        self.amounts: dict[str, dict[str, Decimal]] = {}
        self.networks: dict[tuple[str, str], Tally] = {}
        self.messages: Counter[str] = Counter()
        self.heights: dict[ChainId, int] = {}
        self.sums = Sums()
        self.wallets: dict[str, int] = {}
        self.signatures: dict[bytes, SignedBy] = {}
        self.duplicates, self.negative, self.by_position = Tally(), Tally(), Tally()
        self.two_roles, self.two_networks = Tally(), Tally()
        self._cells: set[tuple[int, str]] = set()
        self._labels: dict[tuple[str, str, str], int] = {}
        self._bits: dict[str, int] = {}
        self._kinds: dict[str, int] = {}
        self._first_network: dict[str, ChainId | None] = {}
        self._open_wallet: Row | None = None

    @property
    def rows(self) -> int:
        """Return how many rows there were."""
        return sum(self.statuses.values())

    def add(self, row: Row, outcome: Outcome) -> None:
        """Count a row and what its proof came to."""
        self.statuses[outcome.status] += 1
        self.roles[row.role] += 1
        if outcome.status in (Status.VERIFIED, Status.UNBOUND):
            self.schemes[outcome.scheme] += 1
        if outcome.reason:
            self.reasons.setdefault((outcome.status, outcome.reason), Tally()).add(row.line)
        self.sums.add(row)
        self._amount(row, outcome.status)
        self._place(row)
        self._claim(row)
        self._owners_by_position(row)

    def _amount(self, row: Row, status: Status) -> None:
        if row.amount is None or row.role is Role.UNSPENDABLE:
            return
        if row.amount < 0:
            self.negative.add(row.line)
        name = "custodial" if row.role is Role.CUSTODIAL else status.value
        shares = self.amounts.setdefault(parse_label(row.asset).unit, {})
        if len(self.amounts) > MAX_NAMES:
            raise InputError(f"more than {MAX_NAMES:,} different assets; no wallet list is like that")
        shares[name] = exact_sum(shares.get(name, Decimal(0)), row.amount)

    def _place(self, row: Row) -> None:
        network, named = network_of_row(row.network, row.asset, row.address)
        chain = network.chain if network else None
        if not named:
            how = "guessed" if network else "unknown"
            self.networks.setdefault((how, row.network or row.asset), Tally()).add(row.line)
            if len(self.networks) > MAX_NAMES:
                raise InputError(f"more than {MAX_NAMES:,} different networks; no wallet list is like that")
        if chain in KNOWN_BLOCKS and row.height is not None:
            self.heights[chain] = max(self.heights.get(chain, 0), row.height)
        key = address_key(chain, row.address)
        self._role(key, row)
        for owner in row.claim.owners if row.claim else ():
            self._role(address_key(chain, owner), row._replace(role=Role.OWNER, kind=""))
        if row.role is Role.OWNER:
            return
        if self._first_network.setdefault(key, chain) != chain:
            self.two_networks.add(row.line)
        label = (normal(row.asset), normal(row.network), row.kind)
        cell = (self._labels.setdefault(label, len(self._labels)), key)
        if cell in self._cells:
            self.duplicates.add(row.line)
        self._cells.add(cell)
        self.wallets.setdefault(key, row.line)

    def _role(self, key: str, row: Row) -> None:
        """Note a role once per address; two kinds of staking count as two roles."""
        bit = _ROLE_BITS[row.role]
        if row.kind and row.role is Role.WALLET:
            known = len(self._kinds) < MAX_KINDS or row.kind in self._kinds
            bit = 16 << (self._kinds.setdefault(row.kind, len(self._kinds)) if known else MAX_KINDS)
        before = self._bits.get(key, 0)
        if before and not before & bit and before.bit_count() == 1:
            self.two_roles.add(row.line)
        self._bits[key] = before | bit

    def _claim(self, row: Row) -> None:
        if row.claim is None:
            return
        if len(self.messages) < MAX_MESSAGES or row.claim.message in self.messages:
            self.messages[row.claim.message] += 1
        for signature in row.claim.signatures:
            self.signatures.setdefault(identity(signature), SignedBy(row.line, row.address))

    def _owners_by_position(self, row: Row) -> None:
        """Notice a wallet without signature that is followed by keys said to own it."""
        if row.role is Role.OWNER and self._open_wallet is not None:
            self.by_position.add(self._open_wallet.line)
            self._open_wallet = None
        elif row.role is not Role.OWNER:
            self._open_wallet = row if row.claim is None else None


def address_key(chain: ChainId | None, address: str) -> str:
    """Return one text per account; an Ethereum-like address is the same account-holder on all such chains."""
    if chain is not None and family_of(chain) == "eip155":
        return f"eip155:{address.lower()}"
    return f"{chain or '?'}:{address}"


def identity(signature: str) -> bytes:
    """Return 16 bytes that are the same for every spelling of the same signature: hex with or without 0x, base64."""
    bare = signature.removeprefix("0x")
    try:
        raw = bytes.fromhex(bare) if len(bare) in (128, 130) else base64.b64decode(bare, validate=True)
    except (ValueError, binascii.Error):
        raw = bare.encode()
    return blake2b(raw, digest_size=16).digest()


def share_of(amounts: Mapping[str, Decimal], *names: str) -> Decimal:
    """Return the sum of some parts of an asset's amounts."""
    found = Decimal(0)
    for name in names:
        found = exact_sum(found, amounts.get(name, Decimal(0)))
    return found
