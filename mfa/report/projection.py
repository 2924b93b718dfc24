"""What report and results workbook say of the future: tables, and the section of the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mfa.balance import Balance
from mfa.errors import MFAError, SystemDefinitionError, WorkbookError
from mfa.io.whole import whole_folder
from mfa.recycling.memory import kept
from mfa.report.curves import as_png, as_svg, curve_table
from mfa.report.format import low_high
from mfa.report.names import Names, names_of
from mfa.report.rates import rate_rows
from mfa.report.results import write_workbook
from mfa.report.words import Lang, words
from mfa.sankey.figures import format_number
from mfa.scenarios import Projection, project, scenario_names
from mfa.system import System

Outcomes = Mapping[str, Projection | str]  # by scenario; a text says why there is none
_LAST = 2050
_COLUMNS = ["scenario", "quantity", "item", "part", "substance", "year", "value", "unit", "how"]


def last_year(system: System) -> int:
    """Return the last year that the scenarios of a system speak of, at least ten after its own."""
    table = system.tables.get("scenarios")
    years = [] if table is None else table["year"].dropna().astype(int).tolist()
    return max([system.years[-1] + 10, *years])


@kept
def outcomes(balance: Balance) -> Outcomes:
    """Return the projection of every scenario of a balance, worked out once.

    Raises
    ------
    WorkbookError, SystemDefinitionError
        If the sheets ``scenarios`` or ``technologies`` have faults.
    """
    system = balance.model.system
    out: dict[str, Projection | str] = {}
    for name in scenario_names(system):
        try:
            out[name] = project(balance, name, last_year(system))
        except (WorkbookError, SystemDefinitionError):
            raise
        except MFAError as error:
            out[name] = str(error)
    return out


def done(found: Outcomes) -> dict[str, Projection]:
    """Return the projections that there are."""
    return {name: one for name, one in found.items() if isinstance(one, Projection)}


def projection_table(
    projections: Mapping[str, Projection], *, with_indicators: bool = True
) -> pd.DataFrame:
    """Return the sheet ``projection``: every number of every scenario, one per row.

    Without all indicators, the rates that the curves show, in the years that they show.
    """
    parts = []
    for name, one in projections.items():
        flows, stocks, unmet = one.flows, one.stocks, one.unmet
        shown = curve_table(one).assign(how="")
        tables = [
            flows.assign(quantity="flow", item=flows["flow"], part="", how=flows["set_by"]),
            stocks.assign(item=stocks["process"], part="", how=stocks["basis"]),
            shown,
            _indicator_rows(one) if with_indicators else rate_rows(one),
            unmet.assign(
                quantity="unmet",
                item=unmet["flow"].where(unmet["flow"] != "", unmet["process"]),
                part=unmet["process"],
                how=unmet["reason"],
            ),
        ]
        parts += [t.assign(scenario=name)[_COLUMNS] for t in tables if len(t)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)


def _indicator_rows(projection: Projection) -> pd.DataFrame:
    rates = projection.indicators
    rates = rates[rates["value"].notna()]
    return rates.assign(
        quantity="indicator", part=rates["item"].fillna(""), item=rates["indicator"], how=""
    )


def notes_table(projections: Mapping[str, Projection]) -> pd.DataFrame:
    """Return the sheet ``projection_notes``: what every scenario holds constant or assumes."""
    parts = [one.assumptions.assign(scenario=name) for name, one in projections.items()]
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "scenario", table.pop("scenario"))
    return table


def projection_sheets(
    projections: Mapping[str, Projection], *, with_indicators: bool = True
) -> dict[str, pd.DataFrame]:
    """Return the sheets that a results workbook has on the future.

    Indicators of every year take most of the time; a report goes without.
    """
    if not projections:
        return {}
    return {
        "projection": projection_table(projections, with_indicators=with_indicators),
        "projection_notes": notes_table(projections),
    }


def scenario_section(balance: Balance, substance: str, lang: Lang) -> dict[str, Any]:
    """Return what the section on stocks and scenarios shows."""
    found = outcomes(balance)
    projections = done(found)
    names = names_of(balance.system, lang).processes
    return {
        "chosen": _chosen(projections, lang),
        "curves": as_svg(projections, substance, lang, lambda p: names.get(p, p))
        if projections
        else "",
        "base_year": balance.model.system.years[-1],
        "failed": [
            {"name": name, "why": one} for name, one in found.items() if isinstance(one, str)
        ],
        "unmet": [
            {"name": name, "n": len(one.unmet)}
            for name, one in projections.items()
            if len(one.unmet)
        ],
    }


def _chosen(projections: Mapping[str, Projection], lang: Lang) -> list[dict[str, str]]:
    """Return the numbers of the base year that data leave open: what is taken, and their range."""
    for one in projections.values():  # all start from the same balance
        table, w = one.assumptions, words(lang)
        names = names_of(one.system, lang)
        several = len(one.system.layers) > 1
        return [
            {
                "name": _named(str(row["item"]), names, w)
                + (f" ({row['substance']})" if several else ""),
                "taken": f"{format_number(row['value'])} {_in_words(row['unit'], w)}",
                "range": low_high(row["low"], row["high"], w),
            }
            for row in table[table["kind"] == "base year"].to_dict("records")
        ]
    return []


def _in_words(unit: object, w: Mapping[str, str]) -> str:
    return str(unit).replace("/yr", w["per_year"])


def _named(item: str, names: Names, w: Mapping[str, str]) -> str:
    """Return the name of a flow, or of the process whose stock changes."""
    process = item.removeprefix("change of ")
    if process != item:
        shown = names.processes.get(process, process)
        return w["stock_of"].format(name=shown, quantity=w["change"])
    return names.flows.get(item, item)


def write_projections(
    projections: Mapping[str, Projection],
    folder: str | Path,
    substance: str | None = None,
    lang: Lang = "en",
) -> list[Path]:
    """Write scenarios into a folder: ``results.xlsx`` and the curves beside it.

    The results workbook is that of the balance they start from, with the sheets ``projection`` and
    ``projection_notes``. ``curves.png`` shows the first substance or the one that is given.

    Parameters
    ----------
    projections : mapping of str to Projection
        By the name of the scenario.
    folder : path
        Made if it does not exist.
    substance : str, optional
    lang : {"en", "ja"}

    Returns
    -------
    list of Path
        The files written.
    """
    folder = Path(folder)
    first = next(iter(projections.values()))
    names = names_of(first.system, lang).processes
    chosen = substance or first.system.substances[0]
    picture = as_png(projections, chosen, lang, lambda p: names.get(p, p))
    out = [folder / "results.xlsx"]
    with whole_folder(folder) as draft:
        options = {"scenarios": ", ".join(projections), "until": first.years[-1]}
        sheets = projection_sheets(projections)
        write_workbook(first.start, draft / "results.xlsx", options, more=sheets)
        if picture:
            (draft / "curves.png").write_bytes(picture)
            out.append(folder / "curves.png")
    return out
