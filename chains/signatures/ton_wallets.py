"""TON addresses: an address is the hash of a wallet contract's code and its first data, which hold the key."""

import base64
from hashlib import sha256
from typing import NamedTuple

from chains.base_codecs import crc16

DEFAULT_SUBWALLET = 698_983_191
HIGHLOAD_SUBWALLETS = (4269, 0x10AD, 0)  # the number exchanges use is a choice, written into the wallet's first data
HIGHLOAD_TIMEOUTS = (43_200, 86_400, 3_600)


class Cell(NamedTuple):
    """The hash and depth of a TON cell."""

    hash: bytes
    depth: int


# Code of the wallet contracts, by hash and depth. Source: the contracts' published code (TON wallet documentation).
V3R1 = Cell(bytes.fromhex("b61041a58a7980b946e8fb9e198e3c904d24799ffa36574ea4251c41a566f581"), 0)
V3R2 = Cell(bytes.fromhex("84dafa449f98a6987789ba232358072bc0f76dc4524002a5d0918b9a75d2d599"), 0)
V4R2 = Cell(bytes.fromhex("feb5ff6820e2ff0d9483e7e0d62c817d846789fb4ae580c878866d959dabd5c0"), 7)
HIGHLOAD_V3 = Cell(bytes.fromhex("11acad7955844090f283bf238bc1449871f783e7cc0979408d3f4859483e8525"), 6)


def ton_addresses(key: bytes) -> set[str]:
    """Return the addresses, in every spelling, of the usual wallets of a 32-byte ed25519 key in the base workchain.

    Covers wallet versions 3, 4 and highload 3 with their customary numbers. Source: TON whitepaper, 3.1 (cell hash),
    TEP-2 (address text).
    """
    plain = _bits(0, 32) + _bits(DEFAULT_SUBWALLET, 32) + _key_bits(key)
    wallets = [(V3R1, plain), (V3R2, plain), (V4R2, plain + "0")]
    for subwallet in HIGHLOAD_SUBWALLETS:
        for timeout in HIGHLOAD_TIMEOUTS:
            data = _key_bits(key) + _bits(subwallet, 32) + "00" + _bits(0, 64) + _bits(timeout, 22)
            wallets.append((HIGHLOAD_V3, data))
    return {spelling for code, data in wallets for spelling in _spellings(_address(code, data))}


def _address(code: Cell, data: str) -> bytes:
    """Return the hash of the first state: no split depth, no special rights, code, data, no library."""
    return _cell("00110", (code, _cell(data))).hash


def _cell(bits: str, references: tuple[Cell, ...] = ()) -> Cell:
    size = len(bits)
    filled = bits if size % 8 == 0 else bits + "1" + "0" * (7 - size % 8)
    body = bytes([len(references), size // 8 + (size + 7) // 8]) + int(filled, 2).to_bytes(len(filled) // 8, "big")
    body += b"".join(cell.depth.to_bytes(2, "big") for cell in references)
    body += b"".join(cell.hash for cell in references)
    return Cell(sha256(body).digest(), max((cell.depth + 1 for cell in references), default=0))


def _bits(number: int, size: int) -> str:
    return format(number, f"0{size}b")


def _key_bits(key: bytes) -> str:
    return _bits(int.from_bytes(key, "big"), 256)


def _spellings(address: bytes) -> set[str]:
    """Return the raw form, and the bounceable and the other form in both alphabets of Base64."""
    texts = {f"0:{address.hex()}"}
    for tag in (0x11, 0x51):
        body = bytes([tag, 0]) + address
        whole = body + crc16(body).to_bytes(2, "big")
        texts |= {base64.urlsafe_b64encode(whole).decode("ascii"), base64.b64encode(whole).decode("ascii")}
    return texts
