"""What chains said of wallets is added up for the wallets clients rely on, and for no others."""

from chains.ids import AccountId
from chains.model import Tier
from chains.questions import Observation, Question
from tests.verifier.cases import ETH, USD, account, case, position
from verifier.case import Case
from verifier.declaration import Pool
from verifier.observed import Observed
from verifier.segregation.rights import delegated_accounts

DELEGATED = "delegated 0x" + "ab" * 20


def told(made: Case, *answers: tuple[AccountId, str | None, Tier]) -> Case:
    seen = {
        question: Observation(question, text, tier, ("one",), (f"call {who}",), "" if text else "pruned")
        for who, text, tier in answers
        for question in [Question(who, "code")]
    }
    return made.model_copy(update={"observed": Observed(seen, ("code",))})


def test_an_account_that_is_declared_twice_is_protected_by_either_pool() -> None:
    both = (position(Pool.PROPRIETARY, 1, ETH), position(Pool.CLIENT_HOT, 1, USD))
    found = delegated_accounts(told(case(*both), (account(1), DELEGATED, Tier.PROVEN)))
    assert found is not None
    assert found.total == 1
    own = delegated_accounts(told(case(position(Pool.PROPRIETARY, 1)), (account(1), DELEGATED, Tier.PROVEN)))
    assert own is not None
    assert own.total == 0


def test_the_weakest_answer_counts_and_silence_leaves_the_total_open() -> None:
    made = case(*(position(Pool.CLIENT_COLD, 1, number=number) for number in (1, 2, 3)))
    answers = [
        (account(1), "none", Tier.PROVEN),
        (account(2), DELEGATED, Tier.OBSERVED),
        (account(3), None, Tier.DECLARED),
    ]
    found = delegated_accounts(told(made, *answers))
    assert found is not None
    assert (found.total, found.tier, len(found.evidence)) == (1, Tier.OBSERVED, 2)
    assert found.open == (f"{account(3)}: pruned",)
    assert delegated_accounts(made) is None
