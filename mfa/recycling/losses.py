"""Where metal is lost: every process's losses, and the worst of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.balance.network import Floats
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places
from mfa.recycling.totals import total

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


@remembered
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
    return pd.DataFrame(rows, columns=COLUMNS).astype({"bottleneck": bool})


def _losses(place: Place) -> list[dict[str, object]]:
    sets = place.sets
    system = place.balance.system
    lost = sets.flows(("loss",)) | sets.flows((), target=sets.disposal)
    out = []
    for process in np.unique(sets.tail[lost]).tolist():
        flows = lost & (sets.tail == process)
        lost_here = total(flows, place)
        enters = sets.counted & (sets.head == process) & (sets.tail != process)
        turnover = total(enters, place).value if enters.any() else np.nan
        out.append(
            {
                "item": str(system.processes["process"].iat[process]),
                "value": lost_here.value,
                "sd": lost_here.sd,
                "low": lost_here.low,
                "high": lost_here.high,
                "share_of_input": lost_here.value / turnover if turnover > 0 else np.nan,
                "flows": ", ".join(system.flows["flow"][flows]),
            }
        )
    return _ranked(out)


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
