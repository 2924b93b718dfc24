"""Tables of what does not fit: suspects, and data that were left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mfa.balance.compile import data_tables
from mfa.balance.labels import blank_years, described, shown_as
from mfa.balance.network import Ints
from mfa.balance.suspects import Outcome, eliminate, leak_tests, measurement_tests, p_value
from mfa.balance.tables import numbers_of

if TYPE_CHECKING:
    from mfa.balance.result import Balance


def suspect_table(balance: Balance) -> pd.DataFrame:
    """Return data and leaks in the order of suspicion.

    Beyond the columns of the interface: ``quantity`` (flow, level, change, observation, balance),
    ``possible``, false where the datum would have to lie beyond its bounds to agree, so that it
    cannot be wrong alone, ``observed``, and ``change``, by how much the datum would have to change
    (of a leak, how much leaves the balance unseen).
    """
    out = pd.concat([_data_rows(balance), _leak_rows(balance)], ignore_index=True)
    out["size"] = -out["z"].abs()
    order = ["order", "size", "item", "substance", "year", "quantity"]
    out = out.sort_values(order, ignore_index=True, na_position="first")
    columns = ["item", "kind", "year", "substance", "z", "p_value", "same_as", "should_be"]
    columns += ["cell", "reference", "quantity", "possible", "observed", "change"]
    return out[columns]


def _data_rows(balance: Balance) -> pd.DataFrame:
    """Return the tests of data, in ``order`` first those that serial elimination takes out."""
    found, model = balance.bounded.estimate, balance.model
    tests = measurement_tests(found)
    keys = _names(balance, found.structure.data)
    taken = found.structure.data[eliminate(found, keys, balance.chi2, balance.dof)]
    data = _test_rows(tests, described(model, tests.items), balance, "datum")
    first = {int(number): k for k, number in enumerate(taken)}
    data["order"] = [first.get(int(number), len(first)) for number in tests.items]
    step = model.variables["step"].to_numpy(dtype=np.float64)[tests.items]
    data["observed"] = model.equations.y[tests.items] / step
    data["change"] = -tests.distance / step
    data["should_be"] = (model.equations.y[tests.items] - tests.distance) / step
    low, high = (
        ends[tests.items] / step for ends in (model.equations.lower, model.equations.upper)
    )
    data["possible"] = (data["should_be"] >= low) & (data["should_be"] <= high)
    return data


def _names(balance: Balance, numbers: Ints) -> list[tuple[object, ...]]:
    """Return what ties between equally suspicious data are broken by."""
    some = balance.model.variables.iloc[numbers]
    columns = (some[name].tolist() for name in ("item", "substance", "year"))
    return list(zip(*columns, strict=True))


def _leak_rows(balance: Balance) -> pd.DataFrame:
    """Return the leak tests, which stand after all data."""
    nodes = balance.model.nodes
    leaks = leak_tests(balance.bounded.estimate)
    keep = ~nodes["stock"].to_numpy(dtype=bool)[leaks.items]
    leaks = Outcome(leaks.items[keep], leaks.z[keep], leaks.distance[keep], leaks.alike[keep])
    names = nodes.iloc[leaks.items].rename(columns={"process": "item"}).reset_index(drop=True)
    names = names[["item", "substance"]].assign(
        year=blank_years(names["year"]), quantity="balance", cell="", reference=""
    )
    rows = _test_rows(leaks, names, balance, "leak")
    rows["should_be"] = leaks.distance / nodes["step"].to_numpy(dtype=np.float64)[leaks.items]
    unseen = len(balance.model.equations.y) + 1
    return rows.assign(change=rows["should_be"], observed=np.nan, possible=True, order=unseen)


def _test_rows(tests: Outcome, rows: pd.DataFrame, balance: Balance, kind: str) -> pd.DataFrame:
    """Return one row per test, with the other items that have the same outcome."""
    names = shown_as(balance.model, rows)
    groups: dict[int, list[str]] = {}
    for group, name in zip(tests.alike.tolist(), names, strict=True):
        groups.setdefault(group, []).append(name)
    same = [
        ", ".join(sorted(other for other in groups[group] if other != name))
        for group, name in zip(tests.alike.tolist(), names, strict=True)
    ]
    return rows.assign(kind=kind, z=tests.z, p_value=p_value(tests.z), same_as=same)


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
        part = described(balance.model, numbers)
        part["observed"] = frame["value"].to_numpy(dtype=np.float64)[rows]
        part["observed_sd"] = frame["sd"].to_numpy(dtype=np.float64)[rows]
        part["value"], part["sd"] = balance.values[numbers], balance.sds[numbers]
        part["note"] = frame["note"].to_numpy(dtype=object)[rows]
        parts.append(part)
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    spread = np.hypot(table["observed_sd"].fillna(0.0), table["sd"])
    with np.errstate(divide="ignore", invalid="ignore"):
        table["z"] = (table["observed"] - table["value"]) / spread
    table["p_value"] = p_value(table["z"].to_numpy(dtype=np.float64))
    keys = ["item", "substance", "year", "observed", "observed_sd", "value", "sd"]
    return table[[*keys, "z", "p_value", "cell", "reference", "note", "quantity"]]
