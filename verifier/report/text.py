"""A verification as lines for a terminal, verdict first."""

from chains.ids import AssetId, ChainId
from chains.network import network_of
from verifier.case import Case
from verifier.policy.amounts import show_units
from verifier.policy.finding import Finding
from verifier.report.limits import limits
from verifier.report.matrix import matrix
from verifier.report.multiples import loss_multiples
from verifier.report.record import balance_counts, coverage_records
from verifier.verdict import Verdict
from verifier.verification import Verification

MARKS = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.INDETERMINATE: "?", Verdict.NOT_APPLICABLE: "–"}


def describe(result: Verification) -> str:
    """Return the verdict, the coverage per asset, every finding with its clause, and what is not proven."""
    case = result.case
    lines = [
        f"{str(result.verdict).upper()}: {case.declaration.exchange.name}, as of {case.declaration.as_of}",
        *(f"  {block.chain} at block {block.height:,} {block.hash}" for block in case.blocks),
        *(f"    {line}" for line in known_lines(case)),
        "",
        "Client assets",
    ]
    for row in coverage_records(case):
        asset = AssetId(row["asset"])
        held = show_units(case, asset, int(row["eligible_units"]))
        owed = "unknown" if row["liability_units"] is None else show_units(case, asset, int(row["liability_units"]))
        lines.append(f"  held {held}, owed {owed}" + (f", ratio {row['ratio']}" if row["ratio"] else ""))
    multiples = loss_multiples(case)
    if multiples:
        lines += ["", "How often the reserve covers a loss", *(f"  {one.describe()}" for one in multiples)]
    if len(result.judgements) > 1:
        lines += ["", "Under each rulebook", *_matrix_lines(result)]
    for judgement in result.judgements:
        lines += ["", f"{judgement.pack.id}: {str(judgement.verdict).upper()} ({judgement.pack.title})"]
        lines += [line for finding in judgement.findings for line in _finding_lines(result, finding)]
    if result.rechecked:
        lines += ["", "Checked again by you"]
        lines += [f"  {MARKS[finding.verdict]} {finding.text}" for finding in result.rechecked]
    lines += ["", "What this does not prove", *(f"  - {sentence}" for sentence in limits(result))]
    lines += ["", f"case {case.digest}"]
    return "\n".join(lines)


def _finding_lines(result: Verification, finding: Finding) -> list[str]:
    lines = [f"  {MARKS[finding.verdict]} {finding.rule} [{_subject(result, finding.subject)}] {finding.text}"]
    if finding.verdict is Verdict.FAIL and finding.clause:
        cure = f"; to be made good by {finding.cure_by}" if finding.cure_by else ""
        lines.append(f"      {finding.clause}{cure}")
    return lines


def _matrix_lines(result: Verification) -> list[str]:
    rows = matrix(result)
    width = max(len(row.pack) for row in rows)
    return [
        f"  {MARKS[row.verdict]} {row.pack:<{width}}  {row.verdict!s:<14} {row.counts[Verdict.PASS]:>3} pass"
        f" {row.counts[Verdict.FAIL]:>3} fail {row.counts[Verdict.INDETERMINATE]:>3} open  {row.jurisdiction},"
        f" {row.standing}{': ' + ', '.join(row.broken[:3]) if row.broken else ''}"
        for row in rows
    ]


def known_lines(case: Case) -> list[str]:
    """Return one line per chain: how many holdings are known in which way."""
    return [
        f"{network_of(ChainId(chain)).name}: " + ", ".join(f"{count:,} {known}" for known, count in found.items())
        for chain, found in balance_counts(case).items()
    ]


def _subject(result: Verification, subject: str) -> str:
    return result.case.declaration.symbols().get(subject, subject)
