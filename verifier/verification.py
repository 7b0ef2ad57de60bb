"""What a bundle comes to, derived from it alone: the case, the findings by each rulebook, the verdict."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from chains.doors import NetworkTransport
from chains.providers import Providers
from chains.transport import Transport
from verifier.attestation.bundle import Bundle, open_bundle
from verifier.case import Case
from verifier.coin_sets import recheck_coin_sets
from verifier.diff.runs import RunDiff, compare_runs
from verifier.errors import InputError
from verifier.judged import check_stated, stated_ids
from verifier.policy.evaluate import Judgement, evaluate_all
from verifier.policy.finding import Finding, Level
from verifier.policy.library import load_pack, pack_names
from verifier.recheck import coin_set_findings, recheck
from verifier.reserves import Progress, silent
from verifier.run import replay
from verifier.verdict import Verdict, worst

DEFAULT_PACKS = ("model-basic",)


class Verification(NamedTuple):
    """What a verdict rests on and what it is, pack by pack; the overall verdict is the worst.

    `bundle` is the digest of the bundle's manifest, which names every part by its own; `earlier` is what has changed
    since an earlier run of the exchange, where one was handed in.
    """

    case: Case
    judgements: tuple[Judgement, ...]
    rechecked: tuple[Finding, ...] = ()
    bundle: str = ""
    earlier: RunDiff | None = None

    @property
    def verdict(self) -> Verdict:
        judged = [judgement.verdict for judgement in self.judgements]
        return worst(judged + [finding.verdict for finding in self.rechecked if finding.level is Level.MUST])

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding once: what is wrong whatever the law says is not repeated for each pack."""
        judged = (finding for judgement in self.judgements for finding in judgement.findings)
        return (*dict.fromkeys(judged), *self.rechecked)


def verify_bundle(
    path: str | Path,
    packs: Sequence[str] | None = None,
    recheck_with: Providers | None = None,
    transport: Transport | None = None,
    trusted_roots: Collection[str] = (),
    utxo_sets: Sequence[Path] = (),
    progress: Progress = silent,
    as_of: str = "",
) -> Verification:
    """Verify a bundle folder or zip, offline, by one or more packs; with `recheck_with`, ask a sample of it again.

    Without `packs` it is judged by those whose verdicts it states, or by `DEFAULT_PACKS`. `trusted_roots` are the
    verifier's own: of finalized beacon blocks, or hashes over all unspent coins. A balance whose proof leads to one of
    them is proven, whoever handed over the bundle. `utxo_sets` are the verifier's own files for sets that the bundle
    only names. `as_of` (YYYY-MM-DD) takes the packs' numbers of that day instead of the declaration's. Raises
    InputError when the bundle is not whole, a pack is unknown or a root is none, UnavailableError when there is no
    bundle.
    """
    if packs is not None and not packs:
        raise InputError("name at least one pack: without rules there is nothing to judge")
    rulebooks = [load_pack(name) for name in packs or ()]
    with open_bundle(Path(path)) as bundle:
        # 1. What follows from the evidence alone
        case, coin_sets = replay(bundle, progress)
        rulebooks = rulebooks or [load_pack(name) for name in _stated_packs(bundle) or DEFAULT_PACKS]
        judgements = evaluate_all(case, rulebooks)
        stated = list(check_stated(bundle, judgements))
        sets = recheck_coin_sets(bundle, coin_sets, utxo_sets, progress)
        name = bundle.digest
    # 2. What follows for somebody who trusts these roots, on that day
    trusting = case.trusting(trusted_roots, [chain for chain, wrong in sets.items() if not wrong])
    if as_of or trusting != case:
        judgements = evaluate_all(trusting, rulebooks, as_of)
    # 3. What a sample says that is asked again
    asked = recheck(trusting, recheck_with, transport or NetworkTransport()) if recheck_with else []
    return Verification(trusting, judgements, (*coin_set_findings(sets), *stated, *asked), name)


def _stated_packs(bundle: Bundle) -> list[str]:
    """Return the rulebooks whose verdicts a bundle states, as far as we ship them."""
    return [name for name in stated_ids(bundle) if name in pack_names()]


def since(result: Verification, earlier: Path) -> Verification:
    """Return a verification that also says what has changed since an earlier run, by the same rulebooks.

    Raises InputError when the earlier bundle is not whole or of another exchange.
    """
    with open_bundle(earlier) as bundle:
        before, _ = replay(bundle)
    packs = [judgement.pack for judgement in result.judgements]
    return result._replace(earlier=compare_runs(before, result.case, packs=packs))
