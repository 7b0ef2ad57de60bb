"""BitMEX's reserve files: addresses whose scripts must hold the founders' keys; nobody signs anything."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import coincurve

from chains.bitcoin.descriptor import expand
from chains.errors import ChainError
from chains.ids import ChainId
from chains.network import network_of
from chains.signatures.bitcoin_message import script_addresses
from chains.signatures.coins import Coin, coin_of
from chains.signatures.multisig import parse_multisig
from verifier.errors import InputError
from verifier.wallet_lists.lines import LineReader
from verifier.wallet_lists.record import DeclaredTotal, Role, Row, WalletList
from verifier.wallet_lists.yaml_entries import Entry, Value, read_entries

CHAINS = {
    "main": ChainId("bip122:000000000019d6689c085ae165831e93"),
    "regtest": ChainId("bip122:0f9188f13cb7b2c71f2a335e3a4fc328"),
    "testnet4": ChainId("bip122:00000000da84f2bafbbc53dee25a72ae"),
    "signet": ChainId("bip122:00000008819873e925422c1ff0f99f7c"),
}
MAX_KEYS = 20
_FIRST_LINE = re.compile(r"(---|#|(height|chain|claim|total|keys|xpub|address|custodial):)")
_SCRIPT_KINDS = ("sh", "sh_wsh", "wsh")


class Header(NamedTuple):
    """What holds for the whole file: the block, the claim m of n, the founders' keys in compressed form."""

    chain: ChainId
    coin: Coin
    height: int
    total: Decimal
    required: int
    keys: int
    founders: frozenset[bytes]
    xpubs: tuple[str, ...]


def recognises(first_line: str) -> bool:
    """Tell whether a file's first line is one of a reserve file in YAML."""
    return bool(_FIRST_LINE.match(first_line))


def read(path: Path, reader: LineReader) -> WalletList:
    """Return a reserve file; it is read twice, because its header may stand behind a million addresses.

    Raises InputError with file and line for a header that is incomplete; a wrong script is the row's fault.
    """
    header = _header(path)
    totals = (DeclaredTotal(0, "BTC", header.total, header.height),)
    return WalletList("bitmex", "BitMEX", totals, _rows(reader, header), exact=True)


def _header(path: Path) -> Header:
    fields: dict[str, list[Value]] = {}
    for entry in read_entries(LineReader(path)):
        if entry.key not in ("address", "custodial"):
            values = fields.setdefault(entry.key, [])
            if len(values) >= MAX_KEYS:
                raise InputError(f"{path}:{entry.line}: more than {MAX_KEYS} entries under {entry.key!r}")
            values.append(entry.value)

    def one(name: str) -> Value:
        if len(fields.get(name, [])) != 1:
            raise InputError(f"{path}: needs exactly one {name!r}")
        return fields[name][0]

    chain, claim = str(one("chain")), one("claim")
    if chain not in CHAINS:
        raise InputError(f"{path}: chain {chain[:40]!a} is none of {', '.join(CHAINS)}")
    if not isinstance(claim, dict):
        raise InputError(f"{path}: 'claim' needs m and n")
    required, count = (_whole(claim.get(name, ""), f"{path}: claim {name}") for name in "mn")
    return Header(
        CHAINS[chain],
        coin_of(CHAINS[chain]),
        _whole(one("height"), f"{path}: height"),
        _coins(one("total"), f"{path}: total"),
        required,
        count,
        frozenset(_point(key, f"{path}: keys") for key in fields.get("keys", [])),
        tuple(str(key) for key in fields.get("xpub", [])),
    )


def _rows(reader: LineReader, header: Header) -> Iterator[Row]:
    for entry in read_entries(reader):
        if entry.key in ("address", "custodial"):
            yield _row(entry, header, f"{reader.path}:{entry.line}")


def _row(entry: Entry, header: Header, where: str) -> Row:
    fields = {"addr": entry.value} if isinstance(entry.value, str) else entry.value
    address, kind = str(fields.get("addr", "")), str(fields.get("addr_type", ""))
    if not address:
        raise InputError(f"{where}: an address entry without 'addr'")
    balance = str(fields.get("balance", ""))
    amount = _coins(balance, f"{where}: balance") if balance else None
    role, fault = Role.WALLET, ""
    if entry.key == "custodial":
        role = Role.CUSTODIAL
    elif kind == "unspendable":
        role = Role.UNSPENDABLE
    else:
        fault = _fault(address, kind.removeprefix("multisig_"), str(fields.get("script", "")), header)
    return Row(entry.line, "BTC", "BTC", address, amount, header.height, role, kind, None, fault)


def _fault(address: str, kind: str, script: str, header: Header) -> str:
    """Return why an address is not one that the claimed keys control, `` when it is."""
    if kind == "wpkh":
        return _descriptor_fault(address, script, header)
    if kind not in _SCRIPT_KINDS:
        return "unknown-address-type"
    try:
        raw = bytes.fromhex(script)
    except ValueError:
        return "malformed-script"
    if address not in script_addresses(header.coin, raw):
        return "script-differs"
    return _founders_fault(raw, header)


def _founders_fault(script: bytes, header: Header) -> str:
    multisig = parse_multisig(script)
    if isinstance(multisig, str):
        return multisig
    if (multisig.required, len(multisig.keys)) != (header.required, header.keys):
        return "claim-differs"
    keys = {coincurve.PublicKey(key).format() for key in multisig.keys}
    return "" if header.founders and header.founders <= keys else "founder-key-missing"


def _descriptor_fault(address: str, descriptor: str, header: Header) -> str:
    if not any(key and key in descriptor for key in header.xpubs):
        return "founder-key-missing"
    try:
        addresses = expand(network_of(header.chain), descriptor)
    except ChainError:
        return "malformed-script"
    return "" if address in addresses else "script-differs"


def _whole(value: Value, where: str) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,18}", value):
        raise InputError(f"{where}: expected a whole number, found {str(value)[:40]!a}")
    return int(value)


def _coins(value: Value, where: str) -> Decimal:
    """Return satoshi as whole coins."""
    return Decimal(_whole(value, where)).scaleb(-8)


def _point(value: Value, where: str) -> bytes:
    try:
        return coincurve.PublicKey(bytes.fromhex(str(value))).format()
    except ValueError as error:
        raise InputError(f"{where}: {str(value)[:40]!a} is no public key") from error
