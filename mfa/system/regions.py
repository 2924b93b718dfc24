"""Regions that trade with each other: which there are, and what is odd about them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from mfa.schema import fold
from mfa.system.findings import Findings
from mfa.system.parsed import ParsedSheet


def home_regions(processes: pd.DataFrame, own: str) -> np.ndarray:
    """Return the region of each process, "" where it has none.

    A balanced process without one is in the system's own region. What lies outside the boundary
    belongs to no region unless it says so: a sink may serve them all.

    Parameters
    ----------
    processes : DataFrame
    own : str
        The system's own region, "" if it has none.
    """
    stated = np.array(processes["region"].tolist(), dtype=object)
    inside = (processes["kind"] == "process").to_numpy()
    return np.where((stated == "") & inside, own, stated)


def region_names(processes: pd.DataFrame, own: str) -> tuple[str, ...]:
    """Return the regions with balanced processes, in the order in which they first appear."""
    inside = (processes["kind"] == "process").to_numpy()
    named = home_regions(processes, own)[inside].tolist()
    return tuple(dict.fromkeys(name for name in named if name))


def japanese_names(processes: pd.DataFrame) -> dict[str, str]:
    """Return the Japanese name of each region that has one; any process there may give it."""
    given = zip(processes["region"].tolist(), processes["region_ja"].tolist(), strict=True)
    return {region: local for region, local in sorted(given, reverse=True) if region and local}


def check_regions(sheet: ParsedSheet, flows: pd.DataFrame, own: str, findings: Findings) -> None:
    """Warn of regions that may be one, of processes in none, and of regions without trade.

    Parameters
    ----------
    sheet : ParsedSheet
        The sheet ``processes``.
    flows : DataFrame
        One row per flow.
    own : str
        The system's own region.
    findings : Findings
    """
    processes = sheet.frame
    stated = processes["region"].tolist()
    for i, other in _near_misses([own, *stated]).items():
        region = ([own, *stated])[i]
        what, do = f"region {region!r} is another region than {other!r}", "spell them alike"
        place = sheet.place(i - 1, "region") if i else "system"
        findings.warning(what, f"{do} if they are one", region, place)
    regions = region_names(processes, own)
    home = home_regions(processes, own)
    lost = np.flatnonzero((home == "") & (processes["kind"] == "process").to_numpy())
    for i in lost.tolist() if regions else []:
        what = f"the process {processes['process'].iat[i]!r} is in no region, but others are in one"
        do = "fill in its region, or the region of the sheet 'system' for all that name none"
        findings.warning(what, do, None, sheet.place(i, "process"))
    at = dict(zip(processes["process"].tolist(), home.tolist(), strict=True))
    pairs = {(at.get(a), at.get(b)) for a, b in zip(flows["from"], flows["to"], strict=True)}
    trades = {name for pair in pairs if pair[0] != pair[1] for name in pair if all(pair)}
    for region in regions if len(regions) > 1 else ():
        if region not in trades:
            what = f"the region {region!r} trades with no other region"
            do = "add flows between them, or clear the column region"
            findings.warning(what, do, None, "processes")


def _near_misses(names: list[str]) -> dict[int, str]:
    """Return where a rarer spelling of a name first stands, and the usual spelling."""
    counts = Counter(name for name in names if name)
    usual: dict[str, str] = {}
    for name, _ in counts.most_common():
        usual.setdefault(fold(name), name)
    return {names.index(name): usual[fold(name)] for name in counts if name != usual[fold(name)]}
