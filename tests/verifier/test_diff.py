"""What changed between two runs is said, and what asks for an explanation is told from what does not."""

from typing import Any

import pytest

from chains.ids import AssetId
from tests.verifier.cases import ETH, USD, case, position
from verifier.case import Case
from verifier.declaration import Exchange, OwnershipClaim, Pool
from verifier.diff.rulebooks import sealed_changes
from verifier.diff.runs import compare_runs
from verifier.errors import InputError
from verifier.policy.library import load_pack
from verifier.policy.pack import DatedValue
from verifier.verdict import Verdict

COLD = Pool.CLIENT_COLD


def at(made: Case, day: str, **changes: object) -> Case:
    declaration = made.declaration.model_copy(update={"as_of": f"{day}T00:00:00Z", **changes})
    liabilities = made.liabilities
    if liabilities is not None:
        liabilities = liabilities._replace(commitment=day.replace("-", "") * 8)
    return made.model_copy(update={"declaration": declaration, "liabilities": liabilities})


EARLIER = at(case(position(COLD, 100), position(COLD, 50, USD, 2), owed={ETH: 100, USD: 50}), "2026-10-22")


def codes(later: Case, **limits: int) -> list[str]:
    found = compare_runs(later, EARLIER, **limits)
    assert (found.earlier[:10], found.days) == ("2026-10-22", 31)
    return [change.code for change in found.changes]


def test_the_same_again_has_nothing_to_explain() -> None:
    later = at(EARLIER, "2026-11-22")
    assert codes(later) == []
    assert compare_runs(EARLIER, later).verdict is Verdict.PASS
    assert codes(later, shortest=32) == codes(later, longest=30) == ["interval"]
    assert compare_runs(EARLIER, later, longest=15).verdict is Verdict.FAIL
    assert "2 missed" in compare_runs(EARLIER, later, longest=15).changes[0].text


def test_a_smaller_scope_is_seen() -> None:
    assets = [asset for asset in EARLIER.declaration.assets if asset.asset == ETH]
    smaller = case(position(COLD, 100), owed={ETH: 100})
    later = at(smaller, "2026-11-22", assets=assets)
    assert codes(later) == ["assets-dropped", "wallets-vanished", "liabilities-narrower"]
    vanished = compare_runs(EARLIER, later).changes[1]
    assert "50 USD" in vanished.text
    assert compare_runs(EARLIER, later).verdict is Verdict.INDETERMINATE


def test_moved_pools_worse_coverage_and_fewer_accounts_are_seen() -> None:
    changed = case(position(Pool.PROPRIETARY, 100), position(COLD, 50, USD, 2), owed={ETH: 100, USD: 50})
    assert changed.liabilities is not None
    fewer = changed.model_copy(update={"liabilities": changed.liabilities._replace(accounts=2)})
    found = compare_runs(EARLIER, at(fewer, "2026-11-22"))
    assert [change.code for change in found.changes] == ["pool-changed", "accounts-fewer", "coverage-moved"]
    assert [change.explain for change in found.changes] == [True, True, True]
    assert "100.00 % before, 0.00 % now" in found.changes[2].text


def test_a_signature_and_a_commitment_of_before_show_nothing_new() -> None:
    claim = OwnershipClaim(account=str(AssetId(ETH)).partition("/")[0] + ":0x" + "1" * 40, scheme="eip-191",
                           message="x", signature="0x00")  # fmt: skip
    before = at(EARLIER, "2026-10-22", ownership=[claim])
    after = at(EARLIER, "2026-11-22", ownership=[claim])
    again = after.model_copy(update={"liabilities": before.liabilities})
    assert [change.code for change in compare_runs(before, again).changes] == [
        "liabilities-reused",
        "signatures-reused",
    ]


def test_runs_of_two_exchanges_are_not_compared() -> None:
    other = at(EARLIER, "2026-11-22", exchange=Exchange(name="Other", id="other.example"))
    with pytest.raises(InputError, match="different exchanges"):
        compare_runs(EARLIER, other)


def test_a_rulebook_says_how_often_it_asks_for_runs_and_which_of_its_numbers_moved() -> None:
    quarterly, later = load_pack("tr-cmb-por"), at(EARLIER, "2027-02-22")
    late = compare_runs(EARLIER, later, packs=[quarterly])
    assert [change.code for change in late.changes] == ["interval"]
    assert "123 days between the runs; at most 92" in late.changes[0].text
    assert compare_runs(EARLIER, at(EARLIER, "2026-11-22"), packs=[quarterly]).changes == ()
    changed = quarterly.parameters[0].model_copy(
        update={"values": [DatedValue(since="2020-01-01", value="1"), DatedValue(since="2026-11-01", value="2")]}
    )
    moved = quarterly.model_copy(update={"parameters": [changed, *quarterly.parameters[1:]]})
    found = compare_runs(EARLIER, at(EARLIER, "2026-11-22"), packs=[moved])
    assert [change.code for change in found.changes] == ["parameter-changed"]
    assert "was 1, is 2" in found.changes[0].text


def statement(subject: str, as_of: str, **verdicts: str) -> dict[str, Any]:
    rulebooks = [
        {"id": name, "version": "1", "digest": {"sha256": name + text[-1:]}, "verdict": text.rstrip("*")}
        for name, text in verdicts.items()
    ]
    subjects = [{"name": "manifest.json", "digest": {"sha256": subject}}]
    return {"subject": subjects, "predicate": {"as_of": as_of, "rulebooks": rulebooks}}


def test_seals_tell_which_rulebooks_and_verdicts_moved() -> None:
    before = statement("aa", "2026-10-22", basic="pass", strict="pass", japan="pass")
    after = statement("bb", "2026-11-22", basic="pass", strict="fail", korea="pass")
    found = sealed_changes([after, before], ["aa", "bb"])
    codes_found = [change.code for change in found]
    assert codes_found == ["rulebook-dropped", "rulebook-added", "rulebook-changed", "verdict-moved"]
    assert found[3].text == "strict: pass before, fail now"
    assert sealed_changes([], ["aa", "bb"]) == ()
    for statements in ([before], [before, before], [before, {}], [before, {"subject": [5], "predicate": 1}]):
        with pytest.raises(InputError, match="none speaks of the bundle bb"):
            sealed_changes(statements, ["aa", "bb"])
