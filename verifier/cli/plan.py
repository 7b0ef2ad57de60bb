"""por plan: after an incident, who is paid how much, from what, and how soon."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli.keys import PublicHalf
from verifier.cli.terminal import print_result, progress_bars

if TYPE_CHECKING:
    from verifier.compensation.document import Plan
    from verifier.compensation.outcome import Outcome

EXAMPLE = """Work out who is paid how much after an incident, from a verified run alone.

Example: por plan run-2026-11/ --incident incident.json --pack jp-psa-63-11 --pack jp-liability-reserve --out plan/

incident.json: {"format": "reserve-verifier/incident/1", "id": "2026-11-hack", "at": "2026-11-22T03:00:00Z",
"currency": "JPY", "losses": [{"scope": "all-hot"}]}; or {"wallet": "eip155:1:0x…"}, with "asset" and "units" for a
part, {"scope": "largest-wallet"}, {"pool": "client-cold", "fraction": "1/4"}.

Every way to divide is shown side by side; --strategy chooses the one whose payouts are written, leaf by leaf, with a
tree of claims: a user checks the payout with the receipt they hold (por check receipt.json --plan plan/). --check PLAN
derives a plan again from the run. Nothing is signed for payment or sent.

Exit codes: 0 every claim is covered, 1 not covered, 2 not decided.
"""
Pack = Annotated[list[str] | None, typer.Option(help="a rulebook: the order of sources, and who approves; repeatable")]
ChosenStrategy = Annotated[str, typer.Option(help="same-asset-first, pro-rata, small-accounts-whole or priority-tiers")]


def plan(
    bundle: Annotated[Path, typer.Argument(help="a bundle folder or zip, with its leaf list")],
    incident: Annotated[Path | None, typer.Option(help="what happened (JSON)")] = None,
    pack: Pack = None,
    strategy: ChosenStrategy = "same-asset-first",
    out: Annotated[Path | None, typer.Option(help="a new folder for the plan")] = None,
    check: Annotated[Path | None, typer.Option(help="derive this plan again and compare it byte for byte")] = None,
    key: Annotated[str | None, typer.Option(help="seal the plan with this key (PEM file or URI)")] = None,
    public: PublicHalf = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.compensation.strategies import STRATEGIES, strategy_named
    from verifier.errors import InputError

    chosen = strategy_named(strategy)
    if chosen is None:
        raise InputError(f"unknown strategy {strategy!r}; known: {', '.join(one.name for one in STRATEGIES)}")
    if check is not None:
        _check(bundle, pack or [], check, as_json)
    if incident is None:
        raise InputError("name what happened with --incident (por plan --help shows its form)")
    from verifier.attestation.bundle import open_bundle
    from verifier.compensation.folder import make_plan
    from verifier.compensation.incident import load_incident
    from verifier.policy.library import load_pack
    from verifier.run import replay

    told, packs = load_incident(incident), [load_pack(name) for name in pack or []]
    with progress_bars() as report, open_bundle(bundle) as opened:
        case, _ = replay(opened, report)
        done = make_plan(opened, case, told, packs, chosen, out, report)
    if key is not None and out is not None:
        _seal(out, done, key, public)
    print_result({**done.to_record(), "case": case.digest}, as_json, list(_lines(done, out)))
    raise typer.Exit(done.verdict.exit_code)


plan.__doc__ = EXAMPLE


def _check(bundle: Path, pack: list[str], folder: Path, as_json: bool) -> None:
    from verifier.attestation.bundle import open_bundle
    from verifier.compensation.folder import check_plan
    from verifier.policy.library import load_pack
    from verifier.run import replay

    packs = [load_pack(name) for name in pack]
    with progress_bars() as report, open_bundle(bundle) as opened:
        case, _ = replay(opened, report)
        different = check_plan(opened, case, packs, folder, report)
    verdict = "fail" if different else "pass"
    said = [f"FAIL: {folder} does not follow from {bundle}", *(f"  {one}" for one in different)]
    record = {"verdict": verdict, "case": case.digest, "different": different}
    print_result(record, as_json, said if different else [f"PASS: {folder} follows from {bundle}, byte for byte"])
    raise typer.Exit(1 if different else 0)


def _seal(out: Path, done: "Plan", key: str, public: Path | None) -> None:
    from verifier.compensation.sealing import seal_plan
    from verifier.files import write_file

    write_file(out.with_name(f"{out.name}.dsse.json"), seal_plan(out, done, key, public))


def _lines(done: "Plan", out: Path | None) -> Iterator[str]:
    money = done.money
    yield f"{str(done.verdict).upper()}: {done.basis.incident.id}, {done.chosen.strategy}"
    for loss in done.basis.losses:
        if loss.short:
            yield f"  short of {done.units(loss.asset, loss.short)}, worth {money(loss.value)}"
    yield f"  {'strategy':22}{'in kind':>22}{'in money':>22}{'uncovered':>22}  first payment"
    for one in done.outcomes:
        mark = "*" if one.strategy == done.chosen.strategy else " "
        amounts = "".join(f"{money(amount):>22}" for amount in (one.in_kind, one.paid, one.uncovered))
        yield f"{mark} {one.strategy:22}{amounts}  {_first(one)}"
    for name, reason in done.left_out:
        yield f"  {name}: left out, {reason}"
    for draw in done.chosen.draws:
        yield f"  from {draw.source}: {done.units(draw.unit, draw.used)} of {done.units(draw.unit, draw.held)}"
    yield from (f"  open: {reason}" for reason in done.reasons)
    for condition in done.releases:
        if condition.needed and condition.approver_en:
            due = f"until {condition.due}" if condition.due else "the law names no day"
            yield f"  to be approved by {condition.approver_en}, {due}: {condition.clause}"
    if done.claims is not None and out is not None:
        yield f"  tree of claims {done.claims.digest}"
        yield f"Next: por check receipt.json --plan {out}"


def _first(one: "Outcome") -> str:
    return "not known" if one.first_hours is None else f"within {one.first_hours} h"
