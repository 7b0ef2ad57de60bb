"""Bounded, exact decoding of JSON that strangers wrote."""

import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any, NoReturn

from chains.errors import InvalidAnswerError

MAX_DEPTH = 64
MAX_DIGITS = 400
MAX_EXPONENT = 400

# A string, or one that never ends; possessive, so that no text makes it search twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _refuse_constant(text: str) -> NoReturn:
    raise InvalidAnswerError(f"{text} is not a JSON number")


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise InvalidAnswerError(f"a number of {len(text)} digits; at most {MAX_DIGITS} are read")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise InvalidAnswerError(f"a number of {len(text)} digits; at most {MAX_DIGITS} are read")
    mantissa, _, exponent = text.lower().partition("e")
    if exponent and (len(exponent) > 5 or abs(int(exponent)) > MAX_EXPONENT):
        # Turning 1e999999999 into an integer would take all memory there is.
        raise InvalidAnswerError(f"the number {mantissa[:20]}e{exponent[:20]} has an exponent beyond {MAX_EXPONENT}")
    return Decimal(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = counts.most_common(1)[0][0]
        raise InvalidAnswerError(f"the key {twice[:40]!r} appears twice in one object")
    return record


def _check_brackets(text: bytes, limit: int) -> None:
    """Refuse deep nesting before json.loads recurses into it: py-evm raises Python's recursion limit so far that
    a million brackets end the process instead of raising RecursionError."""
    brackets = _STRING.sub(b"", text).translate(None, _NO_BRACKETS)
    for _ in range(limit + 1):
        if not brackets:
            return
        outer = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if outer == brackets:
            raise InvalidAnswerError("not JSON: its brackets do not match")
        brackets = outer
    if brackets:
        raise InvalidAnswerError(f"nested deeper than {limit} levels")


def parse_json(text: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Decode JSON: numbers become int or Decimal (never float), duplicate keys and NaN are refused, depth is bounded.

    The caller bounds the size. Raises InvalidAnswerError, and nothing else, for whatever bytes it is given.
    """
    _check_brackets(text, max_depth)
    try:
        return json.loads(
            text.decode("utf-8"),
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError as error:
        raise InvalidAnswerError(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise InvalidAnswerError(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise InvalidAnswerError(f"nested deeper than {max_depth} levels") from error
