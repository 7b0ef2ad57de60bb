"""Turn a rebuilt path into a graded answer in plain words."""

from collections.abc import Iterator, Sequence
from typing import Final

from verifier.inclusion import template
from verifier.inclusion.finding import Finding
from verifier.inclusion.recipe import Recipe
from verifier.inclusion.result import Grade

# What a format cannot do, by code; the sentences are for users.
WARNINGS: Final = {
    "sum-only": "a node's hash holds only the sum of both sides: no single proof can show that the total was "
    "understated; comparing several users' proofs can",
    "no-totals": "the tree holds no sums: it says nothing about the total owed to all users",
    "short-hash": "the hash has only {bits} bits: whoever builds the tree can make two contents with one hash",
    "weak-hash": "SHA-1 is broken: whoever builds the tree can make two contents with one hash",
    "balance-not-bound": "the leaf's hash cannot be recomputed from your balance: the file could show any balance",
    "leaf-without-user": "the leaf does not name you: two users with the same entry can be shown one leaf",
    "ambiguous-concatenation": "amounts are joined without separators: two sets of amounts can have one hash",
    "guessable-id": "no secret protects your id or balance: whoever sees the leaf's hash can find them by trying",
    "leaves-not-bound": "other users' balances are not recomputed from their leaves: two lists with one root exist",
    "padding-carries-value": "padding repeats a real balance, so the totals count it more than once",
}
# What an accepted proof does not prove, by code; each sentence goes on from "this does not prove".
LIMITS: Final = {
    "root-not-compared": "that this is the root the exchange published: the root was read from your own file; compare "
    "it with the published one (--root or --anchor)",
    "tree-not-compared": "that this is the tree the exchange published: the root was read from your own file; compare "
    "it with the published one (--root or --anchor)",
    "balance-not-yours-alone": "that this balance is yours alone: this format does not bind your id and balance to the "
    "leaf",
    "total-can-be-understated": "the total: this format cannot stop the exchange from understating it",
    "nothing-about-totals": "anything about the total owed to all users: this format holds no sums",
    "balance-not-compared": "that the balance is right: compare the amounts with your own records (--expect)",
    "not-recent": "that the tree is recent",
    "others-not-counted": "that other users are counted: an account the exchange left out is found only when its owner "
    "asks for a proof",
    "other-root-for-others": "that everybody is shown the same root: compare it with others, or use a public log",
    "coins-not-checked": "that the exchange holds the coins: that is what `por verify` checks",
}
NEVER_PROVEN: Final = ("others-not-counted", "other-root-for-others", "coins-not-checked")
MIN_BITS = 128


def weaknesses(recipe: Recipe) -> Iterator[Finding]:
    """Name what this format cannot prove; lowers no verdict."""
    bits = template.digest_bits(recipe.hash)
    codes = [*recipe.data.get("warns", ())]
    codes += {"sum": ["sum-only"], "nothing": ["no-totals"]}.get(recipe.sums, [])
    codes += ["short-hash"] if bits < MIN_BITS else []
    codes += ["weak-hash"] if recipe.hash.startswith("sha1") else []
    for code in dict.fromkeys(codes):
        yield Finding(code, WARNINGS[code].format(bits=bits))


def grade_of(recipe: Recipe, included: bool, anchored: bool) -> Grade:
    """Return what a proof without faults establishes: never more than the format can."""
    reach = recipe.data["grade"]
    own, totals = "own_balance_bound" in reach, "totals_bound" in reach
    return Grade(included, included and own, included and totals, anchored, False)


def limits(recipe: Recipe, grade: Grade, expected: bool) -> Iterator[str]:
    """Say in plain words what an accepted proof does not prove."""
    if not grade.root_anchored:
        yield LIMITS["root-not-compared"]
    if not grade.own_balance_bound:
        yield LIMITS["balance-not-yours-alone"]
    if not grade.totals_bound and recipe.sums == "sum":
        yield LIMITS["total-can-be-understated"]
    if recipe.sums == "nothing":
        yield LIMITS["nothing-about-totals"]
    if not expected:
        yield LIMITS["balance-not-compared"]
    yield LIMITS["not-recent"]
    yield from (LIMITS[code] for code in NEVER_PROVEN)


def unbound(fields: Sequence[str]) -> Iterator[Finding]:
    """Name the parts of the file that no hash binds."""
    if fields:
        shown = ", ".join(field[:60] if field.isprintable() else ascii(field)[:60] for field in fields[:40])
        more = f" and {len(fields) - 40} more" if len(fields) > 40 else ""
        yield Finding("unbound-field", f"nothing binds these parts of the file, do not rely on them: {shown}{more}")
