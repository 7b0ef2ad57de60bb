"""Read amounts exactly as they are written, add them exactly, and write them as each exchange's tool does."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from verifier.inclusion.wire import MalformedError, show

Balances = dict[str, Decimal]

ZERO = Decimal(0)
MAX_COINS = 2_000
_EXACT = Context(prec=400, traps=[Inexact, InvalidOperation, Overflow])
_DOWN = Context(prec=400, rounding="ROUND_DOWN", traps=[InvalidOperation, Overflow])
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,79})(?:\.[0-9]{1,80})?")
_EXPONENT = re.compile(r"-?[0-9](?:\.[0-9]{1,40})?E[-+]?[0-9]{1,2}")
_LOOSE = re.compile(r"[-+]?(?:[0-9]{1,100}\.?[0-9]{0,100}|\.[0-9]{1,100})")
_BITSO = re.compile(r"([0-9]+(?:\.[0-9]+[1-9])?)(?:\.?0+$)")
_COIN = re.compile(r"[!-~]{1,64}")


class Style(NamedTuple):
    """How balances become text: number form, coin order, one entry, what stands between and around."""

    number: str = "strip"
    order: str = "file"
    each: str = "{amount}"
    join: str = ""
    wrap: tuple[str, str] = ("", "")
    decimals: int = 8


def read_amount(value: Any, where: str, exponent: bool = False) -> tuple[Decimal, str]:
    """Return an amount and its spelling. Raises MalformedError for NaN, exponents, leading zeros and the like."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value):
            amount = Decimal(value)
            if amount or not amount.is_signed():
                return amount, value
        elif not (exponent and _EXPONENT.fullmatch(value)):
            code = "non-canonical-number" if _LOOSE.fullmatch(value) else "not-a-number"
            raise MalformedError(code, f"{where}: {show(value)} is not a plain decimal number such as 1.5")
        amount = Decimal(value)
    elif type(value) is int or isinstance(value, Decimal):
        amount = Decimal(value)
    else:
        raise MalformedError("malformed", f"{where}: expected an amount, found {show(value)}")
    if not _fits(amount):
        raise MalformedError("non-canonical-number", f"{where}: {show(str(value))} is too long")
    if amount.is_zero() and amount.is_signed():
        raise MalformedError("non-canonical-number", f"{where}: minus zero")
    return amount, value if isinstance(value, str) else str(amount)


@lru_cache(maxsize=4096)
def _is_coin(text: str) -> bool:
    return _COIN.fullmatch(text) is not None


def _fits(amount: Decimal) -> bool:
    return amount.is_finite() and amount.adjusted() <= 80 and -int(amount.as_tuple().exponent) <= 80


def read_balances(
    pairs: Iterable[tuple[Any, Any]], where: str, exponent: bool = False
) -> dict[str, tuple[Decimal, str]]:
    """Return amounts by coin in the order of the file; a coin stands once."""
    found: dict[str, tuple[Decimal, str]] = {}
    for coin, value in pairs:
        if not isinstance(coin, str) or not _is_coin(coin):
            raise MalformedError("malformed", f"{where}: {show(coin)} is no coin")
        if coin in found:
            raise MalformedError("duplicate-key", f"{where}: {coin} stands twice")
        found[coin] = read_amount(value, f"{where}.{coin}", exponent)
        if len(found) > MAX_COINS:
            raise MalformedError("malformed", f"{where}: more than {MAX_COINS} coins")
    return found


def add(left: Balances, right: Balances, decimals: int | None = None) -> Balances:
    """Return the sums coin by coin, in the order of the left side; cut digits beyond `decimals`, as some tools do."""
    try:
        total = dict(left)
        for coin, amount in right.items():
            total[coin] = _EXACT.add(total[coin], amount) if coin in total else amount
        return total if decimals is None else {coin: _cut(amount, decimals) for coin, amount in total.items()}
    except DecimalException as error:
        raise MalformedError("sum-overflow", "a sum has more digits than this program adds exactly") from error


def _cut(amount: Decimal, decimals: int) -> Decimal:
    if -int(amount.as_tuple().exponent) <= decimals:
        return amount
    return amount.quantize(_step(decimals), context=_DOWN)


@cache
def _step(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def plain(amount: Decimal) -> str:
    """Return a decimal number without exponent and without trailing zeros."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def amounts(balances: Balances) -> dict[str, str]:
    """Return balances as plain texts, for people and JSON."""
    return {coin: plain(amount) for coin, amount in balances.items()}


def write(
    balances: Balances, style: Style, texts: Mapping[str, str] | None = None, scales: Mapping[str, int] | None = None
) -> str:
    """Return balances as the text that is hashed; `texts` are the file's spellings, `scales` the decimals by coin."""
    coins = ordered(list(balances), style.order)
    entries = []
    for coin in coins:
        number = _number(balances[coin], coin, style, texts, scales)
        if style.each == "{amount}":
            entries.append(number)
            continue
        entry = style.each.replace("{coin}", coin).replace("{amount}", number)
        entries.append(entry.replace("{hash}", sha256(number.encode()).hexdigest()) if "{hash}" in entry else entry)
    return style.wrap[0] + style.join.join(entries) + style.wrap[1]


def _number(
    amount: Decimal, coin: str, style: Style, texts: Mapping[str, str] | None, scales: Mapping[str, int] | None
) -> str:
    match style.number:
        case "text" if texts is not None:
            number = texts[coin]
        case "fixed":
            scale = style.decimals if scales is None else scales.get(coin, style.decimals)
            number = format(amount.quantize(_step(scale), context=_DOWN), "f")
        case "python":  # str(Decimal) after rounding: 0.00000002 becomes 2E-8
            number = str(amount.quantize(_step(style.decimals), context=_DOWN))
        case "java":  # BigDecimal.toString, which has Python's rules
            number = str(amount)
        case "bitso" if texts is not None:  # its tool cuts zeros off whole numbers as well
            number = _BITSO.sub(r"\1", texts[coin], count=1)
        case "point":  # at least one decimal
            number = plain(amount) if "." in plain(amount) else f"{plain(amount)}.0"
        case _:
            number = plain(amount)
    return number


def ordered(coins: Sequence[str], order: str) -> list[str]:
    """Return coins in an order: of the file, alphabetical, or that of Java's HashMap."""
    if order == "alphabetical":
        return sorted(coins)
    if order == "javahash":
        capacity = 16
        while len(coins) > capacity * 3 // 4:
            capacity *= 2
        return sorted(coins, key=lambda coin: _java_hash(coin) & (capacity - 1))
    return list(coins)


def _java_hash(text: str) -> int:
    code = 0
    for unit in text:
        code = (31 * code + ord(unit)) & 0xFFFFFFFF
    return code ^ (code >> 16)
