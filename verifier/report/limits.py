"""What a verdict does not prove, in plain words; every report says it."""

from chains.model import Balance, ProofKind, Tier
from chains.network import network_of
from verifier.case import Case
from verifier.declaration import utc_seconds, utc_text
from verifier.ownership.binding import Binding
from verifier.recheck import RULE
from verifier.run import Verification
from verifier.verdict import Verdict

TOLERATED_SECONDS = 3_600


def limits(result: Verification) -> list[str]:
    """Return the sentences that keep a reader from believing too much."""
    case = result.case
    sentences = [f"{judgement.pack.id}: not covered. {judgement.pack.not_covered}" for judgement in result.judgements]
    tiers = {case.tier_of(position.result) for position in case.positions if isinstance(position.result, Balance)}
    if Tier.DECLARED in tiers:
        sentences.append("Some balances rest on data that the exchange handed over: no operator confirmed them.")
    if Tier.OBSERVED in tiers:
        sentences.append("Some balances rest on one operator's word: nobody independent confirmed them.")
    sentences += _proofs(case)
    sentences += [f"{left_out.operator} was not believed: {left_out.reason}." for left_out in case.exclusions]
    for block in case.blocks:
        network = network_of(block.chain)
        read_at = f"{network.name} was read at block {block.height:,} of {utc_text(block.time)}"
        if network.finality.rule == "depth":
            sentences.append(
                f"{read_at}; while fewer than {network.finality.depth} blocks follow it, it may still be replaced."
            )
        elif abs(block.time - utc_seconds(case.declaration.as_of)) > TOLERATED_SECONDS:
            sentences.append(f"{read_at}; the declaration speaks of {case.declaration.as_of}.")
    if case.liabilities and case.liabilities.tier is Tier.DECLARED:
        sentences.append("What clients are owed is the exchange's statement: the list behind it was not handed over.")
    if case.liabilities:
        sentences.append(
            "A client left out of the liabilities is found only when clients check their own proof (`por check`)."
        )
    unbound = [p for p in case.positions if p.ownership and p.ownership.binding is Binding.NONE]
    if unbound:
        sentences.append(
            f"{len(unbound)} ownership signatures name neither this exchange nor this date: they may be old."
        )
    asked_again = any(finding.verdict is Verdict.PASS and finding.rule == RULE for finding in result.rechecked)
    if tiers - {Tier.PROVEN} and not asked_again:
        sentences.append(
            "The answers were recorded by whoever made this bundle. That the verdict follows from them is proven, that"
            " the operators gave them is not: ask some again through your own providers (--recheck)."
        )
    sentences += _borrowing(case)
    return sentences


def _borrowing(case: Case) -> list[str]:
    """Say what the run cannot tell of coins that are only lent, and who can have chosen the blocks that were drawn."""
    if not case.past.windows:
        return ["Coins that were borrowed for the snapshot look like any others here: no window before it was read."]
    days = max((window.last.time - window.opening.time) // 86_400 for window in case.past.windows)
    sentences = [
        f"Coins that were borrowed for longer than the {days} days that were looked back look like any others."
    ]
    if any(window.drawn for window in case.past.windows):
        sentences.append(
            "The drawn blocks follow from the seed in window.json and from the pinned block: that nobody chose them is"
            " shown only where the seed's SHA-256 was published before."
        )
    return sentences


def _proofs(case: Case) -> list[str]:
    """Say to which roots proofs lead, and which of them somebody still has to trust."""
    sentences = []
    for anchor in case.anchors:
        name = network_of(anchor.block.chain).name
        if anchor.root in case.proven_roots:
            sentences.append(f"The proofs on {name} rest on the root {anchor.root}, which you trust: {anchor.about}.")
            continue
        unread = anchor.kind is ProofKind.UTXO_SET and anchor.block.chain not in case.scanned
        file = " and hand in the file (--utxo-set)" if unread else ""
        sentences.append(
            f"The proofs on {name} lead to the root {anchor.root}, chosen by whoever made this bundle"
            f" ({anchor.about}): find it in sources of your own, state it (--trust){file}."
        )
    bare = {
        result.block.chain
        for position in case.positions
        if isinstance(result := position.result, Balance) and result.proof and not result.root
    }
    for chain in sorted(bare):
        sentences.append(
            f"State proofs on {network_of(chain).name} end at the block's hash, which the operators name: the number is"
            " as good as that hash, and nothing here ties it to a root of Ethereum's."
        )
    sentences += [f"You trust the root {root}: no proof in this bundle leads to it." for root in case.unmet_roots]
    return sentences
