"""Ask again: a random sample of a recorded run's balances, through the verifier's own providers."""

from collections.abc import Mapping, Sequence
from secrets import SystemRandom
from typing import NamedTuple

from chains.ids import ChainId, chain_of
from chains.model import Balance, BlockRef, Disagreement, Holding
from chains.network import network_of
from chains.panel import read_at
from chains.providers import Providers
from chains.transport import Transport
from verifier.case import Case
from verifier.policy.finding import Finding, Level, Reason
from verifier.verdict import Verdict

SAMPLE = 100
RULE = "recheck"
SET_RULE = "utxo-set"
SEAL_RULE = "seal"


class Sample(NamedTuple):
    """Balances of one chain to ask again, all at the block that the run pinned."""

    block: BlockRef
    balances: tuple[Balance, ...]


def draw_samples(case: Case, size: int = SAMPLE) -> list[Sample]:
    """Draw up to `size` recorded balances per chain, unpredictably."""
    blocks = {block.chain: block for block in case.blocks}
    by_chain: dict[ChainId, list[Balance]] = {chain: [] for chain in blocks}
    for position in case.positions:
        if isinstance(position.result, Balance):
            by_chain[chain_of(position.result.holding.account)].append(position.result)
    draw = SystemRandom()
    return [
        Sample(blocks[chain], tuple(draw.sample(found, min(size, len(found)))))
        for chain, found in by_chain.items()
        if found
    ]


def recheck(case: Case, providers: Providers, transport: Transport, size: int = SAMPLE) -> list[Finding]:
    """Read a sample of the run's balances again at the same blocks, and report each chain's outcome.

    A different balance fails the run; what cannot be read again (no provider, or one that only reads its newest
    block) is said, and changes no verdict.
    """
    findings = []
    for block, balances in draw_samples(case, size):
        voices = providers.serving(block.chain)
        name = network_of(block.chain).name
        holdings = [balance.holding for balance in balances]
        if not voices:
            findings.append(_open(name, f"no provider of yours serves {name}: nothing of it was asked again."))
            continue
        again = read_at(network_of(block.chain), voices, transport, block, holdings, providers.minimum_operators)
        findings.append(_compare(name, balances, again))
    return findings


def coin_set_findings(outcomes: Mapping[ChainId, str]) -> list[Finding]:
    """Report each chain whose whole set of coins was read again: whether the bundle's extract follows from it."""
    findings = []
    for chain, wrong in outcomes.items():
        name = network_of(chain).name
        if wrong:
            text = f"The coins this bundle names on {name} are not those of the set it names: {wrong}."
            findings.append(Finding(SET_RULE, name, Verdict.FAIL, Reason.CONTRADICTION, text))
        else:
            text = f"Every coin on {name} was found again in the whole set of unspent coins, and the set has its hash."
            findings.append(Finding(SET_RULE, name, Verdict.PASS, Reason.SATISFIED, text))
    return findings


def _compare(name: str, recorded: Sequence[Balance], again: Sequence[Balance | Disagreement]) -> Finding:
    read = {result.holding: result for result in again if isinstance(result, Balance)}
    wrong = [known for known in recorded if known.holding in read and read[known.holding].units != known.units]
    if wrong:
        first = wrong[0]
        text = (
            f"{len(wrong)} of {len(read)} balances of {name} differ from the recorded ones. The first,"
            f" {_show(first.holding)}: recorded {first.units}, read again {read[first.holding].units} base units."
        )
        return Finding(RULE, name, Verdict.FAIL, Reason.CONTRADICTION, text)
    if not read:
        why = next(
            (a.failure for r in again if isinstance(r, Disagreement) for a in r.answers if a.failure), "no answer"
        )
        return _open(name, f"none of {len(recorded)} balances of {name} could be read again: {why}.")
    text = f"{len(read)} of {len(recorded)} sampled balances of {name} were read again and are the same."
    evidence = tuple(sorted({item for balance in read.values() for item in balance.evidence}))
    return Finding(RULE, name, Verdict.PASS, Reason.SATISFIED, text, evidence=evidence)


def _open(name: str, text: str) -> Finding:
    return Finding(RULE, name, Verdict.INDETERMINATE, Reason.MISSING_INPUT, text, Level.INFO)


def _show(holding: Holding) -> str:
    return f"{holding.asset} at {holding.account}"
