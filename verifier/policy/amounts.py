"""Amounts in words a reader knows: whole coins with their symbol, exact."""

from fractions import Fraction

from chains.ids import AssetId
from verifier.case import Case

READ_DIGITS = 6


def show_units(case: Case, asset: AssetId, units: int) -> str:
    """Return base units as a decimal amount with the asset's symbol, all digits kept."""
    decimals = case.declaration.decimals().get(asset, 0)
    symbol = case.declaration.symbols().get(asset, str(asset))
    return f"{show_number(Fraction(units, 10**decimals))} {symbol}"


def show_number(value: Fraction) -> str:
    """Return a number with its decimals; exact when they end, otherwise rounded down to six and marked."""
    whole, rest = divmod(abs(value.numerator), value.denominator)
    sign = "-" if value < 0 else ""
    denominator, digits = value.denominator, 0
    while denominator % 10 == 0 or denominator % 2 == 0 or denominator % 5 == 0:
        denominator //= 10 if denominator % 10 == 0 else 2 if denominator % 2 == 0 else 5
        digits += 1
    ends = denominator == 1
    digits = digits if ends else READ_DIGITS
    decimals = str(rest * 10**digits // value.denominator).rjust(digits, "0").rstrip("0") if digits else ""
    return f"{'' if ends else 'about '}{sign}{whole:,}{'.' + decimals if decimals else ''}"


def show_value(value: Fraction, currency: str) -> str:
    """Return a value rounded down to whole currency units, for reading only; the exact fraction decides."""
    return f"{value.numerator // value.denominator:,} {currency}"


def show_percent(share: Fraction) -> str:
    """Return a share as a percentage with two decimals, rounded down, for reading only."""
    hundredths = share.numerator * 10_000 // share.denominator
    return f"{hundredths // 100}.{hundredths % 100:02d} %"
