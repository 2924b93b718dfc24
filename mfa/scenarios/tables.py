"""Tables made from a projection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mfa.balance.network import Floats
from mfa.scenarios.cohorts import AGES
from mfa.scenarios.network import Drive, drive
from mfa.scenarios.run import Run, by_end_use
from mfa.schema import SCRAP_ROLES
from mfa.system import System

UNPLACED = "unplaced"
_FLOWS = ["flow", "from", "to", "substance", "year", "value", "unit", "status", "set_by", "role"]
_FLOWS += ["name", "name_ja"]
_EXACT = {"sd": 0.0, "min": np.nan, "max": np.nan, "include": True}
_TEXTS = {"distribution": "normal", "basis": "assumption", "reference": "", "note": "", "cell": ""}


def flow_table(run: Run, years: tuple[int, ...] | None = None) -> pd.DataFrame:
    """Return every flow and substance, in every year or in some."""
    base, system = run.base, run.base.system
    chosen = (base.year, *run.calendar) if years is None else years
    parts = []
    for layer in base.layers:
        start, there = base.flows(layer), ~np.isnan(base.flows(layer))
        status = base.statuses("flow", layer)
        if base.year in chosen:
            parts.append(_flow_rows(run, layer, base.year, start, status, ""))
        for year, found in zip(run.calendar, run.years, strict=True):
            if year not in chosen:
                continue
            how = _set_by(run, layer, year)
            parts.append(_flow_rows(run, layer, year, found.x[layer], "projected", how))
            over = np.where(there & (found.unplaced[layer] > 0), found.unplaced[layer], np.nan)
            parts.append(_unplaced(_flow_rows(run, layer, year, over, "projected", UNPLACED)))
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    order = {name: i for i, name in enumerate(base.flow_ids)}
    layers = {name: i for i, name in enumerate(base.layers)}
    key = table["flow"].map(order).fillna(len(order))
    table = table.assign(
        unit=system.unit, _flow=key, _name=table["flow"], _layer=table["substance"].map(layers)
    )
    table = table.sort_values(["_flow", "_name", "_layer", "year"], kind="stable")
    return table[_FLOWS].reset_index(drop=True)


def _flow_rows(
    run: Run, layer: str, year: int, values: Floats, status: Any, set_by: Any
) -> pd.DataFrame:
    there = ~np.isnan(values)
    table = run.base.system.flows.assign(
        substance=layer, year=year, value=values + 0.0, status=status, set_by=set_by
    )
    return table[there]


def _unplaced(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what was left over as flows of their own, which count as nothing."""
    names: dict[str, Any] = {
        "flow": UNPLACED + " " + rows["flow"],
        "to": UNPLACED,
        "role": "",
        "name": UNPLACED + " " + rows["name"].fillna(rows["flow"]),
        "name_ja": None,
    }
    return rows.assign(**names)


def _set_by(run: Run, layer: str, year: int) -> np.ndarray:
    """Return what sets each flow when nothing lacks."""
    terms = run.plan.terms(layer, year, {})
    how: Drive = drive(terms.net, terms.there, terms.exact, ~np.isnan(terms.share))
    out = np.full(terms.net.n, "share", dtype=object)
    out[how.pulled] = "supply"
    out[how.given] = "held"
    out[how.given & terms.net.final] = "demand"
    out[terms.exact & how.given] = "scenario"
    return out


def stock_table(run: Run) -> pd.DataFrame:
    """Return change and level of every stock, substance and year."""
    base = run.base
    unit, mass = base.system.settings.unit, base.system.settings.unit.mass
    rows: list[dict[str, Any]] = []
    for layer in base.layers:
        net, status = run.plan.nets[layer], base.statuses("change", layer)
        for process in np.flatnonzero(net.stores).tolist():
            about = {"process": base.process_ids[process], "substance": layer}
            ages = (process, layer) in run.cohorts
            about["basis"] = "cohorts" if ages else "share"
            for year, change, level in _stock_years(run, layer, process):
                known = status[process] if year == base.year else "projected"
                named = about | {"year": year}
                rows.append(
                    named
                    | {"quantity": "change", "value": change, "unit": unit.name, "status": known}
                )
                if not np.isnan(level):
                    rows.append(
                        named
                        | {"quantity": "level", "value": level, "unit": mass.name, "status": known}
                    )
    columns = ["process", "substance", "year", "quantity", "value", "unit", "status", "basis"]
    return pd.DataFrame(rows, columns=columns)


def _stock_years(run: Run, layer: str, process: int) -> Iterator[tuple[int, float, float]]:
    """Yield year, change and level (nan where it is not known) of a stock."""
    base = run.base
    cohorts = run.cohorts.get((process, layer))
    level = float(base.levels(layer)[process])
    if cohorts is not None:
        level = float(cohorts.level[cohorts.n_past - 1])
    yield base.year, float(base.changes(layer)[process]), level
    for year, found in zip(run.calendar, run.years, strict=True):
        change = float(found.kept[layer][process])
        level += change
        yield year, change, level


def age_table(run: Run) -> pd.DataFrame:
    """Return the stocks with a lifetime by age."""
    rows = []
    for (process, layer), stock in run.cohorts.items():
        for at in range(stock.n_past - 1, len(stock.years)):
            for k, value in enumerate(stock.by_age(at).tolist()):
                rows.append(
                    {
                        "process": run.base.process_ids[process],
                        "substance": layer,
                        "year": stock.years[at],
                        "age_from": AGES[k],
                        "age_to": float(AGES[k + 1]) if k + 1 < len(AGES) else np.nan,
                        "value": value,
                        "unit": run.base.system.settings.unit.mass.name,
                    }
                )
    columns = ["process", "substance", "year", "age_from", "age_to", "value", "unit"]
    return pd.DataFrame(rows, columns=columns)


def end_use_table(run: Run) -> pd.DataFrame:
    """Return what enters use and, where it ages, what is in use, by end use."""
    rows: list[dict[str, Any]] = []
    groups = run.base.system.processes.set_index("process")["group"].to_dict()
    for layer in run.base.layers:
        for process in np.flatnonzero(run.plan.nets[layer].use).tolist():
            inflow, level = _by_end_use(run, layer, process)
            for k, name in enumerate(run.end_uses):
                if not inflow[:, k].any() and not np.nan_to_num(level[:, k]).any():
                    continue
                rows += [
                    {
                        "process": run.base.process_ids[process],
                        "end_use": name,
                        "group": groups.get(name) or name,
                        "substance": layer,
                        "year": run.base.year + at,
                        "inflow": float(inflow[at, k]),
                        "level": float(level[at, k]),
                    }
                    for at in range(len(inflow))
                ]
    columns = ["process", "end_use", "group", "substance", "year", "inflow", "level"]
    return pd.DataFrame(rows, columns=columns)


def _by_end_use(run: Run, layer: str, process: int) -> tuple[Floats, Floats]:
    """Return inflow and level (nan where it is not known) by year and end use."""
    values = [run.base.flows(layer), *(found.x[layer] for found in run.years)]
    inflow = np.array([by_end_use(run.plan, layer, process, x, run.end_uses) for x in values])
    stock = run.cohorts.get((process, layer))
    if stock is None:
        return inflow, np.full(inflow.shape, np.nan)
    total = inflow[0].sum()
    split = inflow[0] / total if total > 0 else np.full(len(run.end_uses), 1 / len(run.end_uses))
    return inflow, stock.by_end_use(split)[stock.n_past - 1 :]


def supply_table(run: Run) -> pd.DataFrame:
    """Return what makers take in from mines and abroad, and as scrap."""
    rows = []
    for layer in run.base.layers:
        net = run.plan.nets[layer]
        scrap = net.sets.role(*SCRAP_ROLES) & ~net.sets.role("home_scrap")
        makers = net.sets.makers & net.inside
        kinds = {
            "primary": net.senders[net.tail] & makers[net.head] & ~scrap,
            "scrap": scrap & makers[net.head] & (net.tail != net.head),
        }
        for kind, mask in kinds.items():
            values = [run.base.flows(layer), *(found.x[layer] for found in run.years)]
            rows += [
                {
                    "substance": layer,
                    "year": run.base.year + at,
                    "kind": kind,
                    "value": float(np.nansum(x[mask])),
                    "unit": run.base.system.unit,
                }
                for at, x in enumerate(values)
            ]
    return pd.DataFrame(rows, columns=["substance", "year", "kind", "value", "unit"])


def unmet_table(run: Run) -> pd.DataFrame:
    """Return what could not be."""
    base = run.base
    rows = [
        {
            "process": base.process_ids[lack.process],
            "flow": base.flow_ids[lack.flow] if lack.flow >= 0 else "",
            "substance": lack.layer,
            "year": year,
            "value": lack.value,
            "unit": base.system.unit,
            "reason": lack.reason,
        }
        for year, found in zip(run.calendar, run.years, strict=True)
        for lack in found.lacks
    ]
    columns = ["process", "flow", "substance", "year", "value", "unit", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"year": "int64", "value": "float64"})


def future_system(run: Run, scenario: str | None, years: tuple[int, ...] | None = None) -> System:
    """Return the projected years, or some of them, as a system of exact values."""
    chosen = (run.base.year, *run.calendar) if years is None else years
    system, flows = run.base.system, flow_table(run, chosen)
    new = flows[~flows["flow"].isin(system.flows["flow"])]
    data = flows[["flow", "substance", "year", "value"]].assign(**_EXACT, **_TEXTS)
    stocks = stock_table(run).drop(columns=["unit", "status"])
    stocks = stocks[(stocks["quantity"] == "change") & stocks["year"].isin(chosen)]
    stocks = stocks.assign(**_EXACT, **_TEXTS)
    changed: dict[str, Any] = {
        "settings": replace(
            system.settings,
            title=" – ".join(part for part in (system.settings.title, scenario) if part),
        ),
        "processes": _with_sink(system, len(new) > 0),
        "flows": _with_flows(system, new),
        "data": data[system.data.columns],
        "stocks": stocks[system.stocks.columns].reset_index(drop=True),
        "coefficients": system.coefficients.iloc[:0],
        "compositions": system.compositions.iloc[:0],
        "observations": system.observations.iloc[:0],
        "tables": _carried_on(system, run.base.year, chosen),
        "sheets": {},
        "problems": (),
        "source": None,
    }
    return replace(system, **changed)


def _carried_on(system: System, base_year: int, years: tuple[int, ...]) -> dict[str, pd.DataFrame]:
    """Return the sheets that indicators read; who supplies stays as it was last known."""
    out = {name: system.tables[name] for name in ("countries", "rules") if name in system.tables}
    table = system.tables.get("origins")
    if table is None:
        return out
    dated = table[table["year"] <= base_year]
    last = dated[dated["year"] == dated.groupby("flow")["year"].transform("max")]
    later = [last.assign(year=float(year)) for year in years if year > base_year]
    past = table[table["year"].isna() | table["year"].isin(years)]
    out["origins"] = pd.concat([past, *later], ignore_index=True)
    return out


def _with_flows(system: System, new: pd.DataFrame) -> pd.DataFrame:
    more = new.drop_duplicates("flow").reindex(columns=system.flows.columns)
    return pd.concat([system.flows, more], ignore_index=True) if len(more) else system.flows


def _with_sink(system: System, needed: bool) -> pd.DataFrame:
    if not needed:
        return system.processes
    last = system.processes.iloc[[-1]].copy()
    blank: dict[str, Any] = dict.fromkeys(last.columns)
    blank |= {"process": UNPLACED, "kind": "sink", "stage": None, "stock": False}
    blank |= dict.fromkeys(("capacity", "column", "row"), np.nan)
    row = last.assign(**blank).astype(system.processes.dtypes.to_dict())
    return pd.concat([system.processes, row], ignore_index=True)
