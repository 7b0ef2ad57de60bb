"""A signed statement of what a run came to: in-toto, sealed with DSSE, the same bytes from the same inputs."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chains.decode import parse_json
from chains.errors import ChainError
from verifier.attestation.bundle import Bundle, open_bundle
from verifier.canonical import digest
from verifier.dsse import MAX_ENVELOPE, open_envelope, sealer_of
from verifier.errors import InputError
from verifier.in_toto import PAYLOAD, statement, this_tool
from verifier.policy.finding import Finding, Level, Reason
from verifier.recheck import SEAL_RULE
from verifier.verdict import Verdict
from verifier.verification import Verification

PREDICATE = "urn:reserve-verifier:attestation:1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
VERIFIER = "urn:reserve-verifier"
MAX_SEAL = MAX_ENVELOPE


def statement_of(bundle: Bundle, result: Verification) -> bytes:
    """Return the in-toto statement of a verified bundle as canonical JSON.

    The subject is the bundle's manifest, which names every part by its digest; the predicate names the case that
    follows from them and the verdict of each rulebook, by the rulebook's own digest. Source: in-toto Statement v1.
    """
    declaration = result.case.declaration
    rulebooks = [
        {
            "id": judged.pack.id,
            "version": judged.pack.version,
            "digest": {"sha256": judged.pack.digest},
            "day": judged.day,
            "verdict": str(judged.verdict),
        }
        for judged in result.judgements
    ]
    predicate = {
        "exchange": {"id": declaration.exchange.id, "name": declaration.exchange.name},
        "as_of": declaration.as_of,
        "case": result.case.digest,
        "verdict": str(result.verdict),
        "rulebooks": rulebooks,
        "tool": this_tool(),
    }
    return statement(bundle.digest, PREDICATE, predicate)


def summary_of(bundle: Bundle, result: Verification) -> bytes:
    """Return a short summary for programs that know nothing of reserves: did it pass, by which rules, as of which run.

    It knows two results: what is open has not passed. The rules are named by the digest of the list of the rulebooks'
    digests. Source: SLSA verification summary attestation v1; the time of verification is left out, so that the same
    inputs give the same bytes.
    """
    declaration, passed = result.case.declaration, result.verdict is Verdict.PASS
    rulebooks = [[judged.pack.id, judged.pack.digest] for judged in result.judgements]
    tool = this_tool()
    predicate = {
        "verifier": {"id": VERIFIER, "version": {tool["name"]: tool["version"]}},
        "resourceUri": f"urn:reserve-verifier:run:{declaration.exchange.id}:{declaration.as_of}",
        "policy": {
            "uri": f"urn:reserve-verifier:packs:{','.join(name for name, _ in rulebooks)}",
            "digest": {"sha256": digest(rulebooks)},
        },
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": [f"RESERVES_{str(result.verdict).upper().replace('-', '_')}"],
        "slsaVersion": "1.0",
    }
    return statement(bundle.digest, SUMMARY, predicate)


def seal(content: bytes, key: str, public: Path | None = None) -> bytes:
    """Return a statement in a signed envelope; keys and errors as in `sealer_of`."""
    return sealer_of(PAYLOAD, key, public)(content)


def open_seal(content: bytes, signers: Sequence[Path], where: str) -> dict[str, Any]:
    """Return the statement in an envelope that one of the trusted keys signed.

    Raises InputError when the envelope is malformed, nobody trusted signed it, or it holds another kind of statement.
    """
    try:
        statement = parse_json(open_envelope(content, PAYLOAD, signers, where))
    except ChainError as error:
        raise InputError(f"{where}: holds no JSON") from error
    if not isinstance(statement, dict) or statement.get("predicateType") != PREDICATE:
        raise InputError(f"{where}: holds another kind of statement")
    return statement


def check_seal(statement: dict[str, Any], bundle: Bundle, result: Verification) -> Finding:
    """Compare a sealed statement with what was derived from the bundle here; one that differs fails."""
    derived = json.loads(statement_of(bundle, result))
    sealed = statement.get("predicate")
    differing = [] if statement.get("subject") == derived["subject"] else ["it names another bundle"]
    differing += _differences(sealed if isinstance(sealed, dict) else {}, derived["predicate"])
    if not differing:
        names = ", ".join(judged.pack.id for judged in result.judgements)
        text = f"The sealed statement names this bundle, its case, and the verdicts by {names}."
        return Finding(SEAL_RULE, "attestation", Verdict.PASS, Reason.SATISFIED, text)
    text = f"The sealed statement is not what follows from the bundle: {'; '.join(differing)}."
    return Finding(SEAL_RULE, "attestation", Verdict.FAIL, Reason.CONTRADICTION, text, Level.MUST)


def compared(statement: dict[str, Any] | None, bundle: Path, result: Verification) -> Verification:
    """Return a verification with what a sealed statement adds to it; without one as it is."""
    if statement is None:
        return result
    with open_bundle(bundle) as opened:
        return result._replace(rechecked=(*result.rechecked, check_seal(statement, opened, result)))


def sealed_packs(statement: dict[str, Any] | None) -> list[str]:
    """Return the ids of the rulebooks a statement speaks of; none without one."""
    if statement is None:
        return []
    rulebooks = (
        statement.get("predicate", {}).get("rulebooks") if isinstance(statement.get("predicate"), dict) else None
    )
    named = [one.get("id") for one in rulebooks if isinstance(one, dict)] if isinstance(rulebooks, list) else []
    return [name for name in named if isinstance(name, str)]


def _differences(sealed: dict[str, Any], derived: dict[str, Any]) -> Iterator[str]:
    """Yield where a sealed predicate differs; rulebooks are compared one by one, as far as both speak of them."""
    for name in ("exchange", "as_of", "case"):
        if sealed.get(name) != derived[name]:
            yield f"{name} is {_short(sealed.get(name))}, here {_short(derived[name])}"
    listed = sealed.get("rulebooks")
    known = {one.get("id"): one for one in listed if isinstance(one, dict)} if isinstance(listed, list) else {}
    for here in derived["rulebooks"]:
        there = known.get(here["id"])
        if there is None:
            yield f"it says nothing of {here['id']}"
        elif there.get("digest") != here["digest"]:
            yield f"{here['id']} is version {_short(there.get('version'))} there, {_short(here['version'])} here"
        elif there != here:
            yield f"{here['id']} is {_short(there.get('verdict'))} there, {_short(here['verdict'])} here"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:120]
