"""por plan: after an incident, who is paid how much, from what, and how soon."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli.keys import PublicHalf
from verifier.cli.terminal import print_result, progress_bars

if TYPE_CHECKING:
    from verifier.compensation.document import Plan

EXAMPLE = """Work out who is paid how much after an incident, from a verified run alone.

Example: por plan run-2026-11/ --incident incident.json --pack jp-psa-63-11 --pack jp-liability-reserve --out plan/

incident.json: {"format": "reserve-verifier/incident/1", "id": "2026-11-hack", "at": "2026-11-22T03:00:00Z",
"currency": "JPY", "losses": [{"scope": "all-hot"}]}; or {"wallet": "eip155:1:0x…"}, with "asset" and "units" for a
part, {"scope": "largest-wallet"}, {"pool": "client-cold", "fraction": "1/4"}.

Every way to divide is shown side by side; --strategy chooses the one whose payouts are written, leaf by leaf, with a
tree of claims: a user checks the payout with the receipt they hold (por check receipt.json --plan plan/). --check PLAN
derives a plan again from the run. --stress imagines losses instead: the largest wallets, everything hot, thefts like
those that happened, and says which rules would break. Nothing is signed for payment or sent.

Exit codes: 0 every claim is covered, 1 not covered, 2 not decided.
"""
Pack = Annotated[list[str] | None, typer.Option(help="a rulebook: the order of sources, and who approves; repeatable")]
ChosenStrategy = Annotated[str, typer.Option(help="same-asset-first, pro-rata, small-accounts-whole or priority-tiers")]

Stress = Annotated[bool, typer.Option("--stress", help="imagine losses instead: what breaks, what can be paid")]
Currency = Annotated[str, typer.Option(help="of --stress", show_default="the rulebook's, else JPY")]
Wallets = Annotated[int, typer.Option(min=0, max=10_000, help="so many of the largest wallets in --stress")]

PlanReport = Annotated[Path | None, typer.Option(help="also write the plan as a page (HTML) to this file")]


def plan(
    bundle: Annotated[Path, typer.Argument(help="a bundle folder or zip, with its leaf list")],
    incident: Annotated[Path | None, typer.Option(help="what happened (JSON)")] = None,
    pack: Pack = None,
    strategy: ChosenStrategy = "same-asset-first",
    out: Annotated[Path | None, typer.Option(help="a new folder for the plan")] = None,
    stress: Annotated[
        bool, typer.Option("--stress", help="imagine losses instead: what breaks, what can be paid")
    ] = False,
    currency: Annotated[str, typer.Option(help="of --stress", show_default="the rulebook's, else JPY")] = "",
    wallets: Annotated[int, typer.Option(min=0, max=10_000, help="so many of the largest wallets in --stress")] = 10,
    check: Annotated[Path | None, typer.Option(help="derive this plan again and compare it byte for byte")] = None,
    key: Annotated[str | None, typer.Option(help="seal the plan with this key (PEM file or URI)")] = None,
    public: PublicHalf = None,
    report: PlanReport = None,
    lang: Annotated[str, typer.Option(help="language of the page: en or ja")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.compensation.strategies import STRATEGIES, strategy_named
    from verifier.errors import InputError

    chosen = strategy_named(strategy)
    if chosen is None:
        raise InputError(f"unknown strategy {strategy!r}; known: {', '.join(one.name for one in STRATEGIES)}")
    if check is not None:
        _check(bundle, pack or [], check, as_json)
    if stress:
        _stress(bundle, pack or [], currency, wallets, as_json)
    if incident is None:
        raise InputError("name what happened with --incident (por plan --help shows its form)")
    from verifier.attestation.bundle import open_bundle
    from verifier.cli.plan_lines import plan_lines
    from verifier.compensation.folder import make_plan
    from verifier.compensation.incident import load_incident
    from verifier.files import write_file
    from verifier.policy.library import load_pack
    from verifier.report.plan_page import render_plan
    from verifier.run import replay

    told, packs = load_incident(incident), [load_pack(name) for name in pack or []]
    with progress_bars() as bars, open_bundle(bundle) as opened:
        case, _ = replay(opened, bars)
        done = make_plan(opened, case, told, packs, chosen, out, bars)
    if report is not None:
        write_file(report, render_plan(done, case.digest, lang).encode())
    if key is not None and out is not None:
        _seal(out, done, key, public)
    print_result({**done.to_record(), "case": case.digest}, as_json, list(plan_lines(done, out)))
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


def _stress(bundle: Path, pack: list[str], currency: str, wallets: int, as_json: bool) -> None:
    from verifier.attestation.bundle import open_bundle
    from verifier.cli.plan_lines import stress_lines
    from verifier.compensation.stress import stress
    from verifier.policy.library import load_pack
    from verifier.run import replay
    from verifier.verification import DEFAULT_PACKS

    packs = [load_pack(name) for name in pack or DEFAULT_PACKS]
    money = currency or next((one.currency for one in packs if one.currency), "JPY")
    with progress_bars() as report, open_bundle(bundle) as opened:
        case, _ = replay(opened, report)
        found = stress(case, packs, money, wallets, report)
    record = {"case": case.digest, "currency": money, "scenarios": [one.to_record() for one in found]}
    print_result(record, as_json, [line for one in found for line in stress_lines(one, money)])
    raise typer.Exit(0)


def _seal(out: Path, done: "Plan", key: str, public: Path | None) -> None:
    from verifier.compensation.sealing import seal_plan
    from verifier.files import write_file

    write_file(out.with_name(f"{out.name}.dsse.json"), seal_plan(out, done, key, public))
