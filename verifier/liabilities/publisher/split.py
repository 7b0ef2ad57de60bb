"""Cut every balance over several leaves, as `sum_tree.split_units` says, for many accounts at once."""

from hashlib import shake_256
from itertools import pairwise

import numpy as np

from verifier.inclusion.sum_tree import UNIT_BYTES
from verifier.liabilities.publisher.kernels import Bytes, Ids
from verifier.liabilities.publisher.words import Words, difference, scaled


def split_rows(key: bytes, ids: Ids, units: Bytes, parts: int) -> list[Bytes]:
    """Return `parts` tables of balances (n × 16·A, big-endian) that add up to `units`."""
    if parts == 1:
        return [units]
    count, assets = len(units), units.shape[1] // UNIT_BYTES
    words = np.ascontiguousarray(units).view(">u8").reshape(count, assets, 2).astype(np.uint64)
    drawn = _drawn(key, ids, assets, parts)
    cuts = [scaled(words, drawn[..., number]) for number in range(parts - 1)]
    edges = [np.zeros_like(words), *cuts, words]
    return [_rows(difference(upper, lower)) for lower, upper in pairwise(edges)]


def _drawn(key: bytes, ids: Ids, assets: int, parts: int) -> Words:
    """Return each account's words (n × A × parts - 1), ascending: the larger word never makes the smaller cut."""
    size = 8 * (parts - 1) * assets
    data, starts = ids.data.tobytes(), ids.starts.tolist()
    state = shake_256(key)
    drawn = []
    for begin, end in pairwise(starts):
        one = state.copy()
        one.update(data[begin:end])
        drawn.append(one.digest(size))
    words = np.frombuffer(b"".join(drawn), dtype=">u8").reshape(len(drawn), assets, parts - 1)
    return np.sort(words.astype(np.uint64), axis=-1)


def _rows(words: Words) -> Bytes:
    return words.astype(">u8").view(np.uint8).reshape(len(words), -1)
