"""Read lumens and issued assets from a Horizon server: a balance that did not change since the pinned ledger.

No real server was available to test against; the simulator in the tests speaks the documented wire format.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from chains.base_codecs import crc16
from chains.errors import IdentifierError, InvalidAnswerError, ProviderError
from chains.ids import ChainId, address_of
from chains.model import BlockRef, Holding, Reading
from chains.network import Network
from chains.providers import Provider
from chains.reader import require_on_chain
from chains.rest import decode_page
from chains.transport import Request, Transport

PASSPHRASES = {
    "Public Global Stellar Network ; September 2015": ChainId("stellar:pubnet"),
    "Test SDF Network ; September 2015": ChainId("stellar:testnet"),
}
MAX_STROOPS = 2**63 - 1
NOT_FOUND = 404
_ACCOUNT_VERSION = 6 << 3
_STRKEY = re.compile(r"[A-Z2-7]{56}")
_HASH = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})\.([0-9]{7})")
_TOKEN = re.compile(r"[0-9]{1,19}")
_CODE = re.compile(r"[a-zA-Z0-9]{1,12}")


def canonical_address(address: str) -> str:
    """Return an account's G… address as it is. Raises IdentifierError. Source: SEP-23 (strkey)."""
    try:
        raw = base64.b32decode(address) if _STRKEY.fullmatch(address) else b""
    except binascii.Error:
        raw = b""
    if len(raw) != 35 or raw[0] != _ACCOUNT_VERSION or crc16(raw[:33]) != int.from_bytes(raw[33:], "little"):
        hint = "; write a muxed address as its account's G… address" if address[:1] == "M" else ""
        raise IdentifierError(f"{address[:100]!r} is not a Stellar account{hint}")
    return address


class _Outcome(NamedTuple):
    units: int | None
    evidence: tuple[str, ...] = ()
    failure: str = ""


class _Answer(NamedTuple):
    status: int
    record: dict[str, Any]
    evidence: str


class HorizonReader:
    """Read one Stellar network through one Horizon server (dialect `horizon`).

    Horizon serves the present only, but an account and a trust line each name the ledger that last modified them. When
    that is the pinned ledger or an earlier one, the balance now is the balance then; otherwise the reading fails. The
    server must have ingested the pinned ledger, or its present could be older than that.

    An account that is not there holds zero when the server's history, which reaches back to the pinned ledger, has no
    later operation of it: a merge is one. A missing trust line is zero when the account itself did not change, because
    removing a trust line changes the account's count of entries.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network, self._provider, self._transport = network, provider, transport

    def chain(self) -> ChainId:
        """Ask the server which network it follows. Source: CAIP-2 for the namespace stellar."""
        passphrase = self._get("/").record.get("network_passphrase")
        served = PASSPHRASES.get(passphrase) if isinstance(passphrase, str) else None
        if served is None:
            raise self._invalid("the network's passphrase is neither pubnet's nor testnet's")
        return served

    def final_block(self) -> BlockRef:
        """Return the newest ledger the server has ingested."""
        page = self._get("/ledgers?order=desc&limit=1").record
        records = _records(page)
        if records is None or len(records) != 1:
            raise self._invalid("answered with no ledger")
        return self._ledger(records[0])

    def block_at(self, height: int) -> BlockRef:
        """Return the ledger with this sequence number. Raises ProviderError when the server lacks it."""
        return self._ledger_at(height)[0]

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read lumens (in stroops) and issued assets as of the ledger `block`; one Reading per holding, in order."""
        if not holdings:
            return []
        try:
            reached = self._reached(block)
        except (InvalidAnswerError, ProviderError) as error:
            missing = _Outcome(None, (), str(error))
            return [Reading(holding, self._provider.operator, block, *missing) for holding in holdings]
        return [
            Reading(holding, self._provider.operator, block, *self._outcome(block, holding, reached))
            for holding in holdings
        ]

    def _reached(self, block: BlockRef) -> tuple[str, ...]:
        """Return the evidence that the server's present is not older than the pinned ledger, which it still knows."""
        found, first = self._ledger_at(block.height)
        if found.hash != block.hash:
            raise ProviderError(f"{self._provider.name}: ledger {block.height} is {found.hash}, not {block.hash}")
        root = self._get("/")
        ingested = [root.record.get(name) for name in ("ingest_latest_ledger", "history_latest_ledger")]
        if not all(type(height) is int and height >= block.height for height in ingested):
            raise ProviderError(f"{self._provider.name}: has not ingested ledger {block.height} yet")
        return first, root.evidence

    def _outcome(self, block: BlockRef, holding: Holding, reached: tuple[str, ...]) -> _Outcome:
        try:
            address, asset = self._question(holding)
            answer = self._get(f"/accounts/{address}", allowed=NOT_FOUND)
            evidence = (*reached, answer.evidence)
            if answer.status == NOT_FOUND:
                return self._without_account(block, address, evidence)
            if answer.record.get("account_id") != address:
                raise self._invalid("answered for another account")
            return self._balance(block, answer.record, asset, evidence)
        except (IdentifierError, InvalidAnswerError, ProviderError) as error:
            return _Outcome(None, (), str(error))

    def _question(self, holding: Holding) -> tuple[str, tuple[str, str] | None]:
        """Return the account, and code and issuer of the asset unless it is lumens. Raises IdentifierError."""
        require_on_chain(self._network, holding)
        address = canonical_address(address_of(holding.account))
        if holding.asset == self._network.native_asset:
            return address, None
        namespace, _, reference = holding.asset.partition("/")[2].partition(":")
        code, _, issuer = reference.partition("-")
        if namespace != "asset" or not _CODE.fullmatch(code):
            raise IdentifierError(f"{holding.asset}: neither {self._network.native_asset} nor asset:CODE-ISSUER")
        if canonical_address(issuer) == address:
            raise IdentifierError(f"{holding.asset}: an issuer has no balance of its own asset")
        return address, (code, issuer)

    def _balance(
        self, block: BlockRef, account: dict[str, Any], asset: tuple[str, str] | None, evidence: tuple[str, ...]
    ) -> _Outcome:
        lines = account.get("balances")
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise self._invalid("the account has no list of balances")
        found = [line for line in lines if _is_of(line, asset)]
        if len(found) > 1 or (asset is None and not found):
            raise self._invalid("the account does not have exactly one balance of the asset")
        entry = found[0] if asset is not None and found else account
        modified = entry.get("last_modified_ledger")
        if type(modified) is not int or not 0 < modified < 2**32:
            raise self._invalid("does not say in which ledger the balance was last modified")
        if modified > block.height:
            changed = f"changed in ledger {modified}, after the pinned one; Horizon serves the tip only"
            return _Outcome(None, evidence, f"{self._provider.name}: {changed}")
        return _Outcome(self._stroops(found[0].get("balance")) if found else 0, evidence)

    def _without_account(self, block: BlockRef, address: str, evidence: tuple[str, ...]) -> _Outcome:
        answer = self._get(f"/accounts/{address}/operations?order=desc&limit=1", allowed=NOT_FOUND)
        evidence = (*evidence, answer.evidence)
        records = [] if answer.status == NOT_FOUND else _records(answer.record)
        if records is None or len(records) > 1:
            raise self._invalid("answered with no list of operations")
        if not records:
            return _Outcome(0, evidence)
        token = records[0].get("paging_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise self._invalid("an operation's paging token is no number")
        if int(token) >> 32 > block.height:  # the upper half of the token is the ledger (SEP-35)
            gone = f"the account was removed after the pinned ledger, in ledger {int(token) >> 32} or before"
            return _Outcome(None, evidence, f"{self._provider.name}: {gone}; Horizon serves the tip only")
        return _Outcome(0, evidence)

    def _stroops(self, amount: Any) -> int:
        parsed = _AMOUNT.fullmatch(amount) if isinstance(amount, str) else None
        units = int(parsed[1] + parsed[2]) if parsed else MAX_STROOPS + 1
        if units > MAX_STROOPS:
            raise self._invalid(f"the balance {str(amount)[:40]!r} is no amount with seven places")
        return units

    def _ledger_at(self, height: int) -> tuple[BlockRef, str]:
        answer = self._get(f"/ledgers/{height}")
        ledger = self._ledger(answer.record)
        if ledger.height != height:
            raise self._invalid(f"asked for ledger {height}, got {ledger.height}")
        return ledger, answer.evidence

    def _ledger(self, record: dict[str, Any]) -> BlockRef:
        found, height, closed = record.get("hash"), record.get("sequence"), record.get("closed_at")
        if not isinstance(found, str) or not _HASH.fullmatch(found):
            raise self._invalid("the ledger's hash is not 64 hexadecimal digits")
        if (
            type(height) is not int
            or not 0 < height < 2**32
            or not isinstance(closed, str)
            or not _TIME.fullmatch(closed)
        ):
            raise self._invalid("the ledger's number or time is out of range")
        try:
            seconds = int(datetime.strptime(closed, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
        except ValueError as error:
            raise self._invalid("the ledger's time is no date") from error
        return BlockRef(ChainId(self._network.chain), height, found, seconds)

    def _get(self, path: str, allowed: int = 200) -> _Answer:
        """Ask for one resource; a status of error other than `allowed` raises ProviderError."""
        response = self._transport.send(self._provider, Request("GET", path))
        decoded = decode_page(self._provider, response)
        if not isinstance(decoded, dict):
            raise self._invalid(f"{path} answered no object")
        if response.status not in (200, allowed):
            title = "".join(letter for letter in str(decoded.get("title"))[:60] if letter.isalnum() or letter == " ")
            raise ProviderError(f"{self._provider.name}: HTTP {response.status}, {title}", response.status)
        problem = str(decoded.get("type")).rpartition("/")[2]
        if response.status == NOT_FOUND and problem != "not_found":
            # A gateway's own "not found" says nothing about the account.
            raise ProviderError(f"{self._provider.name}: HTTP 404 that is not Horizon's", response.status)
        return _Answer(response.status, decoded, response.evidence)

    def _invalid(self, text: str) -> InvalidAnswerError:
        return InvalidAnswerError(f"{self._provider.name}: {text}")


def _is_of(line: dict[str, Any], asset: tuple[str, str] | None) -> bool:
    """Whether a line of an account's balances is of this asset (lumens when None)."""
    if asset is None:
        return line.get("asset_type") == "native"
    kind = "credit_alphanum4" if len(asset[0]) <= 4 else "credit_alphanum12"
    return (line.get("asset_type"), line.get("asset_code"), line.get("asset_issuer")) == (kind, *asset)


def _records(page: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the records of a page, or None when it is none."""
    embedded = page.get("_embedded")
    records = embedded.get("records") if isinstance(embedded, dict) else None
    return records if isinstance(records, list) and all(isinstance(one, dict) for one in records) else None
