"""The sections of the page, in their order: what each lists, and which template shows it.

A section called ``losses`` has its heading in ``words.csv`` under that key and its template in
``templates/sections/losses.html.j2``, which sees the words as ``w`` and what the section lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mfa.balance import remarks
from mfa.report import format as fmt
from mfa.report.aging import cohort_rows, stock_curves
from mfa.report.bottlenecks import what_to_do
from mfa.report.contradictions import checked, excluded, suspect_groups
from mfa.report.indicators import indicator_values
from mfa.report.numbers import (
    assumption_rows,
    balance_rows,
    flow_rows,
    share_rows,
    stock_rows,
    stock_series,
)
from mfa.report.origins import origin_tables
from mfa.report.page import Page
from mfa.report.projection import scenario_section
from mfa.report.regions import region_rows, trade_rows
from mfa.report.supply import supply_values
from mfa.report.supply_tables import has_supply
from mfa.report.unknown import unknown
from mfa.report.verdict import next_number
from mfa.sankey.chart import Chart
from mfa.scenarios import scenario_names

Charts = Mapping[str, Chart]  # by substance
Values = dict[str, object]


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes
    ----------
    name : str
        Key of its heading, name of its template, and end of its anchor.
    lists : callable
        Returns the values that its template shows.
    there : callable
        Tells whether a page has the section at all.
    slow : bool
        Whether a draft of the page goes without what it lists.
    """

    name: str
    lists: Callable[[Page, Charts], Values]
    there: Callable[[Page], bool] = field(default=lambda _: True)
    slow: bool = False


def _chart(page: Page, charts: Charts) -> Values:
    several = len(charts) > 1
    return {
        "charts": [
            {"label": page.substance_name(name) if several else "", "figure": chart.figure}
            for name, chart in charts.items()
        ]
    }


def _contradictions(page: Page, _: Charts) -> Values:
    return {
        "groups": suspect_groups(page),
        "checked": checked(page),
        "approximate": page.balance.is_approximate,
        "excluded": excluded(page),
    }


def _indicators(page: Page, _: Charts) -> Values:
    return indicator_values(page)


def _losses(page: Page, _: Charts) -> Values:
    """Return the loss ranking of every substance: its last year, and apart the earlier ones."""
    last: list[Values] = []
    earlier: list[Values] = []
    for chosen in page.balance.system.substances:
        years = [year for substance, year in page.labels if substance == chosen]
        blocks: list[Values] = [
            {"label": page.labels[chosen, year], "rows": page.loss_rows(year, chosen)}
            for year in reversed(years)
        ]
        last += blocks[:1]
        earlier += blocks[1:]
    listed = page.comma.join(str(block["label"]) for block in earlier)
    return {"last": last, "earlier": earlier, "listed": listed}


def _has_losses(page: Page) -> bool:
    return not page.bottlenecks.empty


def _several_regions(page: Page) -> bool:
    return len(page.balance.system.regions) > 1


def _trade(page: Page, _: Charts) -> Values:
    return {"trade": trade_rows(page), "years": page.balance.system.years}


def _regions(page: Page, _: Charts) -> Values:
    return {"regions": region_rows(page)}


def _trace(page: Page, _: Charts) -> Values:
    return {"origins": origin_tables(page), "year": page.year}


def _survey(page: Page, _: Charts) -> Values:
    return {"survey": page.survey_rows(), "next": next_number(page), "year": page.year}


def _stocks(page: Page, _: Charts) -> Values:
    rows = stock_series(page)
    years = sorted({year for row in rows for year in row["cells"]})
    aging = cohort_rows(page)
    return {
        "stocks": rows,
        "years": fmt.some_years(years),
        "left_out": len(fmt.some_years(years)) < len(years),
        "cohorts": aging,
        "curves": stock_curves(page) if aging else "",
        "survival": page.words[f"survival:{page.balance.model.survival}"],
    }


def _has_scenarios(page: Page) -> bool:
    return bool(scenario_names(page.balance.model.system))


def _scenarios(page: Page, _: Charts) -> Values:
    return scenario_section(page.balance, page.substance, page.lang)


def _assumptions(page: Page, _: Charts) -> Values:
    return {"assumptions": assumption_rows(page)}


def _numbers(page: Page, _: Charts) -> Values:
    return {
        "flows": flow_rows(page),
        "stocks": stock_rows(page),
        "shares": share_rows(page),
        "balances": balance_rows(page),
        "held": page.balance.is_approximate,
    }


def _warnings(page: Page, _: Charts) -> Values:
    system = page.balance.system
    return {"problems": [str(problem) for problem in (*system.problems, *remarks(system))]}


SECTIONS = (
    Section("chart", _chart),
    Section("contradictions", _contradictions),
    Section("indicators", _indicators, slow=True),
    Section("losses", _losses),
    Section("what_to_do", lambda page, _: what_to_do(page), _has_losses, slow=True),
    Section("trace", _trace, slow=True),
    Section("trade", _trade, _several_regions),
    Section("regions", _regions, _several_regions, slow=True),
    Section("unknown", lambda page, _: {"unknown": unknown(page)}),
    Section("survey", _survey, slow=True),
    Section(
        "supply",
        lambda page, _: supply_values(page),
        lambda page: has_supply(page.balance),
        slow=True,
    ),
    Section("stocks", _stocks, lambda page: not page.balance.stocks.empty),
    Section("scenarios", _scenarios, _has_scenarios, slow=True),
    Section("assumptions", _assumptions, lambda page: bool(assumption_rows(page))),
    Section("numbers", _numbers),
    Section("warnings", _warnings),
)
