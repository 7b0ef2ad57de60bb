"""A report says who claims what and why the answer is what it is, exactly, in two languages and four forms."""

import csv
import io
import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from chains.ids import AssetId
from chains.model import Anchor, Exclusion, ProofKind, Tier
from tests.verifier.cases import BLOCK, CHAIN, ETH, USD, case, position
from tests.verifier.played import AS_OF, played
from tests.verifier.played import ETH as PLAYED_ETH
from tests.verifier.report_cases import (
    ORIGIN,
    PACKS,
    RUNS,
    bound,
    complete,
    documented,
    fact,
    judged,
    labelled,
    recorded,
    stating,
)
from verifier.cli.main import app
from verifier.declaration import DeclaredAsset, Pool, utc_seconds
from verifier.errors import InputError
from verifier.further import Plans
from verifier.policy.japanese import TABLES, in_japanese, known_in_japanese
from verifier.policy.library import load_pack, pack_names
from verifier.prices.plan import PricePlan
from verifier.report.build import build_report
from verifier.report.content import Report
from verifier.report.html import MOST
from verifier.report.limits import limits
from verifier.report.visible import visible
from verifier.report.words import LANGUAGES, texts_of
from verifier.report.write import FORMS, rendered
from verifier.run import collect
from verifier.verification import Verification, verify_bundle
from verifier.window import plan_window

VOID = {"meta", "br"}
POLICY = RUNS.parents[1] / "verifier" / "policy"


class Page(HTMLParser):
    """A page as far as tests ask: it must close what it opens; tags, attributes and text are kept."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def ids(self) -> list[str]:
        return [str(given["id"]) for _, given in self.tags if "id" in given]


def page_of(report: Report) -> Page:
    return Page(rendered(report, ".html").decode())


def made(name: str) -> Verification:
    if name == "every rulebook":
        return recorded("knots-anvil-pass", *pack_names())
    if name == "complete":
        return judged(documented())
    if name == "contradictory":
        # More came in than is there now: transfers and balances contradict each other.
        return judged(complete(20))
    return recorded(name) if (RUNS / name).is_dir() else judged(case(position(Pool.CLIENT_COLD, None), owed={ETH: 9}))


CASES = ("knots-anvil-pass", "knots-anvil-fail", "complete", "contradictory", "unread", "every rulebook")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CASES)
def test_the_page_is_well_formed_and_loads_nothing(name: str, language: str) -> None:
    page = page_of(build_report(made(name), language, ORIGIN))
    assert (page.faults, page.open) == ([], [])
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"script", "img", "link", "iframe", "object", "embed", "form", "base", "image", "use"})
    for _, given_ in page.tags:
        assert not [key for key in given_ if key.startswith("on") or key in ("style", "src", "action")]
        assert str(given_.get("href", "#")).startswith("#")
    assert len(page.ids) == len(set(page.ids))
    assert {str(g["href"])[1:] for _, g in page.tags if "href" in g} <= set(page.ids)
    assert next(g["lang"] for tag, g in page.tags if tag == "html") == language
    (policy,) = [g["content"] for _, g in page.tags if g.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in str(policy)


def test_every_chart_has_a_name_a_description_and_its_numbers_as_a_table() -> None:
    page = page_of(build_report(made("complete"), "en", ORIGIN))
    charts = [given_ for tag, given_ in page.tags if tag == "svg" and "role" in given_]
    assert len(charts) == 4
    for chart in charts:
        assert chart["role"] == "img"
        assert set(str(chart["aria-labelledby"]).split()) <= set(page.ids)
    assert {"60 ETH", "100 ETH", "78.18 %"} <= {word.strip() for word in page.words}
    widths = [str(g[key]) for tag, g in page.tags if tag == "rect" for key in ("x", "y", "width", "height") if key in g]
    assert widths
    assert all(re.fullmatch(r"[0-9]+(\.5)?", width) for width in widths)


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_verification_gives_the_same_bytes(suffix: str, language: str) -> None:
    first, second = (rendered(build_report(made("complete"), language, ORIGIN), suffix) for _ in range(2))
    assert first == second


def test_the_first_lines_say_who_claims_what_under_which_law_and_why_it_fails() -> None:
    head = build_report(recorded("knots-anvil-fail")).headline
    assert (head.verdict, head.exchange, head.when) == ("fail", "Sakura Exchange (played)", "2026-11-22 at 00:00 UTC")
    assert "200 clients are owed, in 3 assets (BTC, ETH, USDD)" in head.claim
    assert "0.21206966 BTC short" in head.reason.text
    # Of the breaches that are equally deep, the one of a law in force is named, with the day to mend it.
    assert (head.reason.rule, head.reason.cure_by) == ("JP-COVERAGE", "2026-11-30")
    passing = build_report(recorded("knots-anvil-pass", "jp-psa-63-11")).headline
    assert (passing.verdict, passing.reason.rule) == ("pass", "JP-COVERAGE")


def test_a_law_in_force_is_named_before_a_deeper_breach_of_a_model() -> None:
    deeper = judged(complete(90))
    broken = [one for one in build_report(deeper).findings if one.verdict == "fail"]
    assert broken == list(build_report(deeper).findings[: len(broken)])
    assert {"JP-COVERAGE", "STRICT-LEAST"} <= {one.rule for one in broken}
    assert build_report(deeper).headline.reason.rule == "JP-COVERAGE"
    assert build_report(deeper).headline.reason.text.startswith("Of 6 breaches, the gravest: 90 ETH")


def test_a_shortfall_is_only_called_so_when_nothing_that_is_open_could_make_it_good() -> None:
    states = {}
    for name, units in (("short", 90), ("open", None), ("covered", 100)):
        one = case(position(Pool.CLIENT_COLD, units), owed={ETH: 100})
        states[name] = next(row.state for row in build_report(judged(one)).coverage if row.asset == ETH)
    unsigned = case(position(Pool.CLIENT_COLD, 100, control=None), owed={ETH: 100})
    assert states == {"short": "short", "open": "open", "covered": "covered"}
    assert next(row.state for row in build_report(judged(unsigned)).coverage if row.asset == ETH) == "open"


def test_one_symbol_on_several_networks_is_told_apart_and_an_asset_nobody_declared_goes_by_its_id() -> None:
    ethereum, base = (AssetId(f"eip155:{chain}/slip44:60") for chain in (1, 8453))
    other = AssetId("eip155:1/erc20:0x" + "77" * 20)
    made_up = case(position(Pool.CLIENT_COLD, 1, ethereum), position(Pool.CLIENT_COLD, 1, base), owed={other: 5})
    assets = [DeclaredAsset(asset=asset, symbol="ETH", decimals=0) for asset in (ethereum, base)]
    declaration = made_up.declaration.model_copy(update={"assets": assets})
    report = build_report(judged(made_up.model_copy(update={"declaration": declaration})))
    names = {row.asset: row.symbol for row in report.coverage}
    assert names == {ethereum: "ETH (Ethereum)", base: "ETH (Base)", other: other}
    assert {row.symbol for row in report.pools} == {"ETH (Ethereum)", "ETH (Base)"}
    assert other in {row.subject for row in report.subjects}
    page = page_of(report)
    assert (page.faults, page.open) == ([], [])


def test_pools_are_told_apart_by_how_they_are_known_and_add_up() -> None:
    two = case(
        position(Pool.CLIENT_COLD, 7, number=1, tier=Tier.OBSERVED),
        position(Pool.CLIENT_COLD, 5, number=2, tier=Tier.PROVEN, control=None),
        position(Pool.CLIENT_COLD, None, number=3),
    )
    (row,) = build_report(judged(two)).pools
    assert [(part.tier, part.amount.units, part.holdings) for part in row.parts] == [
        ("proven", "5", 1),
        ("observed", "7", 1),
    ]
    assert (row.total.units, row.controlled.units, row.unread) == ("12", "7", 1)


def test_findings_show_what_is_to_spare_or_missing_exactly_and_lead_to_their_numbers() -> None:
    rows = {
        (one.rule, one.subject_word): one for one in build_report(recorded("knots-anvil-fail", "jp-psa-63-11")).findings
    }
    short, spare = rows["JP-COVERAGE", "BTC"], rows["JP-HOT-LIMIT", "all together"]
    assert (short.shortfall_exact, short.room, short.slack_exact) == ("21206966", "0.21206966 BTC short", "")
    assert (spare.slack_exact, spare.room) == (
        "2505022366004334066537/2000000000000000",
        "1,252,511 JPY to spare",
    )
    assert short.evidence
    assert [line.value for line in short.trace if line.name.startswith("left side")] == ["243867611"]
    assert "managed separately" in short.demand or short.demand


def test_every_source_of_a_price_is_shown_with_why_it_did_not_count() -> None:
    (row,) = build_report(made("complete")).prices
    assert row.used == "100 to 110"
    assert [(one.operator, one.price, one.remark) for one in row.heard] == [
        ("a", "100", ""),
        ("b", "110", ""),
        ("c", "", "the answer holds no price"),
    ]


def test_clean_checks_give_a_bound_and_numbers_that_do_not_fit_give_none() -> None:
    base = complete()
    assert build_report(judged(base)).assurance == ()
    some = stating(base, fact("clients_checked", "2"), fact("clients_checked_wrong", "0"))
    assert "2 of 3 accounts were checked and none was wrong" in build_report(judged(some)).assurance[0]
    wrong = stating(base, fact("clients_checked", "2"), fact("clients_checked_wrong", "1"))
    assert "no bound follows" in build_report(judged(wrong)).assurance[0]
    for number in ("4", "1/2"):
        line = build_report(judged(stating(base, fact("clients_checked", number)))).assurance[0]
        assert "does not fit 3 accounts" in line


def test_what_is_cut_from_the_page_is_counted_and_stands_in_the_record() -> None:
    many = case(*(position(Pool.CLIENT_COLD, 1, number=number) for number in range(1, 501)), owed={ETH: 500})
    report = build_report(judged(many))
    text = rendered(report, ".html").decode()
    assert f"{500 - MOST['rows']:,} more are not shown; they are in the JSON export" in text
    assert len(text) < 400_000
    assert len(json.loads(rendered(report, ".json"))["holdings"]) == 500
    assert len(list(csv.reader(io.StringIO(rendered(report, ".csv").decode("utf-8-sig"))))) == len(report.findings) + 1


def verify(*options: str) -> tuple[int, str, BaseException | None]:
    done = CliRunner().invoke(app, ["verify", str(RUNS / "knots-anvil-pass"), *options])
    return done.exit_code, done.output, done.exception


def test_several_reports_are_written_at_once_and_their_command_derives_the_same(tmp_path: Path) -> None:
    files = [tmp_path / f"report{suffix}" for suffix in FORMS]
    code, output, _ = verify(*(part for file in files for part in ("--report", str(file))), "--as-of", "2026-11-20")
    assert code == 0
    assert output.count("Report: ") == 4
    record = json.loads(files[1].read_text())
    command = record["reproduction"]["command"]
    assert command == "por verify knots-anvil-pass --pack model-basic --as-of 2026-11-20"
    done = CliRunner().invoke(
        app, [*command.split()[1:2], str(RUNS / command.split()[2]), *command.split()[3:], "--json"]
    )
    again = json.loads(done.output)
    assert (again["case"], again["verdict"]) == (record["reproduction"]["case"], record["headline"]["verdict"])
    assert len(record["reproduction"]["lock"]) == len(record["reproduction"]["bundle"]) == 64


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--report", "x.pdf"], "ends in '.pdf'"),
        (["--report", "x"], "one of .html"),
        (["--lang", "fr"], "known: en, ja"),
    ],
)
def test_an_unknown_form_or_language_is_refused_before_any_work(options: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["verify", "there is no such bundle", *options])
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)


def test_without_a_report_nothing_is_said_of_one() -> None:
    _, output, _ = verify()
    assert "Report" not in output


def test_the_languages_have_the_same_keys_and_the_same_gaps() -> None:
    from string import Formatter

    gaps = {
        language: {key: {name for _, name, _, _ in Formatter().parse(text) if name} for key, text in texts.items()}
        for language in LANGUAGES
        for texts in [texts_of(language)]
    }
    assert gaps["en"] == gaps["ja"]


JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
ENGLISH = re.compile(r"\b(the|of|is|are|not|and|that|was|with|were|by)\b")


def foreign(report: Report) -> set[str]:
    """Return the citations and names that come from rulebooks and operators: they are quoted, not translated."""
    clauses = {one.clause for one in report.findings} | {report.headline.reason.clause}
    return {text for text in (*clauses, report.headline.exchange, report.reproduction.command) if text}


@pytest.mark.parametrize("name", CASES)
def test_a_japanese_page_holds_no_english_sentence(name: str) -> None:
    report = build_report(made(name), "ja", ORIGIN)
    text = "\n".join(page_of(report).words)
    for quoted in sorted(foreign(report), key=len, reverse=True):
        text = text.replace(visible(quoted), "")
    for key, sentence in texts_of("en").items():
        longest = max(re.split(r"\{[^}]*\}", sentence), key=len).strip()
        if len(longest.split()) > 2:
            assert longest not in text, key
    said = [line.strip() for line in text.splitlines() if ENGLISH.search(line)]
    assert said == []
    assert "英語の記録" not in text


@pytest.mark.parametrize("name", CASES)
def test_an_english_page_holds_no_japanese_but_in_citations(name: str) -> None:
    report = build_report(made(name), "en", ORIGIN)
    text = "\n".join(page_of(report).words)
    # A title may name a law's term in the law's own language.
    for quoted in sorted(foreign(report) | {book.title for book in report.rulebooks}, key=len, reverse=True):
        text = text.replace(quoted, "")
    assert [line for line in text.splitlines() if JAPANESE.search(line)] == []


def test_what_no_table_holds_is_quoted_as_english_and_parts_are_put_over_one_by_one() -> None:
    assert in_japanese("no block was pinned; a word of somebody's") == (
        "基準ブロックが固定されていません、「a word of somebody's」(英語の記録)"
    )
    assert in_japanese("eip155:1:0xab: its transfers are not known") == "eip155:1:0xab:移動履歴が不明です"


@pytest.mark.parametrize("name", pack_names())
def test_every_shipped_rulebook_has_its_title_and_its_limits_in_japanese(name: str) -> None:
    pack = load_pack(name)
    for text in (pack.title, pack.not_covered):
        assert JAPANESE.search(known_in_japanese(text) or ""), text


def test_every_sentence_of_the_tables_fills_its_gaps_in_japanese() -> None:
    for name in TABLES:
        for row in tomllib.loads((POLICY / name).read_text("utf-8"))["phrase"]:
            gaps = row["en"].count("{}")
            shown = row["ja"].format(*(f"gap {number}" for number in range(gaps)))
            assert [number for number in range(gaps) if f"gap {number}" not in shown] == [], row["en"]


def test_roots_and_operators_that_were_not_believed_are_said_in_japanese_too() -> None:
    about = "finalized in slot 7; at the weakest link 400 of 512 signed; the checkpoint is 3 days older"
    rooted = complete().model_copy(
        update={
            "anchors": (Anchor(BLOCK, ProofKind.STATE, "0x" + "ab" * 32, about),),
            "exclusions": (Exclusion("p", "operator-1", f"serves eip155:1, not {CHAIN}"),),
        }
    )
    result = judged(rooted.trusting(["cd" * 32]))
    said = [line for line in build_report(result, "ja").limits if ENGLISH.search(line)]
    assert said == []
    assert len(build_report(result, "ja").limits) == len(limits(result))
    assert any("スロット7で確定、最少の署名は512中400" in line for line in build_report(result, "ja").limits)
    assert any("operator-1の回答は採用しませんでした" in line for line in build_report(result, "ja").limits)


def test_limits_are_the_same_in_both_languages() -> None:
    result = recorded("knots-anvil-fail")
    assert len(limits(result)) == len(build_report(result, "ja").limits) == 9
    assert limits(result)[3].startswith("Some balances rest on one operator's word")


HOSTILE = (
    *("<script>alert(1)</script>", "</title><img src=x onerror=alert(1)>", "{{7*7}}", "[x](javascript:alert(1))"),
    *("![x](http://evil.example/x.png)", "http://evil.example", "www.evil.example", "a@evil.example", "a|b", "`x`"),
    *("=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u202eright to left", "\u200bnothing"),
    *("--- \n# heading", "<!-- ", "]]>", "&lt;", "\x1b[2J", "\u2066x\u2069", '" onload="x', "1. list", "\uff1d1"),
)
labels = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))


def hostile(label: str) -> Report:
    """Return a report in which foreign text stands wherever a bundle or a source can bring some."""
    base = labelled(complete(90), label)
    assets = [one.model_copy(update={"symbol": label[:16] or "x"}) for one in base.declaration.assets]
    exchange = base.declaration.exchange.model_copy(update={"name": label or "x"})
    heard = tuple(one._replace(operator=label, reason=label) for one in base.heard)
    prices = tuple(one.model_copy(update={"source": label or "x"}) for one in base.prices)
    declaration = base.declaration.model_copy(update={"assets": assets, "exchange": exchange})
    changed = {"declaration": declaration, "heard": heard, "prices": prices}
    return build_report(judged(base.model_copy(update=changed), "model-basic", "jp-psa-63-11"), "en", ORIGIN)


HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x09\x0b-\x1f\x7f-\x9f]")
HARMLESS = {tag for tag, _ in page_of(build_report(made("complete"), "en", ORIGIN)).tags}


@settings(max_examples=60, deadline=None)
@given(labels)
def test_foreign_text_opens_no_tag_and_hides_nothing_in_a_page(label: str) -> None:
    text = rendered(hostile(label), ".html").decode("utf-8")
    page = Page(text)
    assert (page.faults, page.open) == ([], [])
    assert {tag for tag, _ in page.tags} <= HARMLESS
    assert not [key for _, given_ in page.tags for key in given_ if key.startswith("on")]
    assert not HIDDEN.search(text)
    shown = visible(label).strip()
    assert not shown or any(shown in words for words in page.words)


@settings(max_examples=60, deadline=None)
@given(labels)
def test_foreign_text_starts_no_formula_in_a_table(label: str) -> None:
    text = rendered(hostile(label), ".csv").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len({len(row) for row in rows}) == 1
    for one in (cell for row in rows for cell in row):
        assert not re.match("[\\s\"']*[=+\\-@\uff1d\uff0b\uff0d\uff20]", one.removeprefix("'")) or one.startswith("'")
        assert not HIDDEN.search(one)


@settings(max_examples=60, deadline=None)
@given(labels)
def test_foreign_text_stays_text_in_markdown(label: str) -> None:
    text = rendered(hostile(label), ".md").decode("utf-8")
    outside = re.sub(r"`[^`\n]*`", "", re.sub(r"\\.", "", text))
    assert not re.search(r"[<>\[\]`]|!\(|://|www\.|@", outside, re.IGNORECASE)
    assert not HIDDEN.search(text)
    widths: list[int] = []
    for line in re.sub(r"\\.", "", text).split("\n"):
        if line.startswith("|"):
            widths.append(line.count("|"))
            assert widths[0] == line.count("|")
        else:
            widths = []
            assert re.match(r"(#{1,3} |- |$|[^\s#>+\-=|<])", line)


@settings(max_examples=60, deadline=None)
@given(labels)
def test_a_markdown_program_makes_no_link_image_or_html_of_foreign_text(label: str) -> None:
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(rendered(hostile(label), ".md").decode())
    page = Page(shown)
    assert page.faults == []
    assert {tag for tag, _ in page.tags} <= {
        *("h1", "h2", "h3", "ul", "li", "p", "table", "thead", "tbody", "tr", "th", "td", "code"),
    }
    assert page.tags.count(("h1", {})) == 1
    if not set(label) & set("`|"):
        assert visible(label).strip() in "".join(page.words)


def test_json_keeps_foreign_text_as_it_is_and_in_ascii() -> None:
    label = "\u202e<script>"
    content = rendered(hostile(label), ".json")
    assert content.isascii()
    assert label in {one["label"] for one in json.loads(content)["holdings"]}


def test_bound_claims_are_said_to_name_this_declaration() -> None:
    one = case(bound(position(Pool.CLIENT_COLD, 1)))
    assert build_report(judged(one)).holdings[0].binding == "names this declaration"


def test_a_collected_run_with_a_window_and_several_price_sources_shows_both(tmp_path: Path) -> None:
    rows = {"rows": [(utc_seconds(AS_OF), "500000")]}
    sources = [{"operator": f"file {number}", "dialect": "csv", **rows} for number in range(2)]
    wanted = {"asset": PLAYED_ETH, "currency": "JPY", "lookback_days": 0, "source": sources}
    asked = PricePlan.model_validate({"format": "reserve-verifier/prices/1", "price": [wanted]})
    with played(tmp_path / "in", nodes=2, minimum=2) as (inputs, _):
        plans = Plans(window=plan_window(2, "ab" * 32), prices=asked)
        run = collect(inputs.declaration, inputs.providers, tmp_path / "run", inputs.liabilities, plans=plans)
    result = verify_bundle(run.bundle, PACKS)
    for language in LANGUAGES:
        report = build_report(result, language, ORIGIN)
        (priced,) = report.prices
        assert [(one.operator, one.price) for one in priced.heard] == [("file 0", "500,000"), ("file 1", "500,000")]
        (profile,) = report.profiles
        # Nobody lists the transfers of a chain's own coin: no line is drawn, only what was read at the drawn blocks.
        assert profile.steps == ()
        assert len(profile.drawn) == 10  # twelve draws of a hundred blocks, two of them drawn twice
        assert {one.amount.units for one in profile.drawn} == {
            report.coverage[0].owed and report.coverage[0].owed.units
        }
        page = page_of(report)
        assert (page.faults, page.open) == ([], [])


def test_the_ladder_counts_only_what_is_shown_and_leaves_the_rest_to_later() -> None:
    made_up = case(
        position(Pool.RESERVE_FUND, 7, number=1),
        position(Pool.RESERVE_FUND, 5, number=2, control=None),
        position(Pool.RESERVE_FUND, 9, USD, number=3),
    )
    coin, token = build_report(judged(made_up)).ladder
    assert ([one.units for one in coin.within], coin.later.units, coin.total.units) == (["7", "7", "7"], "5", "12")
    assert ([one.units for one in token.within], token.later.units) == (["0", "0", "0"], "9")
    assert coin.barred == ("control of eip155:31337:0x0000000000000000000000000000000000000002 is not shown",)
    assert token.barred == ("unknown token: not in the table of known forms",)
    stale = made_up.positions[0]
    old = stale._replace(ownership=stale.ownership and stale.ownership._replace(age_days=31))
    (slow,) = build_report(judged(case(old))).ladder
    assert [one.units for one in slow.within] == ["0", "0", "7"]


def test_a_loss_is_measured_in_words_and_exactly() -> None:
    rows = {one.loss: one for one in build_report(judged(complete()), "ja").multiples}
    hot = rows["ホットウォレットの全額"]
    # 20 of the fund, 3 of guarantee assets and 500 yen of cover, at 100 to 110 yen, against 3 coins.
    assert (hot.low_exact, hot.high_exact) == ("280/33", "101/10")
    assert hot.times == "8.48~10.10倍"
    assert rows["コインチェック事件(2018年1月)と同規模の流出"].times == "0.01倍未満"
