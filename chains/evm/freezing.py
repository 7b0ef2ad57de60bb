"""Whether a token has frozen an account: asked in the words its contract knows."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from chains.errors import InvalidAnswerError
from chains.evm.allowances import address_word, call_of, selector
from chains.evm.hexadecimal import data
from chains.evm.reverts import is_revert
from chains.evm.steps import Calls, Steps
from chains.evm.upgrade import Told
from chains.jsonrpc import Answer

_ANY = "any"
# An account nobody uses: which words a token knows at all is asked once about it, and not for every holder.
_NOBODY = "0x" + "01".zfill(40)


class Words(NamedTuple):
    """Functions that tell of one account, and of everybody."""

    account: tuple[str, ...]
    everybody: tuple[str, ...]


@cache
def freezing_words() -> Mapping[str, Words]:
    """Return the table of freezing.toml: by token (CAIP-19 text), and under `any` what is tried of others."""
    table = tomllib.loads((files("chains.evm") / "freezing.toml").read_text("utf-8"))
    return {name: Words(tuple(entry["account"]), tuple(entry["everybody"])) for name, entry in table.items()}


def frozen_steps(chain: str, token: str, holder: str, pin: Any) -> Steps[Told]:
    """Ask whether a token has frozen a holder: `frozen`, `paused` (everybody), `free`, or `not told`.

    `not told` is a token that is not in the table and knows none of the usual words. Raises InvalidAnswerError when a
    token of the table does not answer as its code does, ProviderError when the node cannot say.
    """
    known = freezing_words().get(f"{chain}/erc20:{token.lower()}")
    words = known or (yield from _words_of(token, pin))
    flags = yield from _flags(words, token, holder, pin)
    account, everybody = flags[: len(words.account)], flags[len(words.account) :]
    if known and None in flags:
        raise InvalidAnswerError(f"{token} does not answer {', '.join((*words.account, *words.everybody))} as expected")
    if True in account:
        return Told("frozen")
    if True in everybody:
        return Told("paused")
    return Told("free" if known or False in account else "not told")


def _words_of(token: str, pin: Any) -> Steps[Words]:
    tried = freezing_words()[_ANY]
    flags = yield from _flags(tried, token, _NOBODY, pin)
    answered = [word for word, flag in zip((*tried.account, *tried.everybody), flags, strict=True) if flag is not None]
    return Words(*(tuple(word for word in words if word in answered) for words in tried))


def _flags(words: Words, token: str, holder: str, pin: Any) -> Steps[list[bool | None]]:
    asked = [selector(f"{word}(address)") + address_word(holder) for word in words.account]
    asked += [selector(f"{word}()") for word in words.everybody]
    calls: Calls = [call for one in asked for call in call_of(token, one, pin)]
    answers = yield calls
    return [_flag(one) for one in answers]


def _flag(answer: Answer) -> bool | None:
    """Return a yes or no; None where the contract knows no such question."""
    if answer.error:
        if is_revert(answer.error):
            return None
        raise answer.error
    word = data(answer.result, "a yes or no")
    return bool(word[31]) if len(word) == 32 and not any(word[:31]) and word[31] < 2 else None
