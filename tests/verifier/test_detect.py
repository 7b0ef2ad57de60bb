"""The format is found out by trying, told, and never silently picked."""

import json

import pytest

from tests.builders.accounts import accounts, built, hand_over
from tests.builders.deep import deep_okx_proof
from tests.builders.paths import BUILDERS
from verifier import check_proofs
from verifier.inclusion.result import ProofVerdict

PATHS = (
    "okx-v1",
    "bitget-v104",
    "bitget-v102",
    "uzx",
    "bitunix",
    "mexc",
    "bybit",
    "coinex",
    "htx-v1",
    "flipster",
    "bitbase",
)


@pytest.mark.parametrize("name", PATHS)
def test_only_the_right_format_fits(name, tmp_path):
    paths = hand_over(tmp_path, built(name, 6, 2))
    assert check_proofs(paths).results[0].format == name
    assert check_proofs(paths, only_format=name).verdict is ProofVerdict.ACCEPTED
    other = "bybit" if name != "bybit" else "okx-v1"
    assert check_proofs(paths, only_format=other).verdict is not ProofVerdict.ACCEPTED


@pytest.mark.parametrize("name", PATHS)
def test_a_damaged_proof_is_refused_under_the_format_it_was_made_in(name, tmp_path):
    case = built(name, 6, 2)
    text = case.files["p.json"].decode()
    at = text.index(case.root) if case.root in text else 0
    changed = "0" if text[at] != "0" else "1"
    result = check_proofs(
        hand_over(tmp_path, case, **{"p.json": (text[:at] + changed + text[at + 1 :]).encode()})
    ).results[0]
    assert result.verdict is ProofVerdict.REFUSED
    assert result.format == name


@pytest.mark.parametrize("name", ["bingx", "pionex", "topone", "silver-sixpence"])
def test_a_file_without_a_root_is_incomplete_and_never_accepted(name, tmp_path):
    case = built(name, 6, 2)
    value = json.loads(case.files["p.json"])
    del value["root"]
    paths = hand_over(tmp_path, case, **{"p.json": json.dumps(value).encode()})
    report = check_proofs(paths)
    assert (report.verdict, report.exit_code) == (ProofVerdict.UNRECOGNISED, 3)
    assert report.results[0].findings[0].code == "root-missing"
    assert check_proofs(paths, root=case.root).results[0].grade.root_anchored


def test_two_formats_that_fit_are_both_named_and_the_weaker_grade_counts(tmp_path):
    case = built("tnf-default", 5, 1)
    result = check_proofs(hand_over(tmp_path, case)).results[0]
    assert result.findings[0].code == "ambiguous-format"
    assert result.format == "bitso|gate-v1|tnf-concatenate|tnf-default"
    assert not result.grade.included


def test_a_companion_alone_proves_nothing(tmp_path):
    case = built("hotcoin", 5, 1)
    paths = hand_over(tmp_path, case)
    assert check_proofs([paths[1]]).results[0].findings[0].code == "companion-alone"
    assert check_proofs([paths[0]]).results[0].findings[0].code == "root-missing"
    assert check_proofs([paths[0]], anchor=paths[1]).results[0].grade.root_anchored


def test_a_proof_of_thirty_levels_is_accepted(tmp_path):
    path = tmp_path / "p.json"
    path.write_text(deep_okx_proof(30))
    assert check_proofs([path]).verdict is ProofVerdict.ACCEPTED


def test_every_path_format_tells_its_own_from_the_others(tmp_path):
    """No proof of one format is accepted in another."""
    for name in PATHS:
        folder = tmp_path / name
        folder.mkdir()
        case = BUILDERS[name](accounts(name, 9), 3)
        assert "|" not in str(check_proofs(hand_over(folder, case)).results[0].format)
