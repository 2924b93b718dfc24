"""The results workbook: every table of a Balance, and the input's other sheets as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from mfa import __version__
from mfa.balance import Balance
from mfa.io.xlsx_write import Table, from_frame, from_raw, save_workbook
from mfa.recycling import (
    bottlenecks,
    capacity,
    gains,
    indicators,
    leakage,
    measures,
    survey,
    trace,
    trade,
)
from mfa.recycling.sources import By
from mfa.report.aging import end_use_levels
from mfa.report.bottlenecks import INDICATORS as HEADLINES
from mfa.report.supply_tables import supply_tables
from mfa.schema import RESULT_COLUMNS, SHEETS, fold
from mfa.supply import Disruption, criteria, support
from mfa.system.regions import home_regions

_MOST = 30


def _with_the_rest(
    table: pd.DataFrame, given: pd.DataFrame, keys: list[str] | None = None
) -> pd.DataFrame:
    """Add what the input's rows hold and no result replaces: distribution, unknown columns.

    Rows go together by keys, without keys by their order.
    """
    known = {*map(fold, table.columns), *map(fold, RESULT_COLUMNS), "cv"}
    more = [name for name in given.columns if fold(name) not in known]
    if given.empty or not more:
        return table
    if keys is None:
        return table.assign(**{name: given[name].to_numpy() for name in more})
    return table.merge(given[[*keys, *more]], how="left", on=keys)


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Write lists of labels as texts, long ones cut; the column ``tangle`` tells what is left out.

    A check is a sum of several balances, of which there may be several: these are parted by ";".
    """
    words = {}
    for name, between in (("tangled_with", ", "), ("freed_by", ", "), ("checked_by", "; ")):
        cut = [(parts[:_MOST], len(parts) - _MOST) for parts in table[name]]
        words[name] = [
            between.join(shown) + (f" and {more} more" if more > 0 else "") for shown, more in cut
        ]
    return table.assign(**words)


def result_tables(
    balance: Balance, disruptions: Sequence[Disruption] | None = None
) -> dict[str, pd.DataFrame]:
    """Return the tables of the results workbook by the names of their sheets."""
    system = balance.system
    several = len(system.regions) > 1
    return {
        "flows": _with_the_rest(balance.flows, system.data, ["flow", "substance", "year"]),
        "stocks": _with_the_rest(
            balance.stocks, system.stocks, ["process", "substance", "year", "quantity"]
        ),
        **_aging(balance),
        "coefficients": _with_the_rest(balance.coefficients, system.coefficients),
        "compositions": _with_the_rest(balance.compositions, system.compositions),
        "balances": _with_regions(balance) if several else balance.processes,
        "suspects": balance.suspects,
        "excluded": balance.excluded,
        "observability": _in_words(balance.observability),
        "statements": balance.observations,
        "indicators": indicators(balance),
        "bottlenecks": bottlenecks(balance),
        **({"trade": trade(balance)} if several else {}),
        **_remedies(balance),
        "trace": _traces(balance),
        "survey": survey(balance),
        **supply_tables(balance, disruptions),
    }


def _aging(balance: Balance) -> dict[str, pd.DataFrame]:
    """Return the stocks with a lifetime: counted in two ways, by cohort, and by end use."""
    if not balance.model.cohorts:
        return {}
    return {
        "cohorts": balance.cohorts,
        "ages": balance.ages,
        "end_uses": end_use_levels(balance),
    }


def _remedies(balance: Balance) -> dict[str, pd.DataFrame]:
    """Return what could be done about bottlenecks: sheets that have no row are left out."""
    tables = {
        "gains": gains(balance),
        "capacities": capacity(balance),
        "leakage": leakage(balance),
        "measures_effect": _measures_effect(balance),
        "support": support(balance),
        "criteria": criteria(balance),
    }
    return {name: table for name, table in tables.items() if len(table)}


def _measures_effect(balance: Balance) -> pd.DataFrame:
    """Return what measures bring in the headline indicators, in every substance with flows."""
    flows = balance.flows
    here = set(flows.loc[flows["year"] == balance.system.years[-1], "substance"])
    parts = [
        measures(balance, indicator, substance)
        for substance in balance.system.substances
        if substance in here
        for indicator in HEADLINES
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _traces(balance: Balance) -> pd.DataFrame:
    """Return the sources of every flow: by kind, and where suppliers are named by country."""
    ways: list[By] = ["origin"]
    origins = balance.system.tables.get("origins")
    if origins is not None and len(origins):
        ways.append("country")
    tables = [trace(balance, way).assign(by=way) for way in ways]
    return pd.concat(tables, ignore_index=True)


def _with_regions(balance: Balance) -> pd.DataFrame:
    """Return the balances with the region that each is drawn up in."""
    processes, table = balance.system.processes, balance.processes.copy()
    home = home_regions(processes, balance.system.settings.region)
    by_name = dict(zip(processes["process"], home, strict=True))
    table.insert(3, "region", [by_name[name] for name in table["process"]])
    return table


def _survival(balance: Balance) -> dict[str, object]:
    """Return how strictly lifetimes bound the stocks, where there are any."""
    model = balance.model
    if not model.cohorts:
        return {}
    soft = {"survival cv": model.cv} if model.survival == "soft" else {}
    return {"survival": model.survival, **soft}


def _provenance(balance: Balance, options: Mapping[str, object]) -> pd.DataFrame:
    source = balance.system.source
    rows = {
        "input": source.name if source else "",
        "sha256": source.sha256 if source else "",
        "mfa": __version__,
        "time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "chi2": balance.chi2,
        "dof": balance.dof,
        "p_value": balance.p_value,
        "p_value is approximate": balance.is_approximate,
        **_survival(balance),
        **options,
    }
    values = pd.Series([_shown(value) for value in rows.values()], dtype=object)
    return pd.DataFrame({"key": list(rows), "value": values})


def _shown(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if isinstance(value, float) and np.isnan(value) else value


def write_workbook(
    balance: Balance,
    path: str | Path,
    options: Mapping[str, object] | None = None,
    *,
    disruptions: Sequence[Disruption] | None = None,
    more: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Write a Balance as a results workbook.

    Parameters
    ----------
    balance : Balance
    path : path
        An .xlsx file. It appears whole or not at all.
    options : mapping, optional
        More lines for the sheet ``provenance``.
    disruptions : sequence of Disruption, optional
        Shocks for the sheet ``disruption``; by default those of the workbook.
    more : mapping of str to DataFrame, optional
        More sheets, as those of a projection.

    Raises
    ------
    PermissionError
        If the file cannot be replaced, as when it is open in Excel.
    """
    tables = result_tables(balance, disruptions) | dict(more or {})
    sheets = balance.system.sheets
    order = [spec.name for spec in SHEETS if spec.name in tables or spec.name in sheets]
    listed: list[Table] = []
    for name in order:
        if name in tables:
            if len(tables[name]) or name == "flows":
                listed.append(from_frame(name, tables[name]))
        else:
            listed.append(from_raw(sheets[name]))
    listed += [from_frame(name, t) for name, t in tables.items() if name not in order]
    listed.append(from_frame("provenance", _provenance(balance, options or {})))
    listed += [from_raw(raw) for name, raw in sheets.items() if name not in order]
    title = balance.system.settings.title or "Material flows"
    save_workbook(path, listed, title)
