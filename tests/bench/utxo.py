"""Reading a UTXO snapshot: a plain loop, our two readers, the hashes, and header chains, beside reading the file."""

import random
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from chains.bitcoin.header_chain import REGTEST, Header, check_headers
from chains.bitcoin.utxo.compressed_script import compress_amount, pack_compact_size, pack_varint
from chains.bitcoin.utxo.scan import scan
from chains.bitcoin.utxo.snapshot import Snapshot, open_snapshot

MAINNET_COINS = 180_000_000  # about what mainnet has
KINDS = ((0, 20, 40), (1, 20, 15), (28, 22, 30), (40, 34, 14), (2, 32, 1))  # stored kind, bytes after it, share
TEMPLATES = 997
SEED = 7


def template(source: random.Random) -> tuple[bytes, int, list[bytes]]:
    """Return what follows a transaction id, how many coins that is, and their stored scripts."""
    count = source.choice((1, 1, 1, 1, 1, 2, 2, 4))
    parts, scripts = [pack_compact_size(count)], []
    for index in range(count):
        kind, size, _ = source.choices(KINDS, [share for *_, share in KINDS])[0]
        payload = source.randbytes(size)
        if kind >= 28:
            payload = bytes([0x00 if kind == 28 else 0x51, size - 2]) + payload[2:]
        scripts.append(pack_varint(kind) + payload)
        code = source.randrange(1, 900_000) << 1
        amount = compress_amount(source.choice((546, 10_000, source.randrange(1, 10**7))))
        parts += [pack_compact_size(index), pack_varint(code), pack_varint(amount), scripts[-1]]
    return b"".join(parts), count, scripts


def write_snapshot(path: Path, coins: int) -> list[bytes]:
    """Write at least so many coins, of the kinds of scripts mainnet has; return some of the scripts that hold them."""
    source = random.Random(SEED)
    templates = [template(source) for _ in range(TEMPLATES)]
    total = number = 0
    with path.open("wb") as file:
        file.write(bytes(51))
        while total < coins:
            parts = []
            for _ in range(10_000):
                tail, count, _ = templates[number % TEMPLATES]
                parts.append(struct.pack(">Q", number) + source.randbytes(24) + tail)
                total += count
                number += 1
            file.write(b"".join(parts))
        file.seek(0)
        file.write(struct.pack("<5sH4s32sQ", b"utxo\xff", 2, b"\xf9\xbe\xb4\xd9", bytes(32), total))
    return [script[1:] for _, _, scripts in templates for script in scripts if script[0] == 28][:5]


def naive(path: Path, wanted: set[bytes]) -> tuple[int, int]:
    """Read a snapshot byte by byte, as the format is written down; return coins and the units of wanted scripts."""
    with path.open("rb") as file:

        def varint() -> int:
            value = 0
            while True:
                byte = file.read(1)[0]
                value = value << 7 | byte & 0x7F
                if byte < 0x80:
                    return value
                value += 1

        def compact_size() -> int:
            first = file.read(1)[0]
            return first if first < 253 else int.from_bytes(file.read(1 << first - 252), "little")

        *_, left = struct.unpack("<5sH4s32sQ", file.read(51))
        coins = units = 0
        while coins < left:
            file.read(32)
            for _ in range(compact_size()):
                compact_size()
                varint()
                amount = expand(varint())
                kind = varint()
                payload = file.read(20 if kind < 2 else 32 if kind < 6 else kind - 6)
                script = payload if kind >= 6 else b"\x76\xa9\x14" + payload + b"\x88\xac" if kind == 0 else b""
                coins += 1
                if script in wanted:
                    units += amount
    return coins, units


def expand(number: int) -> int:
    if number == 0:
        return 0
    number, zeros = divmod(number - 1, 10)
    if zeros == 9:
        return int((number + 1) * 10**9)
    number, digit = divmod(number, 9)
    return int((10 * number + digit + 1) * 10**zeros)


def seconds(action: Callable[[], object], runs: int = 3) -> float:
    """Return the best of several rounds: the machine's noise only ever adds."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return min(taken)


def read_through(path: Path) -> None:
    buffer = bytearray(4 << 20)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def headers(count: int) -> list[bytes]:
    """Make a chain of headers with regtest's proof of work."""
    made, before = [], bytes(32)
    for number in range(count):
        for nonce in range(1 << 16):
            raw = struct.pack("<i32s32sIII", 4, before, bytes(32), 1_700_000_000 + number, 0x207FFFFF, nonce)
            digest = sha256(sha256(raw).digest()).digest()
            if digest[31] < 0x7F:
                break
        made.append(raw)
        before = digest
    return made


def line(what: str, coins: int, taken: float, base: float) -> None:
    rate = coins / taken
    sys.stdout.write(
        f"  {what:34}{rate / 1e6:8.2f} M/s{base / taken:8.1f} x{MAINNET_COINS / rate / 60:9.1f} min for mainnet\n"
    )


def measure_scans(snapshot: Snapshot, wanted: list[bytes]) -> None:
    few, path = set(wanted), snapshot.path
    coins = snapshot.coin_count
    base = seconds(lambda: naive(path, few), 1)
    many = [*wanted, *(b"\x00\x14" + number.to_bytes(20, "big") for number in range(100_000))]
    assert naive(path, few)[1] == sum(found.units for found in scan(snapshot, wanted).scripts.values())
    line("naive loop", coins, base, base)
    line("plain reader", coins, seconds(lambda: scan(snapshot, wanted, engine="plain"), 1), base)
    line("compiled reader, 5 scripts", coins, seconds(lambda: scan(snapshot, wanted)), base)
    empty = snapshot._replace(coin_count=0, coins_at=snapshot.size)
    prepared = seconds(lambda: scan(empty, many))
    taken = seconds(lambda: scan(snapshot, many, with_coins=False)) - prepared
    line("compiled reader, 100,005 scripts", coins, taken, base)
    sys.stdout.write(f"    preparing the scripts, once    {prepared:11.2f} s\n")
    for workers in (1, 2):
        taken = seconds(lambda count=workers: scan(snapshot, wanted, workers=count, hash_serialized=True))  # type: ignore[misc]
        line(f"with hash_serialized, {workers} worker(s)", coins, taken, base)
    read = seconds(lambda: read_through(path))
    sys.stdout.write(f"  reading the file alone (cached)  {snapshot.size / read / 1e6:9.0f} MB/s{base / read:7.1f} x\n")


def measure_muhash(folder: Path) -> None:
    wanted = write_snapshot(folder / "few.dat", 20_000)
    snapshot = open_snapshot(folder / "few.dat")
    base = seconds(lambda: scan(snapshot, wanted, engine="plain", muhash=True), 1)
    line("muhash, plain", snapshot.coin_count, base, base)
    for workers in (1, 2):
        taken = seconds(lambda count=workers: scan(snapshot, wanted, workers=count, muhash=True))  # type: ignore[misc]
        line(f"muhash, compiled, {workers} worker(s)", snapshot.coin_count, taken, base)


def measure_headers() -> None:
    chain = headers(20_000)
    taken = seconds(lambda: check_headers(chain[1:], REGTEST, Header.genesis(chain[0], REGTEST)))
    sys.stdout.write(f"  header chain, sha256d          {len(chain) / taken:12,.0f} headers/s\n")


def main(coins: int = 2_000_000) -> None:
    with tempfile.TemporaryDirectory() as name:
        wanted = write_snapshot(Path(name) / "utxo.dat", coins)
        snapshot = open_snapshot(Path(name) / "utxo.dat")
        sys.stdout.write(f"\nA UTXO snapshot of {snapshot.coin_count:,} coins, {snapshot.size / 1e6:,.0f} MB\n")
        scan(snapshot, wanted, hash_serialized=True)  # compiles
        measure_scans(snapshot, wanted)
        measure_muhash(Path(name))
    measure_headers()


if __name__ == "__main__":
    main()
