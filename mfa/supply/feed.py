"""The cheapest mix of feeds with which a smelter makes what it makes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from mfa.balance import Balance
from mfa.balance.network import Floats, Ints
from mfa.errors import MFAError, near
from mfa.supply.network import Yearly, yearly

_CLOSE = 1e-7


def feed_mix(
    balance: Balance,
    process: str,
    cost: Mapping[str, float],
    *,
    supply: Mapping[str, float] | None = None,
    recovery: Mapping[str, float] | None = None,
    output: float | None = None,
    capacity: float | None = None,
    substance: str | None = None,
    year: int | None = None,
) -> pd.DataFrame:
    """Return the feeds with which a process makes its output at the least cost.

    Minimise Σ cost_f x_f with Σ recovery_f x_f ≥ output, 0 ≤ x_f ≤ supply_f and Σ x_f ≤ capacity.

    Parameters
    ----------
    balance : Balance
    process : str
    cost : mapping of str to float
        Cost of each flow into the process, in any currency per unit of mass of the substance.
        Flows that are not named stay as they are.
    supply : mapping of str to float, optional
        The most there is of each [unit]; by default what is fed now. inf: no limit.
    recovery : mapping of str to float, optional
        Share of each feed that becomes product; by default the process's own, the same for all.
    output : float, optional
        Product needed [unit]; by default as now.
    capacity : float, optional
        The most that can be fed [unit]; by default the process's capacity if it counts the same
        substance, else none.
    substance, year : optional
        By default the first and its last year.

    Returns
    -------
    DataFrame
        flow, substance, year, now, value, supply [unit], cost, recovery, at_limit, saving (what one
        more unit of this feed would save) and unit.

    Raises
    ------
    MFAError
        If a flow is not known, or supply and capacity do not suffice for the output.
    """
    y = yearly(balance, substance, year)
    feeds, yields, made = _feeds(y, process, cost, recovery)
    names = [y.flow_names[f] for f in feeds.tolist()]
    now = y.value[feeds]
    most = np.array(
        [float((supply or {}).get(name, x)) for name, x in zip(names, now, strict=True)]
    )
    least = np.array([0.0 if name in cost else x for name, x in zip(names, now, strict=True)])
    price = np.array([float(cost.get(name, 0.0)) for name in names])
    needed = made if output is None else float(output)
    limit = _capacity(y, process) if capacity is None else float(capacity)
    x, saving = _cheapest(y, process, price, yields, needed, (least, most), limit)
    return pd.DataFrame(
        {
            "flow": names,
            "substance": y.substance,
            "year": y.year,
            "now": now,
            "value": x,
            "supply": most,
            "cost": [float(cost[name]) if name in cost else np.nan for name in names],
            "recovery": yields,
            "at_limit": x >= most - _CLOSE * max(float(now.max(initial=0.0)), 1e-300),
            "saving": saving,
            "unit": balance.system.unit,
        }
    )


def _feeds(
    y: Yearly, process: str, cost: Mapping[str, float], recovery: Mapping[str, float] | None
) -> tuple[Ints, Floats, float]:
    """Return the flows into a process, the share of each that becomes product, and the product."""
    if process not in y.names:
        raise MFAError(f"no process {process!r}; {near(process, y.names, 'see the workbook')}")
    at = y.names.index(process)
    own = y.there & ((y.sets.head == at) | (y.sets.tail == at))
    if (own & y.loose).any():
        some = ", ".join(y.flow_names[f] for f in np.flatnonzero(own & y.loose))
        raise MFAError(f"{process!r} has undetermined flows in {y.year}: {some}; measure them")
    feeds = np.flatnonzero(y.there & (y.sets.head == at) & ~y.sets.discrepancies)
    names = [y.flow_names[f] for f in feeds.tolist()]
    for name in {**cost, **(recovery or {})}:
        if name not in names:
            raise MFAError(
                f"{name!r} does not enter {process!r}; {near(name, names, 'name a feed')}"
            )
    out = y.there & (y.sets.tail == at) & ~y.sets.discrepancies
    made = float(y.value[out & ~y.technical].sum())
    whole = float(y.value[out].sum())
    usual = made / whole if whole > 0 else 0.0
    yields = np.array([float((recovery or {}).get(name, usual)) for name in names])
    return feeds, yields, made


def _capacity(y: Yearly, process: str) -> float:
    row = y.balance.system.processes.iloc[y.names.index(process)]
    same = row["capacity_substance"] == y.substance and not pd.isna(row["capacity"])
    return float(row["capacity"]) if same else float("inf")


def _cheapest(
    y: Yearly,
    process: str,
    price: Floats,
    yields: Floats,
    needed: float,
    limits: tuple[Floats, Floats],
    capacity: float,
) -> tuple[Floats, Floats]:
    """Return the feeds, and what one more unit of each would save."""
    rows, right = [-yields], [-needed]
    if np.isfinite(capacity):
        rows, right = [*rows, np.ones(len(yields))], [*right, capacity]
    bounds = np.column_stack(limits)
    found = linprog(  # type: ignore[call-overload]
        price, A_ub=np.array(rows), b_ub=right, bounds=bounds, method="highs"
    )
    if found.x is None:
        best = linprog(  # type: ignore[call-overload]
            -yields,
            A_ub=np.array(rows[1:]) if rows[1:] else None,
            b_ub=right[1:] or None,
            bounds=bounds,
            method="highs",
        )
        can = f"no more than {-best.fun:.6g}" if best.x is not None else "nothing"
        raise MFAError(
            f"{process!r} cannot make {needed:.6g} {y.balance.system.unit}: its feeds and capacity "
            f"allow {can}; raise supply or capacity, or lower the output"
        )
    return np.asarray(found.x), np.maximum(-np.asarray(found.upper.marginals), 0.0) + 0.0
