"""Claims for contracts that no chain could judge are refused without asking; what is merely not told stays open."""

import pytest

from chains.evm.safe.contracts import known_contracts
from chains.ids import AccountId, ChainId
from chains.model import Tier
from chains.network import network_of
from chains.questions import Observation, Question
from tests.builders import wallet_lists as make
from verifier.declaration import Declaration, DeclaredAsset, Exchange, OwnershipClaim, Pool, Wallet
from verifier.observed import TOPICS, Observed, questions_of, signature_question, unclaimed_safes
from verifier.ownership.claims import Control, Ownership, check_ownership
from verifier.reserves import place_holdings

CHAIN = ChainId("eip155:1")
ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"
ACCOUNT = AccountId(f"{CHAIN}:{ADDRESS.lower()}")
AS_OF = "2026-11-22T00:00:00Z"
TEXT = f"contract.example, {AS_OF}"


def declaration(*claims: OwnershipClaim) -> Declaration:
    native = network_of(CHAIN).native_asset
    return Declaration(
        format="reserve-verifier/declaration/1",
        exchange=Exchange(name="Contract", id="contract.example"),
        as_of=AS_OF,
        assets=[DeclaredAsset(asset=native, symbol="ETH", decimals=18)],
        wallets=[Wallet(account=ACCOUNT, assets=[native], pool=Pool.CLIENT_COLD)],
        ownership=list(claims),
    )


def claim(scheme: str, signature: str = "0x11", message: str = TEXT, account: str = ACCOUNT) -> OwnershipClaim:
    return OwnershipClaim(account=account, scheme=scheme, message=message, signature=signature)


def judged(one: OwnershipClaim, *told: Observation) -> Ownership:
    observed = Observed({answer.question: answer for answer in told}, TOPICS)
    (found,) = check_ownership(declaration(one), observed).values()
    return found


def asked_about(one: OwnershipClaim) -> set[tuple[str, str]]:
    declared = declaration(one)
    asked = questions_of(declared, place_holdings(declared).placements, ("safe", "owner", "eip-1271"))
    return {(question.account, question.topic) for question in asked.get(CHAIN, [])}


@pytest.mark.parametrize("signature", ["", "11", "0x1", "0xzz", "signed"])
def test_a_signature_that_is_no_bytes_is_refused_and_not_asked_about(signature: str) -> None:
    one = claim("eip-1271", signature)
    assert judged(one).control is Control.REFUSED
    assert asked_about(one) == set()


@pytest.mark.parametrize("scheme", ["safe", "contract-owner", "eip-1271"])
def test_a_scheme_for_contracts_refuses_accounts_without_any(scheme: str) -> None:
    bitcoin = AccountId(f"{make.BITCOIN}:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
    assert judged(claim(scheme, account=bitcoin)).control is Control.REFUSED


@pytest.mark.parametrize(("scheme", "topic"), [("safe", "safe"), ("contract-owner", "owner"), ("eip-1271", "eip-1271")])
def test_an_account_is_asked_about_under_its_one_spelling(scheme: str, topic: str) -> None:
    one = claim(scheme, account=f"{CHAIN}:{ADDRESS}")
    assert asked_about(one) == {(ACCOUNT, topic)}
    assert judged(one).reason == "the chain was not asked"
    question = signature_question(one) if topic == "eip-1271" else Question(ACCOUNT, topic)
    found = judged(one, Observation(question, None, Tier.DECLARED, (), (), "pruned"))
    assert (found.account, found.control, found.reason) == (ACCOUNT, Control.UNKNOWN, "pruned")


def test_the_word_of_a_contract_names_who_passed_it_on() -> None:
    one = claim("eip-1271")
    told = Observation(signature_question(one), "signed", Tier.CORROBORATED, ("first", "second"))
    assert judged(one, told).control is Control.SIGNED
    assert judged(one, told).reason == "signed (the contract's own word: corroborated by first, second)"
    apart = told._replace(text=None, failure="the operators answer differently")
    assert (judged(one, apart).control, judged(one, apart).reason) == (Control.UNKNOWN, apart.failure)
    assert judged(one, told._replace(text="not-signed")).control is Control.REFUSED
    assert judged(claim("eip-1271", "0x12"), told).control is Control.UNKNOWN


def test_a_safe_is_looked_for_wherever_its_code_is_and_unknown_where_no_code_is_told() -> None:
    proxy = "0x" + next(iter(known_contracts().proxies)).hex()
    about = [Question(AccountId(f"{CHAIN}:0x{number:040x}"), "code") for number in range(1, 6)]
    texts = [f"contract {proxy}", "contract 0x" + "11" * 32, "delegated 0x" + "22" * 20, "none", None]
    told = [
        Observation(one, text, Tier.OBSERVED, ("one",), (), "" if text else "pruned")
        for one, text in zip(about, texts, strict=True)
    ]
    wanted, unknown = unclaimed_safes(told)
    assert wanted == [about[0]._replace(topic="safe")]
    assert [(one.question, one.text, one.failure) for one in unknown.values()] == [
        (about[4]._replace(topic="safe"), None, "pruned")
    ]
