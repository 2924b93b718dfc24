"""A real browser without a window, from the machine's own packages; none is ever downloaded.

Without one, or without Playwright, these tests are skipped and say why. Where MFA_NEEDS_BROWSER is
set, as in .ci/run, that is a failure instead.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mfa
from mfa.report.document import editions, render
from tests.report import pages

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def missing(what: str) -> None:
    """Skip the tests, or fail where a browser is demanded."""
    if os.environ.get("MFA_NEEDS_BROWSER"):
        pytest.fail(f"{what}, and MFA_NEEDS_BROWSER is set")
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return a browser for all tests."""
    try:
        playwright = importlib.import_module("playwright.sync_api")
    except ImportError:
        missing("Playwright is not installed (pip install playwright)")
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        missing("no Chromium is installed (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield found
        found.close()


class Visit:
    """A page in the browser, and everything that it said and asked for."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.context = browser.new_context(
            **({"viewport": {"width": 1300, "height": 900}} | options)
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: Path) -> Any:
        """Open a file and return the page."""
        self.page.goto(path.as_uri())
        return self.page

    def was_quiet(self, path: Path) -> bool:
        """Return whether the page said nothing, and asked for nothing but itself."""
        return self.said == [] and set(self.asked) == {path.as_uri()}


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    """Return a fresh visit, which must stay quiet unless the test says otherwise."""
    one = Visit(browser)
    yield one
    one.context.close()


@pytest.fixture(scope="session")
def copper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report page of a shipped case with three years and names in both languages."""
    balance = mfa.reconcile(mfa.read_workbook(ROOT / "flows" / "copper-world.xlsx"))
    return _written(tmp_path_factory, render(editions(balance, "en")))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a report page whose every name is an attack."""
    from tests.report.test_hostile import HOSTILE, hostile_book

    text = HOSTILE["script"] + HOSTILE["image"] + HOSTILE["attribute"]
    return _written(tmp_path_factory, pages.page_of(hostile_book(text))[0])


def _written(factory: pytest.TempPathFactory, html: str) -> Path:
    path = factory.mktemp("page") / "report.html"
    path.write_text(html, encoding="utf-8", newline="\n")
    return path
