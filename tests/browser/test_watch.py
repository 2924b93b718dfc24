"""`mfa watch` with a browser before it: good, broken and good again."""

from __future__ import annotations

import os

import pytest

from tests import watcher
from tests.system import books


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C cannot be sent to another process here")
def test_the_page_follows_the_file(visit, tmp_path):
    good, broken, other = (
        books.save(tables, tmp_path / f"{name}.xlsx").read_bytes()
        for name, tables in (
            ("good", books.SMALL),
            ("broken", books.put(books.SMALL, "flows!F2", "<b>many</b>")),
            ("other", books.put(books.SMALL, "flows!F2", 111.5)),
        )
    )
    book = tmp_path / "desk" / "book.xlsx"
    book.parent.mkdir()
    book.write_bytes(good)
    patience = 1000 * watcher.PATIENCE
    with watcher.watching(book) as (address, _):
        page = visit.page
        page.set_default_timeout(patience)
        page.goto(address, wait_until="commit")  # the page may load itself again at once
        page.locator(".mfa-frame:visible svg").wait_for()
        page.locator(".switch:visible").wait_for()  # the whole report, in both languages
        page.locator(".switch:visible button[data-lang=ja]").click()
        picture = page.locator(".mfa-frame:visible").inner_html()

        watcher.save(book, broken)
        problems = page.locator("#watch:visible")
        problems.wait_for()
        assert "flows!F2" in problems.inner_text()
        assert "<b>many</b>" in problems.inner_text()
        assert page.locator(".mfa-frame:visible").inner_html() == picture
        assert "保存されたファイルは使えない" in problems.inner_text()

        watcher.save(book, other)
        problems.wait_for(state="hidden")
        page.locator(".switch:visible").wait_for()
        page.locator("text=111.5").first.wait_for(state="attached")
        assert page.locator(".mfa-frame:visible").inner_html() != picture
        page.locator("html[lang=ja]").wait_for()
        assert all(url.startswith((address, "data:")) for url in visit.asked)
        assert [text for text in visit.said if "net::ERR" not in text] == []
