"""The hashing rules, held against a plain second implementation."""

import hmac
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
from verifier.inclusion.commitment import TreeAsset
from verifier.inclusion.sum_tree import MAX_UNITS, Node, SumError
from verifier.liabilities.accounts import Account
from verifier.liabilities.build import build

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


# --- docs/liabilities-tree.md once more, as plainly as it can be said ---
def ref_hash(tag, message):
    prefix = sha256(b"reserve-verifier/liabilities-tree/1/" + tag).digest()
    return sha256(prefix + prefix + message).digest()


def ref_sums(sums):
    return b"".join(value.to_bytes(16, "big") for value in sums)


def ref_root(nodes, places):
    """The (hash, sums) above `places` places, of which the first are taken by `nodes`."""
    if places == 1:
        return nodes[0] if nodes else (ref_hash(b"padding", b""), (0, 0))
    half = places // 2
    (lh, ls), (rh, rs) = ref_root(nodes[:half], half), ref_root(nodes[half:], half)
    both = tuple(a + b for a, b in zip(ls, rs, strict=True))
    return ref_hash(b"node", lh + ref_sums(ls) + rh + ref_sums(rs)), both


def ref_commitment(accounts):
    salt_key = ref_hash(b"salt", SECRET + RUN.encode())
    placed = []
    for name, held in accounts:
        raw = name.encode()
        salt = hmac.new(salt_key, raw, "sha256").digest()[:16]
        run = len(RUN).to_bytes(2, "big") + RUN.encode()
        leaf = ref_hash(b"leaf", run + salt + len(raw).to_bytes(4, "big") + raw + ref_sums(held))
        placed.append((ref_hash(b"position", salt + raw), (leaf, held)))
    depth = 0
    while 2**depth < len(placed):
        depth += 1
    root, totals = ref_root([leaf for _, leaf in sorted(placed)], 2**depth)
    table = [dict(zip(("asset", "symbol", "decimals"), asset, strict=True)) for asset in ASSETS]
    header = {"format": "reserve-verifier/liabilities-tree/1", "run_id": RUN, "as_of": AS_OF, "assets": table}
    header |= {"leaf_count": len(placed), "depth": depth, "root": root.hex(), "totals": [str(t) for t in totals]}
    return ref_hash(b"commitment", canonical_json(header)).hex()


# --- end of the reference ---


@given(tables)
@settings(deadline=None, max_examples=80)
def test_the_builder_equals_the_plain_reference(accounts):
    assert build(accounts, ASSETS, RUN, AS_OF, SECRET).commitment.digest == ref_commitment(accounts)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 31, 33])
def test_the_builder_equals_the_reference_around_powers_of_two(count):
    accounts = [Account(f"user-{number}", (number, number * 10**18)) for number in range(count)]
    assert build(accounts, ASSETS, RUN, AS_OF, SECRET).commitment.digest == ref_commitment(accounts)


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
    hashes |= {ref_hash(tag, message) for tag in (b"leaf", b"padding", b"commitment", b"salt", b"position")}
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


def test_salt_and_place_change_with_the_run_and_tell_nothing_of_each_other():
    salts = [sum_tree.salt_of(sum_tree.salt_key(SECRET, run), b"alice") for run in ("2026-11", "2026-12")]
    places = [sum_tree.position_of(salt, b"alice")[:16] for salt in salts]
    assert len({*salts, *places}) == 4


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
