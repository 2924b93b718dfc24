"""The results workbook: every table of a Balance, and the input's other sheets as they were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from mfa import __version__
from mfa.balance import Balance
from mfa.io.xlsx_write import Table, from_frame, from_raw, save_workbook
from mfa.recycling import bottlenecks, indicators, survey, trade
from mfa.schema import RESULT_COLUMNS, SHEETS, fold
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


def result_tables(balance: Balance) -> dict[str, pd.DataFrame]:
    """Return the tables of the results workbook by the names of their sheets."""
    system = balance.system
    several = len(system.regions) > 1
    return {
        "flows": _with_the_rest(balance.flows, system.data, ["flow", "substance", "year"]),
        "stocks": _with_the_rest(
            balance.stocks, system.stocks, ["process", "substance", "year", "quantity"]
        ),
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
        "survey": survey(balance),
    }


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
    balance: Balance, path: str | Path, options: Mapping[str, object] | None = None
) -> None:
    """Write a Balance as a results workbook.

    Parameters
    ----------
    balance : Balance
    path : path
        An .xlsx file. It appears whole or not at all.
    options : mapping, optional
        More lines for the sheet ``provenance``.

    Raises
    ------
    PermissionError
        If the file cannot be replaced, as when it is open in Excel.
    """
    tables = result_tables(balance)
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
