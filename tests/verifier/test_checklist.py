"""Every item of the checklist, and every measured point of it, is present in one case and absent in another."""

from collections.abc import Callable
from typing import Any

import pytest

from chains.ids import AssetId
from chains.model import Balance, Disagreement, DisagreementReason, Exclusion, Tier
from tests.verifier.cases import ETH, USD, case, position
from tests.verifier.report_cases import ORIGIN, documented, fact, judged, sealed, stating
from verifier.case import Case, Position
from verifier.declaration import Pool
from verifier.diff.change import Change as Change_
from verifier.diff.runs import RunDiff
from verifier.observed import Observed
from verifier.ownership.binding import Binding
from verifier.report.build import build_report
from verifier.report.checklist import items, score
from verifier.report.content import ItemRow
from verifier.report.measures import MEASURES
from verifier.report.origin import Origin
from verifier.report.words import texts_of
from verifier.verification import Verification
from verifier.window import Past


def scored(result: Verification, origin: Origin = ORIGIN) -> dict[str, ItemRow]:
    return {item.id: item for item in build_report(result, "en", origin).checklist}


def points(result: Verification, origin: Origin = ORIGIN) -> dict[str, str]:
    return {point.id: point.status for item in scored(result, origin).values() for point in item.points}


def with_balances(made: Case, **changed: Any) -> Case:
    positions = tuple(
        one._replace(result=one.result._replace(**changed)) if isinstance(one.result, Balance) else one
        for one in made.positions
    )
    return made.model_copy(update={"positions": positions})


def ideal() -> Case:
    """Return a case in which everything the checklist asks for is there."""
    made = with_balances(documented(), tier=Tier.PROVEN)
    return made.model_copy(update={"liabilities": made.liabilities and made.liabilities._replace(tier=Tier.PROVEN)})


def bare() -> Case:
    """Return a case in which nothing of it is there."""
    made = case(position(Pool.CLIENT_COLD, None, control=None))
    exchange = made.declaration.exchange.model_copy(update={"id": "the exchange"})
    declaration = made.declaration.model_copy(update={"exchange": exchange})
    return made.model_copy(update={"declaration": declaration, "blocks": ()})


def test_there_are_fourteen_items_and_every_point_has_a_measure_and_words_in_both_languages() -> None:
    assert len(items()) == 14
    assert {f"{item.id}.{point}" for item in items() for point in item.points} == set(MEASURES)
    for language in ("en", "ja"):
        texts = texts_of(language)
        for item in items():
            wanted = {"title", "why", *item.points, *item.stated}
            assert {f"checklist.{item.id}.{one}" for one in wanted} <= set(texts)


@pytest.mark.parametrize("item", [item.id for item in items()])
def test_each_item_is_present_in_one_case_and_absent_in_another(item: str) -> None:
    assert scored(sealed(judged(ideal(), "model-basic")))[item].status == "present"
    row = scored(Verification(bare(), ()), Origin())[item]
    assert row.status == "absent"
    assert row.why


Change = Callable[[Case], Case]


def updated(**changed: Any) -> Change:
    return lambda made: made.model_copy(update=changed)


def disputed(made: Case) -> Case:
    holding = made.positions[0].placement.holding
    nobody = Disagreement(holding, DisagreementReason.TOO_FEW_ANSWERS, ())
    return made.model_copy(update={"positions": (made.positions[0]._replace(result=nobody), *made.positions[1:])})


def claims(**changed: Any) -> Change:
    def change(made: Case) -> Case:
        positions = tuple(
            one._replace(ownership=one.ownership and one.ownership._replace(**changed)) for one in made.positions
        )
        return made.model_copy(update={"positions": positions})

    return change


def liabilities(**changed: Any) -> Change:
    return lambda made: made.model_copy(
        update={"liabilities": made.liabilities and made.liabilities._replace(**changed)}
    )


def named(name: str) -> Change:
    def change(made: Case) -> Case:
        exchange = made.declaration.exchange.model_copy(update={"id": name})
        return made.model_copy(update={"declaration": made.declaration.model_copy(update={"exchange": exchange})})

    return change


def prices(**changed: Any) -> Change:
    return lambda made: made.model_copy(update={"prices": tuple(one.model_copy(update=changed) for one in made.prices)})


def unfollowed(made: Case) -> Case:
    kept = dict(list(made.past.histories.items())[1:])
    return made.model_copy(update={"past": made.past._replace(histories=kept)})


def undrawn(made: Case) -> Case:
    windows = tuple(window._replace(drawn=()) for window in made.past.windows)
    return made.model_copy(update={"past": made.past._replace(windows=windows)})


def unanswered(made: Case) -> Case:
    (asked,) = made.observed.by_question.items()
    failed = asked[1]._replace(text=None, failure="no answer")
    return made.model_copy(update={"observed": Observed({asked[0]: failed}, ("code",))})


def later(made: Case) -> Case:
    return made.model_copy(update={"blocks": tuple(block._replace(time=block.time + 3_601) for block in made.blocks)})


def unstated(name: str) -> Change:
    def change(made: Case) -> Case:
        return stating(made, *(one for one in made.declaration.statements or () if one.name != name))

    return change


BREAKS: dict[str, Change] = {
    "entity.identified": named("The Exchange Ltd"),
    "instant.pinned": updated(blocks=()),
    "instant.near": later,
    "scope.owed_covered": liabilities(totals={ETH: 100, USD: 1}),
    "reserve_list.controlled": lambda made: made.model_copy(
        update={"positions": (made.positions[0]._replace(ownership=None), *made.positions[1:])}
    ),
    "reserve_list.bound": claims(binding=Binding.NAMED),
    "balances.read": disputed,
    "balances.two_sources": lambda made: with_balances(made, tier=Tier.OBSERVED),
    "balances.recorded": lambda made: with_balances(made, evidence=()),
    "balances.proven": lambda made: with_balances(made, tier=Tier.CORROBORATED),
    "balances.agreed": updated(exclusions=(Exclusion("p", "operator", "serves another chain"),)),
    "liabilities.committed": updated(liabilities=None),
    "liabilities.rebuilt": liabilities(tier=Tier.DECLARED),
    "liabilities.consistent": liabilities(problem="the parts contradict each other"),
    "coverage.each_asset": disputed,
    "coverage.priced": prices(lookback_days=7),
    "coverage.quorum": lambda made: made.model_copy(update={"heard": made.heard[1:]}),
    "coverage.price_time": prices(at="2026-11-21T00:00:00Z"),
    "tests.segregation": unfollowed,
    "tests.window": updated(past=Past()),
    "tests.drawn": undrawn,
    "tests.encumbrance": unanswered,
    "tests.liquidity": claims(age_days=None),
    "rules.decided": disputed,
    "change.previous": unstated("previous_run"),
    "change.changes": unstated("changes_explained"),
    "change.dates": unstated("missed_dates"),
    "users.checked": stating,
    "users.bounded": lambda made: stating(made, fact("clients_checked", "3"), fact("clients_checked_wrong", "1")),
}


@pytest.mark.parametrize("point", BREAKS)
def test_each_measured_point_turns_absent_by_the_one_thing_it_measures(point: str) -> None:
    good, broken = (points(sealed(judged(made, "model-basic"))) for made in (ideal(), BREAKS[point](ideal())))
    assert (good[point], broken[point]) == ("present", "absent")


def test_what_does_not_occur_does_not_apply_and_what_occurs_is_measured() -> None:
    good = points(judged(ideal(), "model-basic"))
    assert [good[one] for one in ("scope.forms", "reserve_list.third_party", "rules.cure")] == ["not-applicable"] * 3
    unknown = points(judged(case(position(Pool.CLIENT_COLD, 1, USD)), "model-basic"))
    assert unknown["scope.forms"] == "absent"
    known = AssetId("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7")
    assert points(judged(case(position(Pool.CLIENT_COLD, 1, known)), "model-basic"))["scope.forms"] == "present"
    kept, shown = (
        points(judged(case(one), "model-basic"))["reserve_list.third_party"]
        for one in (_third_party(signed=False), _third_party(signed=True))
    )
    assert (kept, shown) == ("absent", "present")
    short = case(position(Pool.CLIENT_COLD, 1), owed={ETH: 2})
    assert points(judged(short, "jp-psa-63-11"))["rules.cure"] == "present"
    assert points(judged(short, "model-basic"))["rules.cure"] == "absent"
    assert points(judged(short, "jp-psa-63-11"))["limitations.not_judged"] == "present"
    assert points(judged(case(position(Pool.CLIENT_COLD, 1, number=7)), "model-basic"))["limitations.not_judged"] == (
        "not-applicable"
    )
    assert good["tests.encumbrance"] == "present"


def _third_party(*, signed: bool) -> Position:
    one = position(Pool.CLIENT_THIRD_PARTY, 5)
    return one if signed else one._replace(ownership=None)


def test_rules_are_only_read_in_their_primary_text_where_the_rulebook_says_so() -> None:
    assert points(judged(ideal(), "model-basic"))["rules.primary"] == "present"
    assert points(judged(ideal(), "jp-psa-63-11"))["rules.primary"] == "absent"
    for point in ("rules.numbers", "rules.clauses", "entity.rulebook", "limitations.rulebook_limits"):
        assert points(judged(ideal(), "model-basic"))[point] == "present"
        assert points(Verification(ideal(), ()))[point] == "absent"


def test_seal_command_tool_and_manifest_are_what_the_report_was_made_with() -> None:
    made = judged(ideal(), "model-basic")
    with_seal, without = points(sealed(made)), points(made._replace(bundle=""), Origin())
    for point in ("assertion.sealed", "signatures.signed"):
        assert (with_seal[point], points(made)[point]) == ("present", "absent")
    for point in ("entity.tool", "signatures.command", "signatures.manifest"):
        assert (with_seal[point], without[point]) == ("present", "absent")


def test_a_fact_without_a_document_shows_nothing() -> None:
    stated = points(judged(stating(bare(), fact("licence", document=None)), "model-basic"))
    assert stated["entity.licence"] == "absent"
    assert points(judged(stating(bare(), fact("licence")), "model-basic"))["entity.licence"] == "present"


def test_an_item_is_what_its_points_make_it() -> None:
    assert [score(found) for found in ([True, None], [True, False], [False, None], [None], [])] == [
        "present", "partly", "absent", "not-applicable", "not-applicable",
    ]  # fmt: skip


def test_an_earlier_run_shows_what_a_document_would_only_say() -> None:
    made = stating(ideal())
    result = judged(made, "model-basic")
    names = ("change.previous", "change.changes", "change.dates")
    assert [points(result)[name] for name in names] == ["absent"] * 3
    settled = RunDiff("x", "2026-10-22T00:00:00Z", "2026-11-22T00:00:00Z", 31, (Change_("a", "new", False),))
    assert [points(result._replace(earlier=settled))[name] for name in names] == ["present"] * 3
    vanished = settled._replace(changes=(Change_("wallets-vanished", "one is gone", True),))
    assert [points(result._replace(earlier=vanished))[name] for name in names] == ["present", "absent", "present"]
    late = settled._replace(changes=(Change_("interval", "too long", True),))
    assert [points(result._replace(earlier=late))[name] for name in names] == ["present", "absent", "absent"]
    report = build_report(result._replace(earlier=vanished), "en", ORIGIN)
    assert report.changes[1] == "To be explained: one is gone."
    assert build_report(result, "en", ORIGIN).changes == ()
