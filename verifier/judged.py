"""What a bundle says it comes to: texts of rulebooks, findings and verdicts; kept to be compared, never believed."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from chains.decode import parse_json
from chains.errors import ChainError
from verifier.attestation.bundle import Bundle
from verifier.canonical import canonical_json
from verifier.case import Case
from verifier.errors import InputError
from verifier.policy.evaluate import Judgement, evaluate_all
from verifier.policy.finding import Finding, Level, Reason
from verifier.policy.library import MAX_BYTES, load_pack, pack_names, pack_text
from verifier.policy.pack import Pack
from verifier.verdict import Verdict, worst

FORMAT = "reserve-verifier/verdict/1"
VERDICT, PACKS = "verdict.json", "packs"
RULE, PACK_RULE = "stated-verdict", "stated-rulebook"
MAX_VERDICT = 64 * 1024 * 1024


class Rulebook(NamedTuple):
    """A rulebook and its text, byte for byte."""

    pack: Pack
    text: bytes


def read_rulebook(name: str) -> Rulebook:
    """Return a shipped rulebook by id, or the one in a `.toml` file. Raises as `load_pack`."""
    return Rulebook(load_pack(name), pack_text(name))


def judged_parts(case: Case, rulebooks: Sequence[Rulebook]) -> dict[str, bytes]:
    """Return the parts of a bundle that say what it comes to; none without rulebooks.

    Raises InputError for two rulebooks of one id.
    """
    if not rulebooks:
        return {}
    texts = {f"{PACKS}/{one.pack.id}.toml": one.text for one in rulebooks}
    if len(texts) != len(rulebooks):
        raise InputError("two rulebooks have the same id; a bundle keeps one text under each")
    record = verdict_record(case, evaluate_all(case, [one.pack for one in rulebooks]))
    return {**texts, VERDICT: canonical_json(record)}


def verdict_record(case: Case, judgements: Sequence[Judgement]) -> dict[str, Any]:
    """Return verdicts and findings as JSON values: those of the evidence alone, whatever a verifier trusts beside."""
    return {
        "format": FORMAT,
        "case": case.digest,
        "verdict": str(worst([judged.verdict for judged in judgements])),
        "rulebooks": [_rulebook_record(judged) for judged in judgements],
    }


def _rulebook_record(judged: Judgement) -> dict[str, Any]:
    return {
        "id": judged.pack.id,
        "version": judged.pack.version,
        "digest": {"sha256": judged.pack.digest},
        "day": judged.day,
        "verdict": str(judged.verdict),
        "findings": [finding.to_record() for finding in judged.findings],
    }


def stated_ids(bundle: Bundle) -> list[str]:
    """Return the ids of the rulebooks whose verdicts a bundle states."""
    return list(_stated(bundle))


def check_stated(bundle: Bundle, judgements: Sequence[Judgement]) -> Iterator[Finding]:
    """Compare what a bundle says it comes to with what was derived from it here.

    `judgements` are over the evidence alone, on the case's own day. A rulebook in the bundle that is not the one used
    here is named and not judged by: whoever wrote the bundle wrote that text. Raises InputError for a malformed part.
    """
    stated = _stated(bundle)
    here = {judged.pack.id: judged for judged in judgements}
    for name in stated:
        yield from _other_text(bundle, name)
    compared = [here[name] for name in stated if name in here and _digest_of(stated[name]) == here[name].pack.digest]
    differing = [text for judged in compared for text in _differences(stated[judged.pack.id], _plain(judged))]
    if differing:
        text = f"The bundle's {VERDICT} is not what follows from its evidence: {'; '.join(differing)}."
        said = f"バンドルの {VERDICT} は、証拠から導かれる結果と異なります：{'；'.join(differing)}。"
        yield Finding(RULE, "attestation", Verdict.FAIL, Reason.CONTRADICTION, text, text_ja=said)
    elif compared:
        names = ", ".join(judged.pack.id for judged in compared)
        text = f"The bundle states the same findings and verdicts by {names} as were derived here."
        said = f"バンドルが述べる {names} による所見と判定は、ここで導いたものと同じです。"
        yield Finding(RULE, "attestation", Verdict.PASS, Reason.SATISFIED, text, Level.INFO, text_ja=said)


def _stated(bundle: Bundle) -> dict[str, dict[str, Any]]:
    """Return what is stated by each rulebook, by its id; nothing when the bundle states no verdict."""
    content = bundle.read(VERDICT, MAX_VERDICT)
    if content is None:
        return {}
    try:
        record = parse_json(content)
    except ChainError as error:
        raise InputError(f"{bundle.folder / VERDICT}: {error}") from error
    listed = record.get("rulebooks") if isinstance(record, dict) and record.get("format") == FORMAT else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise InputError(f"{bundle.folder / VERDICT}: expected the format {FORMAT!r} and a list of rulebooks")
    return {str(one.get("id")): one for one in listed}


def _other_text(bundle: Bundle, name: str) -> Iterator[Finding]:
    part = f"{PACKS}/{name}.toml"
    text = bundle.read(part, MAX_BYTES)
    if name in pack_names() and text == pack_text(name):
        return
    why = "holds no text of it" if text is None else "holds another text under that name"
    if name not in pack_names():
        why = "this program has none of that name"
    told = (
        f"The bundle speaks of the rulebook {name[:80]}, and {why}. Read {part[:90]} before you judge by it (--pack)."
    )
    said = f"バンドルは規則集 {name[:80]} に言及していますが、この検証プログラムのものと同じではありません。"
    yield Finding(PACK_RULE, "attestation", Verdict.INDETERMINATE, Reason.CONTRADICTION, told, Level.INFO, text_ja=said)


def _digest_of(stated: dict[str, Any]) -> Any:
    found = stated.get("digest")
    return found.get("sha256") if isinstance(found, dict) else None


def _plain(judged: Judgement) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(canonical_json(_rulebook_record(judged)))
    return found


def _differences(stated: dict[str, Any], derived: dict[str, Any]) -> Iterator[str]:
    """Yield where a stated verdict and its findings differ; of findings the first is named."""
    name = derived["id"]
    for field in ("version", "day", "verdict"):
        if stated.get(field) != derived[field]:
            yield f"{name}: {field} is {_short(stated.get(field))}, derived {_short(derived[field])}"
    listed = stated.get("findings")
    findings = listed if isinstance(listed, list) else []
    if len(findings) != len(derived["findings"]):
        yield f"{name}: states {len(findings):,} findings, derived {len(derived['findings']):,}"
    for there, here in zip(findings, derived["findings"], strict=False):
        if there != here:
            yield f"{name}: the finding {here['rule']} of {here['subject']} is stated otherwise"
            return


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:120]
