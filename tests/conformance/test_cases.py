"""Every case folder gets the answer that stands beside it; a new case is a new folder."""

import json
from pathlib import Path

import pytest

from tests.builders.own import own_cases
from verifier import check_proofs
from verifier.inclusion.recipe import recipes

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "fixtures" / "inclusion").glob("*/expected.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_case_gets_its_expected_answer(folder):
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    assert (folder / "README.md").read_text("utf-8").strip()
    paths = [folder / name for name in expected["files"]]
    report = check_proofs(paths, root=expected["root"], facts=expected["facts"], expected=expected["expect"])
    result = report.results[0]
    assert (result.verdict.value, result.format) == (expected["verdict"], expected["format"]), result.findings
    assert (result.root, result.own) == (expected["root"], expected["own"])
    assert expected["totals"] is None or result.totals == expected["totals"]
    assert [finding.code for finding in result.findings] == expected.get("findings", [f.code for f in result.findings])


def test_every_format_has_a_case():
    foreign = {folder.name.removesuffix("-sample") for folder in FOLDERS} - set(own_cases())
    assert foreign == set(recipes())


def test_the_cases_are_what_the_builders_make():
    from tests.builders.accounts import built
    from tests.builders.lists import BUILDERS

    made = {name.replace(":", "-"): built(name, 5, 4).files for name in BUILDERS}
    made |= {name: case.files for name, case in own_cases().items()}
    for name, files in made.items():
        for file, content in files.items():
            assert (ROOT / "fixtures" / "inclusion" / name / file).read_bytes() == content, name
