"""The fast kernel gives the plain one's bytes and errors, by the processor's instructions and without them."""

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.sum_tree import MAX_UNITS, Node, SumError, encode_sums
from verifier.liabilities.publisher import fast, plain, sha_ni
from verifier.liabilities.publisher.blocks import to_node, to_rows
from verifier.liabilities.publisher.kernels import Ids

KEY, RUN = bytes(range(32)), "2026-11"
KERNELS = [
    pytest.param(fast.FastKernel(native=False), id="portable"),
    pytest.param(
        fast.FastKernel(native=True),
        id="sha-ni",
        marks=pytest.mark.skipif(not sha_ni.available(), reason="this processor has no SHA instructions"),
    ),
]
each_kernel = pytest.mark.parametrize("kernel", KERNELS)

EDGES = [0, 1, 2**64 - 1, 2**64, 2**64 + 1, 2**127 - 1, 2**127, 2**128 - 2**64, MAX_UNITS - 1, MAX_UNITS]
amounts = st.sampled_from(EDGES) | st.integers(0, MAX_UNITS)
accounts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=75).map(str.encode)


def ids_of(names):
    starts = np.cumsum([0, *map(len, names)], dtype=np.int64)
    return Ids(np.frombuffer(b"".join(names), dtype=np.uint8), starts)


def units_of(rows):
    return np.frombuffer(b"".join(map(encode_sums, rows)), dtype=np.uint8).reshape(len(rows), -1)


def drawn(seed, rows, assets, bits=127):
    draw = random.Random(seed)
    return units_of([tuple(draw.getrandbits(bits) for _ in range(assets)) for _ in range(rows)])


def outcome(action, *arguments):
    try:
        return action(*arguments).tobytes()
    except InputError as error:
        return type(error), str(error)


def agree_on_leaves(kernel, names, units, part=0, run_id=RUN):
    records = kernel.leaf_records(KEY, run_id, ids_of(names), units, part)
    expected = plain.leaf_records(KEY, run_id, ids_of(names), units, part)
    assert records.shape == expected.shape
    assert records.tobytes() == expected.tobytes()


@each_kernel
@settings(deadline=None, max_examples=60)
@given(data=st.data(), assets=st.integers(1, 20), part=st.integers(0, 15), run_id=st.from_regex(r"\A[a-z]{1,128}\Z"))
def test_leaf_records_are_those_of_the_plain_kernel(kernel, data, assets, part, run_id):
    names = data.draw(st.lists(accounts, min_size=1, max_size=9))
    rows = data.draw(st.lists(st.tuples(*[amounts] * assets), min_size=len(names), max_size=len(names)))
    agree_on_leaves(kernel, names, units_of(rows), part, run_id)


@each_kernel
@settings(deadline=None, max_examples=60)
@given(data=st.data(), assets=st.integers(1, 20), pairs=st.integers(1, 7))
def test_parents_or_their_errors_are_those_of_the_plain_kernel(kernel, data, assets, pairs):
    small = data.draw(st.booleans())
    units = st.tuples(*[st.integers(0, 2**127 - 1) | st.sampled_from(EDGES[:6]) if small else amounts] * assets)
    nodes = to_rows([Node(data.draw(st.binary(min_size=32, max_size=32)), data.draw(units)) for _ in range(2 * pairs)])
    assert outcome(kernel.parents, nodes) == outcome(plain.parents, nodes)


@each_kernel
@pytest.mark.parametrize("assets", [1, 2, 3, 4])
@pytest.mark.parametrize("step", [1, -1, 77])
def test_every_length_of_an_id_around_the_edges_of_blocks(kernel, assets, step):
    names = [bytes([64 + length % 60]) * length for length in range(1, 201)]
    names = [names[step * place % 200] for place in range(200)]
    agree_on_leaves(kernel, names, drawn(assets, 200, assets, 128))


@each_kernel
@pytest.mark.parametrize("size", range(1, 66))
def test_every_length_of_a_run_id_around_the_edges_of_blocks(kernel, size):
    agree_on_leaves(kernel, [b"alice", b"b" * 70, b"carol"], drawn(size, 3, 2), run_id="r" * size)


@each_kernel
@pytest.mark.parametrize("assets", [1, 8, 2_000])
def test_the_longest_ids_and_the_most_assets(kernel, assets):
    names = [b"x", b"y" * 10_000, "é".encode() * 5_000, b"z" * 9_999, b"w"]
    agree_on_leaves(kernel, names, drawn(3, 5, assets, 128), part=15)
    nodes = kernel.leaf_records(KEY, RUN, ids_of(names[:4]), drawn(4, 4, assets))[:, 16:]
    assert kernel.parents(nodes).tobytes() == plain.parents(nodes).tobytes()


@each_kernel
@pytest.mark.parametrize("part", [0, 1, 255, 256, 32_768, 65_535])
def test_a_part_number_takes_two_bytes(kernel, part):
    agree_on_leaves(kernel, [b"alice", b"bob", b"carol"], drawn(5, 3, 3), part)
    for other in (kernel, plain):
        with pytest.raises(OverflowError):
            other.leaf_records(KEY, RUN, ids_of([b"a"]), drawn(5, 1, 3), part + 65_536)


@each_kernel
@pytest.mark.parametrize("assets", range(1, 21))
def test_rows_are_those_of_the_hashing_rules(kernel, assets):
    names, units = [b"alice", "bøb".encode(), b"c" * 63, b"dave"], drawn(assets, 4, assets)
    records = kernel.leaf_records(KEY, RUN, ids_of(names), units, 2)
    leaves = []
    for name, record in zip(names, records, strict=True):
        salt, position = sum_tree.salt_and_position(KEY, name, 2)
        leaf = to_node(record[16:])
        assert record[:16].tobytes() == position
        assert leaf.hash == sum_tree.leaf_hash(RUN, salt, name, leaf.sums, 2)
        leaves.append(leaf)
    assert [to_node(record[16:]).sums for record in records] == [to_node(row).sums for row in records[:, 16:]]
    assert [leaf.sums for leaf in leaves] == [to_node(bytes(32) + bytes(row)).sums for row in units]
    found = [to_node(row) for row in kernel.parents(records[:, 16:])]
    assert found == [sum_tree.parent(*leaves[:2]), sum_tree.parent(*leaves[2:])]


@each_kernel
@pytest.mark.parametrize("pairs", [1, 2, 3])
@pytest.mark.parametrize("asset", [0, 1, 2])
@pytest.mark.parametrize(
    ("left", "right"),
    [(2**127, 2**127), (MAX_UNITS, 1), (1, MAX_UNITS), (MAX_UNITS, MAX_UNITS), (2**128 - 2**64, 2**64)],
)
def test_a_sum_of_2_to_the_128_is_refused_in_whatever_row(kernel, pairs, asset, left, right):
    for row in range(pairs):
        sums = [[0, 0, 0] for _ in range(2 * pairs)]
        sums[2 * row][asset], sums[2 * row + 1][asset] = left, right
        with pytest.raises(SumError, match="a sum exceeds"):
            kernel.parents(to_rows([Node(bytes(32), tuple(row)) for row in sums]))


@each_kernel
@pytest.mark.parametrize(
    ("left", "right"),
    [
        (MAX_UNITS, 0),
        (MAX_UNITS - 1, 1),
        (2**127, 2**127 - 1),
        (2**64 - 1, 1),
        (2**64 - 1, 2**64 - 1),
        (2**128 - 2**64, 2**64 - 1),
        (2**128 - 2**65 + 2**64 - 1, 2**64),
    ],
)
def test_carries_pass_from_the_low_half_and_2_to_the_128_less_one_fits(kernel, left, right):
    for pair in ((left, right), (right, left)):
        above = kernel.parents(to_rows([Node(bytes(32), (7, pair[0])), Node(bytes(32), (8, pair[1]))]))
        assert to_node(above[0]).sums == (15, left + right)


@each_kernel
@pytest.mark.parametrize("names", [[b""], [b"alice", b""], [b"", b"alice"], [b"a", b"x" * 10_001, b""]])
def test_an_id_of_a_wrong_length_is_refused_as_the_plain_kernel_refuses_it(kernel, names):
    arguments = KEY, RUN, ids_of(names), drawn(1, len(names), 2)
    told = outcome(kernel.leaf_records, *arguments)
    assert told[0] is InputError
    assert told == outcome(plain.leaf_records, *arguments)


@each_kernel
def test_ids_that_lie_outside_their_bytes_are_refused_before_anything_is_read(kernel):
    data, units = np.zeros(10, dtype=np.uint8), drawn(1, 2, 2)
    for starts in ([0, 5, 11], [-1, 5, 10], [0, 10], [0, 3, 6, 9], []):
        with pytest.raises(InputError):
            kernel.leaf_records(KEY, RUN, Ids(data, np.array(starts, dtype=np.int64)), units)


@each_kernel
@pytest.mark.parametrize("shape", [(1, 48), (3, 48), (2, 47), (2, 16), (2, 40)])
def test_nodes_of_no_whole_shape_are_refused(kernel, shape):
    with pytest.raises(InputError, match="cannot be joined"):
        kernel.parents(np.zeros(shape, dtype=np.uint8))


@each_kernel
def test_no_rows_give_no_rows(kernel):
    assert kernel.leaf_records(KEY, RUN, ids_of([]), np.empty((0, 32), dtype=np.uint8)).shape == (0, 80)
    assert kernel.parents(np.empty((0, 64), dtype=np.uint8)).shape == (0, 64)


@each_kernel
def test_read_only_strided_and_unaligned_rows_are_taken_and_left_as_they_are(kernel):
    names = [b"alice", b"bob", b"carol", b"dave"]
    units, ids = drawn(1, 4, 2), ids_of(names)
    expected = plain.leaf_records(KEY, RUN, ids, units)
    shifted = np.frombuffer(b"x" + units.tobytes(), dtype=np.uint8)[1:].reshape(units.shape)
    writable, late = units.copy(), Ids(np.frombuffer(b"before" + b"".join(names), dtype=np.uint8), ids.starts + 6)
    wide = np.hstack([units, units])[:, :32]
    spaced = Ids(np.repeat(ids.data, 2)[::2], ids.starts)
    ids.starts.setflags(write=False)
    for given_ids, given_units in ((ids, units), (late, shifted), (ids, writable), (late, wide), (spaced, units)):
        before = given_units.tobytes()
        assert kernel.leaf_records(KEY, RUN, given_ids, given_units).tobytes() == expected.tobytes()
        assert given_units.tobytes() == before
    nodes = np.ascontiguousarray(expected[:, 16:])
    above = plain.parents(nodes).tobytes()
    locked = np.frombuffer(b"x" + nodes.tobytes(), dtype=np.uint8)[1:].reshape(nodes.shape)
    assert [kernel.parents(rows).tobytes() for rows in (nodes, locked, expected[:, 16:])] == [above] * 3


@each_kernel
def test_threads_that_hash_at_once_do_not_disturb_each_other(kernel):
    names = [b"account" * (1 + number % 40) for number in range(1_000)]
    tables = [drawn(seed, 1_000, 3) for seed in range(8)]

    def both(units):
        records = kernel.leaf_records(KEY, RUN, ids_of(names), units)
        return records.tobytes(), kernel.parents(records[:, 16:]).tobytes()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(both, tables))
    for units, (records, above) in zip(tables, found, strict=True):
        expected = plain.leaf_records(KEY, RUN, ids_of(names), units)
        assert (records, above) == (expected.tobytes(), plain.parents(expected[:, 16:]).tobytes())
