"""Tables of what a shock leads to, made from the plan that was found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.balance.network import Floats
from mfa.supply.programme import Plan
from mfa.supply.setting import Setting
from mfa.supply.shock import Shock

_NOTHING = 1e-7  # of the usual: less is none
_DAYS_PER_MONTH = 365 / 12
_TOGETHER = 1e-6  # months


def _unit(now: Setting) -> str:
    return now.path.yearly.balance.system.settings.unit.mass.name


def _keys(now: Setting, names: list[str], column: str, months: int) -> dict[str, object]:
    return {
        column: np.repeat(names, months),
        "substance": now.path.yearly.substance,
        "month": np.tile(np.arange(1, months + 1), len(names)),
    }


def _nodes(now: Setting) -> list[str]:
    return [now.path.yearly.names[p] for p in now.nodes.tolist()]


def shortage_table(now: Setting, plan: Plan) -> pd.DataFrame:
    """Return demand, supply and shortage of every process that the shock reaches, by month.

    Of a process that passes on what it gets, what counts is what it passes on.
    """
    task, months = now.task, now.task.months
    usual, nodes = np.concatenate([task.passed, task.demand]), task.n_inner + task.n_ends
    out = np.flatnonzero(task.tail >= 0)
    short = np.zeros((months, nodes))
    for month in range(months):
        passed = np.bincount(task.tail[out], plan.flows[month, out], task.n_inner)
        short[month] = np.concatenate([task.passed - passed, plan.unmet[month]])
    short[short < _NOTHING * usual] = 0.0
    return pd.DataFrame(
        {
            **_keys(now, _nodes(now), "process", months),
            "demand": np.repeat(usual, months),
            "supplied": (usual - short).T.ravel(),
            "shortage": short.T.ravel(),
            "final": np.repeat(np.arange(nodes) >= task.n_inner, months),
            "unit": _unit(now),
        }
    )


def stock_table(now: Setting, plan: Plan) -> pd.DataFrame:
    """Return the level of each stockpile at the end of each month, month 0 before the shock."""
    task = now.task
    out = []
    for node in np.flatnonzero(task.stock > 0).tolist():
        released = np.concatenate([[0.0], plan.released[:, node]])
        released[released < _NOTHING * task.stock[node]] = 0.0
        level = task.stock[node] - np.cumsum(released)
        level[level < _NOTHING * task.stock[node]] = 0.0
        for month, (left, gone) in enumerate(zip(level, released, strict=True)):
            out.append((_nodes(now)[node], now.path.yearly.substance, month, left, gone))
    table = pd.DataFrame(out, columns=["process", "substance", "month", "level", "released"])
    types = {"process": "str", "substance": "str", "month": "int64", "level": "float64"}
    return table.astype({**types, "released": "float64"}).assign(unit=_unit(now))


def flow_table(now: Setting, plan: Plan) -> pd.DataFrame:
    """Return each flow that the shock reaches, usual and now, by month."""
    system, months = now.path.yearly.balance.system, now.task.months
    flows = system.flows.iloc[now.path.flows]
    keys = _keys(now, flows["flow"].tolist(), "flow", months)
    ends = {name: np.repeat(flows[name].to_numpy(), months) for name in ("from", "to")}
    return pd.DataFrame(
        {
            "flow": keys["flow"],
            **ends,
            "substance": keys["substance"],
            "month": keys["month"],
            "usual": np.repeat(now.task.usual, months),
            "value": plan.flows.T.ravel(),
            "unit": _unit(now),
        }
    )


def endurance_table(shortage: pd.DataFrame, bare: pd.DataFrame) -> pd.DataFrame:
    """Return how long each process is supplied in full.

    In the month in which it first runs short, the part counts that stocks cover: 1 − shortage ÷
    the shortage that there would be without any stocks.
    """
    out = []
    without = bare["shortage"].groupby(bare["process"], sort=False)
    for process, rows in shortage.groupby("process", sort=False):
        short = rows["shortage"].to_numpy()
        gap = without.get_group(process).to_numpy()
        months = float("inf")
        if short.any():
            first = int(np.flatnonzero(short)[0])
            covered = 1 - short[first] / gap[first] if gap[first] > 0 else 0.0
            months = first + (float(covered) if covered > _NOTHING else 0.0)
        kind = {"substance": rows["substance"].iloc[0], "final": bool(rows["final"].iloc[0])}
        out.append({"process": process, **kind, "months": months, "days": months * _DAYS_PER_MONTH})
    types = {"process": "str", "substance": "str", "months": "float64", "days": "float64"}
    return pd.DataFrame(out, columns=[*types, "final"]).astype({**types, "final": "bool"})


def first_out(stocks: pd.DataFrame) -> str | None:
    """Return the process whose stockpile is empty first; None if none is."""
    empty = stocks[stocks["level"] <= 0]
    if empty.empty:
        return None
    return str(empty.sort_values("month", kind="stable")["process"].iloc[0])


def _lost(now: Setting) -> float:
    """Return what the shock takes away in all months."""
    task = now.task
    return float((task.lost @ task.usual).sum() + (task.down @ task.passed).sum())


def first_short(endurance: pd.DataFrame) -> tuple[list[str], float]:
    """Return the final users who run short first, and after how many months."""
    final = endurance[endurance["final"] & np.isfinite(endurance["months"])]
    if final.empty:
        return [], float("inf")
    months = float(final["months"].min())
    together = final["months"] <= months + _TOGETHER
    return final.loc[together, "process"].tolist(), months


def summary_table(
    shock: Shock,
    now: Setting,
    plan: Plan,
    bare: Plan,
    spread: tuple[float, float, float],
    shortage: pd.DataFrame,
    endurance: pd.DataFrame,
    first_empty: str | None,
) -> pd.DataFrame:
    """Return the result in one row."""
    final = shortage[shortage["final"]]
    demand, unmet = float(final["demand"].sum()), float(final["shortage"].sum())
    first, months = first_short(endurance)
    aside: Floats = np.where(plan.aside > _NOTHING * now.task.passed, plan.aside, 0.0)
    row = {
        "shock": shock.name,
        "substance": now.path.yearly.substance,
        "year": now.path.yearly.year,
        "months": max(loss.months for loss in shock.losses),
        "probability": shock.probability,
        "lost": _lost(now),
        "demand": demand,
        "unmet": unmet,
        "sd": spread[0],
        "low": spread[1],
        "high": spread[2],
        "unmet_share": unmet / demand if demand else float("nan"),
        "unmet_without_stocks": float(bare.unmet.sum()),
        "released": float(plan.released.sum()),
        "put_aside": float(aside.sum()),
        "first_short": ", ".join(first),
        "endurance_months": months,
        "first_out": first_empty or "",
        "stopped_at": ", ".join(process for process, _ in now.path.blocked),
        "unit": _unit(now),
    }
    return pd.DataFrame([row])
