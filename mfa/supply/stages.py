"""Surplus or deficit by stage: of the system's regions, and of the world's countries."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.balance.network import Mask
from mfa.supply.concentration import STAGES
from mfa.supply.network import Yearly, yearly
from mfa.system.regions import home_regions
from mfa.system.supplies import is_other

_ROLES = ("primary", "refined", "product", "scrap")
_SCRAP = ("new_scrap", "old_scrap", "scrap")
COLUMNS = [
    "scope",
    "item",
    "stage",
    "next_stage",
    "substance",
    "year",
    "made",
    "needed",
    "value",
    "sd",
    "low",
    "high",
    "unit",
]


def stage_balance(balance: Balance) -> pd.DataFrame:
    """Return what is made at each stage less what the next stage needs: a surplus, or a deficit.

    Of the system's regions, by what is made (primary, refined, product, scrap): what sources and
    processes of the region make less what its processes need, markets left out. Of the world's
    countries, from the sheet ``producers``: what a stage gives less what the next stage listed
    there gives or uses, for the same year. A country that a stage does not list is blank, unless
    nobody is left unnamed there: then it is 0.

    Parameters
    ----------
    balance : Balance

    Returns
    -------
    DataFrame
        scope (region, world), item (region or country), stage (what is made), next_stage,
        substance, year, made, needed, value (surplus), sd, low, high [unit], unit.
    """
    rows = [*_regions(balance), *_countries(balance)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    numbers = ("made", "needed", "value", "sd", "low", "high")
    return table.astype(dict.fromkeys(numbers, "float64"))


def _regions(balance: Balance) -> list[dict[str, object]]:
    system = balance.system
    home = home_regions(system.processes, system.settings.region)
    inside = (system.processes["kind"] == "process").to_numpy()
    nature = (system.processes["kind"] == "source").to_numpy()
    regions = list(dict.fromkeys(home[inside].tolist()))
    there = balance.flows[["substance", "year"]].drop_duplicates()
    out = []
    for substance, year in sorted(there.itertuples(index=False, name=None)):
        if substance not in system.substances:
            continue
        y = yearly(balance, substance, int(year))
        for region in regions:
            own = (home == region) | (nature & (len(regions) == 1))
            for role in _ROLES:
                row = _surplus(y, role, (inside | nature) & own)
                if row is not None:
                    keys = {"scope": "region", "item": region, "stage": role, "next_stage": ""}
                    when = {"substance": substance, "year": y.year, "unit": system.unit}
                    out.append(keys | when | row)
    return out


def _surplus(y: Yearly, role: str, here: Mask) -> dict[str, float] | None:
    """Return made, needed and their difference; None where no such flow is there.

    A process that takes and gives the same, as ore that is dressed, makes or needs the difference.
    """
    sets = y.sets
    works = np.asarray(here & ~sets.stage("trade"))
    flows = sets.flows(_SCRAP if role == "scrap" else (role,))
    made, needed = flows & works[sets.tail], flows & works[sets.head]
    some = np.flatnonzero(made | needed).tolist()
    if not some:
        return None
    net = np.zeros(len(works))
    np.add.at(net, sets.tail[made], y.value[made])
    np.add.at(net, sets.head[needed], -y.value[needed])
    items = [(y.flow_names[f], y.substance, y.year) for f in some]
    factors = (made[some].astype(float) - needed[some]).tolist()
    found = y.balance.linear(dict(zip(items, factors, strict=True)))
    return {
        "made": float(np.maximum(net, 0.0).sum()),
        "needed": float(np.maximum(-net, 0.0).sum()),
        "value": found.value,
        "sd": found.sd,
        "low": found.low if np.isfinite(found.low) else np.nan,
        "high": found.high if np.isfinite(found.high) else np.nan,
    }


def _countries(balance: Balance) -> list[dict[str, object]]:
    """Return for each country what one stage gives less what the next one listed gives."""
    table = balance.system.tables.get("producers")
    if table is None or table.empty:
        return []
    known = table[table["value"].notna() & (table["unit"] != "1") & (table["stage"] != "reserves")]
    known = known.assign(year=known["year"].fillna(0).astype("int64"))
    out: list[dict[str, object]] = []
    for (substance, year), rows in known.groupby(["substance", "year"]):
        listed = [stage for stage in STAGES if stage in set(rows["stage"])]
        sums = {stage: _by_country(rows[rows["stage"] == stage]) for stage in listed}
        names = sorted({name for some in sums.values() for name in some if not is_other(name)})
        for name in names:
            for stage, after in pairwise(listed):
                made, needed = (_of(sums[one], name) for one in (stage, after))
                keys = {"scope": "world", "item": name, "stage": stage, "next_stage": after}
                out.append(
                    keys
                    | {"substance": substance, "year": year, "made": made, "needed": needed}
                    | {"value": made - needed, "unit": balance.system.unit}
                )
    return out


def _by_country(rows: pd.DataFrame) -> dict[str, float]:
    return {str(name): float(sum_) for name, sum_ in rows.groupby("country")["value"].sum().items()}


def _of(sums: dict[str, float], name: str) -> float:
    """Return what a country gives, blank where it may be among those not named."""
    return sums.get(name, float("nan") if any(map(is_other, sums)) else 0.0)
