"""Read the lines of a published tree or leaf list one by one, however long the file is."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from verifier.errors import UnavailableError
from verifier.inclusion import numbers, template
from verifier.inclusion.recipe import Recipe
from verifier.inclusion.wire import MalformedError, show

Amount = int | dict[str, Decimal]
MAX_LINE = 64 * 1024


class Row(NamedTuple):
    """One line: its number, level (None where the format names none), hash text, amount, and the named parts."""

    line: int
    level: int | None
    hash: str
    amount: Amount
    parts: Mapping[str, str]


@lru_cache(maxsize=128)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def fits_head(recipe: Recipe, head: str) -> bool:
    """Say whether the first lines of a file look like this format's."""
    rule = recipe.data["rows"]
    lines = [line for line in head.split("\n") if line.strip()][:8]
    if not head.endswith("\n") and len(lines) > 2:
        lines = lines[:-1]
    lines = [line.rstrip("\r") for line in lines]
    headers = rule.get("header", [])
    if len(lines) <= len(headers) or not all(
        _pattern(wanted).fullmatch(line) for wanted, line in zip(headers, lines, strict=False)
    ):
        return False
    body = [line for line in lines[len(headers) :] if not _comment(rule, line)]
    return bool(body) and all(_pattern(rule["row"]).fullmatch(line) for line in body[:1])


def header_of(recipe: Recipe, path: Path) -> dict[str, str]:
    """Return the named parts of a file's header lines."""
    found: dict[str, str] = {}
    with path.open("rb") as file:
        for wanted in recipe.data["rows"].get("header", []):
            match = _pattern(wanted).fullmatch(_decoded(file.readline(MAX_LINE), 0))
            if match:
                found |= match.groupdict()
    return found


def read_rows(recipe: Recipe, path: Path, watch: Any = None) -> Iterator[Row]:
    """Yield the rows of a file. Raises MalformedError naming the line that is not in the format."""
    rule = recipe.data["rows"]
    pattern, skip = _pattern(rule["row"]), len(rule.get("header", []))
    tail = _pattern(rule["tail"]) if "tail" in rule else None
    blank = ended = count = 0
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 1):
                if number <= skip:
                    continue
                text = _decoded(raw, number)
                if not text.strip() or _comment(rule, text):
                    blank = blank or number * (not text.strip())
                    continue
                match = pattern.fullmatch(text)
                if match is None and tail is not None and tail.fullmatch(text) and not ended:
                    ended = number
                    continue
                if match is None or blank or ended:
                    what = "stands after the end of the list" if match else "is not in this format"
                    code = "trailing-rows" if match else "partial-row" if _cut(raw) else "malformed"
                    raise MalformedError(code, f"line {number}: {show(text)} {what}")
                row = _row(recipe, number, match)
                if row.parts.get("number") and int(row.parts["number"]) != count:
                    raise MalformedError(
                        "order-differs", f"line {number}: is numbered {row.parts['number']}, not {count}"
                    )
                count += 1
                yield row
                if watch is not None and number % 20_000 == 0:
                    watch(file.tell())
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error


def tail_of(recipe: Recipe, path: Path) -> dict[str, str] | None:
    """Return the named parts of a file's last line, where the format ends with a summary."""
    pattern = _pattern(recipe.data["rows"]["tail"])
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - MAX_LINE))
        lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    match = pattern.fullmatch(lines[-1]) if lines else None
    return match.groupdict() if match else None


def _comment(rule: Mapping[str, Any], line: str) -> bool:
    return "comment" in rule and bool(_pattern(rule["comment"]).fullmatch(line))


def _cut(raw: bytes) -> bool:
    return not raw.endswith(b"\n")


def _decoded(raw: bytes, number: int) -> str:
    if len(raw) > MAX_LINE:
        raise MalformedError("malformed", f"line {number}: longer than {MAX_LINE} bytes")
    try:
        return raw.decode("utf-8-sig" if number <= 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise MalformedError("malformed", f"line {number}: not UTF-8") from error


def _row(recipe: Recipe, number: int, match: re.Match[str]) -> Row:
    rule, parts = recipe.data["rows"], match.groupdict(default="")
    level = int(parts["level"]) if parts.get("level") else None
    if "hash_of" in rule:  # the list shows what is hashed
        hash_text = recipe.digest(template.fill(rule["hash_of"], {**parts, "line": match[0]}))
    else:
        hash_text = parts["hash"]
    return Row(number, level, hash_text, _amount(rule, parts, number), parts)


def _amount(rule: Mapping[str, Any], parts: Mapping[str, str], number: int) -> Amount:
    if "balances" in parts:
        pairs = _pairs(rule, parts["balances"], number)
        amounts = {coin: amount for coin, (amount, _) in numbers.read_balances(pairs, f"line {number}").items()}
        wanted = rule.get("coins")
        if wanted and list(amounts) != wanted:
            raise MalformedError("coins-differ", f"line {number}: expected the coins {', '.join(wanted)}")
        if min(amounts.values(), default=0) < 0:
            raise MalformedError("negative-balance", f"line {number}: holds less than zero; that hides what others own")
        return amounts
    text = parts.get("value", "")
    if rule.get("sum_lines"):
        amount, _ = numbers.read_amount(text, f"line {number}")
        if amount < 0:
            raise MalformedError("negative-balance", f"line {number}: {show(text)} is negative")
        return {rule["coin"]: amount}
    return _units(text, rule.get("decimals", 0), number) if text else 0


def _units(text: str, decimals: int, number: int) -> int:
    if text.startswith("-"):
        raise MalformedError("negative-balance", f"line {number}: {show(text)} is negative; that hides what others own")
    whole, point, fraction = text.partition(".")
    if len(whole) > 30 or (whole != "0" and whole.startswith("0")) or (point and len(fraction) != decimals):
        raise MalformedError("non-canonical-number", f"line {number}: {show(text)} is not in its one spelling")
    return int(whole + fraction)


def _pairs(rule: Mapping[str, Any], text: str, number: int) -> Any:
    if rule.get("balances_kind") == "words":  # 1.5 BTC : 2 ETH
        if text == "none":
            return []
        words = [entry.split() for entry in text.split(":")]
        if any(len(entry) != 2 for entry in words):
            raise MalformedError("malformed", f"line {number}: {show(text)} is no list of amounts and coins")
        return [(coin, amount) for amount, coin in words]
    try:
        return json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise MalformedError("malformed", f"line {number}: {show(text)} is not JSON") from error
