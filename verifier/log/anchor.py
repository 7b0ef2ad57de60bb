"""A log's head on a public chain: from then on nobody can have made it later."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from chains.ids import AccountId, ChainId
from chains.model import Tier
from chains.network import network_of
from chains.panel import survey
from chains.providers import Providers
from chains.questions import Question, ask_questions
from chains.transport import Transport
from verifier.declaration import utc_text
from verifier.errors import UnavailableError
from verifier.log.checkpoint import Checkpoint
from verifier.verdict import Verdict

MARK = b"por-log1"  # forty bytes with the digest: short enough for an OP_RETURN output everywhere


class Anchored(NamedTuple):
    """Whether a transaction carries a head, in which block, and how well that is known."""

    verdict: Verdict
    text: str
    height: int = 0
    block: str = ""
    tier: Tier = Tier.DECLARED
    operators: Sequence[str] = ()


def anchor_data(head: Checkpoint) -> bytes:
    """Return what to put on a chain: a mark and the SHA-256 of the head's text. EVM: data; Bitcoin: OP_RETURN."""
    return MARK + sha256(head.text.encode()).digest()


def check_anchor(
    head: Checkpoint, chain: ChainId, transaction: str, block: str, providers: Providers, transport: Transport
) -> Anchored:
    """Say whether a transaction of a final block carries a head; `block` is its block's hash, which Bitcoin nodes need.

    Raises UnavailableError when the operators name no common block.
    """
    network, voices, least = network_of(chain), providers.serving(chain), providers.minimum_operators
    pinned = survey(network, voices, transport, (), least).block
    if pinned is None:
        raise UnavailableError(f"{network.name}: the operators name no common block")
    question = Question(AccountId(f"{chain}:{transaction}"), "data", f"{transaction} {block}".strip())
    (told,) = ask_questions(network, voices, transport, pinned, [question], least)
    if told.text is None:
        return Anchored(Verdict.INDETERMINATE, told.failure)
    found = json.loads(told.text)
    if anchor_data(head).hex() not in found["data"]:
        return Anchored(Verdict.FAIL, f"the transaction carries other data than this head of {head.size:,} entries")
    text = f"in block {found['height']:,} of {network.name}, final by {utc_text(pinned.time)}"
    return Anchored(Verdict.PASS, text, found["height"], found["block"], told.tier, told.operators)
