"""The hashing rules, held against a plain second implementation."""

import ast
import json
import random
import re
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.canonical import canonical_json
from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.check import check_proof
from verifier.inclusion.commitment import Commitment, TreeAsset
from verifier.inclusion.proof import proof_of
from verifier.inclusion.sum_tree import MAX_UNITS, Node, SumError
from verifier.liabilities import reference
from verifier.liabilities.accounts import Account
from verifier.liabilities.build import build, prove

ASSETS = (
    TreeAsset("bip122:000000000019d6689c085ae165831e93/slip44:0", "BTC", 8),
    TreeAsset("eip155:1/slip44:60", "ETH", 18),
)
SECRET = bytes(range(32))
RUN, AS_OF = "2026-11", "2026-11-22T00:00:00Z"

units = st.integers(0, 2**100)
tables = st.dictionaries(st.text(min_size=1, max_size=20), st.tuples(units, units), min_size=1, max_size=20).map(
    lambda table: [Account(name, held) for name, held in table.items() if name.isprintable()] or [Account("a", (1, 2))]
)
awkward_ids = st.sampled_from(
    [
        "a,b",
        "a|b",
        "a\nb",
        "a\r\n",
        "\u00e5",
        "a\u030a",
        "\u1e9b\u0323",
        "\x00",
        " ",
        "\U0001f600",
        "x" * 10_000,
        "é" * 5_000,
        '"',
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def reference_of(accounts, assets=ASSETS, parts=1):
    table = [asset._asdict() for asset in assets]
    return reference.commit([tuple(account) for account in accounts], SECRET, RUN, AS_OF, table, parts)


def compare_with_reference(accounts, assets=ASSETS, parts=1, proofs=3):
    """The builder's header and digest are the reference's, and the reference accepts the builder's proofs."""
    tree = build(accounts, assets, RUN, AS_OF, SECRET, parts)
    assert (tree.commitment.to_record(), tree.commitment.digest) == reference_of(accounts, assets, parts)
    for account in accounts[:proofs]:
        record = json.loads(prove(tree, account.id).to_json())
        assert reference.check_proof(record, tree.commitment.digest) == account.units
    return tree


@given(tables, st.integers(1, 4))
@settings(deadline=None, max_examples=80)
def test_the_builder_equals_the_plain_reference(accounts, parts):
    compare_with_reference(accounts, parts=parts)


@given(st.sets(awkward_ids, min_size=1, max_size=6), st.integers(1, 4), st.data())
@settings(deadline=None, max_examples=80)
def test_awkward_ids_and_large_balances_stand_as_in_the_reference(names, parts, data):
    largest = 2**127 // len(names)
    pairs = st.tuples(st.integers(0, largest), st.integers(0, largest) | st.sampled_from([0, 1, largest]))
    accounts = [Account(name, data.draw(pairs)) for name in sorted(names)]
    compare_with_reference(accounts, parts=parts, proofs=1)


def test_one_balance_of_half_the_range_is_cut_as_in_the_reference():
    for parts in range(1, 5):
        tree = compare_with_reference([Account("alone", (2**127, MAX_UNITS))], parts=parts)
        assert tree.commitment.totals == (2**127, MAX_UNITS)


def test_two_thousand_assets_are_cut_as_in_the_reference():
    wide = tuple(TreeAsset(f"eip155:1/erc20:0x{n:040x}", f"T{n}", 18) for n in range(2_000))
    accounts = [Account(name, tuple(n * scale for n in range(2_000))) for name, scale in (("a", 1), ("b", 10**18))]
    compare_with_reference(accounts, wide, parts=3, proofs=1)


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 31, 33])
def test_the_builder_equals_the_reference_around_powers_of_two(count, parts):
    compare_with_reference(
        [Account(f"user-{number}", (number, number * 10**18)) for number in range(count)], ASSETS, parts
    )


def change(part, name, value):
    return lambda record: record["leaves"][part].__setitem__(name, value)


def change_header(**changes):
    """Change the header together with its digest, as a forger would."""

    def forge(record):
        record["commitment"].update(changes)
        record["commitment_digest"] = reference.digest_of(record["commitment"])

    return forge


def change_step(height, **changes):
    """Change a step of the leaf that stands last, beside padding from height 1 on."""
    return lambda record: max(record["leaves"], key=lambda leaf: leaf["index"])["path"][height].update(changes)


EMPTY = reference.padding(0, 2)[0].hex()
FORGERIES = {
    "another account": (lambda record: record.update(account="nobody"), "root-differs", "elsewhere"),
    "another balance": (change(1, "balances", ["0", "0"]), "root-differs", "elsewhere"),
    "another salt": (change(1, "salt", "00" * 16), "root-differs", "elsewhere"),
    "other totals": (change_header(totals=["1", "10"]), "totals-differ", "elsewhere"),
    "a place beyond the tree": (change(1, "index", 10), "index-beyond-tree", "beyond"),
    "a path that is too short": (change(0, "path", []), "path-length", "too short"),
    "parts in another order": (lambda record: record["leaves"].reverse(), "root-differs", "elsewhere"),
    "one leaf twice": (
        lambda record: record["leaves"].__setitem__(1, record["leaves"][0]),
        "leaf-repeated",
        "two parts",
    ),
    "a missing part": (lambda record: record["leaves"].pop(), "parts-differ", "missing"),
    "half an account": (change_header(leaf_count=9), "parts-differ", "multiple"),
    "another depth": (change_header(depth=5), "depth-differs", "depth"),
    "a laden place that is nobody's": (change_step(1, sums=["5", "0"]), "padding-carries-value", "carries value"),
    "an empty place that is counted": (change_step(0, hash=EMPTY), "padding-inside", "stands where"),
    "a balance that wraps": (change(0, "balances", [str(MAX_UNITS), "0"]), "sum-overflow", "too large"),
    "another header": (lambda record: record["commitment"].update(parts=1), "commitment-differs", "digest"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_the_reference_and_the_checker_refuse_the_same_forgeries(name):
    tree = build([Account(f"user-{n}", (n + 10**6, n)) for n in range(5)], ASSETS, RUN, AS_OF, SECRET, 2)
    record = json.loads(prove(tree, tree.leaves[-1].account).to_json())
    reference.check_proof(record, tree.commitment.digest)
    forge, code, rule = FORGERIES[name]
    forge(record)
    assert code in [finding.code for finding in check_proof(proof_of(record)).findings]
    with pytest.raises(ValueError, match=rule):
        reference.check_proof(record, record["commitment_digest"])


def test_the_reference_refuses_a_digest_that_was_not_published():
    tree = build([Account("alice", (1, 2))], ASSETS, RUN, AS_OF, SECRET)
    with pytest.raises(ValueError, match="published"):
        reference.check_proof(json.loads(prove(tree, "alice").to_json()), "ab" * 32)


def test_the_reference_needs_nothing_of_ours():
    tree = ast.parse(Path(reference.__file__).read_text("utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"hashlib", "hmac", "json", "typing"}


def test_the_documents_worked_example_is_what_is_built():
    owed = {"alice": (150_000_000, 2 * 10**18), "bob": (0, 1), "carol": (21, 0)}
    tree = build([Account(name, held) for name, held in owed.items()], ASSETS, RUN, AS_OF, SECRET)
    document = (Path(__file__).parents[2] / "docs" / "liabilities-tree.md").read_text("utf-8")
    example = re.findall(r"\| `([0-9a-f]{32,64})` \|", document.partition("## A worked example")[2])
    built = [sum_tree.salt_key(SECRET, RUN).hex()]
    for leaf, node in zip(tree.leaves, tree.levels[0], strict=True):
        built += [leaf.salt.hex(), node.hash.hex()]
    inner = [sum_tree.padding(0, 2), *tree.levels[1], *tree.levels[2]]
    assert example == [*built, *(node.hash.hex() for node in inner), tree.commitment.digest]


def test_the_documents_example_of_two_parts_is_what_is_built():
    owed = {"alice": (150_000_000, 2 * 10**18), "bob": (0, 1), "carol": (21, 0)}
    tree = build([Account(name, held) for name, held in owed.items()], ASSETS, RUN, AS_OF, SECRET, 2)
    document = (Path(__file__).parents[2] / "docs" / "liabilities-tree.md").read_text("utf-8")
    words = re.findall(r"[0-9a-f]+", document.partition("With two parts the split key is")[2])
    held = [str(units) for leaf in prove(tree, "alice").leaves for units in leaf.balances]
    assert {sum_tree.split_key(SECRET, RUN).hex(), tree.commitment.digest, *held} <= set(words)


@given(tables, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_shuffled_accounts_give_the_same_root(accounts, shuffler):
    shuffled = list(accounts)
    shuffler.shuffle(shuffled)
    first, second = (build(table, ASSETS, RUN, AS_OF, SECRET) for table in (accounts, shuffled))
    assert first.commitment == second.commitment


@given(tables)
@settings(deadline=None)
def test_totals_are_the_plain_sums(accounts):
    totals = build(accounts, ASSETS, RUN, AS_OF, SECRET).commitment.totals
    assert totals == tuple(sum(account.units[column] for account in accounts) for column in range(2))


@given(st.lists(st.tuples(st.integers(0, MAX_UNITS), st.integers(0, MAX_UNITS)), min_size=1, max_size=6))
@settings(deadline=None)
def test_a_sum_is_exact_or_refused_and_never_wraps(held):
    accounts = [Account(f"user-{number}", pair) for number, pair in enumerate(held)]
    exact = tuple(sum(pair[column] for pair in held) for column in range(2))
    if max(exact) > MAX_UNITS:
        with pytest.raises(SumError, match="2\\^128"):
            build(accounts, ASSETS, RUN, AS_OF, SECRET)
    else:
        assert build(accounts, ASSETS, RUN, AS_OF, SECRET).commitment.totals == exact


@pytest.mark.parametrize("amount", [-1, MAX_UNITS + 1])
def test_an_amount_out_of_range_cannot_be_encoded(amount):
    with pytest.raises(SumError):
        sum_tree.encode_sums((0, amount))


def test_two_halves_of_the_largest_sum_meet_and_one_more_unit_is_refused():
    half = Node(bytes(32), (2**127,))
    almost = Node(bytes(32), (2**127 - 1,))
    assert sum_tree.parent(half, almost).sums == (MAX_UNITS,)
    with pytest.raises(SumError):
        sum_tree.parent(half, half)


def test_leaf_node_and_padding_never_share_a_hash_function():
    left, right = Node(bytes(32), (1,)), Node(bytes(32), (2,))
    message = left.hash + sum_tree.encode_sums(left.sums) + right.hash + sum_tree.encode_sums(right.sums)
    hashes = {sum_tree.parent(left, right).hash, sha256(message).digest()}
    hashes |= {reference.tagged_hash(tag, message) for tag in ("leaf", "padding", "commitment", "salt", "split")}
    assert len(hashes) == 7


def test_the_length_of_an_account_id_cannot_move_into_the_balances():
    one = sum_tree.leaf_hash(RUN, bytes(16), b"a", (0x62 << 120, 0))
    other = sum_tree.leaf_hash(RUN, bytes(16), b"ab", (0, 0))
    assert one != other
    assert sum_tree.leaf_hash("ab", bytes(16), b"c", (0,)) != sum_tree.leaf_hash("a", b"b" + bytes(15), b"c", (0,))


def test_the_sums_of_each_child_are_bound_and_not_only_their_total():
    root = sum_tree.parent(Node(b"l" * 32, (3,)), Node(b"r" * 32, (4,)))
    moved = sum_tree.parent(Node(b"l" * 32, (4,)), Node(b"r" * 32, (3,)))
    assert root.sums == moved.sums
    assert root.hash != moved.hash


def test_salt_and_place_change_with_the_run_and_the_part_and_tell_nothing_of_each_other():
    keys = [sum_tree.salt_key(SECRET, run) for run in ("2026-11", "2026-12")]
    drawn = [sum_tree.salt_and_position(key, b"alice", part) for key in keys for part in (0, 1)]
    assert len({half for pair in drawn for half in pair}) == 8
    assert {len(half) for pair in drawn for half in pair} == {16}


# --- splitting ---
@given(
    st.binary(min_size=1, max_size=30), st.lists(st.integers(0, MAX_UNITS), min_size=1, max_size=4), st.integers(1, 16)
)
@settings(deadline=None)
def test_the_parts_of_a_balance_add_up_to_it_exactly(account, held, parts):
    cut = sum_tree.split_units(sum_tree.split_key(SECRET, RUN), account, tuple(held), parts)
    assert len(cut) == parts
    assert [sum(column) for column in zip(*cut, strict=True)] == held
    assert min(min(units) for units in cut) >= 0


def test_a_split_shows_neither_the_balance_nor_an_even_share():
    key = sum_tree.split_key(SECRET, RUN)
    cut = [sum_tree.split_units(key, f"user-{n}".encode(), (10**18, 10**18, 0), 4) for n in range(50)]
    shown = [units[:2] for leaves in cut for units in leaves]
    assert len({amount for pair in shown for amount in pair}) == 400
    assert all(amount not in (10**18, 10**18 // 4) for pair in shown for amount in pair)
    assert all(units[2] == 0 for leaves in cut for units in leaves)


def test_the_cuts_are_other_ones_in_every_run_and_for_every_account():
    keys = [sum_tree.split_key(SECRET, run) for run in ("2026-11", "2026-12")]
    cut = {tuple(sum_tree.split_units(key, account, (10**18,), 3)) for key in keys for account in (b"a", b"b")}
    assert len(cut) == 4


def test_the_part_number_is_bound_by_the_leaf():
    hashes = {sum_tree.leaf_hash(RUN, bytes(16), b"alice", (5, 6), part) for part in range(16)}
    assert len(hashes) == 16


@pytest.mark.parametrize("count", range(1, 20))
def test_streaming_gives_the_same_root_as_level_by_level(count):
    shuffler = random.Random(count)
    leaves = [Node(shuffler.randbytes(32), (shuffler.getrandbits(64),)) for _ in range(count)]
    level, height = leaves, 0
    while len(level) > 1:
        level, height = sum_tree.fold_level(level, height), height + 1
    assert height == sum_tree.depth_of(count)
    assert sum_tree.fold_leaves(leaves, 1) == (count, level[0])


def test_a_tree_without_leaves_is_refused():
    with pytest.raises(InputError, match="at least one leaf"):
        sum_tree.fold_leaves([], 1)


@given(
    st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+$-]{0,31}", fullmatch=True), min_size=1, max_size=5, unique=True),
    st.integers(1, 2**53 - 1),
    st.integers(0, 2**128 - 1),
)
@settings(deadline=None, max_examples=60)
def test_a_header_is_written_as_rfc_8785_asks(symbols, count, units):
    assets = tuple(TreeAsset(f"eip155:{n + 1}/slip44:60", symbol, 18) for n, symbol in enumerate(symbols))
    header = Commitment(RUN, AS_OF, assets, 1, count, 53, bytes(32), (units,) * len(assets))
    assert header.to_json() == canonical_json(header.to_record())
