"""Tables made from a Balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pandas as pd

from mfa.balance.compile import Model
from mfa.balance.network import Floats, Mask
from mfa.balance.structure import Structure
from mfa.balance.suspects import (
    Outcome,
    detectable,
    eliminate,
    leak_tests,
    measurement_tests,
    p_value,
)
from mfa.schema import STATUSES
from mfa.system import System

if TYPE_CHECKING:
    from mfa.balance.result import Balance

STATUS_ORDER = STATUSES
_RESULT = [
    "observed",
    "observed_sd",
    "value",
    "sd",
    "low",
    "high",
    "adjustment",
    "status",
    "at_bound",
]
_ORIGIN = ["basis", "assumed", "include", "reference", "note", "unit", "min", "max", "cell"]
_TESTS = ["detectable"]


def statuses(model: Model, found: Structure) -> tuple[np.ndarray, np.ndarray]:
    """Return the status of every variable, from equations and data alone.

    Returns
    -------
    status : array of str, shape (n,)
    statement : array of int, shape (n,)
        Row of the observation within which a variable without a datum is measured, else −1.
    """
    equations = model.equations
    out = np.full(equations.n, "undetermined", dtype=object)
    out[found.determined] = "calculated"
    out[equations.measured] = np.where(found.redundant, "reconciled", "measured")[
        equations.measured
    ]
    out[equations.fixed] = "fixed"
    statement = np.full(equations.n, -1, dtype=np.int64)
    is_sum = (model.variables["kind"] == "observation").to_numpy()
    own_row = model.variables["row"].to_numpy(dtype=np.int64)
    relations = equations.relations.tocsr()
    kinds = model.relations["kind"].to_numpy()
    for row in np.flatnonzero(kinds == "observation"):
        terms = relations.indices[relations.indptr[row] : relations.indptr[row + 1]]
        total, flows = terms[is_sum[terms]][0], terms[~is_sum[terms]]
        flows = flows[(out[flows] == "calculated") | (out[flows] == "measured")]
        if equations.measured[total]:
            out[flows] = "reconciled" if found.redundant[total] else "measured"
        elif equations.fixed[total] and len(terms) == 2:
            flows = flows[out[flows] == "calculated"]
            out[flows] = "fixed"
        else:
            continue
        statement[flows[~equations.measured[flows]]] = own_row[total]
    return out, statement


def _with_results(balance: Balance, numbers: np.ndarray, data: pd.DataFrame) -> pd.DataFrame:
    """Put observed and resulting numbers beside the rows that they belong to."""
    low, high = balance.limits
    held = balance.bounded.held[numbers]
    observed = data["value"].to_numpy(dtype=np.float64)
    observed_sd = data["sd"].to_numpy(dtype=np.float64)
    value = balance.values[numbers]
    with np.errstate(divide="ignore", invalid="ignore"):
        adjustment = np.where(observed_sd > 0, (value - observed) / observed_sd, np.nan)
    error = np.full(balance.model.equations.n, np.nan)
    estimate = balance.bounded.estimate
    error[estimate.structure.data] = detectable(estimate)
    step = balance.model.variables["step"].to_numpy(dtype=np.float64)
    seen = (error / step)[numbers]
    columns = {
        "observed": observed,
        "observed_sd": observed_sd,
        "value": value,
        "sd": balance.sds[numbers],
        "low": _finite(low[numbers]),
        "high": _finite(high[numbers]),
        "adjustment": adjustment,
        "status": balance.status[numbers],
        "at_bound": np.array(["min", "", "max"], dtype=object)[held + 1],
        "assumed": balance.assumed[numbers],
        "detectable": _finite(seen),
    }
    kept = data.drop(columns=["value", "sd"]).reset_index(drop=True)
    return _with_origin(balance, numbers, kept.assign(**columns))


def _with_origin(balance: Balance, numbers: np.ndarray, frame: pd.DataFrame) -> pd.DataFrame:
    """Take basis and reference of a quantity without a datum from the statement it stems from."""
    kept = frame["observed"].notna().to_numpy()
    basis = np.where(kept, frame["basis"].to_numpy(dtype=object), "")
    reference = frame["reference"].to_numpy(dtype=object).copy()
    statement = balance.statements[numbers]
    observations = balance.system.observations
    for i in np.flatnonzero(~kept & (statement >= 0)):
        row = observations.iloc[statement[i]]
        basis[i], reference[i] = row["basis"], reference[i] or row["reference"]
    return frame.assign(basis=basis, reference=reference)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _numbers(balance: Balance, *kinds: str) -> np.ndarray:
    return np.flatnonzero(balance.model.variables["kind"].isin(kinds).to_numpy())


def flow_table(balance: Balance) -> pd.DataFrame:
    """Return the table of flows."""
    system = balance.system
    data = system.data.assign(unit=system.unit)
    out = _with_results(balance, _numbers(balance, "flow"), data)
    ends = system.flows.set_index("flow")[["from", "to", "role", "name", "name_ja"]]
    out = out.join(ends, on="flow")
    keys = ["flow", "from", "to", "substance", "year"]
    return out[[*keys, *_RESULT, "role", *_ORIGIN, *_TESTS, "name", "name_ja"]]


def _blank_rows(frame: pd.DataFrame, rows: np.ndarray, columns: list[str]) -> pd.DataFrame:
    """Take rows of a data table; −1 gives a blank row."""
    taken = frame.reindex(columns=columns).take(np.maximum(rows, 0)) if len(frame) else None
    if taken is None:
        taken = pd.DataFrame(index=range(len(rows)), columns=columns, dtype=object)
    taken = taken.reset_index(drop=True).astype(object)
    taken[rows < 0] = None
    return taken.assign(
        **{name: taken[name].astype(np.float64) for name in ("value", "sd", "min", "max")},
        include=[flag is not False for flag in taken["include"]],
        **{
            name: ["" if cell is None or cell != cell else cell for cell in taken[name]]
            for name in ("basis", "reference", "note", "cell")
        },
    )


_TAKEN = ["value", "sd", "min", "max", "basis", "include", "reference", "note", "cell"]


def stock_table(balance: Balance) -> pd.DataFrame:
    """Return changes and levels of every stock; an opening level only where it is given."""
    variables = balance.model.variables
    numbers = _numbers(balance, "change", "level")
    opening = (variables["year"] < balance.system.years[0]) & (variables["row"] < 0)
    numbers = numbers[~opening.to_numpy()[numbers]]
    some = variables.iloc[numbers].reset_index(drop=True)
    rows = some["row"].to_numpy(dtype=np.int64)
    unit = balance.system.settings.unit
    data = _blank_rows(balance.system.stocks, rows, _TAKEN).assign(
        process=some["item"],
        substance=some["substance"],
        year=some["year"].astype(np.int64),
        quantity=some["kind"],
        unit=np.where(some["kind"] == "level", unit.mass.name, unit.name),
    )
    out = _with_results(balance, numbers, data)
    keys = ["process", "substance", "year", "quantity"]
    return out[[*keys, *_RESULT, *_ORIGIN, *_TESTS]].sort_values(
        keys, kind="stable", ignore_index=True
    )


def share_table(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return exact coefficients or compositions as results."""
    value = frame["value"].to_numpy(dtype=np.float64)
    out = frame.assign(
        observed=value,
        assumed=0.0,
        observed_sd=frame["sd"],
        sd=0.0,
        low=value,
        high=value,
        adjustment=np.nan,
        status="fixed",
        at_bound="",
        unit="1",
        detectable=np.nan,
    )
    return out[[*keys, "substance", "year", *_RESULT, *_ORIGIN, *_TESTS]]


def observation_table(balance: Balance) -> pd.DataFrame:
    """Return every observation: what was stated, and the sum as it came out."""
    numbers = _numbers(balance, "observation")
    rows = balance.model.variables["row"].to_numpy(dtype=np.int64)[numbers]
    frame = balance.system.observations.iloc[rows].assign(unit="")
    out = _with_results(balance, numbers, frame)
    return out[["observation", "relation", "substance", "year", *_RESULT, *_ORIGIN, *_TESTS]]


def process_table(balance: Balance) -> pd.DataFrame:
    """Return every balance: inputs − outputs − stock change, with the data and with the results.

    ``residual_before`` uses observed values and is nan where one is missing; ``residual_z`` divides
    it by its sd. ``residual`` is what the result leaves open. All rates in the system's unit.
    """
    model = balance.model
    equations, nodes = model.equations, model.nodes
    x, y = balance.bounded.estimate.x, equations.y
    known = balance.status != "undetermined"
    is_change = (model.variables["kind"] == "change").to_numpy()
    given = equations.measured | equations.fixed
    n = equations.n_nodes + 1
    edges = np.flatnonzero(equations.is_edge)
    tail, head = equations.tail[edges], equations.head[edges]
    step = model.variables["step"].to_numpy(dtype=np.float64)

    def total(values: Floats, ends: np.ndarray, where: Mask) -> Floats:
        out = np.zeros(n)
        np.add.at(out, ends[where[edges]], values[edges][where[edges]])
        return out[:-1]

    flow = ~is_change
    every = np.ones(equations.n, dtype=bool)
    shown = np.where(known, x, np.nan)
    seen = np.where(given, y, np.nan)
    before = total(seen, head, every) - total(seen, tail, every)
    after = total(x, head, every) - total(x, tail, every)
    spread = np.where(equations.measured, equations.sd**2, 0.0)
    sd = np.sqrt(total(spread, head, every) + total(spread, tail, every))
    years = np.ones(n)
    years[tail] = step[edges]
    years[head] = np.maximum(years[head], step[edges])
    length = years[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(sd > 0, before / sd, np.nan)
    table = pd.DataFrame(
        {
            "process": nodes["process"],
            "substance": nodes["substance"],
            "year": nodes["year"].astype(np.int64),
            "inputs": total(shown, head, flow) / length,
            "outputs": total(shown, tail, flow) / length,
            "stock_change": total(shown, tail, is_change) / length,
            "residual_before": before / length,
            "residual_z": z,
            "residual": after / length,
            "throughput": np.maximum(total(np.abs(x), head, every), total(np.abs(x), tail, every))
            / length,
            "unit": balance.system.unit,
        }
    )
    return table[~nodes["stock"].to_numpy(dtype=bool)].reset_index(drop=True)


def _labels(balance: Balance, numbers: np.ndarray) -> pd.DataFrame:
    """Return item, kind, substance, year, cell and reference of variables."""
    model = balance.model
    some = model.variables.iloc[numbers]
    rows = some["row"].to_numpy(dtype=np.int64)
    out = some[["item", "substance", "year"]].reset_index(drop=True)
    out["year"] = out["year"].astype(np.int64)
    for name in ("cell", "reference"):
        texts = np.full(len(numbers), "", dtype=object)
        for kind, table in data_tables(balance.system).items():
            here = (some["kind"].isin(kind)).to_numpy() & (rows >= 0)
            if here.any():
                texts[here] = table[name].to_numpy(dtype=object)[rows[here]]
        out[name] = texts
    return out


def data_tables(system: System) -> dict[tuple[str, ...], pd.DataFrame]:
    """Return the tables that data stand in, by the kinds of their variables."""
    return {
        ("flow",): system.data,
        ("change", "level"): system.stocks,
        ("observation",): system.observations,
    }


def suspect_table(balance: Balance) -> pd.DataFrame:
    """Return data and leaks in the order of suspicion."""
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
    leaks = leak_tests(found)
    nodes = balance.model.nodes
    keep = ~nodes["stock"].to_numpy(dtype=bool)[leaks.items]
    leaks = Outcome(leaks.items[keep], leaks.z[keep], leaks.distance[keep], leaks.alike[keep])
    names = nodes.iloc[leaks.items].rename(columns={"process": "item"}).reset_index(drop=True)
    names = names.assign(cell="", reference="", year=names["year"].astype(np.int64))
    unseen = _test_rows(leaks, names, balance, "leak")
    unseen["should_be"] = leaks.distance
    unseen["order"] = len(first) + 1
    out = pd.concat([part for part in (data, unseen) if len(part)] or [data], ignore_index=True)
    out["size"] = -out["z"].abs()
    out = out.sort_values(["order", "size", "item", "substance", "year"], ignore_index=True)
    columns = ["item", "kind", "year", "substance", "z", "p_value", "same_as", "should_be"]
    return out[[*columns, "cell", "reference"]]


def _test_rows(tests: Outcome, labels: pd.DataFrame, balance: Balance, kind: str) -> pd.DataFrame:
    """Return one row per test, with the other items that have the same outcome."""
    several_years = len(balance.system.years) > 1
    several_layers = len(balance.system.layers) > 1
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
    for kinds, frame in data_tables(balance.system).items():
        numbers = _numbers(balance, *kinds)
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


def result_graph(balance: Balance) -> nx.MultiDiGraph:
    """Return the system's graph with results on its edges."""
    graph = balance.system.graph.copy()
    substance, year = balance.system.substances[0], balance.system.years[-1]
    graph.graph.update(substance=substance, year=year)
    names = ["substance", "year", "value", "sd", "low", "high", "status", "at_bound", "observed"]
    records: dict[str, list[dict[str, object]]] = {}
    for record in balance.flows[["flow", *names]].to_dict("records"):
        records.setdefault(str(record.pop("flow")), []).append(
            {str(k): v for k, v in record.items()}
        )
    for _, _, key, edge in graph.edges(keys=True, data=True):
        rows = records.get(key, [])
        here = [r for r in rows if r["substance"] == substance and r["year"] == year]
        for name in names:
            edge.pop(name, None)
        edge.update(here[0] if here else {}, data=rows)
    return graph
