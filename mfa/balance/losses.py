"""Losses of processes: what each sends to disposal or calls a loss, and which may be the worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp

from mfa.balance.combinations import covariance_of, quantities
from mfa.balance.network import Floats, Mask
from mfa.system import System

if TYPE_CHECKING:
    from mfa.balance.result import Balance

LOSS_COLUMNS = {
    "process": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "rank": "int64",
    "rank_best": "int64",
    "rank_worst": "int64",
    "flows": "object",
}


def loss_flows(system: System) -> Mask:
    """Return the flows that count as losses: of that role, or to a sink or to disposal.

    Statistical differences never do.
    """
    processes, flows = system.processes, system.flows
    disposal = processes["kind"].eq("sink") | processes["stage"].eq("disposal")
    roles = flows["role"].str.split(",")
    named = roles.map(lambda parts: "loss" in parts).to_numpy(dtype=bool)
    gaps = roles.map(lambda parts: "discrepancy" in parts).to_numpy(dtype=bool)
    ends = flows["to"].isin(set(processes.loc[disposal, "process"])).to_numpy()
    return np.asarray((named | ends) & ~gaps)


def loss_table(balance: Balance) -> pd.DataFrame:
    """Return the loss of every process that has any, the worst first in each substance and year.

    They are ranked by value, or by the middle of the range where undetermined. ``rank_best`` …
    ``rank_worst`` are the ranks that the ranges leave possible (value ∓ 1.96 sd where determined).
    """
    rows, factors = _sums(balance)
    found = quantities(balance, factors)
    table = pd.DataFrame(rows, columns=["process", "substance", "year", "flows"])
    for name in ("value", "sd", "low", "high"):
        table[name] = np.array([getattr(one, name) for one in found], dtype=np.float64)
    parts = [
        _ranked(part) for _, part in table.groupby(["substance", "year"], sort=True, dropna=False)
    ]
    whole = pd.concat(parts, ignore_index=True) if parts else table
    return whole.reindex(columns=list(LOSS_COLUMNS)).astype(LOSS_COLUMNS)


def _sums(balance: Balance) -> tuple[list[tuple[str, str, int, tuple[str, ...]]], sp.csr_array]:
    """Return process, substance, year and flows of every loss, and the factors of its sum."""
    system, variables = balance.system, balance.model.variables
    flows = system.flows[loss_flows(system)]
    processes = {name: k for k, name in enumerate(system.processes["process"])}
    here = variables[
        variables["kind"].eq("flow")
        & variables["item"].isin(set(flows["flow"]))
        & variables["substance"].isin(system.substances)
    ]
    tails = dict(zip(flows["flow"], flows["from"], strict=True))
    order = {name: k for k, name in enumerate(flows["flow"])}
    keys: dict[tuple[str, int, int], list[tuple[int, str, int]]] = {}
    for number, item, substance, year in zip(
        here.index, here["item"], here["substance"], here["year"], strict=True
    ):
        key = str(substance), int(year), processes[tails[item]]
        keys.setdefault(key, []).append((order[item], str(item), int(number)))
    names = list(system.processes["process"])
    rows, lines, columns = [], [], []
    for line, ((substance, year, process), parts) in enumerate(sorted(keys.items())):
        parts.sort()
        rows.append((str(names[process]), substance, year, tuple(item for _, item, _ in parts)))
        lines += [line] * len(parts)
        columns += [number for *_, number in parts]
    steps = variables["step"].to_numpy(dtype=np.float64)[columns]
    shape = (len(rows), balance.model.equations.n)
    return rows, sp.csr_array(sp.coo_array((1.0 / steps, (lines, columns)), shape=shape))


def loss_covariance(balance: Balance, substance: str, year: int) -> tuple[list[str], Floats]:
    """Return processes and the covariance of their losses in one substance and year.

    Rows and columns of undetermined losses have no meaning.
    """
    rows, factors = _sums(balance)
    here = [k for k, row in enumerate(rows) if row[1:3] == (substance, year)]
    return [rows[k][0] for k in here], covariance_of(balance, sp.csr_array(factors[here]))


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Sort by value or middle of the range, and add the ranks that the ranges leave possible."""
    value, low, high = (table[name].to_numpy() for name in ("value", "low", "high"))
    middle = np.where(np.isnan(value), (low + high) / 2, value)
    order = np.lexsort([np.arange(len(table)), -low, -middle])
    best = 1 + (low[None, :] > high[:, None]).sum(axis=1)
    worst = (high[None, :] >= low[:, None]).sum(axis=1)
    return (
        table.assign(rank_best=best, rank_worst=worst)
        .iloc[order]
        .assign(rank=np.arange(1, len(table) + 1))
    )
