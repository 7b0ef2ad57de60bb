"""Check users' inclusion proofs, any exchange's: is this balance inside what the exchange published?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from verifier.errors import InputError
from verifier.inclusion import fraud, wire
from verifier.inclusion.commitment import load_commitment
from verifier.inclusion.detect import try_formats
from verifier.inclusion.dispute import DISPUTE_FORMAT, LeafList, Trusted, check_dispute, check_statement
from verifier.inclusion.finding import Finding
from verifier.inclusion.judge import judge, unrecognised
from verifier.inclusion.judge_list import Progress, judge_list
from verifier.inclusion.loading import Loaded, is_companion, load
from verifier.inclusion.mine import is_account
from verifier.inclusion.own_proof import DEFAULT_MAX_AGE, Question, check_proof
from verifier.inclusion.pool import pool_results
from verifier.inclusion.proof import PROOF_FORMAT, proof_of
from verifier.inclusion.recipe import recipes
from verifier.inclusion.result import CheckReport, InclusionResult, ProofVerdict, overall
from verifier.inclusion.statement import is_statement
from verifier.inclusion.sum_tree import TREE_FORMAT
from verifier.inclusion.wire import MalformedError

__all__ = ["DEFAULT_MAX_AGE", "Question", "check_proof", "check_proofs"]

_DIGEST = re.compile(r"[0-9a-fA-F]{16,128}")
_AMOUNT = re.compile(r"[0-9]{1,60}(\.[0-9]{1,60})?")
_NESTED_TREE_BYTES = 64 * 1024 * 1024


class _Asked(NamedTuple):
    """What was asked about every file: what is published, known of the user, and allowed as format."""

    question: Question
    facts: Mapping[str, str]
    only: str | None
    anchor: Any
    progress: Progress | None
    trusted: Trusted = Trusted()


def check_proofs(
    paths: Sequence[str | Path],
    root: str | None = None,
    anchor: str | Path | None = None,
    expected: Mapping[str, str] | None = None,
    now: datetime | None = None,
    max_age: timedelta = DEFAULT_MAX_AGE,
    only_format: str | None = None,
    facts: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    signers: Sequence[Path] = (),
    leaf_list: LeafList | None = None,
) -> CheckReport:
    """Check one or more users' proof files, and pool those of one run.

    `root` is what the exchange published (16 to 128 hex digits), or `anchor` a file or folder that holds it; `expected`
    maps an asset or symbol to the whole coins the user believes to own (one file only); `now` (aware) and `max_age`
    decide freshness; `only_format` names the one format that may match; `facts` are what the exchange told the user
    elsewhere, such as a credential; `progress` is called with a file's name and the bytes done and in all; `signers`
    are the exchange's public keys (PEM), which account statements and disputes must be signed by, and `leaf_list` the
    published list they are held against. Raises UnavailableError for a file that cannot be read and InputError for
    arguments that make no sense; whatever stands in a proof file is a result, not an error. A file that only
    accompanies another (roots, metadata) has no result.
    """
    # 1. What was published, and what the user expects and knows
    if now is not None and now.tzinfo is None:
        raise InputError("`now` needs a time zone")
    _check_format(only_format)
    if not paths:
        raise InputError("no proof file was given")
    published, anchor_value = _published(root, anchor)
    files = [load(Path(path), _limit(only_format)) for path in paths]
    signed = [loaded for loaded in files if is_statement(loaded.value)]
    unsigned = [loaded for loaded in files if not is_statement(loaded.value)]
    proofs = [loaded for loaded in unsigned if not _accompanies(loaded)] or unsigned
    question = Question(published, _expectation(expected or {}, len(proofs)), now, max_age)
    trusted = Trusted(signers, question, leaf_list)
    asked = _Asked(question, dict(facts or {}), only_format, anchor_value, progress, trusted)
    # 2. Each proof by itself
    checked = [(loaded, result) for loaded in proofs for result in _check_for_each_user(loaded, unsigned, asked)]
    # 3. What the exchange signed against what it counted
    own = [(str(one.path), proof_of(one.value)) for one, result in checked if _is_accepted_own(result)]
    stated = [check_statement(one.value, str(one.path), own, trusted) for one in signed]
    # 4. The proofs against each other
    results = (*(result for _, result in checked), *stated)
    pool = pool_results(results)
    # 5. The worst of all decides
    return CheckReport(overall((result.verdict for result in results), pool), results, pool)


def _check_for_each_user(loaded: Loaded, files: Sequence[Loaded], asked: _Asked) -> list[InclusionResult]:
    """Check a file; a published list once for each user's file that came along, under that file's name."""
    users = [one for one in files if one.kind == "json" and is_account(one.value)]
    if loaded.kind != "rows" or len(users) < 2:
        return [_check_loaded(loaded, files, asked)]
    results = []
    for user in users:
        alone = [one for one in files if one is user or one not in users]
        result, name = _check_loaded(loaded, alone, asked), str(user.path)
        results.append(replace(result, file=name, lines=result.lines and result.lines._replace(file=name)))
    return results


def _check_loaded(loaded: Loaded, files: Sequence[Loaded], asked: _Asked) -> InclusionResult:
    file = str(loaded.path)
    others = [one.value for one in files if one is not loaded and one.kind in ("json", "root")]
    others += [] if asked.anchor is None else [asked.anchor]
    if loaded.problem is not None:
        return unrecognised(file, loaded.problem)
    if _accompanies(loaded):
        text = f"{file}: accompanies a proof and proves nothing alone; hand it over together with the proof or tree"
        return unrecognised(file, Finding("companion-alone", text))
    if loaded.kind == "rows":
        question = asked.question
        return judge_list(loaded, asked.facts, question.expected, others, question.root, asked.only, asked.progress)
    return _check_value(loaded, others, asked)


def _check_value(loaded: Loaded, others: Sequence[Any], asked: _Asked) -> InclusionResult:
    file, question, only = str(loaded.path), asked.question, asked.only
    name = loaded.value.get("format") if isinstance(loaded.value, dict) else None
    if name == PROOF_FORMAT and only in (None, PROOF_FORMAT):
        return _check_own(loaded.value, file, question)
    if name == fraud.FRAUD_FORMAT:
        return fraud.check_fraud(loaded.value, file)
    if name == DISPUTE_FORMAT:
        return check_dispute(loaded.value, file, asked.trusted)
    root = next((value for value in others if isinstance(value, str)), question.root)
    facts = {**asked.facts, **({"root": root} if root else {})}
    trials = try_formats(loaded.value, facts, others, only)
    if not trials:
        known = f"{PROOF_FORMAT}, and the formats that `por formats` names"
        text = f"{file}: no format known here is laid out like this; `format` is {wire.show(name)}; known: {known}"
        return unrecognised(file, Finding("unknown-format", text))
    return judge(file, trials, question.root, question.expected)


def _check_own(value: Any, file: str, question: Question) -> InclusionResult:
    try:
        return check_proof(proof_of(value), question, file)
    except MalformedError as error:
        findings = (Finding(error.code, str(error)),)
        return InclusionResult(file, PROOF_FORMAT, ProofVerdict.REFUSED, findings=findings)


def _is_accepted_own(result: InclusionResult) -> bool:
    return result.format == PROOF_FORMAT and result.verdict is ProofVerdict.ACCEPTED


def _accompanies(loaded: Loaded) -> bool:
    return is_companion(loaded) or (loaded.kind == "json" and is_account(loaded.value))


def _check_format(name: str | None) -> None:
    if name is not None and name != PROOF_FORMAT and name not in recipes():
        known = ", ".join([PROOF_FORMAT, *recipes()])
        raise InputError(f"--format: unknown format {wire.show(name)}; known: {known}")


def _limit(only_format: str | None) -> int:
    """A tree that is one JSON value is read whole; only who names such a format may hand over a large one."""
    nested = only_format is not None and only_format in recipes() and recipes()[only_format].special == "nested"
    return _NESTED_TREE_BYTES if nested else 4 * 1024 * 1024


def _published(root: str | None, anchor: str | Path | None) -> tuple[str | None, Any]:
    if root is not None and anchor is not None:
        raise InputError("give --root or --anchor, not both")
    if anchor is not None:
        return _anchored(Path(anchor))
    if root is None:
        return None, None
    if not _DIGEST.fullmatch(root):
        raise InputError(f"--root: expected the 16 to 128 hex digits the exchange published, found {wire.show(root)}")
    return root.lower(), None


def _anchored(path: Path) -> tuple[str, Any]:
    """Return the root an anchor file holds, and its value for formats that keep more in it."""
    if path.is_dir():
        return load_commitment(path).digest, None
    loaded = load(path)
    value = loaded.value
    if loaded.kind == "root":
        return str(value), None
    if not isinstance(value, dict) or value.get("format") == TREE_FORMAT or not is_companion(loaded):
        return load_commitment(path).digest, None
    audit, named = value.get("audit"), value.get("root_hash", value.get("root", value.get("userMerkleRoot")))
    if isinstance(audit, dict) and isinstance(audit.get("commitment"), dict):
        named = audit["commitment"].get("digest")
    if isinstance(named, dict):
        named = named.get("hash")
    if not isinstance(named, str) or not _DIGEST.fullmatch(named):
        raise InputError(f"{path}: holds no root")
    return named.lower(), value


def _expectation(expected: Mapping[str, str], files: int) -> Mapping[str, str]:
    if expected and files > 1:
        raise InputError("--expect tells one user's balance: give one proof with it")
    for name, amount in expected.items():
        if not _AMOUNT.fullmatch(amount):
            raise InputError(f"--expect {name}: {wire.show(amount)} is not a plain amount of whole coins such as 1.5")
    return dict(expected)
