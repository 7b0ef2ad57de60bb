"""A comparison in plain words, English and Japanese, with the numbers a reader knows: whole coins, money, percent."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from verifier.policy.amounts import show_number, show_percent, show_value
from verifier.policy.expression import Amount, Comparison, Name, Relation, Sum, write
from verifier.policy.inputs import Dimension, Scope
from verifier.policy.interval import Interval
from verifier.policy.pack import Pack
from verifier.policy.vocabulary import QUANTITIES

ENGLISH = {
    Relation.AT_LEAST: "at least {} required",
    Relation.AT_MOST: "at most {} allowed",
    Relation.ABOVE: "more than {} required",
    Relation.BELOW: "less than {} required",
    Relation.EQUAL: "exactly {} required",
}
JAPANESE = {
    Relation.AT_LEAST: "{}以上が必要",
    Relation.AT_MOST: "{}以下に制限",
    Relation.ABOVE: "{}を超えることが必要",
    Relation.BELOW: "{}未満に制限",
    Relation.EQUAL: "{}と一致することが必要",
}
UNKNOWN_JA, UNKNOWN_BOUND_JA = "不明", "比較する値は不明"


class Coin(NamedTuple):
    """How units of the asset that is judged are written."""

    symbol: str
    decimals: int


class Wording:
    """Write amounts and comparisons of one pack."""

    def __init__(self, pack: Pack, coins: Mapping[str, Coin]) -> None:
        self._currency, self._coins = pack.currency, coins
        self._stated = {fact.name: (fact.text_en, fact.text_ja) for fact in pack.statements}

    def number(
        self, value: Fraction, dimension: Dimension | None, scope: Scope, subject: str, japanese: bool = False
    ) -> str:
        """Return one number with its unit."""
        if japanese:
            return _japanese(self.number(value, dimension, scope, subject))
        if dimension is Dimension.AMOUNT and scope is Scope.ASSET:
            coin = self._coins.get(subject, Coin("base units", 0))
            return f"{show_number(value / 10**coin.decimals)} {coin.symbol}"
        match dimension:
            case Dimension.AMOUNT | Dimension.MONEY:
                return show_value(value, self._currency)
            case Dimension.SHARE:
                return show_percent(value)
            case Dimension.DAYS | Dimension.HOURS:
                return f"{show_number(value)} {str(dimension).removesuffix('s') if value == 1 else dimension}"
            case _:
                return show_number(value)

    def span(
        self, value: Interval, dimension: Dimension | None, scope: Scope, subject: str, japanese: bool = False
    ) -> str:
        """Return a number known within bounds: `5 ETH`, `5 ETH to 7 ETH`, `5 ETH or more`."""
        low, high = value
        if japanese:
            return self._span_ja(low, high, dimension, scope, subject)
        if not low and high is None:
            return "an unknown number of" if dimension is Dimension.COUNT else "an unknown amount"
        if high is None:
            return f"{self.number(low or Fraction(0), dimension, scope, subject)} or more"
        upper = self.number(high, dimension, scope, subject)
        if low is None:
            return f"{upper} or less"
        lower = self.number(low, dimension, scope, subject)
        return lower if low == high else f"{lower} to {upper}"

    def _span_ja(
        self, low: Fraction | None, high: Fraction | None, dimension: Dimension | None, scope: Scope, subject: str
    ) -> str:
        if not low and high is None:
            return UNKNOWN_JA
        lower, upper = (
            "" if bound is None else self.number(bound, dimension, scope, subject, japanese=True)
            for bound in (low, high)
        )
        if high is None:
            return f"{lower}以上"
        if low is None:
            return f"{upper}以下"
        return lower if low == high else f"{lower}~{upper}"

    def label(self, amount: Amount, japanese: bool = False) -> str:
        """Return what an amount is, as far as it has a name."""
        match amount:
            case Name():
                if amount.name in QUANTITIES:
                    return QUANTITIES[amount.name].ja if japanese else QUANTITIES[amount.name].en
                return self._stated.get(amount.name, (amount.name, amount.name))[japanese]
            case Sum() if amount.sign > 0:
                joint = "と" if japanese else " and "
                return f"{self.label(amount.left, japanese)}{joint}{self.label(amount.right, japanese)}"
            case _:
                return write(amount)

    def compare(self, comparison: Comparison, measured: str, required: str) -> str:
        """Return the comparison in English."""
        return f"{measured} {self.label(comparison.left)}; {ENGLISH[comparison.relation].format(required)}"

    def compare_ja(self, comparison: Comparison, measured: str, required: str) -> str:
        """Return the comparison in Japanese."""
        name = self.label(comparison.left, japanese=True)
        bound = UNKNOWN_BOUND_JA if required == UNKNOWN_JA else JAPANESE[comparison.relation].format(required)
        return f"{name}:{measured}、{bound}"

    def fault(self, comparison: Comparison, required: str, required_ja: str) -> tuple[str, str]:
        """Return what breaking a comparison means for one wallet among many, in English and Japanese."""
        left = comparison.left
        word = QUANTITIES.get(left.name) if isinstance(left, Name) else None
        if word is not None and word.fault_en:
            return word.fault_en.format(required), word.fault_ja.format(required_ja)
        english, japanese = ENGLISH[comparison.relation], JAPANESE[comparison.relation]
        return (
            f"{self.label(left)}: {english.format(required)}",
            f"{self.label(left, japanese=True)}:{japanese.format(required_ja)}",
        )


def _japanese(number: str) -> str:
    """Return a number with its unit, written in Japanese."""
    number = number.replace("about ", "約", 1)
    for unit, ja in (("days", "日"), ("day", "日"), ("hours", "時間"), ("hour", "時間"), ("base units", "最小単位")):
        if number.endswith(f" {unit}"):
            return number.removesuffix(f" {unit}") + ja
    return number
