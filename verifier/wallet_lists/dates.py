"""When a list was made and when a message was signed, as far as the list itself shows it."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from chains.ids import ChainId
from verifier.dates import date_in_text, day_of

BITCOIN = ChainId("bip122:000000000019d6689c085ae165831e93")
ETHEREUM = ChainId("eip155:1")
# Blocks whose time is known, as height and Unix seconds; between and after them blocks are taken as evenly spaced.
# Source: the blocks' own headers (Ethereum: London, the Merge, block 21,925,176; Bitcoin: genesis and the halvings).
KNOWN_BLOCKS: dict[ChainId, tuple[tuple[int, int], ...]] = {
    ETHEREUM: ((12_965_000, 1_628_166_822), (15_537_394, 1_663_224_179), (21_925_176, 1_740_508_595)),
    BITCOIN: (
        (0, 1_231_006_505),
        (210_000, 1_354_116_278),
        (420_000, 1_468_082_773),
        (630_000, 1_589_225_023),
        (840_000, 1_713_571_767),
    ),
}
_NAMES = {ETHEREUM: "Ethereum", BITCOIN: "Bitcoin"}


class ListDate(NamedTuple):
    """A day, and what it was read from."""

    day: date
    source: str


def date_of_list(heights: Mapping[ChainId, int], file_name: str) -> ListDate | None:
    """Return the day of a list: from an Ethereum or Bitcoin height inside it, else from its file's name.

    A height gives the day within about one (Ethereum) or ten (Bitcoin) days; a file's name is only somebody's word.
    """
    for chain, name in _NAMES.items():
        height = heights.get(chain)
        if height:
            return ListDate(day_of_height(chain, height), f"{name} block {height}")
    found = date_in_text(file_name)
    return ListDate(found, "file name") if found else None


def day_of_height(chain: ChainId, height: int) -> date:
    """Return the day a block was made, between the two known blocks around it or along the last two."""
    known = KNOWN_BLOCKS[chain]
    place = max(1, min(len(known) - 1, sum(1 for each, _ in known if each <= height)))
    (first, start), (last, end) = known[place - 1], known[place]
    seconds = start + (height - first) * (end - start) // (last - first)
    return day_of(min(max(seconds, 0), 4_102_444_800))
