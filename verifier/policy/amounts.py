"""Amounts in words a reader knows: whole coins with their symbol, exact."""

from fractions import Fraction

from chains.ids import AssetId
from verifier.case import Case


def show_units(case: Case, asset: AssetId, units: int) -> str:
    """Return base units as a decimal amount with the asset's symbol, all digits kept."""
    decimals = case.declaration.decimals().get(asset, 0)
    symbol = case.declaration.symbols().get(asset, str(asset))
    whole, rest = divmod(units, 10**decimals)
    digits = str(rest).rjust(decimals, "0").rstrip("0") if decimals else ""
    return f"{whole:,}{'.' + digits if digits else ''} {symbol}"


def show_value(value: Fraction, currency: str) -> str:
    """Return a value rounded down to whole currency units, for reading only; the exact fraction decides."""
    return f"{value.numerator // value.denominator:,} {currency}"


def show_percent(share: Fraction) -> str:
    """Return a share as a percentage with two decimals, rounded down, for reading only."""
    hundredths = share.numerator * 10_000 // share.denominator
    return f"{hundredths // 100}.{hundredths % 100:02d} %"
