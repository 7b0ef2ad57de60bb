"""Hold what an exchange signed for an account against what it counted: changed or left out, in one portable file.

The file shows one user's own account; of others at most what that user's own proof shows, which names nobody.
"""

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from verifier.errors import InputError
from verifier.inclusion import wire
from verifier.inclusion.amounts import format_amount
from verifier.inclusion.commitment import Commitment, commitment_of
from verifier.inclusion.finding import Finding
from verifier.inclusion.own_proof import Question, check_proof
from verifier.inclusion.proof import InclusionProof, proof_of
from verifier.inclusion.result import Fraud, InclusionResult, ProofVerdict
from verifier.inclusion.statement import STATEMENT_FORMAT, AccountStatement, open_statement
from verifier.inclusion.sum_tree import SumError
from verifier.inclusion.wire import MalformedError, show

DISPUTE_FORMAT = "reserve-verifier/dispute/1"
CHANGED, LEFT_OUT = "balance-changed", "leaf-missing"
_CHANGED_KEYS = frozenset({"format", "kind", "statement", "proof"})
_LEFT_OUT_KEYS = frozenset({"format", "kind", "statement", "commitment"})
NO_SIGNER = "name the exchange's public key with --signer: a statement is worth what its signature is"
NO_LIST = "name a bundle or tree with the leaf list (--anchor): without it nobody can tell what is not in it"


class LeafList(NamedTuple):
    """A published list of all leaves: its commitment, and which of some hashes are not among its leaves.

    `missing` rebuilds the whole list first: it raises InputError when that does not lead to the commitment.
    """

    commitment: Commitment
    missing: Callable[[Collection[bytes]], frozenset[bytes]]


class Trusted(NamedTuple):
    """What whoever checks brings: the keys (PEM files) that may sign statements, what was published, the leaf list."""

    signers: Sequence[Path] = ()
    question: Question = Question()
    leaf_list: LeafList | None = None


def check_statement(
    envelope: Any, file: str, proofs: Sequence[tuple[str, InclusionProof]], trusted: Trusted
) -> InclusionResult:
    """Hold a signed statement against the account's accepted proofs of the same run, and against the leaf list.

    One that contradicts them is refused as fraud; one with nothing to be held against stays unrecognised.
    """
    if not trusted.signers:
        return _unanswered(file, "no-signer", NO_SIGNER)
    try:
        statement = open_statement(envelope, trusted.signers, file)
        _ = statement.balances
    except (InputError, MalformedError, SumError) as error:
        findings = (Finding("statement-unsigned", str(error)),)
        return InclusionResult(file, STATEMENT_FORMAT, ProofVerdict.REFUSED, findings=findings)
    own = [(name, one) for name, one in proofs if _same_account(statement, one)]
    return _against_proofs(envelope, file, statement, own) or _against_list(envelope, file, statement, own, trusted)


def _against_proofs(
    envelope: Any, file: str, statement: AccountStatement, own: Sequence[tuple[str, InclusionProof]]
) -> InclusionResult | None:
    for name, proof in own:
        text = _counted_less(statement, proof)
        if text:
            record = {"format": DISPUTE_FORMAT, "kind": CHANGED, "statement": envelope, "proof": proof.to_record()}
            return _fraud(file, statement, Fraud(CHANGED, text, (file, name), record), proof.commitment)
    return None


def _against_list(
    envelope: Any,
    file: str,
    statement: AccountStatement,
    own: Sequence[tuple[str, InclusionProof]],
    trusted: Trusted,
) -> InclusionResult:
    listed = trusted.leaf_list
    if listed is None or listed.commitment.run_id != statement.run_id:
        if own:
            return _kept(file, statement, own[0][1].commitment)
        text = f"{file}: nothing here is of the run {show(statement.run_id)} and this account; hand in your proof too"
        return _unanswered(file, "nothing-to-compare", f"{text}, or {NO_LIST}", statement)
    text = _left_out(statement, listed)
    if not text:
        return _kept(file, statement, listed.commitment)
    header = listed.commitment.to_record()
    record = {"format": DISPUTE_FORMAT, "kind": LEFT_OUT, "statement": envelope, "commitment": header}
    return _fraud(file, statement, Fraud(LEFT_OUT, text, (file,), record), listed.commitment)


def check_dispute(value: Any, file: str, trusted: Trusted) -> InclusionResult:
    """Check a dispute file by itself. One that holds is refused and reported as fraud; else it is unrecognised."""
    if not trusted.signers:
        return _unanswered(file, "no-signer", NO_SIGNER)
    kind = value.get("kind")
    try:
        record = wire.read_object(value, "dispute", _CHANGED_KEYS if kind == CHANGED else _LEFT_OUT_KEYS)
        statement = open_statement(record["statement"], trusted.signers, file)
        if kind == CHANGED:
            text, header = _shown_change(statement, proof_of(record["proof"]), trusted.question)
        else:
            text, header = _shown_omission(statement, commitment_of(record["commitment"]), trusted)
    except (InputError, MalformedError, SumError) as error:
        return _unanswered(file, "dispute-does-not-hold", f"{file}: this dispute shows nothing: {error}")
    return _fraud(file, statement, Fraud(str(kind), text, (file,)), header)


def _shown_change(statement: AccountStatement, proof: InclusionProof, question: Question) -> tuple[str, Commitment]:
    result = check_proof(proof, question)
    if result.verdict is not ProofVerdict.ACCEPTED:
        raise MalformedError("malformed", f"the proof in it is refused: {result.findings[0].text}")
    if not _same_account(statement, proof):
        raise MalformedError("malformed", "statement and proof are not of one account and run")
    text = _counted_less(statement, proof)
    if not text:
        raise MalformedError("malformed", "no less was counted than was signed")
    return text, proof.commitment


def _shown_omission(statement: AccountStatement, header: Commitment, trusted: Trusted) -> tuple[str, Commitment]:
    if trusted.leaf_list is None:
        raise MalformedError("malformed", NO_LIST)
    if trusted.leaf_list.commitment.digest != header.digest or header.run_id != statement.run_id:
        raise MalformedError("malformed", f"it speaks of the list {header.digest}; name that one with --anchor")
    text = _left_out(statement, trusted.leaf_list)
    if not text:
        raise MalformedError("malformed", "the leaf is in the list")
    return text, header


def _same_account(statement: AccountStatement, proof: InclusionProof) -> bool:
    return (proof.account, proof.commitment.run_id) == (statement.account, statement.run_id)


def _counted_less(statement: AccountStatement, proof: InclusionProof) -> str:
    """Return the first asset of which less was counted than signed, in words, or nothing. Raises SumError."""
    counted = dict(zip((one.asset for one in proof.commitment.assets), proof.balances, strict=True))
    scales = {one.asset: one.decimals for one in proof.commitment.assets}
    for asset, signed in zip(statement.assets, statement.balances, strict=True):
        units, decimals = counted.get(asset.asset, 0), scales.get(asset.asset, asset.decimals)
        if Fraction(units, 10**decimals) < Fraction(signed, 10**asset.decimals):
            signed_text, counted_text = format_amount(signed, asset.decimals), format_amount(units, decimals)
            return (
                f"the exchange signed {signed_text} {asset.symbol} for this account in run {statement.run_id}, and"
                f" counted {counted_text} {asset.symbol}"
            )
    return ""


def _left_out(statement: AccountStatement, listed: LeafList) -> str:
    missing = listed.missing(statement.leaf_hashes())
    if not missing:
        return ""
    return (
        f"the exchange signed that the leaf {min(missing).hex()} stands for this account in run {statement.run_id}, and"
        f" it is not among the {listed.commitment.leaf_count:,} leaves of that run"
    )


def _kept(file: str, statement: AccountStatement, header: Commitment) -> InclusionResult:
    finding = Finding("statement-kept", "what the exchange signed for this account is what it counted")
    return InclusionResult(
        file, STATEMENT_FORMAT, ProofVerdict.ACCEPTED, header.digest, findings=(finding,), **_about(statement)
    )


def _fraud(file: str, statement: AccountStatement, fraud: Fraud, header: Commitment) -> InclusionResult:
    finding = Finding(fraud.code, fraud.text)
    return InclusionResult(
        file, STATEMENT_FORMAT, ProofVerdict.REFUSED, header.digest, findings=(finding,), fraud=(fraud,),
        **_about(statement),
    )  # fmt: skip


def _about(statement: AccountStatement) -> dict[str, Any]:
    amounts = zip(statement.assets, statement.balances, strict=True)
    return {
        "leaf": statement.leaf_hashes()[0].hex(),
        "own": {asset.symbol: format_amount(units, asset.decimals) for asset, units in amounts},
        "account": statement.account,
        "run_id": statement.run_id,
        "as_of": statement.as_of,
    }


def _unanswered(file: str, code: str, text: str, statement: AccountStatement | None = None) -> InclusionResult:
    about = _about(statement) if statement else {}
    finding = Finding(code, text)
    return InclusionResult(file, STATEMENT_FORMAT, ProofVerdict.UNRECOGNISED, findings=(finding,), **about)
