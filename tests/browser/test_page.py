"""The report page in a real browser: it loads, answers, can be read and printed."""

from __future__ import annotations

import re

import pytest

from mfa.report.words import words

from .conftest import Visit

SHOWN = ".edition:not([hidden])"
FRAME = f"{SHOWN} .mfa-frame:not([hidden])"
# A point of the window at which nothing else lies above a flow.
INSIDE = """flow => {
  const { left, top, width, height } = flow.getBoundingClientRect();
  for (let i = 1; i < 40; i++) for (let k = 1; k < 40; k++) {
    const [x, y] = [left + (width * i) / 40, top + (height * k) / 40];
    if (flow.contains(document.elementFromPoint(x, y))) return [x, y];
  }
}"""
OUTLINE = """e => {
  const band = e.querySelector(":scope > path:not(.casing)") || e;
  return getComputedStyle(e).outlineStyle !== "none" || getComputedStyle(band).stroke !== "none";
}"""


def test_it_loads_without_a_word_and_without_a_request(visit, copper):
    page = visit.open(copper)
    assert page.locator("h1:visible").count() == 1
    assert page.locator(f"{FRAME} svg").count() == 1
    for link in page.locator(f"{SHOWN} nav a").all():
        link.click()
    assert visit.was_quiet(copper)


def test_pointing_at_a_flow_marks_it(visit, copper):
    page = visit.open(copper)
    flow = page.locator(f"{FRAME} g[data-link]").first
    band = flow.locator("path:not(.casing)").first
    before = band.evaluate("e => getComputedStyle(e).stroke")
    flow.scroll_into_view_if_needed()
    page.mouse.move(*flow.evaluate(INSIDE))
    assert band.evaluate("e => getComputedStyle(e).stroke") != before
    assert re.search(r"\d", flow.locator("title").text_content())
    assert visit.was_quiet(copper)


def test_a_click_on_a_flow_shows_where_its_number_is_from(visit, copper):
    page = visit.open(copper)
    panel = page.locator(f"{SHOWN} .mfa-picked")
    assert panel.text_content() == ""
    flow = page.locator(f"{FRAME} g[data-link]").first
    flow.dispatch_event("click")
    assert "flows!" in panel.text_content()
    assert panel.is_visible()
    assert page.locator(f"{FRAME} svg.picking g.picked").count() >= 1
    page.locator(f"{FRAME} rect.box").first.dispatch_event("click")
    assert panel.locator("tbody tr").count() >= 2
    page.keyboard.press("Escape")
    flow.focus()
    page.keyboard.press("Escape")
    assert panel.text_content() == ""
    assert visit.was_quiet(copper)


def test_the_slider_turns_the_years(visit, copper):
    page = visit.open(copper)
    slider, year = page.locator(f"{SHOWN} .mfa-years input"), page.locator(f"{SHOWN} output")
    assert year.text_content() == "2019"
    seen = [page.locator(FRAME).inner_html()]
    slider.focus()
    for expected in ("2018", "2017"):
        page.keyboard.press("ArrowLeft")
        assert year.text_content() == expected
        assert page.locator(FRAME).get_attribute("data-label") == expected
        seen.append(page.locator(FRAME).inner_html())
    assert len(set(seen)) == 3
    assert slider.get_attribute("aria-valuetext") == "2017"
    assert visit.was_quiet(copper)


def test_the_language_is_switched_and_kept(visit, copper):
    page = visit.open(copper)
    slider = page.locator(f"{SHOWN} .mfa-years input")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    english = page.title(), page.locator("h1:visible").text_content()
    page.locator(f"{SHOWN} .switch button[data-lang=ja]").click()
    for _ in range(2):
        assert page.evaluate("document.documentElement.lang") == "ja"
        japanese = page.title(), page.locator("h1:visible").text_content()
        assert not set(english) & set(japanese)
        assert page.locator("h2:visible").nth(0).text_content() == words("ja")["chart"]
        assert page.locator(f"{SHOWN} output").text_content() == "2018"
        assert page.locator(f"{SHOWN} [aria-pressed=true]").text_content() == "日本語"
        page.reload()
    page.locator(f"{SHOWN} .switch button[data-lang=en]").click()
    assert page.title() == english[0]
    assert page.locator(":focus").text_content() == "English"
    assert visit.was_quiet(copper)


def test_everything_can_be_reached_by_keyboard(visit, copper):
    page = visit.open(copper)
    page.keyboard.press("Tab")
    assert page.locator(":focus").text_content() == words("en")["skip"]
    assert page.locator(":focus").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.locator(":focus").get_attribute("id") == "en-main"
    reached = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.locator(":focus").evaluate(OUTLINE)
        reached.add(page.locator(":focus").evaluate("e => e.tagName"))
    assert {"INPUT", "g"} <= reached
    page.keyboard.press("Enter")
    assert "flows!" in page.locator(f"{SHOWN} .mfa-picked").text_content()
    fold = page.locator(f"{SHOWN} main > section > details > summary").first
    fold.focus()
    page.keyboard.press("Enter")
    assert fold.locator("..").get_attribute("open") is not None
    assert visit.was_quiet(copper)


def test_a_link_to_a_number_opens_its_table(visit, copper):
    page = visit.open(copper)
    folded = page.locator(f"{SHOWN} td details").first
    folded.locator("summary").click()
    link = folded.locator("a").first
    row = page.locator(link.get_attribute("href"))
    assert not row.is_visible()
    link.click()
    row.wait_for(state="visible")
    assert link.text_content() in row.text_content()
    assert "flows!" in row.text_content()
    assert visit.was_quiet(copper)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_it_prints(visit, copper, lang):
    page = visit.open(copper)
    page.locator(f"{SHOWN} .switch button[data-lang={lang}]").click()
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.startswith(b"%PDF-")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 9
    page.emulate_media(media="print")
    for control in ("nav", ".switch", ".mfa-years", ".mfa-hint"):
        assert not page.locator(f"{SHOWN} {control}").first.is_visible()
    page.set_viewport_size({"width": 1024, "height": 700})  # A4 across, without its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
    assert page.locator("h1:visible").count() == 1
    assert visit.was_quiet(copper)


@pytest.mark.parametrize("width", [360, 768])
def test_a_narrow_window_needs_no_sideways_scrolling(visit, copper, width):
    visit.page.set_viewport_size({"width": width, "height": 800})
    page = visit.open(copper)
    for lang in ("ja", "en"):
        page.locator(f"{SHOWN} .switch button[data-lang={lang}]").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_it_can_still_be_read(browser, copper):
    one = Visit(browser, java_script_enabled=False)
    page = one.open(copper)
    assert page.locator("h1:visible").count() == 1
    assert page.locator(".mfa-frame:visible svg").count() == 3
    assert not page.locator(".switch").first.is_visible()
    assert not page.locator(".mfa-years").first.is_visible()
    one.context.close()


def test_hostile_names_are_texts(visit, hostile):
    page = visit.open(hostile)
    for shape in page.locator(f"{SHOWN} [role=button]").all():
        shape.dispatch_event("click")
    for fold in page.locator("details").all():
        fold.evaluate("e => { e.open = true }")
    assert "<script>alert(1)</script>" in page.locator("main:visible").inner_text()
    assert page.locator("main img, main script, [onerror], [onload]").count() == 0
    assert visit.was_quiet(hostile)
