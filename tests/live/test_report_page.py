"""A real browser shows the report without a word on its console, refuses what the policy forbids, and prints it."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.live.require import require_binary
from tests.verifier.report_cases import ORIGIN, complete, documented, judged, labelled, recorded
from verifier.report.build import build_report
from verifier.report.words import LANGUAGES
from verifier.report.write import write_report
from verifier.verification import Verification

HOSTILE = ("<script>document.title='taken'</script>", "</style><img src=x onerror=document.title='taken'>", "a\u202eb")


@pytest.fixture(scope="module")
def chromium() -> Path:
    return require_binary("chromium", "install the distribution's package chromium")


def run(chromium: Path, home: Path, *options: str) -> tuple[str, list[str]]:
    """Run the browser without a window; return what it printed, and every line of the page's console."""
    command = [str(chromium), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    done = subprocess.run(
        [*command, f"--user-data-dir={home / 'profile'}", *options],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def results() -> dict[str, Verification]:
    return {
        "pass": recorded("knots-anvil-pass", "jp-psa-63-11"),
        "fail": recorded("knots-anvil-fail"),
        "full": judged(documented()),
        "hostile": judged(labelled(complete(90), *HOSTILE)),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_without_a_word_on_the_console_and_nothing_foreign_runs(
    chromium: Path, tmp_path: Path, language: str
) -> None:
    for name, result in results().items():
        path = tmp_path / f"{name}.html"
        write_report(build_report(result, language, ORIGIN), path)
        shown, console = run(chromium, tmp_path, "--dump-dom", path.as_uri())
        assert console == [], name
        assert f'<html lang="{language}">' in shown
        title = re.search("<title>(.*?)</title>", shown)
        assert title is not None
        assert "taken" not in title.group(1)
        assert "<script" not in shown


def test_a_style_that_is_not_the_named_one_is_refused_and_said(chromium: Path, tmp_path: Path) -> None:
    path = tmp_path / "changed.html"
    write_report(build_report(judged(complete()), "en", ORIGIN), path)
    path.write_text(path.read_text("utf-8").replace("--ink: #1c2430", "--ink: #000000", 1), "utf-8")
    _, console = run(chromium, tmp_path, "--dump-dom", path.as_uri())
    assert len(console) == 1
    assert "Content Security Policy" in console[0]


def test_it_prints(chromium: Path, tmp_path: Path) -> None:
    path, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    write_report(build_report(judged(documented()), "ja", ORIGIN), path)
    _, console = run(chromium, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={paper}", path.as_uri())
    assert console == []
    content = paper.read_bytes()
    assert content.startswith(b"%PDF")
    # A4 is 595 by 842 points.
    boxes = {
        (round(float(w)), round(float(h))) for w, h in re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", content)
    }
    assert boxes == {(595, 842)} or boxes == {(596, 842)}
