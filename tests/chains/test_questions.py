"""What operators answer beyond balances: alike is corroborated, different is nothing, a proof stands alone."""

import pytest

from chains.errors import ProviderError
from chains.evm_topics import ACCOUNT_PROBES, TOKEN_PROBES, _read_frozen
from chains.ids import AccountId
from chains.jsonrpc import Answer as Called
from chains.model import Tier
from chains.questions import Answer, Question, agree_on_answer

ASKED = Question(AccountId("eip155:1:0x" + "11" * 20), "code")
YES, NO = "0x" + "1".zfill(64), "0x" + "0".zfill(64)
UNKNOWN = ProviderError("execution reverted")


def told(text: str | None, call: str = "call", *, proven: bool = False) -> Answer:
    return Answer(text, (call,), "" if text else "no answer", proven)


def test_two_operators_that_say_the_same_corroborate_it() -> None:
    found = agree_on_answer(ASKED, [("a", told("none", "x")), ("b", told("none", "y")), ("c", told(None))], 2)
    assert (found.text, found.tier, found.operators, found.evidence) == (
        "none",
        Tier.CORROBORATED,
        ("a", "b"),
        ("x", "y"),
    )
    alone = agree_on_answer(ASKED, [("a", told("none")), ("a", told("none"))], 1)
    assert (alone.tier, alone.operators) == (Tier.OBSERVED, ("a",))


def test_too_few_or_different_answers_are_none() -> None:
    few = agree_on_answer(ASKED, [("a", told("none")), ("b", told(None))], 2)
    assert (few.text, few.failure) == (None, "no answer")
    apart = agree_on_answer(ASKED, [("a", told("none", "x")), ("b", told("contract", "y"))], 1)
    assert (apart.text, apart.evidence, "differently" in apart.failure) == (None, ("x", "y"), True)
    assert agree_on_answer(ASKED, [], 1).text is None


def test_one_proof_outweighs_any_number_of_words() -> None:
    found = agree_on_answer(ASKED, [("a", told("lie")), ("b", told("lie")), ("c", told("truth", "p", proven=True))], 2)
    assert (found.text, found.tier, found.operators) == ("truth", Tier.PROVEN, ("c",))


@pytest.mark.parametrize(
    ("account", "paused", "said"),
    [
        (NO, NO, "free"), (YES, NO, "frozen"), (NO, YES, "paused"), (None, YES, "paused"), (None, NO, "not told"),
        (None, None, "not told"), ("0x" + "2".zfill(64), NO, "not told"), ("0x01", NO, "not told"),
    ],
)  # fmt: skip
def test_a_token_says_frozen_paused_free_or_nothing(account: str | None, paused: str | None, said: str) -> None:
    def answer(result: str | None) -> Called:
        return Called(result, "call", None if result else UNKNOWN)

    answers = [answer(account), *[answer(None)] * (len(ACCOUNT_PROBES) - 1), *[answer(paused)] * len(TOKEN_PROBES)]
    assert _read_frozen(answers) == said
