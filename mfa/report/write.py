"""The report: a folder with the page, the results workbook and the pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from jinja2 import Environment, PackageLoader

from mfa import __version__
from mfa.balance import Balance
from mfa.io.whole import whole_folder
from mfa.report.numbers import assumption_rows, balance_rows, flow_rows, stock_rows
from mfa.report.page import Page
from mfa.report.results import write_workbook
from mfa.report.words import Lang
from mfa.sankey.chart import Chart, sankey
from mfa.sankey.svg import fonts

_log = logging.getLogger("mfa")
Progress = Callable[[str], None]


def render_page(balance: Balance, charts: dict[str, Chart], lang: Lang = "en") -> str:
    """Return the report page as HTML that needs nothing from elsewhere.

    Parameters
    ----------
    balance : Balance
    charts : dict of str to Chart
        What to show under which label; the last one is open at first.
    lang : {"en", "ja"}
        Language of the page.
    """
    page = Page(balance, lang)
    system, settings = balance.system, balance.system.settings
    environment = Environment(loader=PackageLoader("mfa.report", "."), autoescape=True)
    title = settings.title_ja if lang == "ja" and settings.title_ja else settings.title
    name = system.source.name if system.source else ""
    substances = ", ".join(system.substances)
    span = f"{system.years[0]}–{system.years[-1]}" if len(system.years) > 1 else str(page.year)
    return environment.get_template("template.html.j2").render(
        page=page,
        w=page.words,
        lang=lang,
        title=title or name or page.words["report"],
        subtitle=" · ".join(
            part for part in (settings.region, substances, page.unit, span, name) if part
        ),
        fonts=", ".join(f"'{f}'" if " " in f else f for f in ("system-ui", *fonts(lang))),
        charts=[{"label": label, "svg": chart.svg} for label, chart in charts.items()],
        years=system.years,
        several_substances=len(system.layers) > 1,
        losses=_losses(page),
        unit=page.unit,
        assumptions=assumption_rows(page),
        flows=flow_rows(page),
        stocks=stock_rows(page),
        balances=balance_rows(page),
        problems=[str(problem) for problem in system.problems],
        source=name,
        sha256=system.source.sha256 if system.source else "",
        version=__version__,
        description=settings.description,
    )


def _losses(page: Page) -> list[dict[str, object]]:
    """Return the loss ranking of every substance and year, the last year first."""
    system = page.balance.system
    several = len(system.substances) > 1
    out: list[dict[str, object]] = []
    for substance in system.substances:
        for year in reversed(system.years):
            label = f"{substance} {year}" if several else str(year)
            rows = page.loss_rows(year, substance)
            out.append({"label": label, "rows": rows, "first": year == page.year})
    return out


def write_report(
    balance: Balance,
    folder: str | Path,
    lang: Lang = "en",
    progress: Progress | None = None,
) -> Path:
    """Write the report of a Balance into a folder.

    The folder gets ``report.html``, ``results.xlsx``, and for every year ``chart-YEAR.svg``; of the
    last year also ``chart.png``. All of them appear together, when all went well; other files in
    the folder stay as they are.

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
    system = balance.system
    folder = Path(folder)
    charts: dict[str, Chart] = {}
    for substance in system.substances:
        for year in system.years:
            say(f"drawing {substance} {year}")
            label = f"{substance} {year}" if len(system.substances) > 1 else str(year)
            charts[label] = sankey(balance, year, substance, lang)
    with whole_folder(folder) as draft:
        for label, chart in charts.items():
            chart.save(draft / f"chart-{label.replace(' ', '-')}.svg")
        say("drawing the picture")
        charts[next(reversed(charts))].save(draft / "chart.png")
        say("writing results.xlsx")
        write_workbook(balance, draft / "results.xlsx", {"language": lang})
        say("writing report.html")
        text = render_page(balance, charts, lang)
        (draft / "report.html").write_text(text, encoding="utf-8", newline="\n")
    return folder / "report.html"
