"""Find every declared script in a snapshot, and recompute the hashes by which nodes vouch for the same set of coins."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib.util import find_spec
from io import RawIOBase
from typing import Literal, NamedTuple, Protocol

from chains.bitcoin.utxo.commitment import Commitments
from chains.bitcoin.utxo.compressed_script import MAX_SCRIPT, compress_script, raw_form
from chains.bitcoin.utxo.snapshot import HEADERLESS, Batch, Found, Snapshot
from chains.errors import IdentifierError, MissingExtraError, ProofError, UnreadableFileError

CHUNK = 4 << 20
MAX_MONEY = 21_000_000 * 10**8
_PEGOUT = 1 << 31  # Litecoin marks coins that left its extension block by the uppermost bit

Engine = Literal["auto", "fast", "plain"]
Progress = Callable[[int, int], None]


class UnspentCoin(NamedTuple):
    """One coin: `txid` is reversed hex, `units` are base units."""

    txid: str
    vout: int
    units: int
    height: int
    coinbase: bool


class ScriptCoins(NamedTuple):
    """What one script holds; `coins` come in the file's order and are empty when they were not asked for."""

    units: int
    coin_count: int
    coins: tuple[UnspentCoin, ...]


class ScanResult(NamedTuple):
    """What a whole snapshot holds; the hashes are those of `gettxoutsetinfo`, None when not asked for.

    `hash_serialized` is the node's `hash_serialized_3`, for the older format `hash_serialized_2`.
    """

    scripts: Mapping[bytes, ScriptCoins]
    coin_count: int
    total_units: int
    hash_serialized: str | None
    muhash: str | None


class _Reader(Protocol):
    done: bool

    @property
    def count(self) -> int: ...

    @property
    def total(self) -> int: ...

    def read(self, data: bytearray, size: int, offset: int, *, final: bool) -> tuple[int, list[Batch]]: ...


def scan(
    snapshot: Snapshot,
    scripts: Collection[bytes],
    progress: Progress | None = None,
    workers: int = 1,
    *,
    max_units: int = MAX_MONEY,
    with_coins: bool = True,
    hash_serialized: bool = False,
    muhash: bool = False,
    engine: Engine = "auto",
    chunk: int = CHUNK,
) -> ScanResult:
    """Read the whole file once and return every wanted scriptPubKey's coins, also of those that have none.

    `progress` is told how many coins of how many are read. `workers` threads hash beside the reading. `max_units` is
    the network's largest amount (`BitcoinFacts.max_money`). Memory grows with the coins found, unless `with_coins` is
    False, and not with the file. Raises ProofError naming the byte at which the file is damaged, UnreadableFileError,
    and IdentifierError for a script no node keeps.
    """
    wanted = _unique(scripts)
    keys = [key for script in wanted for key in (compress_script(script), raw_form(script))]
    numbers: dict[bytes, int] = {}
    for place, key in enumerate(keys):
        numbers.setdefault(key, place // 2)
    owners = list(numbers.values())
    reader = _open_reader(engine, snapshot, list(numbers), max_units, serialise=hash_serialized or muhash)
    tallies = [_Tally() for _ in wanted]
    with Commitments(snapshot, workers, ordered=hash_serialized, unordered=muhash, fast=_is_fast(engine)) as hashes:
        for batch in _batches(snapshot, reader, max(chunk, 4 * MAX_SCRIPT), progress):
            for found in batch.found:
                tallies[owners[found.key]].add(found, snapshot.version == HEADERLESS, with_coins)
            hashes.add(batch)
        ordered, unordered = hashes.finish()
    counted = {script: tally.result() for script, tally in zip(wanted, tallies, strict=True)}
    return ScanResult(counted, reader.count, reader.total, ordered, unordered)


class _Tally:
    """What one script has so far."""

    def __init__(self) -> None:
        self._units = self._count = 0
        self._coins: list[UnspentCoin] = []

    def add(self, found: Found, older: bool, with_coins: bool) -> None:
        self._units += found.units
        self._count += 1
        if with_coins:
            code = found.code & ~_PEGOUT if older else found.code
            coin = UnspentCoin(found.txid[::-1].hex(), found.vout, found.units, code >> 1, bool(code & 1))
            self._coins.append(coin)

    def result(self) -> ScriptCoins:
        return ScriptCoins(self._units, self._count, tuple(self._coins))


def _unique(scripts: Collection[bytes]) -> list[bytes]:
    wanted = list(dict.fromkeys(bytes(script) for script in scripts))
    for script in wanted:
        if len(script) > MAX_SCRIPT:
            raise IdentifierError(f"a script of {len(script)} bytes; nodes keep none above {MAX_SCRIPT}")
    return wanted


def _is_fast(engine: Engine) -> bool:
    if engine == "fast" and find_spec("numba") is None:
        raise MissingExtraError("the compiled reader needs numba; install the extra [fast], or choose 'plain'")
    return engine == "fast" or (engine == "auto" and find_spec("numba") is not None)


def _open_reader(
    engine: Engine, snapshot: Snapshot, keys: Sequence[bytes], max_units: int, *, serialise: bool
) -> _Reader:
    if _is_fast(engine):
        from chains.bitcoin.utxo.fast import FastReader

        return FastReader(snapshot, keys, max_units, serialise=serialise)
    from chains.bitcoin.utxo.plain import PlainReader

    return PlainReader(snapshot, keys, max_units, serialise=serialise)


def _batches(snapshot: Snapshot, reader: _Reader, chunk: int, progress: Progress | None) -> Iterator[Batch]:
    """Yield what is found chunk by chunk; the file must end where its last coin does."""
    path = snapshot.path
    buffer, held, offset = bytearray(chunk), 0, snapshot.coins_at
    view = memoryview(buffer)
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            while not reader.done:
                size = _fill(file, view, held)
                used, batches = reader.read(buffer, size, offset, final=size < chunk)
                yield from batches
                offset, held = offset + used, size - used
                view[:held] = view[used:size]
                if progress:
                    progress(reader.count, snapshot.coin_count)
            rest = held + len(file.read(1))
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror or error}") from error
    if rest:
        raise ProofError(
            f"{path.name}: goes on after the last of its {snapshot.coin_count} coins, at byte {offset}; ask for the "
            "file anew"
        )


def _fill(file: RawIOBase, view: memoryview, held: int) -> int:
    """Read until the buffer is full or the file ends; return how much is held."""
    while held < len(view):
        read = file.readinto(view[held:])
        if not read:
            break
        held += read
    return held
