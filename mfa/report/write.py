"""The report: a folder with the page, the results workbook and the pictures."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from mfa.balance import Balance
from mfa.io.whole import whole_folder
from mfa.report.document import Edition, editions, render
from mfa.report.page import Page
from mfa.report.projection import done, outcomes, projection_sheets
from mfa.report.regions import region_charts
from mfa.report.results import write_workbook
from mfa.report.words import Lang
from mfa.sankey.chart import Chart

_log = logging.getLogger("mfa")
Progress = Callable[[str], None]
_UNSAFE = re.compile(r"[^\w.()+-]+|[.]+$")  # in file names, on one system or another
_LONGEST = 40


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
        Language that the page opens in, and that of the charts beside it.
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
    say("drawing")
    pages = editions(balance, lang)
    page, charts = pages[0].page, _by_year(pages[0])
    regional = region_charts(page)
    with whole_folder(folder) as draft:
        _save_charts(page, charts, regional, draft)
        say("drawing the picture")
        charts[page.substance, page.year].save(draft / "chart.png")
        say("writing results.xlsx")
        future = projection_sheets(done(outcomes(balance)), with_indicators=False)
        write_workbook(balance, draft / "results.xlsx", {"language": lang}, more=future)
        say("writing report.html")
        (draft / "report.html").write_text(render(pages), encoding="utf-8", newline="\n")
    return folder / "report.html"


def _by_year(pages: Edition) -> dict[tuple[str, int], Chart]:
    """Return a chart of its own for every substance and year."""
    diagrams = [diagram for chart in pages.charts.values() for diagram in chart.diagrams]
    return {key: Chart((one,)) for key, one in zip(pages.page.labels, diagrams, strict=True)}


def _save_charts(
    page: Page,
    charts: dict[tuple[str, int], Chart],
    regional: dict[str, Chart],
    folder: Path,
) -> None:
    """Save each year's and each region's chart under a name that any file system takes."""
    substances = page.balance.system.substances
    names = _file_names((*substances, *page.substances))
    several = len(substances) > 1
    for (substance, year), chart in charts.items():
        part = f"{names[substance]}-" if several else ""
        chart.save(folder / f"chart-{part}{year}.svg")
    for region, name in _file_names(regional).items():
        regional[region].save(folder / f"chart-region-{name}.svg")
