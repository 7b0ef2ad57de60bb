"""The page behaves for people: hostile files, two languages, a keyboard alone, enough contrast, not one request."""

import functools
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import expect
from typer.testing import CliRunner

from tests.builders.accounts import built
from tests.conformance.browser import NOW, UsersPage, essence
from tests.conformance.test_cases import FOLDERS, ROOT
from tests.verifier.test_hostile_proofs import FILES
from verifier import check_proofs
from verifier.cli.main import app
from verifier.inclusion.grading import LIMITS, WARNINGS
from verifier.web.page import build_page

pytestmark = pytest.mark.xdist_group("browser")

CASES = {folder.name: folder for folder in FOLDERS}
OWN = CASES["own-whole"] / "proof.json"
SOURCES = ROOT / "verifier" / "web" / "page"
WORDS = tomllib.loads((SOURCES / "words.toml").read_text("utf-8"))


# --- hostile files ---
@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_gets_a_clear_answer_from_the_page(users_page, name, tmp_path):
    path = tmp_path / "hostile.json"
    path.write_bytes(FILES[name])
    users_page.complaints.clear()
    page = users_page.ask([path])
    if len(FILES[name]) > 16 * 1024 * 1024:
        assert page["verdict"] == "unsupported"
    else:
        assert essence(page) == essence(check_proofs([path]).to_record())
    assert page["results"][0]["findings"][0]["text"]
    assert users_page.complaints == []


def test_markup_in_a_file_stays_text(users_page, tmp_path):
    script = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    value = json.loads(built("okx-v1", 5, 1).files["p.json"])
    value["self"]["auditId"] = value["self"][script] = script
    value["self"]["__proto__"] = value["__proto__"] = {"polluted": "yes", "toString": "yes"}
    path = tmp_path / "<b onclick=alert(3)>.json"
    path.write_text(json.dumps(value), "utf-8")
    users_page.complaints.clear()
    page = users_page.ask([path])
    assert essence(page) == essence(check_proofs([path], now=NOW).to_record())
    assert page["verdict"] == "accepted"
    inside = users_page.page.locator("#answers")
    assert inside.locator("img, script, b, a, iframe").count() == 0
    assert script in (inside.text_content() or "")
    assert users_page.page.evaluate("({}).polluted") is None
    assert users_page.complaints == []


def test_markup_cannot_be_written_into_the_page_at_all(users_page):
    with pytest.raises(Exception, match="TrustedHTML"):
        users_page.page.evaluate("document.getElementById('answers').innerHTML = '<b>bold</b>'")


def test_a_file_that_is_too_large_is_neither_accepted_nor_refused(users_page, tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(b"block_height:100\n" + b"0" * (16 * 1024 * 1024))
    page = users_page.ask([path])
    assert (page["verdict"], page["results"][0]["findings"][0]["code"]) == ("unsupported", "too-large")
    assert users_page.headlines == ["This page cannot check this file"]


def bitmex_tree(leaves: int) -> bytes:
    """A published tree of so many leaves of one satoshi each, as BitMEX writes it."""
    levels = [[(sha256(number.to_bytes(8, "big")).digest(), 1) for number in range(leaves)]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        joined = zip(below[::2], below[1::2], strict=True)
        levels.append([
            (sha256(left + one.to_bytes(8, "little") + right + other.to_bytes(8, "little")).digest(), one + other)
            for (left, one), (right, other) in joined
        ])  # fmt: skip
    rows = [f"{name.hex()},{amount}" for level in reversed(levels) for name, amount in level]
    return "\n".join(["block_height:100", *rows, ""]).encode()


def test_a_tree_of_sixty_thousand_accounts_is_rebuilt_in_the_page(users_page, tmp_path):
    path = tmp_path / "tree.csv"
    path.write_bytes(bitmex_tree(2**16))
    start = time.perf_counter()
    page = users_page.ask([path])
    assert time.perf_counter() - start < 30
    assert essence(page) == essence(check_proofs([path]).to_record())
    assert (page["verdict"], page["results"][0]["totals"]) == ("accepted", {"sat": str(2**16)})


# --- no network ---
@pytest.fixture(scope="module")
def served(address) -> Iterator[tuple[str, list[str]]]:
    """The page on a loopback server, with the paths that were asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    folder = str(Path(address.removeprefix("file://")).parent)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/verify.html", asked
    server.shutdown()
    server.server_close()


def test_the_page_asks_for_nothing_but_itself(browser, address, served):
    site, asked = served
    for where in (address, site):
        opened = UsersPage(browser, where)
        opened.page.set_input_files("#files", OWN)
        assert opened.record()["verdict"] == "accepted"
        opened.page.get_by_role("button", name="日本語").click()
        assert set(opened.requests) <= {where, "data:,"}
        assert opened.complaints == []
        opened.page.context.close()
    assert set(asked) == {"/verify.html"}


def test_the_page_may_not_connect_even_if_it_wanted_to(browser, served):
    site, asked = served
    opened = UsersPage(browser, site)
    before = len(asked)
    for attempt in (f"fetch('{site}?leak')", f"new Promise((good, bad) => {{ const i = new Image(); i.onload = good; "
                    f"i.onerror = bad; i.src = '{site}?leak'; }})"):  # fmt: skip
        assert opened.page.evaluate(f"{attempt}.then(() => 'sent', () => 'refused')") == "refused"
    assert len(asked) == before
    opened.page.context.close()


def test_the_policy_names_every_script_and_style_by_its_hash():
    page = build_page()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "connect-src" not in policy[1]
    assert "unsafe" not in policy[1]
    assert re.findall(r"https?://|\binnerHTML\b|\beval\b|\bfetch\(", page) == []


# --- two languages ---
def test_the_page_follows_the_browsers_language_and_can_be_switched(browser, address):
    opened = UsersPage(browser, address, locale="ja-JP")
    root = opened.page.locator("html")
    expect(root).to_have_attribute("lang", "ja")
    opened.page.fill("#root", json.loads((OWN.parent / "expected.json").read_text("utf-8"))["root"])
    opened.page.set_input_files("#files", OWN)
    opened.record()
    assert opened.headlines == ["あなたの残高は含まれています"]
    opened.page.get_by_role("button", name="English").click()
    expect(root).to_have_attribute("lang", "en")
    assert opened.headlines == ["Your balance was counted"]
    assert opened.page.title() == "Was my balance counted?"
    opened.page.context.close()


def test_every_sentence_stands_in_both_languages():
    for table in ("ui", "headlines", "explained", "grade"):
        assert WORDS[table]["en"].keys() == WORDS[table]["ja"].keys(), table
    assert WORDS["limits"]["ja"].keys() == LIMITS.keys()
    used = set(re.findall(r'data-(?:word|label)="([a-z-]+)"', (SOURCES / "page.html").read_text("utf-8")))
    assert used <= WORDS["ui"]["en"].keys()


def test_every_finding_has_a_sentence_in_japanese():
    folder = ROOT / "verifier" / "inclusion"
    text = "".join(path.read_text("utf-8") for path in folder.rglob("*.py"))
    text += (folder / "pool.py").read_text("utf-8").replace("Fraud(", "Finding(")
    codes = set(re.findall(r'(?:Finding|MalformedError|_refuse|_bad)\(\s*(?:path, )?"([a-z-]+)"', text)) | set(WARNINGS)
    assert len(codes) > 60
    assert codes <= WORDS["findings"]["ja"].keys()
    assert not [
        code for code, sentence in WORDS["findings"]["ja"].items() if not re.search(r"[ぁ-んァ-ン一-龠]", sentence)
    ]


def test_the_english_sentences_are_those_of_the_command_line(users_page):
    users_page.ask([CASES["bybit"] / "p.json"])
    report = check_proofs([CASES["bybit"] / "p.json"])
    shown = users_page.page.locator("article").inner_text()
    for sentence in report.results[0].does_not_prove:
        assert re.sub(r" \(--.*?\)", "", sentence) in shown
    for finding in report.results[0].findings:
        assert finding.text in shown


# --- people ---
def test_a_keyboard_is_enough(browser, address):
    opened = UsersPage(browser, address)
    page = opened.page
    page.on("filechooser", lambda chooser: None)  # the browser takes a moment before it tells of choosers at all
    focused = functools.partial(page.evaluate, "document.activeElement.id || document.activeElement.textContent.trim()")
    seen = []
    for _ in range(7):
        page.keyboard.press("Tab")
        seen.append(focused())
    assert seen == ["English", "日本語", "files", "root", "expect", "More", "check"]
    page.locator("#files").focus()
    outline = page.evaluate("getComputedStyle(document.querySelector('#files + .button')).outlineStyle")
    assert outline == "solid"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(OWN)
    opened.record()
    page.keyboard.press("Tab")
    page.keyboard.type("ab" * 32)
    page.keyboard.press("Enter")
    expect(page.locator("article h3")).to_contain_text("Refused: this is not the root you typed")
    page.locator("article summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("article dl")).to_be_visible()
    page.context.close()


def test_a_file_can_be_dropped_anywhere_on_the_page(users_page):
    users_page.page.reload()
    transfer = users_page.page.evaluate_handle(
        "text => { const data = new DataTransfer(); data.items.add(new File([text], 'dropped.json')); return data; }",
        OWN.read_text("utf-8"),
    )
    users_page.page.dispatch_event("footer", "drop", {"dataTransfer": transfer})
    assert users_page.record()["results"][0]["file"] == "dropped.json"


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("root", "xyz", "A root has 16 to 128 digits"),
        ("root", "ab" * 65, "A root has 16 to 128 digits"),
        ("expect", "BTC", "Write one asset per line"),
        ("expect", "BTC=1\nBTC=2", "Write one asset per line"),
        ("expect", "BTC=1e5", "Write one asset per line"),
        ("facts", "no pair", "Write one per line"),
    ],
)
def test_a_field_that_makes_no_sense_is_named_and_nothing_is_answered(users_page, field, text, said):
    users_page.page.reload()
    users_page.page.evaluate("document.querySelector('form details').open = true")
    users_page.page.fill(f"#{field}", text)
    users_page.page.set_input_files("#files", OWN)
    expect(users_page.page.locator(f"#{field}-fault")).to_contain_text(said)
    expect(users_page.page.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")
    assert users_page.page.locator("article, #record").count() == 0


def test_an_answer_is_withdrawn_when_the_question_changes(users_page, tmp_path):
    path = tmp_path / "proof.json"
    path.write_bytes(OWN.read_bytes())
    assert users_page.ask([path])["verdict"] == "accepted"
    users_page.page.fill("#root", "ab" * 32)
    expect(users_page.page.locator("#status")).to_have_text("Something was changed: press Check.")
    assert users_page.page.locator("article, #record").count() == 0
    users_page.page.get_by_role("button", name="Check").click()
    assert users_page.record()["verdict"] == "refused"
    path.write_bytes(b"no proof any more")
    users_page.page.fill("#root", "")
    users_page.page.set_input_files("#files", path)
    assert users_page.record()["verdict"] == "unrecognised"


def test_a_list_says_whether_the_user_was_looked_for(users_page):
    list_file = CASES["bitmex-file"] / "tree.csv"
    assert users_page.ask([list_file])["verdict"] == "accepted"
    assert users_page.headlines == ["The published list adds up; you were not looked for in it"]
    users_page.ask([list_file], facts={"account": "77", "account_nonce": "00" * 32})
    assert users_page.headlines == ["The published list adds up, but your own entry was not found in it"]


def test_what_you_own_is_asked_of_one_proof_only(users_page, tmp_path):
    other = tmp_path / "other.json"
    other.write_bytes(OWN.read_bytes())
    users_page.page.reload()
    users_page.page.fill("#expect", "BTC=0.4")
    users_page.page.set_input_files("#files", [OWN, other])
    expect(users_page.page.locator("#expect-fault")).to_contain_text("one proof only")
    assert users_page.page.locator("article").count() == 0


CONTRAST = """() => {
  const paint = (node, name) => getComputedStyle(node)[name].match(/[\\d.]+/g).map(Number);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = paint(at, 'backgroundColor');
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const light = (color) => color.slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const told = [];
  for (const node of document.body.querySelectorAll('*')) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.checkVisibility()) continue;
    const [one, other] = [light(paint(node, 'color')), light(ground(node))].sort((a, b) => b - a);
    told.push([node.tagName, node.textContent.slice(0, 40), (one + 0.05) / (other + 0.05)]);
  }
  return told;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(browser, address, scheme):
    opened = UsersPage(browser, address, color_scheme=scheme)
    paths = [OWN, CASES["own-split-parts-swapped"] / "proof.json", CASES["bybit"] / "p.json", ROOT / "README.md"]
    opened.page.set_input_files("#files", paths)
    opened.record()
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    told = opened.page.evaluate(CONTRAST)
    assert len(told) > 80
    assert [entry for entry in told if entry[2] < 4.5] == []
    opened.page.context.close()


def test_the_page_fits_a_narrow_phone_and_has_names_for_everything(browser, address):
    opened = UsersPage(browser, address, viewport={"width": 320, "height": 640})
    opened.page.set_input_files("#files", [CASES["bybit"] / "p.json", OWN])
    opened.record()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 320
    levels = opened.page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    assert opened.page.locator("[role=status]").count() == 1
    for name in ("Published root or digest (optional)", "What you own (optional)"):
        expect(opened.page.get_by_role("textbox", name=name)).to_be_visible()
    opened.page.context.close()


def test_it_prints_in_ink_on_paper_with_everything_unfolded(browser, address):
    opened = UsersPage(browser, address, color_scheme="dark")
    opened.page.set_input_files("#files", OWN)
    opened.record()
    opened.page.emulate_media(media="print")
    opened.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(opened.page.locator("article dl")).to_be_visible()
    expect(opened.page.locator("form")).to_be_hidden()
    assert (
        opened.page.evaluate("getComputedStyle(document.querySelector('article')).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    assert [entry for entry in opened.page.evaluate(CONTRAST) if entry[2] < 4.5] == []
    opened.page.context.close()


# --- the file itself ---
def test_the_same_sources_give_the_same_bytes():
    program = "import hashlib; from verifier.web.page import build_page as make; "
    program += "print(hashlib.sha256(make().encode()).hexdigest())"
    made = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert made == {sha256(build_page().encode()).hexdigest()}


def test_the_command_says_what_it_wrote(tmp_path):
    path = tmp_path / "verify.html"
    done = CliRunner().invoke(app, ["page", "--out", str(path), "--json"])
    record = json.loads(done.stdout)
    assert record["sha256"] == sha256(path.read_bytes()).hexdigest()
    assert (record["path"], record["unsupported"]) == (str(path), [])
    assert len(record["formats"]) == 33
    assert CliRunner().invoke(app, ["page", "--out", str(tmp_path / "no" / "where.html")]).exit_code != 0


def test_modules_of_the_page_stay_small():
    sizes = {path.name: path.read_text("utf-8").splitlines() for path in SOURCES.glob("*.js")}
    assert len(sizes) > 25
    assert {name: len(lines) for name, lines in sizes.items() if len(lines) > 300} == {}
    assert [name for name, lines in sizes.items() if not lines[0].startswith("// ")] == []
    assert [
        f"{name}:{at}" for name, lines in sizes.items() for at, line in enumerate(lines, 1) if len(line) > 120
    ] == []
