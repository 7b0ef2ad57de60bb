"""A plan on disk: written from a run's bundle, and derived again from it byte for byte."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from verifier.attestation.bundle import PLAN_FOLDER, Bundle, open_bundle, seal_manifest, write_parts
from verifier.canonical import canonical_json
from verifier.case import Case
from verifier.compensation.claim_tree import payouts_of, write_claims
from verifier.compensation.document import PLAN_FORMAT, Plan, make_document, paid_assets, plan_secret
from verifier.compensation.incident import Incident, parse_incident
from verifier.compensation.leaves import open_columns
from verifier.compensation.outcome import Outcome
from verifier.compensation.plan import Division, basis_of
from verifier.compensation.strategies import STRATEGIES, Strategy, strategy_named
from verifier.errors import InputError
from verifier.policy.pack import Pack
from verifier.records import parse_record
from verifier.reserves import Progress, silent

PLAN, INCIDENT = "plan.json", "incident.json"


def make_plan(
    bundle: Bundle,
    case: Case,
    incident: Incident,
    packs: Sequence[Pack],
    strategy: Strategy,
    out: Path | None,
    progress: Progress = silent,
) -> Plan:
    """Work out every strategy, and write the plan of the chosen one to a new folder; without `out` only return it.

    Raises InputError for an incident that does not fit the run, a run without a leaf list, and a folder that is there.
    """
    if out is None:
        with tempfile.TemporaryDirectory(prefix="por-plan-") as temporary:
            return _derive(bundle, case, incident, packs, strategy, Path(temporary), progress)
    if out.exists():
        raise InputError(f"{out}: exists already; name a new folder")
    aside = out.with_name(out.name + ".partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    plan = _derive(bundle, case, incident, packs, strategy, aside, progress)
    aside.rename(out)
    return plan


def check_plan(
    bundle: Bundle, case: Case, packs: Sequence[Pack], folder: Path, progress: Progress = silent
) -> list[str]:
    """Derive a plan again from the run and its own incident and strategy; return what is different, a line each."""
    with open_bundle(folder) as given, tempfile.TemporaryDirectory(prefix="por-plan-") as temporary:
        incident = parse_incident(given.read(INCIDENT) or b"", f"{folder}/{INCIDENT}")
        strategy = strategy_named(str(read_plan(given).get("chosen")))
        if strategy is None:
            raise InputError(f"{folder}/{PLAN}: names no strategy that is known here")
        derived = Path(temporary) / "plan"
        derived.mkdir()
        _derive(bundle, case, incident, packs, strategy, derived, progress)
        with open_bundle(derived) as again:
            names = sorted(given.manifest.files.keys() | again.manifest.files.keys())
            return [
                f"{name}: {_difference(name, given, again)}"
                for name in names
                if given.manifest.files.get(name) != again.manifest.files.get(name)
            ]


def read_plan(folder: Bundle) -> dict[str, Any]:
    """Return a plan's document as JSON values. Raises InputError when there is none."""
    content = folder.read(PLAN)
    if content is None:
        raise InputError(f"{folder.folder}: holds no {PLAN}")
    record = parse_record(content, f"{folder.folder}/{PLAN}", dict)
    if record.get("format") != PLAN_FORMAT:
        raise InputError(f"{folder.folder}/{PLAN}: is no plan; expected the format {PLAN_FORMAT!r}")
    return record


def _difference(name: str, given: Bundle, again: Bundle) -> str:
    if name not in again.manifest.files:
        return "does not follow from the run"
    return "is not what follows from the run" if name in given.manifest.files else "is missing"


def _derive(
    bundle: Bundle,
    case: Case,
    incident: Incident,
    packs: Sequence[Pack],
    strategy: Strategy,
    folder: Path,
    progress: Progress,
) -> Plan:
    # 1. What was lost and what there is, from the run alone
    basis = basis_of(case, incident, packs)
    columns = open_columns(bundle.folder / "liabilities")
    # 2. Every strategy side by side
    division = Division(basis, columns, progress=progress)
    outcomes: list[Outcome] = []
    left_out: list[tuple[str, str]] = []
    for one in STRATEGIES:
        if one is not strategy:
            _try(division, one, outcomes, left_out)
    found = division.by(strategy)
    if found is None:
        raise InputError(f"{strategy.name}: the incident names no tiers")
    chosen, paid = found
    outcomes.append(chosen)
    # 3. The tree of claims, over the very leaves that users hold
    assets, secret = paid_assets(basis, chosen), plan_secret(case.digest, incident.to_record(), strategy.name)
    payouts = payouts_of(columns.hashes(), paid, assets)
    run_id, count = f"plan-{incident.id}", columns.commitment.leaf_count
    claims = write_claims(folder, payouts, count, assets, run_id, incident.at, secret, progress)
    # 4. The document
    order = [one.name for one in STRATEGIES]
    outcomes.sort(key=lambda one: order.index(one.strategy))
    plan = make_document(basis, packs, outcomes, left_out, chosen, claims)
    write_parts(folder, {PLAN: plan.to_json(case.digest), INCIDENT: canonical_json(incident.to_record())})
    seal_manifest(folder, case.digest, PLAN_FOLDER)
    return plan


def _try(division: Division, strategy: Strategy, outcomes: list[Outcome], left_out: list[tuple[str, str]]) -> None:
    try:
        found = division.by(strategy)
    except InputError as error:
        left_out.append((strategy.name, str(error)))
        return
    if found is None:
        left_out.append((strategy.name, "the incident names no tiers"))
    else:
        outcomes.append(found[0])
