"""Judge a proof in an exchange's own format: which format fits, what it shows, what it cannot show."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from verifier.inclusion import numbers
from verifier.inclusion.detect import Trial
from verifier.inclusion.finding import Finding
from verifier.inclusion.grading import grade_of, limits, unbound, weaknesses
from verifier.inclusion.numbers import Balances
from verifier.inclusion.result import UNGRADED, Grade, InclusionResult, PathEvidence, ProofVerdict

# Not wrong but incomplete, or no proof at all: there is nothing to judge.
_NOTHING_TO_JUDGE = {"companion-missing", "root-missing", "too-long", "not-a-number"}


def judge(file: str, trials: Sequence[Trial], root: str | None, expected: Mapping[str, str]) -> InclusionResult:
    """Return the answer for a file whose layout at least one format has; `root` is what the user knows to be published.

    When several formats fit, all must accept; the finding `ambiguous-format` names them.
    """
    answers = [_judge_one(file, trial, root, expected) for trial in trials if trial.fits]
    if not answers:
        return _judge_one(file, trials[0], root, expected)
    if len(answers) == 1:
        return answers[0]
    names = " and ".join(str(answer.format) for answer in answers)
    worst = next((answer for answer in answers if answer.verdict is not ProofVerdict.ACCEPTED), answers[0])
    weakest = Grade(*(all(steps) for steps in zip(*(answer.grade for answer in answers), strict=True)))
    note = Finding("ambiguous-format", f"{names} fit equally; all of them were checked, choose with --format")
    joined = "|".join(str(answer.format) for answer in answers)
    changes = {"format": joined, "grade": weakest, "findings": (note, *worst.findings)}
    return InclusionResult(**{**vars(worst), **changes})


def _judge_one(file: str, trial: Trial, root: str | None, expected: Mapping[str, str]) -> InclusionResult:
    recipe, faults = trial.recipe, list(trial.faults)
    top = _top(trial)
    if trial.error is None and any(proof.root is None for proof in trial.proofs) and not faults:
        text = f"the path leads to {top}, and this file names no root: give the published one with --root or --anchor"
        faults.append(Finding("root-missing", text))
    if {fault.code for fault in faults} & _NOTHING_TO_JUDGE:
        return InclusionResult(file, recipe.name, ProofVerdict.UNRECOGNISED, findings=tuple(faults))
    anchored = not faults and root is not None and root.lower() == str(top).lower()
    if not faults and root is not None and not anchored:
        faults.append(Finding("root-not-published", f"the exchange published {root}, this proof leads to {top}"))
    own = numbers.amounts(_owned(trial))
    if not faults:
        faults.extend(unexpected(own, expected))
    if faults:
        return InclusionResult(file, recipe.name, ProofVerdict.REFUSED, str(top) if top else None, findings=(*faults,))
    return _accepted(file, trial, str(top), own, anchored, bool(expected))


def _accepted(
    file: str, trial: Trial, top: str, own: dict[str, str], anchored: bool, expected: bool
) -> InclusionResult:
    recipe, proof, walked = trial.recipe, trial.proofs[0], trial.walks[0]
    notes = tuple(dict.fromkeys(note for walk in trial.walks for note in walk.notes))
    grade = grade_of(recipe, proof.whole != "", anchored)
    if any(note.code == "balance-not-bound" for note in notes):
        grade = grade._replace(own_balance_bound=False)
    fields = tuple(dict.fromkeys(name for one in trial.proofs for name in one.unbound))
    totals: Balances = {}
    for one, walk in zip(trial.proofs, trial.walks, strict=True):
        totals = {**totals, **(walk.nodes[-1].sums if one.whole is None else one.root_sums or {})}
    return InclusionResult(
        file=file,
        format=recipe.name,
        verdict=ProofVerdict.ACCEPTED,
        root=top,
        leaf=walked.nodes[0].hash if proof.whole is None else proof.whole or None,
        own=own if proof.whole != "" else None,
        totals=numbers.amounts(totals) if recipe.sums != "nothing" else None,
        grade=grade,
        findings=(*notes, *weaknesses(recipe), *unbound(fields)),
        does_not_prove=tuple(limits(recipe, grade, expected)),
        account=proof.account,
        run_id=proof.run,
        evidence=tuple(
            PathEvidence(file, recipe, one, walk)
            for one, walk in zip(trial.proofs, trial.walks, strict=True)
            if one.whole is None
        ),
    )


def _top(trial: Trial) -> object:
    if not trial.walks:
        return None
    return trial.proofs[0].fields.get("published_root") or trial.walks[0].nodes[-1].hash


def _owned(trial: Trial) -> Balances:
    total: Balances = {}
    for proof in trial.proofs:
        total = numbers.add(total, proof.own)
    return total


def unexpected(own: Mapping[str, str], expected: Mapping[str, str]) -> list[Finding]:
    """Name the assets of which the exchange counted another amount than the user expects."""
    found = []
    for name, amount in expected.items():
        counted = next((own[coin] for coin in own if coin.upper() == name.upper()), "0")
        if Fraction(counted) != Fraction(amount):
            text = f"you expect {amount} {name}, but the exchange counted {counted}"
            found.append(Finding("balance-differs", text))
    return found


def unrecognised(file: str, finding: Finding) -> InclusionResult:
    """Return the answer for a file that no known format fits."""
    return InclusionResult(file, None, ProofVerdict.UNRECOGNISED, grade=UNGRADED, findings=(finding,))
