"""The plain reader of snapshots: the reference of the compiled one, and what runs without it."""

from array import array
from collections.abc import Sequence
from operator import itemgetter

from chains.bitcoin.utxo.compressed_script import (
    MAX_SCRIPT,
    SPECIAL_KINDS,
    expand_amount,
    expand_script,
    pack_compact_size,
    pack_varint,
    payload_size,
)
from chains.bitcoin.utxo.snapshot import (
    HEADERLESS,
    MAX_BASE_BYTES,
    MAX_OUTPUTS,
    OUTPUT_BYTES,
    UNORDERED_FROM,
    Batch,
    Fault,
    Found,
    Snapshot,
    refusal,
    refuse_key,
)
from chains.errors import IdentifierError

MAX_CODE = 0xFFFF_FFFF


class _ShortError(Exception):
    """The bytes at hand end within a coin."""


class _RefusedError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.fault = fault


class PlainReader:
    """Read a snapshot's coins from its bytes, chunk by chunk."""

    def __init__(self, snapshot: Snapshot, keys: Sequence[bytes], max_units: int, *, serialise: bool) -> None:
        self._snapshot, self._max_units, self._serialise = snapshot, max_units, serialise
        self._most_number = 10 * max_units + 10
        self._keys = {key: number for number, key in enumerate(keys)}
        self._older = snapshot.version == HEADERLESS
        self._txid, self._left, self._group_bytes = b"", 0, 0
        self._vout = -1  # of the coin before in this transaction
        self._group: list[tuple[int, bytes]] = []
        self._batch = Batch([], b"", array("q"))
        self._serial = bytearray()
        self.count = self.total = 0
        self.done = snapshot.coin_count == 0

    def read(self, data: bytearray, size: int, offset: int, *, final: bool) -> tuple[int, list[Batch]]:
        """Read whole coins from the first `size` bytes, which lie at `offset` of the file.

        Returns how many bytes are used, and what was found. Raises ProofError naming the byte.
        """
        chunk, at = bytes(memoryview(data)[:size]), 0
        try:
            while self.count < self._snapshot.coin_count:
                if self._left == 0 and not self._older:
                    at = self._open_group(chunk, at)
                at = self._read_coin(chunk, at)
        except _RefusedError as error:
            raise refusal(self._snapshot, error.fault, offset + at) from error
        except _ShortError as error:
            if final:
                raise refusal(self._snapshot, Fault.TRUNCATED, offset + at) from error
        self.done = self.count == self._snapshot.coin_count
        if self.done or (self._left == 0 and not self._older):
            self._close_group()
        batch = self._batch._replace(serial=bytes(self._serial))
        self._batch, self._serial = Batch([], b"", array("q")), bytearray()
        return at, [batch]

    def _open_group(self, chunk: bytes, at: int) -> int:
        if at + 33 > len(chunk):
            raise _ShortError
        count, end = _compact_size(chunk, at + 32)
        if count == 0:
            raise _RefusedError(Fault.NO_COINS)
        if count > MAX_OUTPUTS:
            raise _RefusedError(Fault.TOO_MANY_OUTPUTS)
        if count > self._snapshot.coin_count - self.count:
            raise _RefusedError(Fault.COUNT)
        self._begin(chunk[at : at + 32])
        self._left = count
        return end

    def _begin(self, txid: bytes) -> None:
        if txid <= self._txid:
            raise _RefusedError(Fault.TXID_ORDER)
        self._close_group()
        if self._serialise and self._older:
            self._serial += (b"\x00" if self._txid else b"") + txid + b"\x01"
        self._txid, self._vout, self._group_bytes = txid, -1, 0

    def _close_group(self) -> None:
        """Hand over the group's coins in the order of their indices, in which the node hashes them."""
        self._group.sort(key=itemgetter(0))
        for _, serial in self._group:
            self._serial += serial
            self._batch.ends.append(len(self._serial))
        self._group = []

    def _read_outpoint(self, chunk: bytes, at: int) -> tuple[int, int]:
        if not self._older:
            return _compact_size(chunk, at)
        if at + 36 > len(chunk):
            raise _ShortError
        txid = chunk[at : at + 32]
        if txid != self._txid:
            self._begin(txid)
        return int.from_bytes(chunk[at + 32 : at + 36], "little"), at + 36

    def _read_coin(self, chunk: bytes, start: int) -> int:
        vout, at = self._read_outpoint(chunk, start)
        code, at = _varint(chunk, at, MAX_CODE)
        number, stored = _varint(chunk, at, self._most_number)
        kind, payload = _varint(chunk, stored, MAX_SCRIPT + SPECIAL_KINDS)
        units, size = expand_amount(number), payload_size(kind)
        end, taken, total = payload + size, self._group_bytes + size + OUTPUT_BYTES, self.total + units
        unordered = vout <= self._vout
        if vout >= UNORDERED_FROM or self._vout >= UNORDERED_FROM:
            unordered = self._vout >= 0 and pack_varint(vout) <= pack_varint(self._vout)
        if (
            (vout >= MAX_OUTPUTS or unordered or code > MAX_CODE)
            or (units > self._max_units or size > MAX_SCRIPT or taken > MAX_BASE_BYTES or total > self._max_units)
        ):  # fmt: skip
            raise _RefusedError(self._fault_of(vout, unordered, code, units, size, taken))
        if end > len(chunk):
            raise _ShortError
        wanted = self._keys.get(chunk[stored:end])
        if wanted is not None:
            self._batch.found.append(Found(wanted, self._txid, vout, code, units))
        if self._serialise:
            self._group.append((vout, self._serial_of(vout, code, units, kind, chunk[payload:end])))
        self._vout, self._group_bytes, self.total = vout, taken, total
        self.count += 1
        if not self._older:
            self._left -= 1
        return end

    def _fault_of(self, vout: int, unordered: bool, code: int, units: int, size: int, taken: int) -> Fault:
        checks = (
            (vout >= MAX_OUTPUTS, Fault.INDEX),
            (unordered, Fault.INDEX_ORDER),
            (code > MAX_CODE, Fault.CODE),
            (units > self._max_units, Fault.AMOUNT),
            (size > MAX_SCRIPT, Fault.SCRIPT),
            (taken > MAX_BASE_BYTES, Fault.BLOCK_SIZE),
        )
        return next((fault for refused, fault in checks if refused), Fault.TOTAL)

    def _serial_of(self, vout: int, code: int, units: int, kind: int, payload: bytes) -> bytes:
        """Return a coin as the node hashes it. Source: Bitcoin Core, src/kernel/coinstats.cpp, today and in 0.21."""
        try:
            script = expand_script(kind, payload)
        except IdentifierError as error:
            raise refuse_key(self._snapshot, payload) from error
        sized = pack_compact_size(len(script)) + script
        if self._older:
            return pack_varint(vout + 1) + sized + pack_varint(units)
        numbers = vout.to_bytes(4, "little") + code.to_bytes(4, "little") + units.to_bytes(8, "little")
        return self._txid + numbers + sized


def _varint(chunk: bytes, at: int, limit: int) -> tuple[int, int]:
    """Return a VARINT (`limit` + 1 for any larger one) and where it ends."""
    value = 0
    while at < len(chunk):
        byte = chunk[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return (value if value <= limit else limit + 1), at
        value += 1
        if value > limit >> 7:
            return limit + 1, at
    raise _ShortError


def _compact_size(chunk: bytes, at: int) -> tuple[int, int]:
    """Return a CompactSize and where it ends; one of 9 bytes is beyond every bound here."""
    if at >= len(chunk):
        raise _ShortError
    first = chunk[at]
    if first < 0xFD:
        return first, at + 1
    if first == 0xFF:
        return MAX_OUTPUTS + 1, at + 1
    end = at + (3 if first == 0xFD else 5)
    if end > len(chunk):
        raise _ShortError
    value = int.from_bytes(chunk[at + 1 : end], "little")
    if value < (0xFD if first == 0xFD else 0x1_0000):
        raise _RefusedError(Fault.NOT_SHORTEST)
    return value, end
