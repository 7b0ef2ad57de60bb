"""Readings of independent operators become a balance, or a disagreement that keeps every answer."""

from collections.abc import Sequence

from chains.errors import ChainError
from chains.model import (
    Balance,
    BlockRef,
    Disagreement,
    DisagreementReason,
    Holding,
    ProofKind,
    Reading,
    Tier,
    UnspentOutput,
)


def agree_on_block(candidates: Sequence[tuple[str, BlockRef]], minimum_operators: int) -> BlockRef | None:
    """Return the block that at least `minimum_operators` operators name, and no operator contradicts; else None.

    `candidates` are (operator, block) pairs at one height.
    """
    named = {block.hash: block for _, block in candidates}
    operators = {operator for operator, _ in candidates}
    if len(named) != 1 or len(operators) < minimum_operators:
        return None
    return next(iter(named.values()))


def agree_on_balance(
    holding: Holding, block: BlockRef, readings: Sequence[Reading], minimum_operators: int
) -> Balance | Disagreement:
    """Turn one holding's readings into a Balance when enough operators give exactly the same units at `block`.

    Every usable answer must be equal: one that differs makes a Disagreement, never a median. Failures are not answers.
    Answers of one operator count once. Raises ChainError when `minimum_operators` is below 1: an empty quorum would
    make a balance from nothing.
    """
    if minimum_operators < 1:
        raise ChainError(f"a quorum of {minimum_operators} operators would prove nothing; ask for at least 1")
    answers = [reading for reading in readings if reading.units is not None]
    if any(answer.block.hash != block.hash for answer in answers):
        return Disagreement(holding, DisagreementReason.BLOCKS_DIFFER, tuple(readings))
    units = {answer.units for answer in answers if answer.units is not None}
    if len(units) > 1:
        return Disagreement(holding, DisagreementReason.VALUES_DIFFER, tuple(readings))
    operators = tuple(sorted({answer.operator for answer in answers}))
    if len(operators) < minimum_operators:
        return Disagreement(holding, DisagreementReason.TOO_FEW_ANSWERS, tuple(readings))
    tier = Tier.CORROBORATED if len(operators) >= 2 else Tier.OBSERVED
    evidence = tuple(sorted({item for answer in answers for item in answer.evidence}))
    return Balance(holding, units.pop(), block, tier, operators, evidence, coins=_same_coins(answers))


def weigh_proof(
    result: Balance | Disagreement, proof: Reading, kind: ProofKind, root: str = ""
) -> Balance | Disagreement:
    """Join what the operators made of a holding with what a checked proof says: the same units, or a Disagreement.

    A proof that leads to a `root` also stands where too few operators answered, as long as none of them differs; such a
    balance has the tier of those who did answer, down to DECLARED. Where operators contradict each other it settles
    nothing: somebody lies, and all answers are kept.
    """
    if proof.units is None:
        return result
    if isinstance(result, Disagreement):
        if result.reason is not DisagreementReason.TOO_FEW_ANSWERS or not root:
            return result
        answers = tuple(answer for answer in result.answers if answer.units is not None)
        if any(answer.units != proof.units for answer in answers):
            return Disagreement(result.holding, DisagreementReason.PROOF_DIFFERS, (*answers, proof))
        operators = tuple(sorted({answer.operator for answer in answers}))
        evidence = tuple(sorted({*proof.evidence, *(item for answer in answers for item in answer.evidence)}))
        tier = (Tier.DECLARED, Tier.OBSERVED, Tier.CORROBORATED)[min(len(operators), 2)]
        return Balance(result.holding, proof.units, proof.block, tier, operators, evidence, kind, root, proof.coins)
    if proof.units != result.units:
        said = Reading(result.holding, ", ".join(result.operators), result.block, result.units, result.evidence)
        return Disagreement(result.holding, DisagreementReason.PROOF_DIFFERS, (said, proof))
    evidence = tuple(sorted({*result.evidence, *proof.evidence}))
    coins = result.coins if proof.coins is None else proof.coins
    return result._replace(evidence=evidence, proof=kind, root=root, coins=coins)


def _same_coins(answers: Sequence[Reading]) -> tuple[UnspentOutput, ...] | None:
    """Return the coins that all who list any list alike; whether a coin is of a coinbase some do not tell."""
    listed = [answer.coins for answer in answers if answer.coins is not None]
    bare = {tuple(coin._replace(coinbase=None) for coin in coins) for coins in listed}
    if len(bare) != 1:
        return None
    return max(listed, key=lambda coins: sum(coin.coinbase is not None for coin in coins))
