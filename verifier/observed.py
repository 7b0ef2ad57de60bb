"""What the chains say of declared accounts beyond balances: code, owners, Safes, allowances, frozen tokens."""

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from chains.addresses import canonical_account
from chains.errors import ChainError, IdentifierError
from chains.evm.hexadecimal import data, hexadecimal
from chains.evm.safe.contracts import known_contracts
from chains.evm_topics import PERMIT2
from chains.ids import AccountId, AssetId, ChainId, chain_of, family_of, token_contract
from chains.panel import Survey
from chains.providers import Providers
from chains.questions import Observation, Question, ask_questions
from chains.signatures.safe import text_hash
from chains.transport import Transport
from verifier.declaration import PROTECTED_POOLS, Declaration, OwnershipClaim
from verifier.records import parse_record
from verifier.reserves import Placement, Progress, silent

TOPICS = ("safe", "owner", "eip-1271", "code", "upgrade", "allowance", "approvals", "frozen", "debt")


class QuestionPlan(BaseModel):
    """Which topics a run asks about."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    format: Literal["reserve-verifier/questions/1"] = "reserve-verifier/questions/1"
    topics: list[str] = Field(default_factory=lambda: list(TOPICS), max_length=100)


class Observed(NamedTuple):
    """Every observation of a run, by its question, and the topics it asked about at all."""

    by_question: Mapping[Question, Observation] = {}
    topics: tuple[str, ...] = ()

    def of(self, account: AccountId, topic: str, detail: str = "") -> Observation | None:
        """Return what was observed, or None when it was not asked."""
        return self.by_question.get(Question(account, topic, detail))

    def about(self, topic: str) -> Iterator[Observation]:
        """Yield what was observed on a topic, account by account."""
        return (one for question, one in self.by_question.items() if question.topic == topic)

    def to_record(self) -> list[Any]:
        """Return every observation as JSON values."""
        return [
            [*one.question, one.text, int(one.tier), list(one.operators), one.failure]
            for _, one in sorted(self.by_question.items())
        ]


NOTHING = Observed()


def read_questions(text: bytes, where: str) -> QuestionPlan:
    """Read which topics a run asked about. Raises InputError."""
    return parse_record(text, where, QuestionPlan.model_validate)


def ask_chains(
    plan: QuestionPlan,
    declaration: Declaration,
    placements: Sequence[Placement],
    surveys: Sequence[Survey],
    providers: Providers,
    transport: Transport,
    progress: Progress = silent,
) -> Observed:
    """Ask about every account at the block its chain was surveyed at; a chain without such a block is not asked."""
    asked = questions_of(declaration, placements, plan.topics)
    found: dict[Question, Observation] = {}
    for survey in surveys:
        network, questions = survey.network, asked.get(ChainId(survey.network.chain), [])
        if survey.block is None or not questions:
            continue
        progress(f"{network.name}, beyond balances", 0, len(questions))
        voices, least = providers.serving(ChainId(network.chain)), providers.minimum_operators
        answers = ask_questions(network, voices, transport, survey.block, questions, least)
        found.update(zip(questions, answers, strict=True))
        if "safe" in plan.topics:
            asked_for, unknown = unclaimed_safes(answers)
            safes = [one for one in asked_for if one not in found]
            told = ask_questions(network, voices, transport, survey.block, safes, least) if safes else ()
            found.update(zip(safes, told, strict=True))
            found.update({one: found.get(one, answer) for one, answer in unknown.items()})
        progress(f"{network.name}, beyond balances", len(questions), len(questions))
    return Observed(found, tuple(plan.topics))


def questions_of(
    declaration: Declaration, placements: Sequence[Placement], topics: Collection[str]
) -> dict[ChainId, list[Question]]:
    """Return what there is to ask, chain by chain, in an order that follows from the declaration alone."""
    wanted: dict[Question, None] = {}
    for claim in declaration.ownership:
        wanted.update(dict.fromkeys(_of_claim(claim)))
    for placement in placements:
        if family_of(chain_of(placement.holding.account)) == "eip155":
            wanted.update(dict.fromkeys(_of_placement(placement)))
    found: dict[ChainId, list[Question]] = {}
    for question in wanted:
        if question.topic in topics:
            found.setdefault(chain_of(question.account), []).append(question)
    return found


def unclaimed_safes(answers: Sequence[Observation]) -> tuple[list[Question], dict[Question, Observation]]:
    """Return what to ask of accounts whose code is a Safe's, claimed as one or not: modules move coins in both.

    Beside it, for accounts whose code is not known, that nothing is known of a Safe there either.
    """
    wanted: list[Question] = []
    unknown: dict[Question, Observation] = {}
    for told in answers:
        if told.question.topic != "code":
            continue
        question = Question(told.question.account, "safe")
        kind, _, code_hash = (told.text or "").partition(" ")
        if told.text is None:
            unknown[question] = told._replace(question=question)
        elif kind == "contract" and bytes.fromhex(code_hash[2:]) in known_contracts().proxies:
            wanted.append(question)
    return wanted, unknown


def signature_question(claim: OwnershipClaim) -> Question:
    """Return the question whether a contract takes a claim's signature for its own. Source: EIP-1271, EIP-191.

    Raises InvalidAnswerError for a signature that is no bytes, IdentifierError for a malformed message or account.
    """
    digest = text_hash(claim.message)
    if digest is None:
        raise IdentifierError("malformed-message")
    asked = {"digest": hexadecimal(digest), "signature": hexadecimal(data(claim.signature, "the signature"))}
    return Question(canonical_account(AccountId(claim.account)), "eip-1271", json.dumps(asked, sort_keys=True))


def _of_claim(claim: OwnershipClaim) -> Iterator[Question]:
    if family_of(chain_of(AccountId(claim.account))) != "eip155":
        return
    with suppress(ChainError):  # what nobody can read is refused without asking
        account = canonical_account(AccountId(claim.account))
        if claim.scheme == "safe":
            yield Question(account, "safe")
        elif claim.scheme == "contract-owner":
            yield Question(account, "owner")
        elif claim.scheme == "eip-1271":
            yield signature_question(claim)


@cache
def debt_tokens() -> dict[AssetId, AssetId]:
    """Return the known debt tokens of lending pools and what each says is owed."""
    table = tomllib.loads((files("verifier") / "debt_tokens.toml").read_text("utf-8"))
    return {AssetId(token): AssetId(owed) for chain in table.values() for token, owed in chain.items()}


def _of_placement(placement: Placement) -> Iterator[Question]:
    account, asset, pool = placement.holding.account, AssetId(placement.holding.asset), placement.pool
    if pool not in PROTECTED_POOLS:
        return
    yield Question(account, "code")
    yield Question(account, "upgrade")
    for owed in debt_tokens():
        if chain_of(owed) == chain_of(account):
            yield Question(account, "debt", token_contract(owed) or "")
    token = token_contract(asset)
    if token is not None:
        yield Question(account, "allowance", f"{token} {PERMIT2}")
        yield Question(account, "approvals", token)
        yield Question(account, "frozen", token)
