"""Every format: what its builder makes is accepted, whatever is changed by one bit is refused or called unbound."""

import json

import pytest

from tests.builders.accounts import built, hand_over
from tests.builders.lists import BUILDERS
from verifier import check_proofs
from verifier.errors import InputError
from verifier.inclusion.recipe import recipes
from verifier.inclusion.result import ProofVerdict

# One coin with eight decimals is the very rule of tnf-default: the two cannot be told apart.
ALIKE = {"gate-v1": {"gate-v1", "gate-v1|tnf-default"}}


def format_of(builder):
    return builder.partition(":")[0]


def answer(paths, case):
    return check_proofs(paths, root=case.root, facts=case.facts, expected=case.expected)


def test_every_format_has_a_builder():
    assert {format_of(name) for name in BUILDERS} == set(recipes())


@pytest.mark.parametrize("name", BUILDERS)
def test_every_account_of_every_tree_is_accepted_with_its_balance(name, tmp_path):
    for count in range(2, 12):
        for user in range(count):
            case = built(name, count, user, seed=count)
            report = answer(hand_over(tmp_path, case), case)
            result = report.results[0]
            assert result.verdict is ProofVerdict.ACCEPTED, (count, user, result.findings)
            assert result.format in ALIKE.get(name, {format_of(name)})
            assert (result.root, result.own) == (case.root, case.own)
            assert case.totals is None or result.totals == case.totals
            assert result.grade.root_anchored
            assert len(report.results) == 1


@pytest.mark.parametrize("name", BUILDERS)
def test_no_grade_is_higher_than_the_format_can_reach(name, tmp_path):
    case = built(name, 5, 1)
    grade = answer(hand_over(tmp_path, case), case).results[0].grade
    reach = recipes()[format_of(name)].data["grade"]
    assert grade.own_balance_bound == ("own_balance_bound" in reach)
    assert grade.totals_bound == ("totals_bound" in reach)
    assert not grade.fresh


@pytest.mark.parametrize("name", BUILDERS)
def test_another_balance_than_expected_is_refused(name, tmp_path):
    case = built(name, 5, 1)
    coin = next(coin for coin, amount in case.own.items() if amount != "0")
    case.expected = {**case.expected, coin: "123456.5"}
    assert answer(hand_over(tmp_path, case), case).verdict is ProofVerdict.REFUSED


@pytest.mark.parametrize("name", BUILDERS)
def test_another_root_than_the_published_one_is_refused(name, tmp_path):
    case = built(name, 5, 1)
    case.root = "ab" * (len(case.root) // 2)
    assert answer(hand_over(tmp_path, case), case).verdict is not ProofVerdict.ACCEPTED


def same_content(one: bytes, other: bytes) -> bool:
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return one.split() == other.split()


def changed_keys(one, other):
    """The keys on the way to every difference between two JSON values, renamed keys included."""
    if isinstance(one, dict) and isinstance(other, dict):
        renamed = {*one, *other} - ({*one} & {*other})
        inner = {key for both in {*one} & {*other} if one[both] != other[both]
                 for key in (both, *changed_keys(one[both], other[both]))}  # fmt: skip
        return {*renamed, *inner}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return {key for a, b in zip(one, other, strict=True) if a != b for key in changed_keys(a, b)}
    return set()


SIDES = {"leaf_index", "role", "side", "position", "type", "path", "r"}


def reported(result, before: bytes, after: bytes) -> bool:
    """Whether the answer names a key on the way to the change as unbound, or a side that padding leaves open."""
    try:
        keys = changed_keys(json.loads(before), json.loads(after))
    except ValueError:
        # A list of lines: its recipe says which parts are bound by nothing.
        return any(finding.code == "unbound-field" for finding in result.findings)
    told = {finding.code: finding.text for finding in result.findings}
    if "padding-undeclared" in told and keys & SIDES:
        return True
    named = told.get("unbound-field", "")
    return any(key in named or ascii(key)[1:-1] in named for key in keys)


def flips(case, most):
    for file, content in case.files.items():
        step = max(1, len(content) // most)
        for number, position in enumerate(range(0, len(content), step)):
            changed = bytearray(content)
            changed[position] ^= 1 << number % 7
            if not same_content(bytes(changed), content):
                yield file, bytes(changed), position


def check_flips(name, folder, most):
    case = built(name, 5, 4)
    tried = refused = 0
    for file, content, position in flips(case, most):
        try:
            report = answer(hand_over(folder, case, **{file: content}), case)
        except InputError:
            continue
        tried += 1
        if report.verdict is not ProofVerdict.ACCEPTED:
            refused += 1
            continue
        place = content[max(0, position - 40) : position + 20]
        assert reported(report.results[0], case.files[file], content), (file, position, place)
    assert tried > 20
    assert refused > tried / 3


@pytest.mark.parametrize("name", BUILDERS)
def test_one_flipped_bit_anywhere_is_refused_or_reported_unbound(name, tmp_path):
    check_flips(name, tmp_path, 250)


@pytest.mark.long
@pytest.mark.parametrize("name", BUILDERS)
def test_one_flipped_bit_in_any_byte_is_refused_or_reported_unbound(name, tmp_path):
    check_flips(name, tmp_path, 10**9)
