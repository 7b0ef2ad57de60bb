"""The one path from a declaration to a case, as numbered steps; replay walks it again without a network."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from chains.bitcoin.utxo.extract import Extract
from chains.decode import parse_json
from chains.doors import NetworkTransport
from chains.errors import ChainError
from chains.ids import AccountId, ChainId
from chains.model import Disagreement
from chains.providers import Providers, from_public_record, public_record
from chains.transcript import RecordingTransport, ReplayTransport, Transcript
from chains.transport import Transport
from verifier.attestation.bundle import Bundle, seal_manifest, write_parts
from verifier.canonical import canonical_json
from verifier.case import Case, Position
from verifier.coin_sets import gather_coin_sets, read_coin_sets
from verifier.declaration import Declaration, load_declaration, parse_declaration
from verifier.errors import InputError, PartitionError, UnavailableError
from verifier.further import BALANCES_ONLY, Further, Plans, read_further, read_plans
from verifier.judged import judged_parts, read_rulebook
from verifier.liabilities.check import Liabilities, check_liabilities
from verifier.liabilities.places import COMMITMENT, LEAF_LIST, LEAVES
from verifier.observed import Observed
from verifier.ownership.claims import Ownership, check_ownership
from verifier.reserves import Placements, Progress, Reserves, place_holdings, read_reserves, silent
from verifier.snapshot import PriceQuote, load_prices, merged_prices, parse_prices, price_records


class Collected(NamedTuple):
    """A finished collection: where the bundle is, the case in it, how many answers came from an interrupted run.

    `refused` says of which prices too little was heard.
    """

    bundle: Path
    case: Case
    calls: int
    resumed: int
    refused: tuple[str, ...] = ()


def collect(
    declaration_path: Path,
    providers: Providers,
    out: Path,
    liabilities: Path | None = None,
    prices: Path | None = None,
    progress: Progress = silent,
    transport: Transport | None = None,
    utxo_sets: Sequence[Path] = (),
    plans: Plans = BALANCES_ONLY,
    packs: Sequence[str] = (),
) -> Collected:
    """Read the chains once and keep the evidence in the bundle folder `out`.

    An interrupted run leaves `out` + ".partial"; the same call resumes it and asks nothing twice. `utxo_sets` are
    `dumptxoutset` files: on their chains balances are proven at the block each was written at. `plans` say what is read
    beyond balances. What the run comes to by `packs` is kept with their texts. Raises InputError for a malformed
    declaration, an unknown pack or a coin declared twice, UnavailableError when a whole chain could not be read.
    """
    # 1. What the exchange says, every coin in exactly one pool.
    declaration, placements = _partitioned(declaration_path)
    rulebooks = [read_rulebook(name) for name in packs]
    if out.exists():
        raise InputError(f"{out}: exists already; name a new folder")
    # 2. A place where nothing gathered is lost; an interrupted run keeps the blocks it drew.
    plans = plans.resumed(out.with_name(out.name + ".partial"))
    staging = _stage(out, declaration, providers, liabilities, prices, plans)
    journal = staging.with_name(out.name + ".journal")
    coin_sets = gather_coin_sets(utxo_sets, placements.placements, staging, progress)
    # 3. The only step that touches the network.
    recording = RecordingTransport(transport or NetworkTransport(), journal)
    try:
        reserves = read_reserves(placements.placements, providers, recording, progress, coin_sets)
        further = read_further(
            plans, declaration, placements.placements, reserves.surveys, providers, recording, progress
        )
    finally:
        transcript = recording.close()
    _refuse_unreachable(reserves, out)
    # 4. The evidence, and the case that follows from it.
    (staging / "transcript.jsonl").write_bytes(transcript.to_bytes())
    quotes = load_prices(staging / "prices.json") if (staging / "prices.json").exists() else ()
    known = check_liabilities(declaration, staging / "liabilities" if liabilities else None)
    owners = _check_claims(declaration, further.observed, reserves, progress)
    case = _build_case(declaration, placements, reserves, further, owners, known, quotes, transcript.digest)
    write_parts(staging, judged_parts(case, rulebooks))
    seal_manifest(staging, case.digest)
    staging.rename(out)
    journal.unlink()
    return Collected(out, case, len(transcript), recording.resumed, further.prices.refused)


def replay(bundle: Bundle, progress: Progress = silent) -> tuple[Case, Mapping[ChainId, Extract]]:
    """Walk the same path over the transcript alone; return the case and the coin sets that it rests on.

    Raises InputError when the bundle does not follow from itself.
    """
    declaration = parse_declaration(_part(bundle, "declaration.json"), "declaration.json")
    quotes = parse_prices(bundle.read("prices.json") or b"[]", "prices.json")
    plans = read_plans(bundle)
    transcript_path = bundle.path("transcript.jsonl")
    if transcript_path is None:
        raise InputError(f"{bundle.folder}: has no transcript.jsonl, so there is no evidence to judge")
    try:
        providers = from_public_record(parse_json(_part(bundle, "providers.json")))
        transcript = Transcript.load(transcript_path)
        transport = ReplayTransport(transcript)
        placements = place_holdings(declaration)
        coin_sets = read_coin_sets(bundle, placements.chains)
        reserves = read_reserves(placements.placements, providers, transport, coin_sets=coin_sets)
        further = read_further(plans, declaration, placements.placements, reserves.surveys, providers, transport)
    except ChainError as error:
        raise InputError(f"{bundle.folder}: {error}") from error
    if transport.unused():
        raise InputError(f"{bundle.folder}: the transcript holds {transport.unused()} calls that no step asked for")
    folder = bundle.folder / "liabilities" if bundle.path("liabilities/commitment.json") else None
    known = check_liabilities(declaration, folder)
    owners = _check_claims(declaration, further.observed, reserves, progress)
    case = _build_case(declaration, placements, reserves, further, owners, known, quotes, transcript.digest)
    if case.digest != bundle.manifest.case:
        raise InputError(
            f"{bundle.folder}: the evidence gives the case {case.digest}, the manifest names {bundle.manifest.case}"
        )
    return case, coin_sets


def _partitioned(path: Path) -> tuple[Declaration, Placements]:
    """Return a declaration with every coin in exactly one pool."""
    declaration = load_declaration(path)
    placements = place_holdings(declaration)
    if placements.overlaps:
        raise PartitionError(f"{path}: {placements.overlaps[0].describe(declaration)}")
    return declaration, placements


def _stage(
    out: Path,
    declaration: Declaration,
    providers: Providers,
    liabilities: Path | None,
    prices: Path | None,
    plans: Plans,
) -> Path:
    parts = {
        "declaration.json": canonical_json(declaration.to_record()),
        "providers.json": canonical_json(public_record(providers)),
    }
    if prices is not None:
        parts["prices.json"] = canonical_json(price_records(load_prices(prices)))
    parts |= plans.parts()
    staging = out.with_name(out.name + ".partial")
    kept = staging / "declaration.json"
    if kept.exists() and kept.read_bytes() != parts["declaration.json"]:
        raise InputError(f"{staging}: left over from another declaration; remove it, or name another --out")
    shutil.rmtree(staging, ignore_errors=True)  # what was gathered is in the journal beside it
    write_parts(staging, parts)
    if liabilities is not None:
        (staging / "liabilities").mkdir(exist_ok=True)
        for name in (COMMITMENT, LEAVES):
            if (liabilities / name).exists():
                shutil.copyfile(liabilities / name, staging / "liabilities" / name)
        if (liabilities / LEAF_LIST).is_dir():
            shutil.copytree(liabilities / LEAF_LIST, staging / "liabilities" / LEAF_LIST)
    return staging


def _refuse_unreachable(reserves: Reserves, out: Path) -> None:
    for survey in reserves.surveys:
        if survey.block is None and all(isinstance(result, Disagreement) for result in survey.results):
            reasons = "; ".join(item.reason for item in survey.exclusions) or "the operators name no common block"
            raise UnavailableError(
                f"{survey.network.name}: {reasons}. What was read is kept; run the same command again to go on ({out})"
            )


def _build_case(
    declaration: Declaration,
    placements: Placements,
    reserves: Reserves,
    further: Further,
    owners: Mapping[AccountId, Ownership],
    liabilities: Liabilities | None,
    prices: tuple[PriceQuote, ...],
    transcript_digest: str,
) -> Case:
    positions = tuple(
        Position(placement, reserves.results[placement.holding], owners.get(placement.holding.account))
        for placement in placements.placements
    )
    return Case(
        declaration=declaration,
        positions=positions,
        overlaps=placements.overlaps,
        blocks=tuple(survey.block for survey in reserves.surveys if survey.block is not None),
        exclusions=tuple(exclusion for survey in reserves.surveys for exclusion in survey.exclusions),
        anchors=tuple(survey.anchor for survey in reserves.surveys if survey.anchor is not None),
        liabilities=liabilities,
        prices=merged_prices(prices, further.prices.quotes),
        transcript=transcript_digest,
        past=further.past,
        observed=further.observed,
        drilled=further.drilled,
        heard=further.prices.heard,
    )


def _check_claims(
    declaration: Declaration, observed: Observed, reserves: Reserves, progress: Progress
) -> dict[AccountId, Ownership]:
    of = len(declaration.ownership)

    def report(done: int) -> None:
        progress("claims of control", done, of)

    return check_ownership(declaration, observed, report, reserves.heights, reserves.newest)


def _part(bundle: Bundle, name: str) -> bytes:
    content = bundle.read(name)
    if content is None:
        raise InputError(f"{bundle.folder}: has no {name}")
    return content
