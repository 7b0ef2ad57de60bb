"""A tiny writer of UTXO snapshots, for files no node would make."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from chains.bitcoin.utxo.compressed_script import compress_amount, compress_script, pack_compact_size, pack_varint


class Written(NamedTuple):
    txid: bytes
    vout: int
    code: int
    units: int
    script: bytes


def in_order(coins: Sequence[Written]) -> list[Written]:
    """Return the coins in the order of a node's keys."""
    return sorted(coins, key=lambda coin: (coin.txid, pack_varint(coin.vout)))


def coin_bytes(coin: Written) -> bytes:
    return pack_varint(coin.code) + pack_varint(compress_amount(coin.units)) + compress_script(coin.script)


def version_2(coins: Sequence[Written], count: int | None = None, base: bytes = bytes(32)) -> bytes:
    parts = [
        struct.pack("<5sH4s32sQ", b"utxo\xff", 2, b"\xfa\xbf\xb5\xda", base, len(coins) if count is None else count)
    ]
    groups: dict[bytes, list[Written]] = {}
    for coin in coins:
        groups.setdefault(coin.txid, []).append(coin)
    for txid, group in groups.items():
        parts += [txid, pack_compact_size(len(group))]
        parts += [pack_compact_size(coin.vout) + coin_bytes(coin) for coin in group]
    return b"".join(parts)


def headerless(coins: Sequence[Written], count: int | None = None, base: bytes = bytes(32)) -> bytes:
    head = struct.pack("<32sQI", base, len(coins) if count is None else count, 7)
    return head + b"".join(coin.txid + coin.vout.to_bytes(4, "little") + coin_bytes(coin) for coin in coins)


def store(folder: Path, content: bytes) -> Path:
    path = folder / "utxo.dat"
    path.write_bytes(content)
    return path
