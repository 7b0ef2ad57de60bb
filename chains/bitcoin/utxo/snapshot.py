"""A node's whole set of unspent coins as one file (`dumptxoutset`): what the file says of itself, and its bounds."""

import struct
from array import array
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from chains.errors import ProofError, UnreadableFileError

MAGIC = b"utxo\xff"
HEADERLESS, VERSION_2 = 1, 2
MAX_BASE_BYTES = 1_000_000  # of a block without witnesses (BIP-141); an output takes its script and at least 9 more
OUTPUT_BYTES = 9
MAX_OUTPUTS = MAX_BASE_BYTES // OUTPUT_BYTES
UNORDERED_FROM = 128 + 128 * 128  # from here on, the order of a node's keys is not that of the output indices
SMALLEST_COIN = 4  # one byte each: index, height, amount, and the kind of an empty script

_VERSION_2 = struct.Struct("<5sH4s32sQ")
_HEADERLESS = struct.Struct("<32sQI")


class Snapshot(NamedTuple):
    """What a snapshot's head says; `coins_at` is the offset of the first coin.

    `network_magic` is empty in the older format, which has none; `base_hash` is reversed hex.
    """

    path: Path
    version: int
    network_magic: bytes
    base_hash: str
    coin_count: int
    coins_at: int
    size: int


class Found(NamedTuple):
    """A coin of the wanted key with number `key`; `code` is twice the height, plus 1 for a coinbase."""

    key: int
    txid: bytes
    vout: int
    code: int
    units: int


class Batch(NamedTuple):
    """What a reader found, and the coins as the node hashes them, one after the other; `ends` bounds each coin."""

    found: list[Found]
    serial: bytes
    ends: "array[int]"


class Fault(IntEnum):
    """Why a coin is refused; the numbers are what compiled code returns."""

    TRUNCATED = -1
    NO_COINS = -2
    TOO_MANY_OUTPUTS = -3
    NOT_SHORTEST = -4
    INDEX = -5
    CODE = -6
    AMOUNT = -7
    SCRIPT = -8
    TXID_ORDER = -9
    INDEX_ORDER = -10
    TOTAL = -11
    BLOCK_SIZE = -12
    COUNT = -13


MEANINGS = {
    Fault.TRUNCATED: "the file ends within a coin",
    Fault.NO_COINS: "a transaction with no coins",
    Fault.TOO_MANY_OUTPUTS: f"more coins of one transaction than the {MAX_OUTPUTS} outputs a block has room for",
    Fault.NOT_SHORTEST: "a number that is not in its shortest form",
    Fault.INDEX: f"an output index beyond the {MAX_OUTPUTS} outputs a block has room for",
    Fault.CODE: "a height beyond 31 bits",
    Fault.AMOUNT: "an amount above all money there is",
    Fault.SCRIPT: "a script of more than 10,000 bytes",
    Fault.TXID_ORDER: "a transaction that does not come after the one before it; one may be listed twice",
    Fault.INDEX_ORDER: "an output that does not come after the one before it; one may be listed twice",
    Fault.TOTAL: "coins that add up to more than all money there is",
    Fault.BLOCK_SIZE: "coins of one transaction that no block has room for",
    Fault.COUNT: "more coins than the file's head announces",
}


def refusal(snapshot: Snapshot, fault: Fault, offset: int) -> ProofError:
    """Return the error that names a fault and its byte offset in the file."""
    return ProofError(f"{snapshot.path.name}: {MEANINGS[fault]}, at byte {offset}; ask for the file anew")


def refuse_key(snapshot: Snapshot, abscissa: bytes) -> ProofError:
    """Return the error that names an uncompressed public key that lies on no curve point."""
    return ProofError(f"{snapshot.path.name}: {abscissa.hex()} is no public key's abscissa; ask for the file anew")


def open_snapshot(path: Path) -> Snapshot:
    """Read the head of a `dumptxoutset` file: version 2, or the older one without magic (Litecoin Core 0.21).

    Raises UnreadableFileError, and ProofError when it is no snapshot, of another version, or too small for the number
    of coins it announces. Source: Bitcoin Core, src/node/utxo_snapshot.h.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_VERSION_2.size)
        size = path.stat().st_size
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror or error}") from error
    snapshot = _version_2(path, head, size) if head.startswith(MAGIC) else _headerless(path, head, size)
    if snapshot.coin_count * SMALLEST_COIN > size - snapshot.coins_at:
        raise ProofError(
            f"{path.name}: announces {snapshot.coin_count} coins, more than fit into {size} bytes (at byte "
            f"{snapshot.coins_at - 12}); it is cut off or no UTXO snapshot"
        )
    return snapshot


def _version_2(path: Path, head: bytes, size: int) -> Snapshot:
    if len(head) < _VERSION_2.size:
        raise ProofError(f"{path.name}: ends within the head of {_VERSION_2.size} bytes, at byte {len(head)}")
    _, version, magic, base, count = _VERSION_2.unpack(head)
    if version != VERSION_2:
        raise ProofError(f"{path.name}: a UTXO snapshot of version {version} (at byte 5); only 2 is known here")
    return Snapshot(path, version, magic, base[::-1].hex(), count, _VERSION_2.size, size)


def _headerless(path: Path, head: bytes, size: int) -> Snapshot:
    """Read base block, number of coins and number of transactions so far, which is all the older format has."""
    if len(head) < _HEADERLESS.size:
        raise ProofError(f"{path.name}: ends within the head of {_HEADERLESS.size} bytes, at byte {len(head)}")
    base, count, _ = _HEADERLESS.unpack_from(head)
    return Snapshot(path, HEADERLESS, b"", base[::-1].hex(), count, _HEADERLESS.size, size)
