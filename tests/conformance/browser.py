"""The built page in a real browser: hand it files and fields as a user does, and read its answer back."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.live.require import require_binary

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium, or skip with a reason; fail instead where nodes are required."""
    binary = require_binary("chromium", "apt-get install --no-install-recommends chromium")
    with sync_playwright() as playwright:
        # Chromium cannot shut itself in as root, as in a container of a build machine.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=binary, args=options)
        yield browser
        browser.close()


class UsersPage:
    """One open page; remembers every request it makes and every complaint of the browser."""

    def __init__(self, browser: Browser, address: str, **context: Any) -> None:
        self.page: Page = browser.new_context(**context).new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.clock.set_fixed_time(NOW)
        self.page.goto(address)

    def ask(
        self,
        files: Sequence[Path],
        root: str | None = None,
        expected: Mapping[str, str] | None = None,
        facts: Mapping[str, str] | None = None,
        only: str | None = None,
    ) -> dict[str, Any]:
        """Fill in the form afresh, choose the files, and return what the page says `por check --json` would print."""
        self.page.reload()
        self.page.evaluate("document.querySelector('form details').open = true")
        self.page.fill("#root", root or "")
        for field, pairs in (("#expect", expected), ("#facts", facts)):
            self.page.fill(field, "\n".join(f"{name}={value}" for name, value in (pairs or {}).items()))
        self.page.select_option("#format", only or "")
        self.page.set_input_files("#files", files)
        return self.record()

    def record(self) -> dict[str, Any]:
        expect(self.page.locator("#record")).to_be_attached(timeout=60_000)
        return json.loads(self.page.locator("#record").text_content() or "")

    @property
    def headlines(self) -> list[str]:
        return self.page.locator("article h3 span:not([aria-hidden])").all_inner_texts()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as `por page` writes it, to be opened as a file."""
    from typer.testing import CliRunner

    from verifier.cli.main import app

    path = tmp_path_factory.mktemp("page") / "verify.html"
    done = CliRunner().invoke(app, ["page", "--out", str(path)])
    assert done.exit_code == 0, done.output
    return path.as_uri()


@pytest.fixture(scope="module")
def users_page(browser: Browser, address: str) -> Iterator[UsersPage]:
    opened = UsersPage(browser, address)
    yield opened
    opened.page.context.close()


def essence(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the page and the command line must say alike: everything but the wording and the folder of a file."""
    results = [
        {**result, "file": Path(result["file"]).name, "findings": [finding["code"] for finding in result["findings"]]}
        for result in record["results"]
    ]
    fraud = [[one["code"], [Path(name).name for name in one["files"]]] for one in record["pool"]["fraud"]]
    return {"verdict": record["verdict"], "results": results, "pool": [record["pool"]["verdict"], fraud]}
