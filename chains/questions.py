"""What a chain says of an account beyond its balance, at a pinned block, as far as independent operators agree."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import NamedTuple, cast

from chains.errors import ChainError
from chains.ids import AccountId, ChainId, family_of
from chains.model import BlockRef, Tier
from chains.network import Network
from chains.panel import Member, trusted_members
from chains.providers import Provider
from chains.transport import Transport


class Question(NamedTuple):
    """One thing to ask of an account: a topic of its family, and what else the topic needs to know."""

    account: AccountId
    topic: str
    detail: str = ""


class Answer(NamedTuple):
    """One operator's answer in the topic's own words, or why there is none.

    `proven` when it follows from the block's hash by what was checked here, so that nobody need be believed. `remark`
    says what else was checked of an answer that still rests on the operator's word.
    """

    text: str | None
    evidence: tuple[str, ...] = ()
    failure: str = ""
    proven: bool = False
    remark: str = ""


class Observation(NamedTuple):
    """What a quorum of operators answers alike, or one proof shows; without either `text` is None, with a `failure`."""

    question: Question
    text: str | None
    tier: Tier
    operators: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    failure: str = ""
    remark: str = ""


Answerer = Callable[[Network, Provider, Transport, BlockRef, Sequence[Question]], Sequence[Answer]]

# family → "module:function"; a family without one has no answers, and that is said.
ANSWERERS: dict[str, str] = {
    "eip155": "chains.evm_topics:answer_questions",
    "bip122": "chains.bitcoin_topics:answer_questions",
}


def ask_questions(
    network: Network,
    providers: Sequence[Provider],
    transport: Transport,
    block: BlockRef,
    questions: Sequence[Question],
    minimum_operators: int,
) -> tuple[Observation, ...]:
    """Ask every trusted operator at `block`; one Observation for each question, in order.

    A block that has changed meanwhile leaves an operator without a voice.
    """
    name = ANSWERERS.get(family_of(ChainId(network.chain)))
    if name is None:
        return tuple(_nothing(question, "this family of chains has no such answers") for question in questions)
    module, _, function = name.partition(":")
    answerer = cast(Answerer, getattr(import_module(module), function))
    members, _ = trusted_members(network, providers, transport)
    with ThreadPoolExecutor(max_workers=max(1, len(members))) as pool:
        said = list(pool.map(lambda one: _voice(network, one, transport, block, questions, answerer), members))
    voices = [(member.provider.operator, answers) for member, answers in zip(members, said, strict=True)]
    return tuple(
        agree_on_answer(question, [(operator, answers[number]) for operator, answers in voices], minimum_operators)
        for number, question in enumerate(questions)
    )


def agree_on_answer(question: Question, voices: Sequence[tuple[str, Answer]], minimum_operators: int) -> Observation:
    """Turn answers into an Observation: a proof stands alone, words need a quorum that says the same."""
    given = [(operator, answer) for operator, answer in voices if answer.text is not None]
    for operator, answer in given:
        if answer.proven:
            return Observation(question, answer.text, Tier.PROVEN, (operator,), answer.evidence)
    evidence = tuple(sorted({item for _, answer in given for item in answer.evidence}))
    operators = tuple(sorted({operator for operator, _ in given}))
    if len({answer.text for _, answer in given}) > 1:
        return Observation(question, None, Tier.DECLARED, operators, evidence, "the operators answer differently")
    if not given or len(operators) < minimum_operators:
        reasons = dict.fromkeys(answer.failure for _, answer in voices if answer.failure)
        return _nothing(question, "; ".join(reasons) or "too few operators answer")
    tier = Tier.CORROBORATED if len(operators) >= 2 else Tier.OBSERVED
    remarks = dict.fromkeys(answer.remark for _, answer in given if answer.remark)
    return Observation(question, given[0][1].text, tier, operators, evidence, remark="; ".join(remarks))


def _nothing(question: Question, failure: str) -> Observation:
    return Observation(question, None, Tier.DECLARED, (), (), failure)


def _voice(
    network: Network,
    member: Member,
    transport: Transport,
    block: BlockRef,
    questions: Sequence[Question],
    answerer: Answerer,
) -> Sequence[Answer]:
    try:
        answers = answerer(network, member.provider, transport, block, questions)
        after = member.reader.block_at(block.height).hash
    except ChainError as error:
        return [Answer(None, (), str(error))] * len(questions)
    if after == block.hash:
        return answers
    moved = f"the block at height {block.height} changed while it was asked"
    return [answer if answer.proven else Answer(None, (), moved) for answer in answers]
