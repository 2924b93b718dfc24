"""Where metal is lost: every process's losses, and the worst of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.sparse as sp

from mfa.balance import Balance
from mfa.balance.covariance import sensitivities
from mfa.balance.network import Floats, Mask
from mfa.recycling.place import Place, Term, places
from mfa.recycling.polytope import Polytope
from mfa.recycling.ratio import moves

COLUMNS = [
    "item",
    "substance",
    "year",
    "value",
    "sd",
    "low",
    "high",
    "rank",
    "rank_best",
    "rank_worst",
    "bottleneck",
    "share_of_input",
    "flows",
    "unit",
]


def bottlenecks(balance: Balance) -> pd.DataFrame:
    """Return the losses of every process, worst first within each substance and year.

    A process's loss is the union of its flows with the role loss and its flows to disposal. An
    undetermined loss has no value but a range; losses are ranked by value, or by the middle of the
    range, and ``rank_best`` … ``rank_worst`` are the ranks that the ranges leave possible (for a
    determined loss the range is value ∓ 1.96 sd).

    Parameters
    ----------
    balance : Balance

    Returns
    -------
    DataFrame
        item (process), substance, year, value, sd, low, high [unit of the system], rank,
        rank_best, rank_worst, bottleneck (the first rank), share_of_input (of all that enters the
        process, where determined), flows.
    """
    rows = []
    for (substance, year), place in sorted(places(balance).items(), key=lambda item: item[0]):
        if substance in balance.system.substances:
            keys = {"substance": substance, "year": year, "unit": balance.system.unit}
            rows += [keys | row for row in _losses(place)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _losses(place: Place) -> list[dict[str, object]]:
    sets = place.sets
    system = place.balance.system
    lost = (sets.flows(("loss",)) | sets.flows((), target=sets.disposal)) & place.there
    out = []
    for process in np.unique(sets.tail[lost]).tolist():
        flows = lost & (sets.tail == process)
        value, sd, low, high = _total(flows, place)
        enters = sets.counted & (sets.head == process) & (sets.tail != process) & place.there
        turnover = _total(enters, place)[0] if enters.any() else np.nan
        out.append(
            {
                "item": str(system.processes["process"].iat[process]),
                "value": value,
                "sd": sd,
                "low": low,
                "high": high,
                "share_of_input": value / turnover if turnover > 0 else np.nan,
                "flows": ", ".join(system.flows["flow"][flows]),
            }
        )
    return _ranked(out)


def _total(flows: Mask, place: Place) -> tuple[float, float, float, float]:
    """Return value, sd, low and high of a sum of flows in the system's unit."""
    balance = place.balance
    coefficients = place.spread(flows.astype(float))
    numbers = np.flatnonzero(coefficients)
    steps = balance.model.variables["step"].to_numpy(dtype=np.float64)
    step = float(steps[numbers[0]])
    if moves(coefficients, place):
        polytope = Polytope(place, [Term(flows)])
        low, high = polytope.extremes(polytope.total([Term(flows)]))
        return np.nan, np.nan, low.value / step, high.value / step
    found = balance.bounded.estimate
    row = sp.csr_array(coefficients[numbers][None, :]) @ sensitivities(found, numbers)
    sd = float(np.sqrt(max(found.propagate(sp.csr_array(row))[0, 0], 0.0)))
    value = float(coefficients @ found.x)
    floor = min(float(np.maximum(balance.model.equations.lower, -1e300)[numbers].sum()), value)
    return value / step, sd / step, max(value - 1.96 * sd, floor) / step, (value + 1.96 * sd) / step


def _ranked(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Sort by value or middle of the range, and add the ranks that the ranges leave possible."""
    value, low, high = (
        np.array([row[name] for row in rows], dtype=np.float64) for name in ("value", "low", "high")
    )
    low, high = np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), np.inf, high)
    middle: Floats = np.where(np.isnan(value), (low + high) / 2, value)
    order = np.lexsort([np.arange(len(rows)), -low, -middle])
    out = []
    for rank, k in enumerate(order.tolist(), start=1):
        best = 1 + int((low > high[k]).sum())
        worst = int((high >= low[k]).sum())
        ranks = {"rank": rank, "rank_best": best, "rank_worst": worst, "bottleneck": rank == 1}
        out.append(rows[k] | ranks)
    return out
