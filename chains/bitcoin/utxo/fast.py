"""The compiled reader of snapshots (extra `fast`): the same results as `plain`, many times as fast."""

from array import array
from collections.abc import Sequence

import numpy as np

from chains.bitcoin.utxo.compressed_script import curve_ordinate
from chains.bitcoin.utxo.kernel import DRAIN, MORE, SORT, At, Rules, Work, read_coins
from chains.bitcoin.utxo.script_table import build_table
from chains.bitcoin.utxo.snapshot import HEADERLESS, Batch, Fault, Found, Snapshot, refusal, refuse_key

_SERIAL_BYTES = 16 << 20  # more than twice what the coins of one transaction can take
_ENTRIES = 1 << 18  # more than twice the outputs a block has room for
_FOUND = 1 << 14


class FastReader:
    """Read a snapshot's coins from its bytes, chunk by chunk, in compiled code."""

    def __init__(self, snapshot: Snapshot, keys: Sequence[bytes], max_units: int, *, serialise: bool) -> None:
        self._snapshot = snapshot
        self._rules = Rules(snapshot.version, snapshot.coin_count, max_units, serialise)
        self._wanted = build_table(keys)
        room = _ENTRIES if serialise else 1
        self._work = Work(
            state=np.zeros(len(At), dtype=np.int64),
            txid=np.zeros(32, dtype=np.uint8),
            found=np.zeros((_FOUND, 4), dtype=np.int64),
            found_txids=np.zeros((_FOUND, 32), dtype=np.uint8),
            serial=np.zeros(_SERIAL_BYTES if serialise else 1, dtype=np.uint8),
            ends=np.zeros(room, dtype=np.int64),
            vouts=np.zeros(room, dtype=np.int64),
            unfinished=np.zeros(room, dtype=np.int64),
        )
        self.done = snapshot.coin_count == 0

    @property
    def count(self) -> int:
        return int(self._work.state[At.COUNT])

    @property
    def total(self) -> int:
        return int(self._work.state[At.TOTAL])

    def read(self, data: bytearray, size: int, offset: int, *, final: bool) -> tuple[int, list[Batch]]:
        """Read whole coins from the first `size` bytes, which lie at `offset` of the file.

        Returns how many bytes are used, and what was found. Raises ProofError naming the byte.
        """
        state, batches = self._work.state, []
        state[At.POSITION] = 0
        chunk = np.frombuffer(data, dtype=np.uint8)[:size]
        while True:
            status = read_coins(self._rules, self._wanted, chunk, self._work)
            self._fill_in()
            if status < 0 or (status == MORE and final):
                fault = Fault(status) if status < 0 else Fault.TRUNCATED
                raise refusal(self._snapshot, fault, offset + int(state[At.POSITION]))
            if status == SORT:
                self._sort_group()
                continue
            self.done = status == 0
            batches.append(self._drain())
            if status != DRAIN:
                return int(state[At.POSITION]), batches

    def _fill_in(self) -> None:
        """Complete the uncompressed public keys, of which the file holds one coordinate only."""
        serial = self._work.serial
        for packed in self._work.unfinished[: self._work.state[At.UNFINISHED]].tolist():
            at = packed >> 1
            abscissa = serial[at - 32 : at].tobytes()
            ordinate = curve_ordinate(int.from_bytes(abscissa, "big"), odd=bool(packed & 1))
            if ordinate is None:
                raise refuse_key(self._snapshot, abscissa)
            serial[at : at + 32] = np.frombuffer(ordinate.to_bytes(32, "big"), dtype=np.uint8)
        self._work.state[At.UNFINISHED] = 0

    def _sort_group(self) -> None:
        """Put the open group's coins in the order of their vouts, in which the node hashes them."""
        state, serial, ends = self._work.state, self._work.serial, self._work.ends
        first, last, start = int(state[At.GROUP_ENTRY]), int(state[At.ENTRIES]), int(state[At.GROUP_SERIAL])
        state[At.INVERTED] = 0
        if not self._rules.serialise:
            return
        bounds = [start, *ends[first:last].tolist()]
        order = np.argsort(self._work.vouts[first:last]).tolist()
        parts = [serial[bounds[entry] : bounds[entry + 1]].tobytes() for entry in order]
        serial[start : bounds[-1]] = np.frombuffer(b"".join(parts), dtype=np.uint8)
        ends[first:last] = start + np.cumsum([len(part) for part in parts])

    def _drain(self) -> Batch:
        """Take away what is complete; the coins of a group that is still open stay."""
        work, state = self._work, self._work.state
        rows, txids = work.found[: state[At.FOUND]].tolist(), work.found_txids
        found = [Found(row[0], txids[place].tobytes(), *row[1:]) for place, row in enumerate(rows)]
        state[At.FOUND] = 0
        if not self._rules.serialise:
            return Batch(found, b"", array("q"))
        is_open = not self.done and (self._rules.version == HEADERLESS or state[At.LEFT] > 0)
        size, entries = int(state[At.SERIAL]), int(state[At.ENTRIES])
        cut, whole = (int(state[At.GROUP_SERIAL]), int(state[At.GROUP_ENTRY])) if is_open else (size, entries)
        batch = Batch(found, work.serial[:cut].tobytes(), array("q", work.ends[:whole].tobytes()))
        work.serial[: size - cut] = work.serial[cut:size].copy()
        work.ends[: entries - whole] = work.ends[whole:entries] - cut
        work.vouts[: entries - whole] = work.vouts[whole:entries].copy()
        state[At.SERIAL], state[At.ENTRIES] = size - cut, entries - whole
        state[At.GROUP_SERIAL], state[At.GROUP_ENTRY] = state[At.GROUP_SERIAL] - cut, state[At.GROUP_ENTRY] - whole
        return batch
