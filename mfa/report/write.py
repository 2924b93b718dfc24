"""The report: a folder with the page, the results workbook and the pictures."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, Template

from mfa import __version__
from mfa.balance import Balance, remarks
from mfa.io.whole import whole_folder
from mfa.report.contradictions import checked, excluded, suspect_groups
from mfa.report.numbers import assumption_rows, balance_rows, flow_rows, share_rows, stock_rows
from mfa.report.page import Page
from mfa.report.regions import region_charts, region_sections, trade_rows
from mfa.report.results import write_workbook
from mfa.report.verdict import verdict
from mfa.report.words import Lang
from mfa.sankey.chart import Chart, sankey
from mfa.sankey.svg import fonts

_log = logging.getLogger("mfa")
Progress = Callable[[str], None]
# What HTML and UTF-8 do not allow in a document.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNSAFE = re.compile(r"[^\w.()+-]+|[.]+$")  # in file names, on one system or another
_LONGEST = 40


@cache
def _template() -> Template:
    environment = Environment(loader=PackageLoader("mfa.report", "."), autoescape=True)
    return environment.get_template("template.html.j2")


def render_page(
    balance: Balance,
    charts: dict[str, Chart],
    lang: Lang = "en",
    opened: str | None = None,
    regional: dict[str, Chart] | None = None,
) -> str:
    """Return the report page as HTML that needs nothing from elsewhere.

    Parameters
    ----------
    balance : Balance
    charts : dict of str to Chart
        What to show under which label.
    lang : {"en", "ja"}
        Language of the page.
    opened : str, optional
        Label of the chart that is open at first; by default the last one.
    regional : dict of str to Chart, optional
        The chart of each region; by default they are drawn here.
    """
    page = Page(balance, lang)
    regional = region_charts(page) if regional is None else regional
    opened = opened or next(reversed(charts), None)
    shown = [
        {"label": label, "svg": chart.svg, "open": label == opened}
        for label, chart in charts.items()
    ]
    regions = {"regions": region_sections(page, regional), "trade": trade_rows(page)}
    text = _template().render(**_frame(page), **_sections(page), **regions, charts=shown)
    return _FORBIDDEN.sub("\ufffd", text)


def _frame(page: Page) -> dict[str, object]:
    """Return what stands around the sections: words, titles and provenance."""
    system, settings = page.balance.system, page.balance.system.settings
    local = settings.title_ja if page.lang == "ja" else ""
    name = system.source.name if system.source else ""
    first, last = system.years[0], system.years[-1]
    parts = (
        settings.region,
        ", ".join(system.substances),
        page.unit,
        f"{first}–{last}" if last > first else str(last),
        name,
    )
    families = ("system-ui", *fonts(page.lang))
    return {
        "page": page,
        "w": page.words,
        "lang": page.lang,
        "title": local or settings.title or name or page.words["report"],
        "subtitle": " · ".join(part for part in parts if part),
        "fonts": ", ".join(f"'{family}'" if " " in family else family for family in families),
        "years": system.years,
        "several_substances": len(system.layers) > 1,
        "unit": page.unit,
        "source": name,
        "sha256": system.source.sha256 if system.source else "",
        "version": __version__,
        "description": settings.description,
    }


def _sections(page: Page) -> dict[str, object]:
    """Return what the sections of the page list."""
    system = page.balance.system
    return {
        "verdict": verdict(page),
        "groups": suspect_groups(page),
        "checked": checked(page),
        "excluded": excluded(page),
        "losses": _losses(page),
        "assumptions": assumption_rows(page),
        "flows": flow_rows(page),
        "stocks": stock_rows(page),
        "shares": share_rows(page),
        "balances": balance_rows(page),
        "problems": [str(problem) for problem in (*system.problems, *remarks(system))],
    }


def _losses(page: Page) -> list[dict[str, object]]:
    """Return the loss ranking of every substance and year with a flow, the last year first."""
    labels = _labels(page)
    out: list[dict[str, object]] = []
    for chosen in page.balance.system.substances:
        years = [year for substance, year in labels if substance == chosen]
        out += [
            {
                "label": labels[chosen, year],
                "rows": page.loss_rows(year, chosen),
                "first": year == years[-1],
            }
            for year in reversed(years)
        ]
    return out


def _labels(page: Page) -> dict[tuple[str, int], str]:
    """Return a label for every substance and year in which a flow has a row."""
    flows = page.balance.flows
    known = set(zip(flows["substance"], flows["year"], strict=True))
    several = len(page.balance.system.substances) > 1
    return {
        (substance, year): f"{page.substance_name(substance)} {year}" if several else str(year)
        for substance in page.substances
        for year in page.balance.system.years
        if (substance, year) in known
    }


def _file_names(substances: Iterable[str]) -> dict[str, str]:
    """Return a part of a file name for each substance, possible and different on any system.

    Examples
    --------
    >>> _file_names(["Cu", "cu", "Nd/Pr", "銅"])
    {'Cu': 'Cu', 'cu': 'cu-2', 'Nd/Pr': 'Nd-Pr', '銅': '銅'}
    """
    out: dict[str, str] = {}
    taken: set[str] = set()
    for substance in dict.fromkeys(substances):
        plain = unicodedata.normalize("NFC", _UNSAFE.sub("-", substance)[:_LONGEST])
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.casefold())
        out[substance] = name
    return out


def write_report(
    balance: Balance,
    folder: str | Path,
    lang: Lang = "en",
    progress: Progress | None = None,
) -> Path:
    """Write the report of a Balance into a folder.

    The folder gets ``report.html``, ``results.xlsx``, ``chart-YEAR.svg`` for every year (with
    several substances ``chart-SUBSTANCE-YEAR.svg``), and ``chart.png``, the last year of the first
    substance; with several regions also ``chart-region-REGION.svg``, the same of each region apart.
    All of them appear together, when all went well; other files in the folder stay as they are.

    Parameters
    ----------
    balance : Balance
    folder : path
        Made if it does not exist.
    lang : {"en", "ja"}
        Language of page and charts.
    progress : callable, optional
        Called with a few words before each stage.

    Returns
    -------
    Path
        The page to open.

    Raises
    ------
    PermissionError
        If a file cannot be replaced, as when it is open in Excel.
    """
    say = progress or partial(_log.debug, "%s")
    folder = Path(folder)
    page = Page(balance, lang)
    labels = _labels(page)
    charts: dict[str, Chart] = {}
    for (substance, year), label in labels.items():
        say(f"drawing {substance} {year}")
        charts[label] = sankey(balance, year, substance, lang)
    opened = labels[page.substance, page.year]
    if len(balance.system.regions) > 1:
        say("drawing the regions")
    regional = region_charts(page)
    with whole_folder(folder) as draft:
        _save_charts(page, charts, regional, draft)
        say("drawing the picture")
        charts[opened].save(draft / "chart.png")
        say("writing results.xlsx")
        write_workbook(balance, draft / "results.xlsx", {"language": lang})
        say("writing report.html")
        text = render_page(balance, charts, lang, opened, regional)
        (draft / "report.html").write_text(text, encoding="utf-8", newline="\n")
    return folder / "report.html"


def _save_charts(
    page: Page, charts: dict[str, Chart], regional: dict[str, Chart], folder: Path
) -> None:
    """Save the chart of each label and region under a name that any file system takes."""
    substances = page.balance.system.substances
    names = _file_names((*substances, *page.substances))
    several = len(substances) > 1
    for (substance, year), label in _labels(page).items():
        part = f"{names[substance]}-" if several else ""
        charts[label].save(folder / f"chart-{part}{year}.svg")
    for region, name in _file_names(regional).items():
        regional[region].save(folder / f"chart-region-{name}.svg")
