"""What operators answer beyond balances: alike is corroborated, different is nothing, a proof stands alone."""

import pytest

from chains.errors import InvalidAnswerError, ProviderError
from chains.evm.allowances import selector
from chains.evm.freezing import freezing_words, frozen_steps
from chains.evm.steps import Call
from chains.ids import AccountId
from chains.jsonrpc import Answer as Called
from chains.model import Tier
from chains.questions import Answer, Question, agree_on_answer

ASKED = Question(AccountId("eip155:1:0x" + "11" * 20), "code")
YES, NO = "0x" + "1".zfill(64), "0x" + "0".zfill(64)
REVERTED = ProviderError("node: execution reverted (code 3)", 3)


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


USDC, DAI = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "0x6b175474e89094c44da98b954eedeac495271d0f"
STRANGE, HOLDER = "0x" + "7e" * 20, "0x" + "40" * 20


def asked_of(words: dict[str, str | ProviderError], token: str = STRANGE) -> tuple[str, list[int]]:
    """Ask a token that knows some functions and reverts for others; return what it says and the calls per round."""
    by_selector = {selector(word)[:4].hex(): answer for word, answer in words.items()}

    def told_to(call: Call) -> Called:
        answer = by_selector.get(call[1][0]["data"][2:10], REVERTED)
        return Called(None, "call", answer) if isinstance(answer, ProviderError) else Called(answer, "call")

    steps, rounds = frozen_steps("eip155:1", token, HOLDER, "latest"), list[int]()
    try:
        calls = next(steps)
        while True:
            rounds.append(len(calls))
            calls = steps.send([told_to(call) for call in calls])
    except StopIteration as end:
        return end.value.text, rounds


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"isFrozen(address)": NO, "paused()": NO}, "free"), ({"isFrozen(address)": YES, "paused()": NO}, "frozen"),
        ({"isBlocked(address)": NO, "paused()": YES}, "paused"), ({"frozen(address)": NO}, "free"),
        ({"isBlacklisted(address)": NO, "frozen(address)": YES}, "frozen"),
        ({"paused()": YES}, "paused"), ({"paused()": NO}, "not told"), ({}, "not told"),
        ({"frozen(address)": "0x" + "2".zfill(64)}, "not told"), ({"frozen(address)": "0x01"}, "not told"),
    ],
)  # fmt: skip
def test_a_token_says_frozen_paused_free_or_nothing(words: dict[str, str | ProviderError], said: str) -> None:
    assert asked_of(words)[0] == said


def test_which_words_a_token_knows_is_asked_apart_from_its_holders() -> None:
    tried = freezing_words()["any"]
    assert asked_of({"isFrozen(address)": NO, "paused()": NO})[1] == [len((*tried.account, *tried.everybody)), 2]


def test_a_node_that_cannot_say_is_not_a_token_that_does_not_know() -> None:
    with pytest.raises(ProviderError, match="rate limit"):
        asked_of({"isBlacklisted(address)": ProviderError("node: rate limit (code 429)", 429)})


def test_a_token_whose_code_is_known_must_answer_as_it_does() -> None:
    free, frozen = {"isBlacklisted(address)": NO, "paused()": NO}, {"isBlacklisted(address)": YES, "paused()": NO}
    assert (asked_of(free, USDC), asked_of(frozen, USDC)) == (("free", [2]), ("frozen", [2]))
    assert asked_of({}, DAI) == ("free", [0])
    with pytest.raises(InvalidAnswerError, match="isBlacklisted"):
        asked_of({"isFrozen(address)": NO, "paused()": NO}, USDC)


def test_a_remark_does_not_lift_an_operators_word() -> None:
    found = agree_on_answer(ASKED, [("a", Answer("x", ("e",), remark="by storage proof")), ("b", told("x"))], 2)
    assert (found.tier, found.remark) == (Tier.CORROBORATED, "by storage proof")
    apart = agree_on_answer(ASKED, [("a", Answer("lie", remark="by storage proof")), ("b", told("x"))], 1)
    assert apart.text is None
