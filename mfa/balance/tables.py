"""Tables made from a Balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pandas as pd

from mfa.balance.compile import Model, data_tables
from mfa.balance.labels import equation_labels
from mfa.balance.network import Floats, Ints, Mask
from mfa.balance.observability import nodal_tests
from mfa.balance.reasons import ADDED, check_parts
from mfa.balance.structure import Structure
from mfa.balance.suspects import detectable, p_value
from mfa.schema import STATUSES

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

    A variable's own datum decides. Without one, an exact observation of it alone makes it fixed;
    else the observations that it is a term of decide: reconciled if one of them is checked.

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
    rank = np.zeros(equations.n, dtype=np.int64)
    statement = np.full(equations.n, -1, dtype=np.int64)
    is_sum = (model.variables["kind"] == "observation").to_numpy()
    own_row = model.variables["row"].to_numpy(dtype=np.int64)
    relations = equations.relations.tocsr()
    kinds = model.relations["kind"].to_numpy()
    for row in np.flatnonzero(kinds == "observation"):
        terms = relations.indices[relations.indptr[row] : relations.indptr[row + 1]]
        total, flows = terms[is_sum[terms]][0], terms[~is_sum[terms]]
        if equations.measured[total]:
            says = 2 if found.redundant[total] else 1
        else:
            says = 3 if equations.fixed[total] and len(terms) == 2 else 0
        flows = flows[found.determined[flows] & (rank[flows] < says)]
        rank[flows], statement[flows] = says, own_row[total]
    named = np.array(["", "measured", "reconciled", "fixed"], dtype=object)
    out[rank > 0] = named[rank[rank > 0]]
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
    observations = balance.model.system.observations
    for i in np.flatnonzero(~kept & (statement >= 0)):
        row = observations.iloc[statement[i]]
        basis[i], reference[i] = row["basis"], reference[i] or row["reference"]
    return frame.assign(basis=basis, reference=reference)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def numbers_of(balance: Balance, *kinds: str) -> Ints:
    """Return the variables of some kinds."""
    return np.flatnonzero(balance.model.variables["kind"].isin(kinds).to_numpy())


def flow_table(balance: Balance) -> pd.DataFrame:
    """Return the table of flows."""
    system = balance.system
    data = system.data.assign(unit=system.unit)
    out = _with_results(balance, numbers_of(balance, "flow")[system.data.index], data)
    flows = system.flows
    at = pd.Index(flows["flow"]).get_indexer(pd.Index(out["flow"]))
    for name in ("from", "to", "role", "name", "name_ja"):
        out[name] = flows[name].take(at).set_axis(out.index)
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


def _inside(balance: Balance) -> pd.Series:
    """Return the balanced processes of what is looked at."""
    processes = balance.system.processes
    return processes.loc[processes["kind"] == "process", "process"]


def stock_table(balance: Balance) -> pd.DataFrame:
    """Return changes and levels of every stock; an opening level where it is given or estimated."""
    variables, whole = balance.model.variables, balance.model.system
    numbers = numbers_of(balance, "change", "level")
    opening = (variables["year"] < whole.years[0]) & (variables["row"] < 0)
    if balance.model.survival != "off":  # what was in use before is then an unknown like others
        opening[[model.opening for model in balance.model.cohorts]] = False
    there = variables["item"].isin(_inside(balance))
    numbers = numbers[(there & ~opening).to_numpy()[numbers]]
    some = variables.iloc[numbers].reset_index(drop=True)
    rows = some["row"].to_numpy(dtype=np.int64)
    unit = whole.settings.unit
    data = _blank_rows(whole.stocks, rows, _TAKEN).assign(
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


def share_table(balance: Balance, kind: str, keys: list[str]) -> pd.DataFrame:
    """Return coefficients or compositions as results."""
    frame = data_tables(balance.system)[kind].assign(unit="1")
    out = _with_results(balance, numbers_of(balance, kind)[frame.index], frame)
    return out[[*keys, "substance", "year", *_RESULT, *_ORIGIN, *_TESTS]]


def observation_table(balance: Balance) -> pd.DataFrame:
    """Return every observation: what was stated, and the sum as it came out."""
    numbers = numbers_of(balance, "observation")
    rows = balance.model.variables["row"].to_numpy(dtype=np.int64)[numbers]
    there = np.isin(rows, balance.system.observations.index)
    numbers, rows = numbers[there], rows[there]
    frame = balance.model.system.observations.iloc[rows].assign(unit="")
    out = _with_results(balance, numbers, frame)
    return out[["observation", "relation", "substance", "year", *_RESULT, *_ORIGIN, *_TESTS]]


def _observed(model: Model) -> tuple[Floats, Floats]:
    """Return the datum of every variable and its variance, nan where there is none.

    A change without a datum is taken from the levels before and after it, where both are given.
    """
    equations = model.equations
    given = equations.measured | equations.fixed
    y = np.where(given, equations.y, np.nan)
    variance = np.where(equations.measured, equations.sd**2, 0.0)
    kind = model.variables["kind"].to_numpy()
    before = np.full(equations.n_nodes + 1, -1, dtype=np.int64)
    after = before.copy()
    levels = np.flatnonzero((kind == "level") & equations.is_edge)
    before[equations.head[levels]] = levels
    after[equations.tail[levels]] = levels
    changes = np.flatnonzero((kind == "change") & equations.is_edge & ~given)
    old, new = before[equations.head[changes]], after[equations.head[changes]]
    y[changes] = y[new] - y[old]
    variance[changes] = variance[new] + variance[old]
    return y, variance


def process_table(balance: Balance) -> pd.DataFrame:
    """Return every balance: inputs − outputs − stock change, with the data and with the results.

    ``residual_before`` uses observed values and is nan where one is missing; ``residual_z`` divides
    it by its sd. ``residual`` is what the result leaves open. All rates in the system's unit.

    The nodal test goes further: ``imbalance`` is what the data leave open in the smallest sum of
    this balance and others (``merged_with``) in which nothing is unmeasured, ``nodal_z`` divides it
    by its ``imbalance_sd``; nan where data and balances do not reach.
    """
    model = balance.model
    equations, nodes = model.equations, model.nodes
    x = balance.bounded.estimate.x
    seen, variance = _observed(model)
    is_change = (model.variables["kind"] == "change").to_numpy()
    known = np.where(balance.status != "undetermined", x, np.nan)
    every = np.ones(equations.n, dtype=bool)

    def enters(values: Floats, where: Mask = every) -> Floats:
        return _at_nodes(equations.head, values, where & equations.is_edge, equations.n_nodes)

    def leaves(values: Floats, where: Mask = every) -> Floats:
        return _at_nodes(equations.tail, values, where & equations.is_edge, equations.n_nodes)

    through = equations.tail != equations.head  # what returns to its process changes no balance
    before = enters(seen, through) - leaves(seen, through)
    sd = np.sqrt(enters(variance, through) + leaves(variance, through))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(sd > 0, before / sd, np.nan)
    least = np.abs(np.nan_to_num(known))  # what is undetermined may be anything
    through_it = np.maximum(enters(least), leaves(least))
    rates = {
        "inputs": enters(known, ~is_change),
        "outputs": leaves(known, ~is_change),
        "stock_change": leaves(known, is_change),
        "residual_before": before,
        "residual": np.where(through_it > 0, enters(x) - leaves(x), 0.0),
        "throughput": through_it,
    }
    keys = nodes[["process", "substance", "year"]].astype({"year": np.int64})
    step = nodes["step"].to_numpy(dtype=np.float64)
    table = keys.assign(**{name: rate / step for name, rate in rates.items()})
    table.insert(7, "residual_z", z)
    table["unit"] = balance.system.unit
    table = pd.concat([table, _nodal_columns(balance, step)], axis=1)
    shown = (
        ~nodes["stock"].to_numpy(dtype=bool) & nodes["process"].isin(_inside(balance)).to_numpy()
    )
    return table[shown].reset_index(drop=True)


def _nodal_columns(balance: Balance, step: Floats) -> pd.DataFrame:
    """Return the columns of the nodal test for every balance."""
    found = nodal_tests(balance.bounded.classified, balance.checks)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(found.sd > 0, found.imbalance / found.sd, np.nan)
    parts = [*check_parts(balance, balance.checks), ()]
    own = equation_labels(balance.model)[: len(step)]
    columns = {
        "imbalance": found.imbalance / step,
        "imbalance_sd": found.sd / step,
        "nodal_z": z,
        "nodal_p": p_value(z),
        "merged_with": [
            ADDED.join(part for part in parts[row] if part != name)
            for row, name in zip(found.row.tolist(), own, strict=True)
        ],
    }
    return pd.DataFrame(columns)


def _at_nodes(ends: Ints, values: Floats, where: Mask, n: int) -> Floats:
    """Add up values by the node at one of their ends, the environment left out."""
    out = np.zeros(n + 1)
    np.add.at(out, ends[where], values[where])
    return out[:-1]


def result_graph(balance: Balance) -> nx.MultiDiGraph:
    """Return the system's graph with results on its edges."""
    graph = balance.system.graph.copy()
    substance, year = balance.system.substances[0], balance.system.years[-1]
    graph.graph.update(substance=substance, year=year)
    names = ["substance", "year", "value", "sd", "low", "high", "status", "at_bound", "observed"]
    ranks = _loss_ranks(balance)
    records: dict[str, list[dict[str, object]]] = {}
    for record in balance.flows[["flow", *names]].to_dict("records"):
        flow = str(record.pop("flow"))
        rank = ranks.get((flow, record["substance"], record["year"]))
        record |= {"loss": 0.0 if rank is None else record["value"], "bottleneck_rank": rank}
        records.setdefault(flow, []).append({str(k): v for k, v in record.items()})
    for _, _, key, edge in graph.edges(keys=True, data=True):
        rows = records.get(key, [])
        here = [r for r in rows if r["substance"] == substance and r["year"] == year]
        for name in names:
            edge.pop(name, None)
        edge.update(here[0] if here else {}, data=rows)
    return graph


def _loss_ranks(balance: Balance) -> dict[tuple[str, str, int], int]:
    """Return the rank of every flow that is a loss, by flow, substance and year."""
    table = balance.losses
    rows = zip(table["flows"], table["substance"], table["year"], table["rank"], strict=True)
    return {
        (flow, substance, year): rank for flows, substance, year, rank in rows for flow in flows
    }
