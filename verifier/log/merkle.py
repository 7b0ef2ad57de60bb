"""The Merkle tree of RFC 6962: roots, inclusion and consistency, over any reader of its complete subtrees."""

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_BYTES = 32
MAX_PATH = 64

Node = Callable[[int, int], bytes]  # (level, index) → the root of the complete subtree of 2^level leaves


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry. Source: RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees. Source: RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = hashlib.sha256().digest()


def tree_root(node: Node, size: int) -> bytes:
    """Return the root over the first `size` leaves."""
    return _range_root(node, 0, size) if size else EMPTY_ROOT


def inclusion_path(node: Node, index: int, size: int) -> list[bytes]:
    """Return the path from a leaf to the root over `size` leaves, the leaf's sibling first. Source: section 2.1.1."""
    return list(_path(node, index, 0, size))


def consistency_path(node: Node, old: int, new: int) -> list[bytes]:
    """Return the proof that the first `old` leaves are a beginning of the first `new`. Source: section 2.1.2."""
    return list(_proof(node, old, 0, new, whole=True)) if 0 < old < new else []


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root a path leads to, or None when it does not fit the place. Source: RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size or len(path) > MAX_PATH:
        return None
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether a proof shows that one tree is a beginning of another. Source: RFC 9162, section 2.1.4.2."""
    if old > new or len(path) > 2 * MAX_PATH:
        return False
    if old in (0, new):
        expected = EMPTY_ROOT if old == 0 else new_root
        return not path and old_root == expected
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """Return the largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(node: Node, start: int, end: int) -> bytes:
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return node_hash(_range_root(node, start, middle), _range_root(node, middle, end))


def _path(node: Node, index: int, start: int, end: int) -> Iterator[bytes]:
    if end - start == 1:
        return
    middle = start + _split(end - start)
    if index < middle:
        yield from _path(node, index, start, middle)
        yield _range_root(node, middle, end)
    else:
        yield from _path(node, index, middle, end)
        yield _range_root(node, start, middle)


def _proof(node: Node, old: int, start: int, end: int, whole: bool) -> Iterator[bytes]:
    if old == end:
        if not whole:
            yield _range_root(node, start, end)
        return
    middle = start + _split(end - start)
    if old <= middle:
        yield from _proof(node, old, start, middle, whole)
        yield _range_root(node, middle, end)
    else:
        yield from _proof(node, old, middle, end, whole=False)
        yield _range_root(node, start, middle)
