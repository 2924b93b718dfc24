"""Trade: what goes from one region to another, and to and from the world outside."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places
from mfa.recycling.totals import total
from mfa.system import System
from mfa.system.regions import home_regions

COLUMNS = {
    "from_region": "str",
    "to_region": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "role": "str",
    "n_flows": "int64",
    "flows": "str",
    "assumed": "float64",
    "unit": "str",
}
ALL = "all"


@remembered
def trade(balance: Balance) -> pd.DataFrame:
    """Return the trade between regions, and of regions with the world outside.

    Trade are the flows between processes of different regions, and those from imports and to
    exports of the system; what comes from sources and what goes to sinks that name no region is
    none. Errors that flows share count once, or cancel: sums cannot be formed from the rows.

    Parameters
    ----------
    balance : Balance

    Returns
    -------
    DataFrame
        from_region and to_region, "" for the world outside, substance, year; value and sd, or
        where undetermined only low and high, which are all that balances and bounds allow [unit of
        the system]; role: first "all", then each as it stands in the sheet ``flows``; number and
        ids of the flows; share of the variance that stems from assumptions.
    """
    ends = np.array(trading_regions(balance.system), dtype=object)
    named = (*balance.system.regions, *sorted(set(ends.flat) - {""}), "")
    order = {name: at for at, name in enumerate(dict.fromkeys(named))}
    rows: list[dict[str, object]] = []
    for (substance, year), place in sorted(places(balance).items(), key=lambda item: item[0]):
        crosses = np.flatnonzero((ends[0] != ends[1]) & place.sets.counted)
        pairs = {tuple(ends[:, flow]) for flow in crosses.tolist()}
        for pair in sorted(pairs, key=lambda pair: [order[name] for name in pair]):
            keys = {"from_region": pair[0], "to_region": pair[1]}
            keys |= {"substance": substance, "year": year, "unit": balance.system.unit}
            flows = crosses[(ends[:, crosses] == np.array(pair, dtype=object)[:, None]).all(axis=0)]
            rows += [keys | row for row in _by_role(flows, place)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def trading_regions(system: System) -> tuple[list[str], list[str]]:
    """Return the regions that each flow leaves and enters, "" for the world outside.

    An import or export that names the region it trades with is the world outside of it; a source
    or sink that names none is where its flow begins or ends.
    """
    processes = system.processes
    home = home_regions(processes, system.settings.region).tolist()
    names, kinds = processes["process"].tolist(), processes["kind"].tolist()
    about = {name: (kind, at) for name, kind, at in zip(names, kinds, home, strict=True)}
    tails, heads = [], []
    for source, target in zip(system.flows["from"], system.flows["to"], strict=True):
        (kind, a), (last, b) = about[source], about[target]
        a, b = (b if kind == "source" and not a else a), (a if last == "sink" and not b else b)
        tails.append("" if kind == "import" and a == b else a)
        heads.append("" if last == "export" and a == b else b)
    return tails, heads


def _by_role(flows: np.ndarray, place: Place) -> list[dict[str, object]]:
    """Return the sum of some flows, then the sums by role."""
    table = place.balance.system.flows
    roles = np.array(table["role"].tolist(), dtype=object)[flows]
    groups = {ALL: flows} | {role: flows[roles == role] for role in sorted(set(roles))}
    out = []
    for role, some in groups.items():
        mask = np.zeros(len(table), dtype=bool)
        mask[some] = True
        found = total(mask, place)
        out.append(
            {
                "role": role,
                "value": found.value,
                "sd": found.sd,
                "low": found.low,
                "high": found.high,
                "n_flows": len(some),
                "flows": ", ".join(table["flow"].iloc[some]),
                "assumed": found.assumed,
            }
        )
    return out
