"""One claim of a distributor file checked offline: does its proof lead to the root that the contract was given?"""

from pathlib import Path
from typing import Any, NamedTuple

from chains.decode import parse_json
from chains.errors import ChainError
from chains.evm.address import canonical_address
from verifier.compensation.payments.claim_hashes import WIDTH, Kind, claim_hash, fold
from verifier.compensation.payments.distributor import CLAIMS_LINE, FORMAT
from verifier.errors import InputError, UnavailableError
from verifier.files import read_file

MAX_WHOLE = 64 * 1024 * 1024  # a larger file is read a line at a time, as it was written
MAX_LINE = 1024 * 1024
MAX_PROOF = 64
_WORD = 1 << 256


class CheckedClaim(NamedTuple):
    """A claim, and why the contract would refuse it; empty when it would pay."""

    address: str
    units: int
    root: str
    problem: str

    def to_record(self) -> dict[str, Any]:
        verdict = "refused" if self.problem else "accepted"
        return {"verdict": verdict, **self._asdict(), "units": str(self.units)}


def check_claim(path: Path, address: str, root: str | None = None) -> CheckedClaim:
    """Check the claim of an address against the file's root, and that against `root`, the one the contract names.

    Raises InputError for a file that is no distributor and an address that has no claim in it.
    """
    try:
        wanted = canonical_address(address)
    except ChainError as error:
        raise InputError(f"--address: {error}") from error
    head, claim = _read(path, wanted)
    kind, found = head.get("kind"), str(head.get("merkleRoot")).lower()
    if head.get("format") != FORMAT or kind not in set(Kind):
        raise InputError(f"{path}: is no distributor; expected the format {FORMAT!r}")
    if claim is None:
        raise InputError(f"{path}: holds no claim of {wanted}")
    units = _number(claim.get("amount"), f"{path}: {wanted}: amount")
    index = claim.get("index", 0)
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < _WORD:
        raise InputError(f"{path}: {wanted}: index {index!r:.40} is no number of a claim")
    leads_to = f"0x{fold(claim_hash(Kind(kind), index, wanted, units), _proof(claim, path)).hex()}"
    problem = "" if leads_to == found else f"the proof leads to {leads_to}, the file's root is {found}"
    if not problem and str(units) != claim.get("units"):
        problem = f"the amount is written as {units} and as {claim.get('units')!r:.80}"
    if not problem and root is not None and root.lower().removeprefix("0x") != found[2:]:
        problem = f"the file's root is {found}, the one to compare with is {root:.80}"
    return CheckedClaim(wanted, units, found, problem)


def _read(path: Path, address: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the file without its claims, and the claim of an address."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be read: {error.strerror}") from error
    if size > MAX_WHOLE:
        return _read_lines(path, address)
    record = _parsed(read_file(path, MAX_WHOLE), path)
    claims = record.pop("claims", None)
    if not isinstance(claims, dict):
        raise InputError(f"{path}: holds no claims")
    return record, next((one for name, one in claims.items() if name.lower() == address), None)


def _read_lines(path: Path, address: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    head, claim, start = b"", None, f'"{address}"'.encode()
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE):
            if line.strip() == CLAIMS_LINE.encode():
                break
            head += line
            if len(head) > MAX_LINE:
                raise InputError(f"{path}: is no distributor with a line for each claim, as por payout writes it")
        while claim is None and (line := file.readline(MAX_LINE)):
            if line[: len(start)].lower() == start:
                claim = _parsed(b"{" + line.strip().rstrip(b",") + b"}", path)
    found = _parsed(head.rstrip().rstrip(b",") + b"}", path)
    return found, next(iter(claim.values())) if claim else None


def _parsed(content: bytes, path: Path) -> dict[str, Any]:
    try:
        record = parse_json(content)
    except ChainError as error:
        raise InputError(f"{path}: {error}") from error
    if not isinstance(record, dict):
        raise InputError(f"{path}: is no JSON object")
    return record


def _proof(claim: dict[str, Any], path: Path) -> list[bytes]:
    given = claim.get("proof")
    try:
        proof = [bytes.fromhex(one.removeprefix("0x")) for one in given] if isinstance(given, list) else None
    except (AttributeError, ValueError):
        proof = None
    if proof is None or len(proof) > MAX_PROOF or any(len(node) != WIDTH for node in proof):
        raise InputError(f"{path}: a proof is a list of at most {MAX_PROOF} hashes of 32 bytes in hexadecimal")
    return proof


def _number(text: Any, where: str) -> int:
    try:
        number = int(text, 16)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number < _WORD:
        raise InputError(f"{where} {text!r:.80} is no hexadecimal number of 256 bits")
    return number
