"""Who gets what: the coins in kind first, then money for the rest, leaf by leaf and to the last unit."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from chains.ids import AssetId
from verifier.compensation.kept import kept, packed
from verifier.compensation.leaves import LeafColumns
from verifier.compensation.losses import AssetLoss
from verifier.compensation.shares import pro_rata
from verifier.reserves import Progress, silent


class Allotment(NamedTuple):
    """What each leaf is paid: units in kind by asset, money in smallest units; and what the money is for."""

    in_kind: Mapping[AssetId, Iterable[int]]
    money: Sequence[int]
    owed_money: Sequence[int]


class Shared(NamedTuple):
    """What strategies that give the same coins have in common: the coins by leaf, and what is then owed in money."""

    in_kind: Mapping[AssetId, Iterable[int]]
    owed_money: Sequence[int]


Given = Mapping[AssetId, int]


def share_out(
    columns: LeafColumns, losses: Sequence[AssetLoss], variants: Sequence[Given], progress: Progress = silent
) -> list[Shared]:
    """Divide each shortage among the leaves in proportion to what they are owed, then the coins of each variant.

    One asset is in memory at a time. What is left of a claim is owed in money, rounded down; without a price nothing.
    """
    owed: list[Sequence[int]] = [packed([0] * columns.commitment.leaf_count) for _ in variants]
    in_kind: list[dict[AssetId, Iterable[int]]] = [{} for _ in variants]
    for done, loss in enumerate(losses):
        progress("assets divided", done, len(losses))
        if not loss.short:
            continue
        short = pro_rata(loss.short, columns.column(loss.asset))
        for number, given in enumerate(variants):
            rest = short
            if given.get(loss.asset):
                paid = pro_rata(given[loss.asset], short)
                rest = [units - got for units, got in zip(short, paid, strict=True)]
                in_kind[number][loss.asset] = kept(paid)
            if loss.price is not None:
                owed[number] = packed(_valued(owed[number], rest, loss.price))
    progress("assets divided", len(losses), len(losses))
    return [Shared(*one) for one in zip(in_kind, owed, strict=True)]


def _valued(owed: Sequence[int], units: Sequence[int], price: Fraction) -> list[int]:
    up, down = price.numerator, price.denominator
    return [had + more * up // down if more else had for had, more in zip(owed, units, strict=True)]
