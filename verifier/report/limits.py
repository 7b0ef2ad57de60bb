"""What a verdict does not prove, in plain words; every report says it."""

from chains.model import Balance, Tier
from verifier.run import Verification


def limits(result: Verification) -> list[str]:
    """Return the sentences that keep a reader from believing too much."""
    case = result.case
    sentences = [f"{judgement.pack.id}: not covered. {judgement.pack.not_covered}" for judgement in result.judgements]
    tiers = {position.result.tier for position in case.positions if isinstance(position.result, Balance)}
    if Tier.OBSERVED in tiers:
        sentences.append("Some balances rest on one operator's word: nobody independent confirmed them.")
    if case.liabilities and case.liabilities.tier is Tier.DECLARED:
        sentences.append("What clients are owed is the exchange's statement: the list behind it was not handed over.")
    if case.liabilities:
        sentences.append(
            "A client left out of the liabilities is found only when clients check their own proof (`por check`)."
        )
    unbound = [p for p in case.positions if p.ownership and not p.ownership.bound]
    if unbound:
        sentences.append(
            f"{len(unbound)} ownership signatures name neither this exchange nor this date: they may be old."
        )
    sentences.append("Coins that were borrowed for the snapshot look like any others here.")
    return sentences
