"""Tables of what does not fit: suspects, and data that were left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mfa.balance.compile import data_tables
from mfa.balance.suspects import Outcome, eliminate, leak_tests, measurement_tests, p_value
from mfa.balance.tables import numbers_of

if TYPE_CHECKING:
    from mfa.balance.result import Balance


def _labels(balance: Balance, numbers: np.ndarray) -> pd.DataFrame:
    """Return item, kind, substance, year, cell and reference of variables."""
    model = balance.model
    some = model.variables.iloc[numbers]
    rows = some["row"].to_numpy(dtype=np.int64)
    out = some[["item", "substance", "year"]].reset_index(drop=True)
    out["year"] = out["year"].astype(np.int64)
    for name in ("cell", "reference"):
        texts = np.full(len(numbers), "", dtype=object)
        for kind, table in data_tables(balance.model.system).items():
            here = (some["kind"] == kind).to_numpy() & (rows >= 0)
            if here.any():
                texts[here] = table[name].to_numpy(dtype=object)[rows[here]]
        out[name] = texts
    return out


def suspect_table(balance: Balance) -> pd.DataFrame:
    """Return data and leaks in the order of suspicion.

    Beyond the columns of the interface: ``quantity`` (flow, level, change, observation, balance),
    and ``possible``, false where the datum would have to lie beyond its bounds to agree, so that
    it cannot be wrong alone.
    """
    found = balance.bounded.estimate
    tests = measurement_tests(found)
    labels = _labels(balance, found.structure.data)
    keys = list(zip(*(labels[name] for name in ("item", "substance", "year")), strict=True))
    taken = found.structure.data[eliminate(found, keys, balance.chi2, balance.dof)]
    data = _test_rows(tests, _labels(balance, tests.items), balance, "datum")
    first = {int(number): k for k, number in enumerate(taken)}
    data["order"] = [first.get(int(number), len(first)) for number in tests.items]
    step = balance.model.variables["step"].to_numpy(dtype=np.float64)[tests.items]
    y = balance.model.equations.y[tests.items]
    data["should_be"] = (y - tests.distance) / step
    equations = balance.model.equations
    low, high = equations.lower[tests.items] / step, equations.upper[tests.items] / step
    data["possible"] = (data["should_be"] >= low) & (data["should_be"] <= high)
    data["quantity"] = balance.model.variables["kind"].to_numpy(dtype=object)[tests.items]
    leaks = leak_tests(found)
    nodes = balance.model.nodes
    keep = ~nodes["stock"].to_numpy(dtype=bool)[leaks.items]
    leaks = Outcome(leaks.items[keep], leaks.z[keep], leaks.distance[keep], leaks.alike[keep])
    names = nodes.iloc[leaks.items].rename(columns={"process": "item"}).reset_index(drop=True)
    names = names.assign(cell="", reference="", year=names["year"].astype(np.int64))
    unseen = _test_rows(leaks, names, balance, "leak")
    unseen["should_be"] = leaks.distance / nodes["step"].to_numpy(dtype=np.float64)[leaks.items]
    unseen["possible"], unseen["quantity"] = True, "balance"
    unseen["order"] = len(first) + 1
    out = pd.concat([part for part in (data, unseen) if len(part)] or [data], ignore_index=True)
    out["size"] = -out["z"].abs()
    out = out.sort_values(["order", "size", "item", "substance", "year"], ignore_index=True)
    columns = ["item", "kind", "year", "substance", "z", "p_value", "same_as", "should_be"]
    return out[[*columns, "cell", "reference", "quantity", "possible"]]


def _test_rows(tests: Outcome, labels: pd.DataFrame, balance: Balance, kind: str) -> pd.DataFrame:
    """Return one row per test, with the other items that have the same outcome."""
    several_years = len(balance.model.system.years) > 1
    several_layers = len(balance.model.system.layers) > 1
    names = labels["item"].astype(str)
    if several_layers:
        names = names + " " + labels["substance"].astype(str)
    if several_years:
        names = names + " " + labels["year"].astype(str)
    groups: dict[int, list[str]] = {}
    for group, name in zip(tests.alike.tolist(), names, strict=True):
        groups.setdefault(group, []).append(name)
    same = [
        ", ".join(sorted(other for other in groups[group] if other != name))
        for group, name in zip(tests.alike.tolist(), names, strict=True)
    ]
    return labels.assign(kind=kind, z=tests.z, p_value=p_value(tests.z), same_as=same)


def excluded_table(balance: Balance) -> pd.DataFrame:
    """Return data that had no pull on the result, and z of their distance to it."""
    parts = []
    for kind, frame in data_tables(balance.model.system).items():
        numbers = numbers_of(balance, kind)
        rows = balance.model.variables["row"].to_numpy(dtype=np.int64)[numbers]
        numbers, rows = numbers[rows >= 0], rows[rows >= 0]
        out = ~frame["include"].to_numpy(dtype=bool)[rows]
        out &= frame["value"].notna().to_numpy()[rows]
        numbers, rows = numbers[out], rows[out]
        labels = _labels(balance, numbers)
        labels["observed"] = frame["value"].to_numpy(dtype=np.float64)[rows]
        labels["observed_sd"] = frame["sd"].to_numpy(dtype=np.float64)[rows]
        labels["value"], labels["sd"] = balance.values[numbers], balance.sds[numbers]
        labels["note"] = frame["note"].to_numpy(dtype=object)[rows]
        parts.append(labels)
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    spread = np.hypot(table["observed_sd"].fillna(0.0), table["sd"])
    with np.errstate(divide="ignore", invalid="ignore"):
        table["z"] = (table["observed"] - table["value"]) / spread
    table["p_value"] = p_value(table["z"].to_numpy(dtype=np.float64))
    keys = ["item", "substance", "year", "observed", "observed_sd", "value", "sd"]
    return table[[*keys, "z", "p_value", "cell", "reference", "note"]]
