"""Judge a published tree or leaf list: rebuild all of it, and find the user's own leaves where they can be known."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from verifier.errors import InputError
from verifier.inclusion import numbers, rows, tree_audit
from verifier.inclusion.finding import Finding
from verifier.inclusion.grading import limits, unbound, weaknesses
from verifier.inclusion.judge import unexpected, unrecognised
from verifier.inclusion.loading import Loaded
from verifier.inclusion.mine import ByLines, Mine, mine_of
from verifier.inclusion.recipe import Recipe, recipes
from verifier.inclusion.result import Grade, InclusionResult, LineClaim, ProofVerdict
from verifier.inclusion.tree_audit import Tree
from verifier.inclusion.wire import MalformedError

_ROUNDING = Decimal("0.00000001")

Progress = Callable[[str, int, int], None]


def judge_list(
    loaded: Loaded,
    facts: Mapping[str, str],
    expected: Mapping[str, str],
    others: Sequence[Any],
    root: str | None,
    only: str | None,
    progress: Progress | None = None,
) -> InclusionResult:
    """Return the answer for a file of rows. Several formats may share one list; then all are named."""
    fitting = [
        variant
        for name, recipe in recipes().items()
        if recipe.data["container"] != "path" and only in (None, name) and rows.fits_head(recipe, loaded.value)
        for variant in recipe.variants
        if only == name
        or not recipe.data.get("mine", {}).get("only")
        or {*recipe.data["mine"]["needs"]} <= facts.keys()
    ]
    if not fitting:
        text = f"{loaded.path}: neither JSON nor a list in a format known here; `por formats` names them"
        return unrecognised(str(loaded.path), Finding("unknown-format", text))
    judged = [_judge_one(loaded, recipe, facts, expected, others, root, progress) for recipe in fitting]
    # Who told who they are wants to be found: formats in which nobody could look for them answer nothing.
    asked = [answer for looked, answer in judged if looked]
    best = _best(asked or [answer for _, answer in judged])
    if len({answer.format for answer in best}) == 1:
        return best[0]
    names = sorted({str(answer.format) for answer in best})
    note = Finding("ambiguous-format", f"{' and '.join(names)} fit equally; choose with --format, or give --fact")
    weakest = Grade(*(all(steps) for steps in zip(*(answer.grade for answer in best), strict=True)))
    changes = {"format": "|".join(names), "grade": weakest, "findings": (note, *best[0].findings)}
    return InclusionResult(**{**vars(best[0]), **changes})


def _best(answers: Sequence[InclusionResult]) -> list[InclusionResult]:
    """Prefer answers that found the user's leaf, then accepted ones."""

    def rank(answer: InclusionResult) -> tuple[bool, bool]:
        return (
            answer.verdict is ProofVerdict.ACCEPTED and answer.grade.included,
            answer.verdict is ProofVerdict.ACCEPTED,
        )

    top = max(rank(answer) for answer in answers)
    return [answer for answer in answers if rank(answer) == top]


def _judge_one(
    loaded: Loaded,
    recipe: Recipe,
    facts: Mapping[str, str],
    expected: Mapping[str, str],
    others: Sequence[Any],
    root: str | None,
    progress: Progress | None,
) -> tuple[bool, InclusionResult]:
    """Return whether the user's leaf was looked for, and the answer."""
    file, size = str(loaded.path), loaded.path.stat().st_size
    watch = None if progress is None else lambda done: progress(loaded.path.name, done, size)
    own = Mine()
    try:
        header = rows.header_of(recipe, loaded.path)
        own = mine_of(recipe, header, facts, expected, others)
        tree = tree_audit.audit_tree(recipe, loaded.path, own.see, watch)
    except MalformedError as error:
        refused = (Finding(error.code, str(error)),)
        return own.asked, InclusionResult(file, recipe.name, ProofVerdict.REFUSED, findings=refused)
    except InputError as error:
        return own.asked, unrecognised(file, Finding("not-a-proof", str(error)))
    named = header.get("root") or _named_root(others)
    faults = own.faults()
    if named is not None and named != tree.root:
        faults.append(Finding("root-differs", f"the rows lead to {tree.root}, not to the root {named} beside them"))
    if root is not None and root.lower() != tree.root:
        faults.append(Finding("root-not-published", f"the exchange published {root}, these rows lead to {tree.root}"))
    faults += _total_faults(header, tree)
    owned = _owned(recipe, own, expected)
    if owned is not None and not faults:
        faults += unexpected(_in_coins(owned), expected)
    if faults:
        return own.asked, InclusionResult(file, recipe.name, ProofVerdict.REFUSED, tree.root, findings=tuple(faults))
    return own.asked, _accepted(file, recipe, tree, own, owned, root is not None, expected)


def _accepted(
    file: str,
    recipe: Recipe,
    tree: Tree,
    own: Mine,
    owned: dict[str, str] | None,
    anchored: bool,
    expected: Mapping[str, str],
) -> InclusionResult:
    reach, found = recipe.data["grade"], bool(own.rows)
    grade = Grade(found, found and "own_balance_bound" in reach, "totals_bound" in reach, anchored, False)
    notes = [Finding("rebuilt", f"all {tree.leaves} leaves were rebuilt to the root")]
    if not found:
        why = (
            "no leaf opens to you: the exchange counts nothing for you" if own.asked else "tell who you are with --fact"
        )
        notes.append(Finding("no-own-leaf", f"your own leaf was not found: {why}"))
    loose = (*own.unbound, *recipe.data["rows"].get("unbound", ()))
    lines = None
    if isinstance(own, ByLines) and own.rows:
        lines = LineClaim(file, tree.root, own.rows[0][0], own.rows[0][0] + own.count)
    return InclusionResult(
        file=file,
        format=recipe.name,
        verdict=ProofVerdict.ACCEPTED,
        root=tree.root,
        leaf=",".join(row.hash for _, row in own.rows[:100]) or None,
        own=owned,
        totals=tree_audit.shown(recipe, tree.total) if tree.total else None,
        grade=grade,
        findings=(*notes, *tree_audit.padding_note(recipe, tree), *weaknesses(recipe), *unbound(loose)),
        does_not_prove=tuple(limits(recipe, grade, bool(expected))),
        lines=lines,
    )


def _owned(recipe: Recipe, own: Mine, expected: Mapping[str, str]) -> dict[str, str] | None:
    if not own.asked:
        return None
    if not own.rows:
        return tree_audit.shown(recipe, 0)
    if recipe.sums == "nothing" and "{own" in recipe.data.get("mine", {}).get("leaf", ""):
        return dict(expected)  # the leaf that was found is that of these amounts
    total = own.rows[0][1].amount
    for _, row in own.rows[1:]:
        total = tree_audit.numbers_sum(recipe, total, row.amount)
    return tree_audit.shown(recipe, total)


def _in_coins(owned: Mapping[str, str]) -> dict[str, str]:
    """Let the user expect satoshis or whole coins."""
    sat = owned.get("sat")
    return {**owned, **({} if sat is None else {"BTC": numbers.plain(Decimal(sat).scaleb(-8))})}


def _named_root(others: Sequence[Any]) -> str | None:
    for value in others:
        if isinstance(value, dict) and isinstance(value.get("userMerkleRoot"), str):
            return str(value["userMerkleRoot"])
        if isinstance(value, str) and len(value) <= 128:
            return value
    return None


def _total_faults(header: Mapping[str, str], tree: Tree) -> list[Finding]:
    """Compare the totals a list states with the sum of its rows; the exchange rounds to eight decimals."""
    if not header.get("totals") or not isinstance(tree.total, dict):
        return []
    stated = {}
    try:
        for entry in header["totals"].split(","):
            words = entry.split()
            if len(words) == 2:
                stated[words[1]] = numbers.read_amount(words[0], "Balance totals")[0]
    except MalformedError as error:
        return [Finding(error.code, str(error))]
    for coin, amount in tree.total.items():
        if abs(stated.get(coin, numbers.ZERO) - amount) > _ROUNDING:
            text = f"the list states {stated.get(coin)} {coin} in total, its rows add up to {numbers.plain(amount)}"
            return [Finding("totals-differ", text)]
    return []
