"""Everything that a projection holds constant or takes for granted, in words and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mfa.scenarios.network import drive
from mfa.scenarios.run import Run

COLUMNS = ("kind", "item", "substance", "value", "low", "high", "unit", "why")
_OPENING = {
    "opening": "the stock before the first year is known; its ages are those of {inflow}",
    "level": "the stock before the first year follows from the level that is known; its ages are "
    "those of {inflow}",
    "outflow": "the stock is not known: as much as explains what leaves it in the base year, at "
    "the ages of {inflow}",
    "none": "nothing tells the stock before the first year: taken as 0",
    "negative": "the reconciled years explain more than there is: the stock before the first year "
    "is taken as 0",
}
_SHARES = (
    "every process sends on what it takes in by the shares of the base year, unless the scenario "
    "states another; siblings of a changed share change in proportion"
)
_SUPPLIERS = (
    "what a process draws comes from its suppliers in the shares of the base year; scrap that "
    "comes back displaces what is drawn"
)
_ORIGINS = "the countries behind each import keep the shares of the last year that is known"
_GENERAL = (("shares", _SHARES), ("suppliers", _SUPPLIERS))


def assumption_table(run: Run) -> pd.DataFrame:
    """Return the assumptions of a projection, one per row."""
    unit = run.base.system.unit
    rows: list[dict[str, Any]] = [
        {"kind": "closure", "item": item, "why": why} for item, why in _GENERAL
    ]
    if "origins" in run.base.system.tables:
        rows.append({"kind": "closure", "item": "origins", "why": _ORIGINS})
    rows += _scenario_rows(run) + _chosen_rows(run) + _held_rows(run)
    rows += _even_rows(run) + _stock_rows(run) + _opening_rows(run) + _capacity_rows(run)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["unit"] = table["unit"].where(table["unit"].notna() | table["value"].isna(), unit)
    for name in ("substance", "unit"):
        table[name] = table[name].astype(object).where(table[name].notna(), "")
    return table.astype(dict.fromkeys(("value", "low", "high"), "float64"))


def _scenario_rows(run: Run) -> list[dict[str, Any]]:
    """Return what the scenario itself says, and what it leaves to be understood."""
    out = []
    for action in run.plan.actions:
        row = action.row
        for change, path in row.paths.items():
            last = path.points[-1]
            said = ", ".join(f"{p.value:g} in {p.year} ({p.how})" for p in path.points)
            after = (
                f"; held after {last.year}" if last.year < run.base.year + len(run.years) else ""
            )
            source = f"; {row.reference}" if row.reference else ""
            out.append(
                {
                    "kind": "scenario",
                    "item": f"{row.target} {row.item}",
                    "substance": action.layer,
                    "why": f"{change} {said}{after}{source}",
                }
            )
    for mix, _ in run.plan.mixes:
        why = "demand follows Σ share × intensity of its technologies; units as in the base year"
        row_ = {"kind": "technologies", "item": mix.process, "substance": mix.substance}
        out.append(row_ | {"why": why})
    return out


def _chosen_rows(run: Run) -> list[dict[str, Any]]:
    """Return quantities of the base year that the data leave open."""
    why = "undetermined in the base year: taken near the middle of its range, so that all close"
    open_ = "undetermined in the base year and without upper limit: taken near its lowest value"
    out = []
    for row in run.base.chosen.to_dict("records"):
        name = row["item"] if row["kind"] == "flow" else f"{row['kind']} of {row['item']}"
        bounded = bool(np.isfinite(row["high"]))
        out.append(
            {
                "kind": "base year",
                "item": name,
                "substance": row["substance"],
                "value": row["value"],
                "low": row["low"] if np.isfinite(row["low"]) else np.nan,
                "high": row["high"] if bounded else np.nan,
                "why": why if bounded else open_,
            }
        )
    return out


def _held_rows(run: Run) -> list[dict[str, Any]]:
    """Return what is given and the scenario does not change."""
    base, out = run.base, []
    last = run.calendar[-1]
    for layer in base.layers:
        terms = run.plan.terms(layer, last, {})
        how = drive(terms.net, terms.there, terms.exact, ~np.isnan(terms.share))
        start = base.flows(layer)
        for flow in np.flatnonzero(how.given & terms.there & ~terms.exact).tolist():
            gap = terms.net.sets.role("discrepancy")[flow]
            same = abs(terms.value[flow] - start[flow]) <= 1e-12 * abs(start[flow])
            if not same and not gap:
                continue  # technologies or a composition change it
            word = "demand" if terms.net.final[flow] else "flow from outside or export"
            why = f"{word} held at its value of {base.year}"
            out.append(
                {
                    "kind": "held",
                    "item": base.flow_ids[flow],
                    "substance": layer,
                    "value": float(terms.value[flow]),
                    "why": "a statistical difference is none of the future: 0" if gap else why,
                }
            )
    return out


def _even_rows(run: Run) -> list[dict[str, Any]]:
    """Return flows that share evenly, because nothing tells their shares."""
    base, out = run.base, []
    last = run.calendar[-1]
    for layer in base.layers:
        terms, x = run.plan.terms(layer, last, {}), run.years[-1].x[layer]
        net = terms.net
        how = drive(net, terms.there, terms.exact, ~np.isnan(terms.share))
        free = terms.there & np.isnan(terms.share)
        for some, ends in (
            (free & how.pushed & ~how.pull[net.tail], net.tail),
            (how.pulled, net.head),
        ):
            for process in np.unique(ends[some]).tolist():
                mine = some & (ends == process)
                if mine.sum() < 2 or terms.weight[mine].any() or not x[mine].any():
                    continue
                ids = ", ".join(base.flow_ids[flow] for flow in np.flatnonzero(mine).tolist())
                why = f"nothing flowed in {base.year}: shared evenly; state shares in the scenario"
                row = {"kind": "even shares", "item": ids, "substance": layer, "why": why}
                out.append(row | {"value": 1 / float(mine.sum()), "unit": "1"})
    return out


def _stock_rows(run: Run) -> list[dict[str, Any]]:
    """Return the shares that stocks without a lifetime keep."""
    base, out = run.base, []
    for layer in base.layers:
        net, share = run.plan.nets[layer], run.plan.kept(layer)
        for process in np.flatnonzero(net.stores & ~net.living).tolist():
            why = (
                "no lifetime: its stock keeps the share of its inputs that it did in the base year"
            )
            level = float(base.levels(layer)[process])
            changes = np.array([found.kept[layer][process] for found in run.years])
            below = np.flatnonzero(level + np.cumsum(changes) < 0)
            if len(below):
                why += f"; its level would fall below 0 in {run.calendar[below[0]]}"
            elif share[process] < 0:
                why += ", a withdrawal that cannot last for ever"
            row = {"kind": "stock", "item": base.process_ids[process], "substance": layer}
            out.append(row | {"value": float(share[process]), "unit": "1", "why": why})
    return out


def _opening_rows(run: Run) -> list[dict[str, Any]]:
    """Return the stock before the first year of those that age, and how well it fits."""
    base, out = run.base, []
    mass = base.system.settings.unit.mass.name
    for (process, layer), stock in run.cohorts.items():
        last = stock.n_past - 1
        old, young = stock.releases(last)
        model = old + young * float(stock.inflow[last].sum())
        net = run.plan.nets[layer]
        seen = float(np.nansum(np.where(net.tail == process, base.flows(layer), 0.0)))
        why = _OPENING[stock.opening.basis].format(inflow=_before(stock.growth))
        if abs(model - seen) > 0.01 * max(abs(seen), abs(model)):
            why += (
                f"; its lifetime lets {model:.4g} leave in {base.year}, where the balance has "
                f"{seen:.4g} {base.system.unit}"
            )
        out.append(
            {
                "kind": "opening stock",
                "item": base.process_ids[process],
                "substance": layer,
                "value": stock.opening.stock,
                "unit": mass,
                "why": why,
            }
        )
    return out


def _before(growth: float) -> str:
    """Return what the inflow of before the first year was like."""
    if growth == 0:
        return "a constant inflow"
    return (
        f"an inflow that {'grew' if growth > 0 else 'shrank'} by {abs(100 * growth):.3g} % a year"
    )


def _capacity_rows(run: Run) -> list[dict[str, Any]]:
    """Return capacities whose layer had to be chosen."""
    base = run.base
    out = []
    for capacity in run.plan.capacities(run.calendar[-1]):
        named = base.system.processes["capacity_substance"].iloc[capacity.process]
        if isinstance(named, str) or capacity.layer == "goods":
            continue
        why = f"a capacity for all goods, without rows for them: taken as one of {capacity.layer}"
        out.append(
            {
                "kind": "capacity",
                "item": base.process_ids[capacity.process],
                "substance": capacity.layer,
                "value": capacity.most,
                "why": why,
            }
        )
    return out
