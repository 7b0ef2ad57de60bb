"""What a plan pays the holder of a receipt: looked up under the receipt's own leaves, in the plan's tree of claims."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

from verifier.attestation.bundle import open_bundle
from verifier.compensation.claim_tree import prove_claim
from verifier.compensation.document import plan_secret
from verifier.compensation.folder import read_plan
from verifier.errors import InputError
from verifier.files import read_file
from verifier.inclusion.check import check_proof
from verifier.inclusion.finding import Finding
from verifier.inclusion.own_proof import Question
from verifier.inclusion.proof import MAX_BYTES, InclusionProof, parse_proof
from verifier.inclusion.result import ProofVerdict
from verifier.inclusion.sum_tree import add_sums


class Payout(NamedTuple):
    """One receipt's payout: whole coins and money by symbol, or why there is no answer."""

    file: str
    verdict: ProofVerdict
    amounts: dict[str, str]
    findings: tuple[Finding, ...] = ()

    def to_record(self) -> dict[str, Any]:
        findings = [finding._asdict() for finding in self.findings]
        return {"file": self.file, "verdict": self.verdict.value, "amounts": self.amounts, "findings": findings}


def find_payout(plan: Path, receipt: Path) -> Payout:
    """Return what a plan's folder pays to a receipt in our own format.

    A receipt of another tree, or one that is refused, is refused. Raises InputError for a plan that is not whole.
    """
    with open_bundle(plan) as opened:
        record = read_plan(opened)
        try:
            proof = parse_proof(read_file(receipt, MAX_BYTES), str(receipt))
        except InputError as error:
            return _refused(receipt, "no-receipt", str(error))
        problem = _not_of(record, proof)
        if problem:
            return _refused(receipt, "another-tree", problem)
        refused = check_proof(proof).findings
        if refused:
            return _refused(receipt, refused[0].code, refused[0].text)
        secret = plan_secret(str(record.get("case")), record.get("incident"), str(record.get("chosen")))
        found = [_claim(opened.folder, proof, part, secret, record) for part in range(len(proof.leaves))]
    return Payout(str(receipt), ProofVerdict.ACCEPTED, _amounts([claim for claim in found if claim is not None]))


def _amounts(claims: Sequence[InclusionProof]) -> dict[str, str]:
    """Return what several leaves are paid together, by symbol."""
    if not claims:
        return {}
    header = claims[0].commitment
    return header.amounts(reduce(add_sums, [claim.balances for claim in claims]))


def _claim(
    folder: Path, proof: InclusionProof, part: int, secret: bytes, record: dict[str, Any]
) -> InclusionProof | None:
    """Return the checked proof of what one leaf is paid, None for nothing."""
    claim = prove_claim(folder, proof.node(part).hash, secret)
    if claim is not None:
        result = check_proof(claim, Question(root=str(record.get("claims"))))
        if result.verdict is not ProofVerdict.ACCEPTED:
            raise InputError(
                f"{folder}: its tree of claims is not the one its document names: {result.findings[0].text}"
            )
    return claim


def _not_of(record: dict[str, Any], proof: InclusionProof) -> str:
    digest = proof.commitment.digest
    if record.get("liabilities") == digest:
        return ""
    return f"the plan pays the accounts of {record.get('liabilities')}, this receipt is of {digest}"


def _refused(receipt: Path, code: str, text: str) -> Payout:
    return Payout(str(receipt), ProofVerdict.REFUSED, {}, (Finding(code, text),))
