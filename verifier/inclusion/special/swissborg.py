"""SwissBorg proves each holding in a tree of its currency, and commits to all trees' roots together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from verifier.inclusion import numbers, template
from verifier.inclusion.finding import Finding
from verifier.inclusion.layout import MAX_STEPS, OtherLayoutError, canonical_hash
from verifier.inclusion.recipe import PathProof, Recipe, Step
from verifier.inclusion.wire import MalformedError, show

_MAX_HOLDINGS = 2_000
_COMMITMENT = "SB PoL - Audit commitment hash"


def is_companion(value: Any) -> bool:
    """Say whether a file is an audit's list of roots."""
    return isinstance(value, dict) and isinstance(value.get("audit"), dict) and "partitions" in value["audit"]


def read(recipe: Recipe, value: Any, facts: Mapping[str, str], companions: Sequence[Any]) -> list[PathProof]:
    """Read a user's liabilities; the audit's roots come from another file, the credential from `--fact credential=`."""
    if not isinstance(value, dict) or not {"audit_id", "user_id", "liabilities"} <= value.keys():
        raise OtherLayoutError("liabilities")
    holdings = value["liabilities"]
    if not isinstance(holdings, list) or not 0 < len(holdings) <= _MAX_HOLDINGS:
        raise MalformedError("malformed", f"liabilities: expected 1 to {_MAX_HOLDINGS} entries")
    audits = [companion["audit"] for companion in companions if is_companion(companion)]
    audit = next((audit for audit in audits if audit.get("id") == value["audit_id"]), None)
    if audit is None:
        what = "are of another audit" if audits else "are missing: hand over the audit's roots file as well"
        raise MalformedError("companion-missing", f"the roots of audit {show(value['audit_id'])} {what}")
    partitions, commitment, faults = _partitions(recipe, audit)
    places = {(str(one.get("audit_partition_id")), str(one["proof"].get("leaf_index")))
              for one in holdings if isinstance(one, dict) and isinstance(one.get("proof"), dict)}  # fmt: skip
    if len(places) != len(holdings):
        raise MalformedError("duplicate-rows", "one leaf stands twice among your holdings")
    proofs = []
    for number, holding in enumerate(holdings):
        if not isinstance(holding, dict) or not isinstance(holding.get("proof"), dict):
            raise OtherLayoutError("proof")
        partition = partitions.get(str(holding.get("audit_partition_id")))
        if partition is None:
            raise MalformedError("malformed", f"liabilities.{number}: the audit has no such partition")
        proofs.append(_proof(recipe, value, holding, partition, facts, faults if not number else ()))
    return [_anchored(proof, commitment) for proof in proofs]


def _anchored(proof: PathProof, commitment: str) -> PathProof:
    return PathProof(**{**vars(proof), "fields": {**proof.fields, "published_root": commitment}})


def _partitions(recipe: Recipe, audit: Any) -> tuple[dict[Any, dict[str, Any]], str, tuple[Finding, ...]]:
    try:
        rows = [
            (p["currency"], p["id"], p["commitment"]["liability"], p["commitment"]["digest"])
            for p in audit["partitions"]
        ]
        commitment = audit["commitment"]["digest"]
    except (KeyError, TypeError) as error:
        raise MalformedError("malformed", "the audit's roots file lacks a part") from error
    if not all(isinstance(text, str) for row in rows for text in row) or len({row[1] for row in rows}) != len(rows):
        raise MalformedError(
            "malformed", "the audit's roots file names a partition twice or has a value that is no text"
        )
    message, found = _COMMITMENT, {}
    for currency, name, liability, root in sorted(rows, key=lambda row: row[0].upper()):
        amount, _ = numbers.read_amount(liability, name)
        message += f",{name},{numbers.plain(amount)},{canonical_hash(recipe, root, name)}"
        found[name] = {"currency": currency, "amount": amount, "root": root}
    fits = recipe.digest(message.encode()) == commitment
    text = "the audit's commitment is not that of the roots in its file"
    return found, str(commitment), () if fits else (Finding("commitment-differs", text),)


def _proof(
    recipe: Recipe,
    value: Mapping[str, Any],
    holding: Mapping[str, Any],
    partition: Mapping[str, Any],
    facts: Mapping[str, str],
    faults: tuple[Finding, ...],
) -> PathProof:
    proof, currency = holding["proof"], partition["currency"]
    index, witnesses = proof.get("leaf_index"), proof.get("witnesses")
    if type(index) is not int or not isinstance(witnesses, list) or not 0 < len(witnesses) <= MAX_STEPS:
        raise MalformedError("malformed", "leaf_index or witnesses are missing")
    if not 0 <= index < 2 ** len(witnesses):
        raise MalformedError("index-beyond-tree", f"leaf {index} lies beyond a tree of {len(witnesses)} levels")
    amount, text = numbers.read_amount(holding.get("liability"), currency)
    fields: dict[str, template.Value] = {
        "user_id": _text(value["user_id"]), "audit_id": _text(value["audit_id"]), "currency": currency,
        "leaf_index": index, **facts,
    }  # fmt: skip
    known = "credential" in facts
    for rule in recipe.data["derive"] if known else ():
        fields[rule["name"]] = template.keyed(template.fill(rule["key"], fields), template.fill(rule["text"], fields))
    own = numbers.write({currency: amount}, recipe.own_style, {currency: text})
    # The file's `nonce` is the leaf's hash in some versions; with the credential the leaf is rebuilt instead.
    leaf = (
        recipe.digest(template.fill(recipe.data["leaf_template"], {**fields, "own": own}))
        if known
        else canonical_hash(recipe, _text(proof.get("nonce")), "nonce")
    )
    missing = "the leaf was not rebuilt from your credential: give --fact credential=… to bind it to you"
    return PathProof(
        fields=fields,
        own={currency: amount},
        steps=tuple(_steps(recipe, currency, index, witnesses)),
        own_text={currency: text},
        leaf=leaf,
        root=partition["root"],
        root_sums={currency: partition["amount"]},
        run=str(value["audit_id"])[:200],
        account=str(value["user_id"])[:200],
        faults=faults,
        unbound=(
            *(["liabilities.proof.nonce"] if known and proof.get("nonce") != leaf else []),
            *_unread(value, holding),
        ),
        notes=() if known else (Finding("balance-not-bound", missing),),
    )


def _unread(value: Mapping[str, Any], holding: Mapping[str, Any]) -> Iterator[str]:
    yield from (key for key in value if key not in ("audit_id", "user_id", "liabilities"))
    known = {"audit_partition_id", "liability", "proof"}
    yield from (f"liabilities.{key}" for key in holding if key not in known)
    proof_keys = {"leaf_index", "nonce", "witnesses"}
    yield from (f"liabilities.proof.{key}" for key in holding["proof"] if key not in proof_keys)
    witnesses = holding["proof"]["witnesses"]
    yield from {f"witnesses.{key}" for one in witnesses for key in one if key not in ("digest", "liability")}


def _steps(recipe: Recipe, currency: str, index: int, witnesses: Sequence[Any]) -> Iterator[Step]:
    for number, witness in enumerate(witnesses):
        if not isinstance(witness, dict):
            raise MalformedError("malformed", f"witnesses.{number}: expected an object")
        amount, _ = numbers.read_amount(witness.get("liability"), f"witnesses.{number}")
        hash_text = canonical_hash(recipe, _text(witness.get("digest")), f"witnesses.{number}")
        yield Step(hash_text, {currency: amount}, bool(index >> number & 1))


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 1_000:
        raise MalformedError("malformed", f"{show(value)}: expected a text")
    return value
