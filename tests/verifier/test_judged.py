"""What a bundle says it comes to is compared with what follows from it, and never believed."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chains.http import HttpTransport, Limits
from tests.verifier.played import played
from verifier.attestation.bundle import read_manifest, seal_manifest
from verifier.canonical import canonical_json
from verifier.errors import InputError
from verifier.judged import PACK_RULE, RULE
from verifier.policy.finding import Finding
from verifier.policy.library import pack_text
from verifier.run import collect
from verifier.verdict import Verdict
from verifier.verification import verify_bundle

PACKS = ("model-basic", "jp-psa-63-11")
Edit = Callable[[Path], None]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    with played(folder / "in") as (inputs, _):
        quick = HttpTransport(Limits(tries=1, read=5, connect=5))
        given = (inputs.declaration, inputs.providers, folder / "run", inputs.liabilities, inputs.prices)
        collect(*given, transport=quick, packs=PACKS)
    return folder / "run"


def about(findings: tuple[Finding, ...], rule: str) -> list[Finding]:
    return [one for one in findings if one.rule == rule]


def edited(run: Path, folder: Path, edit: Edit) -> Path:
    """Return a copy that somebody edited and wrote a new manifest for, as an exchange could."""
    copy = folder / "edited"
    shutil.copytree(run, copy)
    edit(copy)
    seal_manifest(copy, read_manifest(copy / "manifest.json").case)
    return copy


def stating(change: Callable[[dict[str, Any]], None]) -> Edit:
    def edit(folder: Path) -> None:
        record = json.loads((folder / "verdict.json").read_bytes())
        change(record)
        (folder / "verdict.json").write_bytes(canonical_json(record))

    return edit


def test_a_run_keeps_its_rulebooks_and_is_judged_by_them_again(run: Path) -> None:
    assert [(run / "packs" / f"{name}.toml").read_bytes() for name in PACKS] == [pack_text(name) for name in PACKS]
    again = verify_bundle(run)
    assert [one.pack.id for one in again.judgements] == list(PACKS)
    (stated,) = about(again.findings, RULE)
    assert (again.verdict, stated.verdict, about(again.findings, PACK_RULE)) == (Verdict.PASS, Verdict.PASS, [])
    assert json.loads((run / "verdict.json").read_bytes())["verdict"] == "pass"


def test_whoever_judges_otherwise_compares_only_what_is_stated(run: Path) -> None:
    other = verify_bundle(run, ["kr-vaupa"])
    assert about(other.findings, RULE) == []
    for later in (verify_bundle(run, PACKS, as_of="2030-01-01"), verify_bundle(run, PACKS, trusted_roots=["ab" * 32])):
        assert [one.verdict for one in about(later.findings, RULE)] == [Verdict.PASS]


def verdict(record: dict[str, Any]) -> None:
    record["rulebooks"][1]["verdict"] = "not-applicable"


def finding(record: dict[str, Any]) -> None:
    record["rulebooks"][0]["findings"][-1]["measured"] = "1"


def fewer(record: dict[str, Any]) -> None:
    record["rulebooks"][0]["findings"].pop()


def older(record: dict[str, Any]) -> None:
    record["rulebooks"][0]["day"] = "2020-01-01"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (verdict, 'jp-psa-63-11: verdict is "not-applicable", derived "pass"'),
        (finding, "model-basic: the finding .* is stated otherwise"),
        (fewer, "model-basic: states 1?[0-9] findings, derived"),
        (older, 'model-basic: day is "2020-01-01"'),
    ],
)
def test_a_verdict_that_does_not_follow_fails_and_says_where(
    run: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    result = verify_bundle(edited(run, tmp_path, stating(change)))
    (stated,) = about(result.findings, RULE)
    assert (result.verdict, stated.verdict) == (Verdict.FAIL, Verdict.FAIL)

    assert re.search(said, stated.text), stated.text


def test_a_rulebook_in_a_bundle_is_compared_and_never_judged_by(run: Path, tmp_path: Path) -> None:
    def soften(folder: Path) -> None:
        path = folder / "packs" / "model-basic.toml"
        path.write_text(path.read_text("utf-8").replace('"1"', '"0"'), "utf-8")

    result = verify_bundle(edited(run, tmp_path, soften))
    (told,) = about(result.findings, PACK_RULE)
    assert "holds another text" in told.text
    shipped = [one.pack.digest for one in verify_bundle(run).judgements]
    assert [one.pack.digest for one in result.judgements] == shipped


def test_a_rulebook_nobody_has_and_a_text_that_is_missing_are_named(run: Path, tmp_path: Path) -> None:
    def unknown(folder: Path) -> None:
        stating(lambda record: record["rulebooks"][0].update(id="xx-soft"))(folder)
        (folder / "packs" / "jp-psa-63-11.toml").unlink()

    result = verify_bundle(edited(run, tmp_path, unknown))
    assert [one.pack.id for one in result.judgements] == ["jp-psa-63-11"]
    told = [one.text for one in about(result.findings, PACK_RULE)]
    assert ["none of that name" in told[0], "holds no text of it" in told[1]] == [True, True]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"rulebooks":[]}', b'{"format":"reserve-verifier/verdict/1"}'])
def test_a_malformed_statement_is_refused(run: Path, tmp_path: Path, content: bytes) -> None:
    copy = edited(run, tmp_path, lambda folder: (folder / "verdict.json").write_bytes(content) and None)
    with pytest.raises(InputError, match=r"verdict\.json"):
        verify_bundle(copy)


def test_an_unknown_rulebook_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, side):
        side.nodes[0].asked.clear()
        with pytest.raises(InputError, match="unknown pack 'jp-psa'"):
            collect(inputs.declaration, inputs.providers, tmp_path / "run", packs=["jp-psa"])
        assert side.nodes[0].asked == []
