"""TON's bags of cells: trees of bits whose root hash commits to everything in them, pruned branches included."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from chains.errors import ProofError

MAX_BYTES, MAX_CELLS, MAX_DEPTH = 1_000_000, 10_000, 1024
ORDINARY, PRUNED, LIBRARY, MERKLE_PROOF, MERKLE_UPDATE = -1, 1, 2, 3, 4
_MAGIC = bytes.fromhex("b5ee9c72")
_LEVELS = 4


class Cell(NamedTuple):
    """One cell: its bytes (the last one filled up when `whole` is false), and hash and depth at each level from 0 to 3.

    The hash at level 0 is that of the whole tree with nothing pruned. Source: TVM specification, 3.1.
    """

    kind: int
    data: bytes
    whole: bool
    refs: tuple["Cell", ...]
    mask: int
    hashes: tuple[bytes, ...]
    depths: tuple[int, ...]

    @property
    def bits(self) -> str:
        """The cell's bits as text of 0 and 1."""
        text = "".join(f"{byte:08b}" for byte in self.data)
        return text if self.whole else text.rstrip("0")[:-1]


class _Raw(NamedTuple):
    descriptor: int
    size: int
    data: bytes
    refs: tuple[int, ...]


def read_cells(bag: bytes) -> tuple[Cell, ...]:
    """Return the roots of a bag of cells without index and checksum. Raises ProofError.

    Every byte has a meaning and one spelling: a bag with a bit changed is refused, or has another hash.
    """
    raws, roots = _parse(bag)
    cells: list[Cell | None] = [None] * len(raws)
    for number in range(len(raws) - 1, -1, -1):
        refs = [cells[place] for place in raws[number].refs]
        cells[number] = _cell(raws[number], [ref for ref in refs if ref is not None])
    named = {*roots, *(place for raw in raws for place in raw.refs)}
    if len(named) != len(raws) or len(set(roots)) != len(roots):
        raise ProofError("a bag of cells holds a cell that nothing refers to, or a root twice")
    found = [cells[root] for root in roots]
    return tuple(cell for cell in found if cell is not None)


def _parse(bag: bytes) -> tuple[list[_Raw], list[int]]:
    if len(bag) < 6 or len(bag) > MAX_BYTES or bag[:4] != _MAGIC:
        raise ProofError("not a bag of cells, or one beyond a million bytes")
    width, wide = bag[4], bag[5]
    if width not in (1, 2) or not 1 <= wide <= 4:
        raise ProofError(f"a bag of cells with flags {bag[4]:#x} and offsets of {wide} bytes; none with index is read")
    place = 6
    count, root_count, absent = (int.from_bytes(bag[place + n * width :][:width], "big") for n in range(3))
    size = int.from_bytes(bag[place + 3 * width :][:wide], "big")
    place += 3 * width + wide
    roots = [int.from_bytes(bag[place + n * width :][:width], "big") for n in range(min(root_count, 4))]
    place += root_count * width
    if not 1 <= count <= MAX_CELLS or not 1 <= root_count <= 4 or absent or any(root >= count for root in roots):
        raise ProofError(f"a bag of {count} cells with {root_count} roots and {absent} absent ones")
    if place + size != len(bag):
        raise ProofError("a bag of cells is longer or shorter than it says")
    raws = []
    for number in range(count):
        raw, place = _raw(bag, place, width)
        if any(not number < ref < count for ref in raw.refs):
            raise ProofError("a cell refers to one that does not come after it")
        raws.append(raw)
    if place != len(bag):
        raise ProofError("a bag of cells has bytes behind its last cell")
    return raws, roots


def _raw(bag: bytes, place: int, width: int) -> tuple[_Raw, int]:
    if place + 2 > len(bag):
        raise ProofError("a bag of cells ends within a cell")
    descriptor, size = bag[place], bag[place + 1]
    data_end = place + 2 + (size + 1) // 2
    end = data_end + (descriptor & 7) * width
    if descriptor & 7 > 4 or descriptor & 16 or end > len(bag):
        raise ProofError("a bag of cells ends within a cell, or a cell has more than four references or stored hashes")
    refs = tuple(int.from_bytes(bag[at : at + width], "big") for at in range(data_end, end, width))
    return _Raw(descriptor, size, bag[place + 2 : data_end], refs), end


def _cell(raw: _Raw, refs: Sequence[Cell]) -> Cell:
    if raw.size % 2 and raw.data[-1] in (0, 0x80):
        raise ProofError("a cell's last byte has no bits in it")
    kind = ORDINARY
    if raw.descriptor & 8:
        if raw.size % 2 or not raw.data:
            raise ProofError("a special cell that is not made of whole bytes")
        kind = raw.data[0]
    mask = _mask(kind, raw.data, refs)
    if mask != raw.descriptor >> 5:
        raise ProofError(f"a cell names the levels {raw.descriptor >> 5:03b} and has {mask:03b}")
    hashes, depths = _hashes(kind, raw, refs, mask)
    if max(depths) > MAX_DEPTH:
        raise ProofError(f"cells nested deeper than {MAX_DEPTH}")
    return Cell(kind, raw.data, not raw.size % 2, tuple(refs), mask, hashes, depths)


def _mask(kind: int, data: bytes, refs: Sequence[Cell]) -> int:
    """Return the levels at which a cell has a hash of its own; check what special cells say of others."""
    joined = 0
    for ref in refs:
        joined |= ref.mask
    if kind == ORDINARY:
        return joined
    if kind == PRUNED and len(data) >= 2 and 1 <= data[1] <= 7:
        expected = 2 + 34 * data[1].bit_count()
        mask = data[1]
    elif kind == LIBRARY:
        expected, mask = 33, 0
    elif kind in (MERKLE_PROOF, MERKLE_UPDATE):
        # What is said of the trees below is part of the hash; that it is true of them is not, and must be checked.
        count = 1 if kind == MERKLE_PROOF else 2
        said = b"".join(ref.hashes[0] for ref in refs) + b"".join(ref.depths[0].to_bytes(2, "big") for ref in refs)
        if len(refs) != count or data[1:] != said:
            raise ProofError("a Merkle proof or update is of other trees than those below it")
        return joined >> 1
    else:
        raise ProofError(f"a special cell of the unknown kind {kind}")
    if len(data) != expected or refs:
        raise ProofError(f"a special cell of kind {kind} with {len(data)} bytes and {len(refs)} references")
    return mask


def _hashes(kind: int, raw: _Raw, refs: Sequence[Cell], mask: int) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    if kind == PRUNED:
        return _pruned_hashes(raw, mask)
    hashes: list[bytes] = []
    depths: list[int] = []
    below = 1 if kind in (MERKLE_PROOF, MERKLE_UPDATE) else 0
    for level in range(_LEVELS):
        if level and not mask >> (level - 1) & 1:
            hashes.append(hashes[-1])
            depths.append(depths[-1])
            continue
        at = min(level + below, _LEVELS - 1)
        depth = 1 + max(ref.depths[at] for ref in refs) if refs else 0
        text = _descriptor(raw, mask, level) + (hashes[-1] if level else raw.data)
        text += b"".join(ref.depths[at].to_bytes(2, "big") for ref in refs)
        hashes.append(sha256(text + b"".join(ref.hashes[at] for ref in refs)).digest())
        depths.append(depth)
    return tuple(hashes), tuple(depths)


def _pruned_hashes(raw: _Raw, mask: int) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """Return the hashes a pruned branch keeps of what was cut off, and above them its own."""
    count = mask.bit_count()
    hashes, depths = [], []
    for level in range(_LEVELS):
        index = (mask & ((1 << level) - 1)).bit_count()
        if index == count:
            hashes.append(sha256(_descriptor(raw, mask, level) + raw.data).digest())
            depths.append(0)
        else:
            hashes.append(raw.data[2 + 32 * index : 34 + 32 * index])
            depths.append(int.from_bytes(raw.data[2 + 32 * count + 2 * index :][:2], "big"))
    return tuple(hashes), tuple(depths)


def _descriptor(raw: _Raw, mask: int, level: int) -> bytes:
    return bytes([raw.descriptor & 15 | (mask & ((1 << level) - 1)) << 5, raw.size])
