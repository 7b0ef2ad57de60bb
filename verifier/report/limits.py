"""What a verdict does not prove, in plain words; every report says it."""

from collections.abc import Iterator

from chains.model import Balance, ProofKind, Tier
from chains.network import network_of
from verifier.case import Case
from verifier.declaration import utc_seconds, utc_text
from verifier.drill import Drilled
from verifier.ownership.binding import Binding
from verifier.policy.japanese import in_japanese
from verifier.recheck import RULE
from verifier.report.words import Words, words_of
from verifier.verdict import Verdict
from verifier.verification import Verification

TOLERATED_SECONDS = 3_600


def limits(result: Verification, say: Words | None = None) -> list[str]:
    """Return the sentences that keep a reader from believing too much, in English unless other words are given."""
    say = say or words_of("en")
    return [*_rulebooks(result, say), *_balances(result, say), *_liabilities(result.case, say), *_rest(result, say)]


def _rulebooks(result: Verification, say: Words) -> Iterator[str]:
    for judgement in result.judgements:
        said = judgement.pack.not_covered
        text = in_japanese(said) if say.japanese else said
        yield say("limits.not_covered", pack=judgement.pack.id, text=text)


def _balances(result: Verification, say: Words) -> Iterator[str]:
    case = result.case
    tiers = _tiers(case)
    if Tier.DECLARED in tiers:
        yield say("limits.declared")
    if Tier.OBSERVED in tiers:
        yield say("limits.observed")
    yield from _proofs(case, say)
    for left_out in case.exclusions:
        yield say("limits.excluded", operator=left_out.operator, reason=_foreign(left_out.reason, say))
    for block in case.blocks:
        network = network_of(block.chain)
        read = {"network": network.name, "height": block.height, "time": utc_text(block.time)}
        if network.finality.rule == "depth":
            yield say("limits.depth", depth=network.finality.depth, **read)
        elif abs(block.time - utc_seconds(case.declaration.as_of)) > TOLERATED_SECONDS:
            yield say("limits.apart", as_of=case.declaration.as_of, **read)


def _liabilities(case: Case, say: Words) -> Iterator[str]:
    if case.liabilities and case.liabilities.tier is Tier.DECLARED:
        yield say("limits.owed_declared")
    if case.liabilities:
        yield say("limits.left_out")


def _rest(result: Verification, say: Words) -> Iterator[str]:
    case = result.case
    unbound = [p for p in case.positions if p.ownership and p.ownership.binding is Binding.NONE]
    if unbound:
        yield say("limits.unbound", count=len(unbound))
    asked_again = any(finding.verdict is Verdict.PASS and finding.rule == RULE for finding in result.rechecked)
    if _tiers(case) - {Tier.PROVEN} and not asked_again:
        yield say("limits.recorded")
    yield from _borrowing(case, say)
    if case.drilled is not None:
        yield _drill(case.drilled, say)


def _tiers(case: Case) -> set[Tier]:
    return {case.tier_of(position.result) for position in case.positions if isinstance(position.result, Balance)}


def _foreign(text: str, say: Words) -> str:
    return in_japanese(text) if say.japanese else text


def _drill(drilled: Drilled, say: Words) -> str:
    """Say what a drill showed, and who can have chosen its wallets."""
    half, most = (
        say("limits.drill_not_yet") if seconds is None else say("limits.drill_hours", count=-(-seconds // 3_600))
        for seconds in (drilled.half, drilled.most)
    )
    return say("limits.drill", moved=drilled.moved, wallets=drilled.wallets, half=half, most=most)


def _borrowing(case: Case, say: Words) -> Iterator[str]:
    """Say what the run cannot tell of coins that are only lent, and who can have chosen the blocks that were drawn."""
    if not case.past.windows:
        yield say("limits.no_window")
        return
    days = max((window.last.time - window.opening.time) // 86_400 for window in case.past.windows)
    yield say("limits.borrowed", days=days)
    if any(window.drawn for window in case.past.windows):
        yield say("limits.drawn")


def _proofs(case: Case, say: Words) -> Iterator[str]:
    """Say to which roots proofs lead, and which of them somebody still has to trust."""
    for anchor in case.anchors:
        facts = {"network": network_of(anchor.block.chain).name, "root": anchor.root}
        about = _foreign(anchor.about, say)
        if anchor.root in case.proven_roots:
            yield say("limits.root_trusted", about=about, **facts)
            continue
        unread = anchor.kind is ProofKind.UTXO_SET and anchor.block.chain not in case.scanned
        yield say("limits.root_to_find_file" if unread else "limits.root_to_find", about=about, **facts)
    bare = {
        result.block.chain
        for position in case.positions
        if isinstance(result := position.result, Balance) and result.proof and not result.root
    }
    for chain in sorted(bare):
        yield say("limits.bare_proof", network=network_of(chain).name)
    for root in case.unmet_roots:
        yield say("limits.unmet_root", root=root)
