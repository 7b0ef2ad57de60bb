"""Every shipped rulebook is whole, and no doubt ever turns a pass into a fail or a fail into a pass."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from chains.model import Tier
from tests.verifier.cases import ETH, case, position, price
from verifier.cli.main import app
from verifier.declaration import Pool
from verifier.errors import InputError
from verifier.policy.evaluate import evaluate
from verifier.policy.expression import names_of
from verifier.policy.given import GivenInputs, parse_value
from verifier.policy.inputs import Dimension, Scope
from verifier.policy.interval import Interval
from verifier.policy.judge import Judge, parse_rule
from verifier.policy.library import load_pack, pack_names, parse_pack
from verifier.policy.lint import lint
from verifier.policy.pack import Pack, Rule
from verifier.policy.vocabulary import QUANTITIES
from verifier.verdict import Verdict

PACKS = {name: load_pack(name) for name in pack_names()}
RULES = [pytest.param(pack, rule, id=rule.id) for pack in PACKS.values() for rule in pack.rules]
TODAY = "2026-11-22"


@pytest.mark.parametrize("name", PACKS)
def test_the_lint_finds_nothing_in_a_shipped_pack(name: str) -> None:
    assert lint(PACKS[name]) == []


def words_of(pack: Pack, rule: Rule) -> list[str]:
    parsed = parse_rule(pack, rule)
    names = [*names_of(parsed.check), *(names_of(parsed.when) if parsed.when else ())]
    stated = {fact.name for fact in pack.statements}
    return [name for name in dict.fromkeys(names) if name in QUANTITIES or name in stated]


def keys_of(pack: Pack, rule: Rule) -> list[str]:
    """Return what an example of a rule can give: its words, per asset where they are amounts, and the prices."""
    keys: list[str] = []
    for name in words_of(pack, rule):
        amount = name in QUANTITIES and QUANTITIES[name].dimension is Dimension.AMOUNT
        keys += [f"{asset} {name}" for asset in ("A", "B")] if amount and rule.scope is Scope.TOTAL else [name]
    keys += ["A price", "B price"] if rule.scope is Scope.TOTAL else []
    unset = [p.name for p in pack.parameters if p.values[-1].value is None]
    return keys + [f"parameter {name}" for name in unset if name in rule.check]


Known = tuple[Interval, Tier]


def text_of(known: Known) -> str:
    low, high = known[0]
    return f"{low}..{'' if high is None else high} {known[1].label}"


def verdict(pack: Pack, rule: Rule, known: dict[str, Known]) -> Verdict:
    inputs = GivenInputs({key: text_of(value) for key, value in known.items()}, rule.scope)
    _, outcome = Judge(pack, inputs, TODAY, {}).evaluate(parse_rule(pack, rule), str(rule.scope))
    return outcome.verdict


values = st.one_of(st.integers(0, 12), st.sampled_from([40, 95, 100, 1_000, 10**10, 10**11])).map(Fraction)
spans = st.one_of(values.map(lambda one: (one, one)), st.tuples(values, values).map(lambda two: (min(two), max(two))))


def widened(known: Interval, by: tuple[Fraction, Fraction | None]) -> Interval:
    below, above = by
    assert known.low is not None
    low = max(Fraction(0), known.low - below)
    return Interval(low, None if above is None or known.high is None else known.high + above)


@pytest.mark.parametrize(("pack", "rule"), RULES)
@given(data=st.data())
def test_more_doubt_and_weaker_evidence_never_flip_pass_and_fail(pack: Pack, rule: Rule, data: st.DataObject) -> None:
    sharp: dict[str, Known] = {}
    blunt: dict[str, Known] = {}
    for key in keys_of(pack, rule):
        low, high = data.draw(spans, label=key)
        tier = data.draw(st.sampled_from(Tier))
        by = data.draw(st.tuples(values, st.one_of(st.none(), values)))
        sharp[key] = Interval(low, high), tier
        blunt[key] = widened(Interval(low, high), by), data.draw(st.sampled_from([t for t in Tier if t <= tier]))
    before, after = verdict(pack, rule, sharp), verdict(pack, rule, blunt)
    assert {before, after} != {Verdict.PASS, Verdict.FAIL}
    if before is Verdict.INDETERMINATE:
        assert after is Verdict.INDETERMINATE or before is after


@pytest.mark.parametrize(("pack", "rule"), RULES)
@given(data=st.data())
def test_what_is_exactly_known_is_decided_unless_the_law_leaves_it_open(
    pack: Pack, rule: Rule, data: st.DataObject
) -> None:
    known = {key: (Interval.exactly(data.draw(values, label=key)), Tier.PROVEN) for key in keys_of(pack, rule)}
    found = verdict(pack, rule, known)
    divided = "/" in rule.check
    assert found is not Verdict.INDETERMINATE or divided


LADDER = [Fraction(value) for value in (0, 1, 2, 5, 12, 40, 95, 99, 100, 101, 1_000, 10**6, 10**10, 10**11, 10**12)]


@pytest.mark.parametrize(("pack", "rule"), RULES)
@settings(max_examples=25)
@given(data=st.data())
def test_more_of_one_thing_tips_a_rule_once_and_never_back(pack: Pack, rule: Rule, data: st.DataObject) -> None:
    known = {key: (Interval.exactly(data.draw(values, label=key)), Tier.PROVEN) for key in keys_of(pack, rule)}
    key = data.draw(st.sampled_from(sorted(known)))
    seen = [verdict(pack, rule, known | {key: (Interval.exactly(value), Tier.PROVEN)}) for value in LADDER]
    judged = [one for one in seen if one in (Verdict.PASS, Verdict.FAIL)]
    assert sum(one is not other for one, other in pairwise(judged)) <= 1


def scales(pack: Pack, rule: Rule) -> bool:
    """Tell whether a rule compares amounts with shares of amounts alone: no sum of money, no count, no time."""
    named = {item.name: item.dimension for item in pack.named}
    words = [*names_of(parse_rule(pack, rule).check), *(names_of(parse_rule(pack, rule).when) if rule.when else ())]  # type: ignore[arg-type]
    amounts = (Dimension.AMOUNT, Dimension.MONEY)
    return rule.scope in (Scope.ASSET, Scope.TOTAL) and all(
        (name in QUANTITIES and QUANTITIES[name].dimension in amounts)
        or named.get(name) is Dimension.SHARE
        or (named.get(name) in amounts and name in {fact.name for fact in pack.statements})
        for name in words
    )


@pytest.mark.parametrize(("pack", "rule"), [one for one in RULES if scales(*one.values)])
@given(data=st.data(), factor=st.integers(2, 10**6))
def test_a_larger_exchange_of_the_same_shape_is_judged_the_same(
    pack: Pack, rule: Rule, data: st.DataObject, factor: int
) -> None:
    known = {key: (Interval.exactly(data.draw(values, label=key)), Tier.PROVEN) for key in keys_of(pack, rule)}
    shares = {fact.name for fact in pack.statements if fact.dimension is Dimension.SHARE}
    fixed = ("price", "parameter")
    larger = {
        key: known[key] if key.split()[-1] == "price" or key.split()[0] in fixed or key in shares
        else (Interval.exactly((known[key][0].low or Fraction(0)) * factor), Tier.PROVEN)
        for key in known
    }  # fmt: skip
    assert verdict(pack, rule, larger) is verdict(pack, rule, known)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.data())
def test_how_units_are_spread_over_wallets_of_one_pool_changes_nothing(parts: list[int], data: st.DataObject) -> None:
    pool = data.draw(st.sampled_from([Pool.CLIENT_COLD, Pool.CLIENT_HOT, Pool.GUARANTEE, Pool.RESERVE_FUND]))
    owed, prices = {ETH: 100}, (price(ETH, "10", "11"),)
    whole = case(position(pool, sum(parts)), owed=owed, prices=prices)
    spread = case(*(position(pool, part, number=n) for n, part in enumerate(parts, 1)), owed=owed, prices=prices)
    for name in ("jp-psa-63-11", "model-basic", "hk-sfc-vatp", "ae-vara"):
        one, many = (
            [(f.rule, f.subject, f.verdict, f.shortfall) for f in evaluate(made, PACKS[name]).findings if f.pack]
            for made in (whole, spread)
        )
        assert one == many


@pytest.mark.parametrize("text", ["", "x", "5..4", "1.5", "5 proof", "..", "1/0"])
def test_an_example_value_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_value(text)


BROKEN = {
    "a float": ('value = "1"', "value = 0.5", "parameters"),
    "a missing source": ('source = "model-1"', 'source = "nowhere"', "unknown source"),
    "no case that fails": ('expect = "fail"', 'expect = "indeterminate"', "no case that it is expected to fail"),
    "a wrong expectation": ('expect = "pass"', 'expect = "fail"', "expected fail, is pass"),
    "an unset parameter nobody shows": (', value = "1" }', " }", "the rulebook sets no coverage_ratio"),
    "a falling band": (
        "[[rules]]",
        '[[bands]]\nname="steps"\nargument="share"\ndimension="share"\nunit="x"\nsource="model-1"\n'
        'tables=[{since="2020-01-01", steps=[{at="0",value="2"},{at="1",value="1"}]}]\n[[rules]]',
        "fall where the argument rises",
    ),
    "an unknown word": ("client_controlled >= ", "client_coins >= ", "unknown name 'client_coins'"),
    "a tier for nothing": ('owed = "declared" }', 'owed = "declared", price = "observed" }', "does not use"),
    "an input without a tier": (', owed = "declared" }', " }", "no minimum_tier for owed"),
    "days against coins": ("coverage_ratio * owed", "maximum_claim_age", "one side counts"),
    "an expression that runs": ("client_controlled >= ", "__import__('os') >= ", "only 0 and 1"),
    "a text in one language": ("text_ja", "text_fr", "text_ja"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_lint_refuses(what: str, tmp_path: Path) -> None:
    old, new, said = BROKEN[what]
    text = (Path(__file__).parents[2] / "verifier/policy/packs/model-basic.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / "broken.toml"
    path.write_text(text.replace(old, new, 1 if old == "[[rules]]" else -1), "utf-8")
    done = CliRunner().invoke(app, ["packs", "lint", str(path)])
    assert done.exit_code == 1
    assert said in (str(done.exception) if isinstance(done.exception, InputError) else done.output)


def test_a_number_the_law_leaves_open_is_never_passed_even_where_it_could_not_matter() -> None:
    text = (Path(__file__).parents[2] / "verifier/policy/packs/model-basic.toml").read_text("utf-8")
    text = text.replace('value = "1" }]', 'value = "1" }]\n\n[[parameters]]\nname = "open_ratio"\ndimension = "share"\n'
                        'unit = "x"\nsource = "model-1"\nvalues = [{ since = "2020-01-01" }]', 1)  # fmt: skip
    text = text.replace("coverage_ratio * owed", "min(coverage_ratio, open_ratio) * owed")
    pack = parse_pack(text.encode(), "open.toml")
    rule = next(one for one in pack.rules if one.id == "BASIC-COVERAGE")
    exact = {"owed": (Interval.exactly(100), Tier.PROVEN), "client_controlled": (Interval.exactly(100), Tier.PROVEN)}
    assert verdict(pack, rule, exact) is Verdict.INDETERMINATE
    set_now = exact | {"parameter open_ratio": (Interval.exactly(1), Tier.PROVEN)}
    assert verdict(pack, rule, set_now) is Verdict.PASS


def test_the_shipped_packs_pass_the_lint_from_the_command_line() -> None:
    done = CliRunner().invoke(app, ["packs", "lint"])
    assert (done.exit_code, done.output.count(": ok")) == (0, len(PACKS))


def test_a_hostile_pack_is_an_error_and_no_crash() -> None:
    for content in (b"\xff", b"a = " + b"[" * 100_000, b"id = 5", b"", b"[[rules]]\n" * 10):
        with pytest.raises(InputError):
            parse_pack(content, "hostile.toml")
