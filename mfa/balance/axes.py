"""Which balances a system draws up: codes of processes, layers and years."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mfa.balance.network import Floats, Ints, Mask
from mfa.schema import GOODS
from mfa.system import System


@dataclass(frozen=True, eq=False)
class Axes:
    """Codes of processes, layers and years, of every data row, and what is balanced.

    Attributes
    ----------
    processes, layers, years : Index
        What the codes stand for.
    steps : array, shape (years,)
        Length of the step that ends with each year [yr].
    flow, tail, head, layer, year : array of int, shape (data rows,)
        Flow, process left, process entered, layer and year of each row of ``system.data``.
    stores : array of bool, shape (processes,)
        Balanced processes with a stock.
    drawn_up : array of bool, shape (processes, layers, years)
        Where there is a balance.
    """

    processes: pd.Index
    layers: pd.Index
    years: pd.Index
    steps: Floats
    flow: Ints
    tail: Ints
    head: Ints
    layer: Ints
    year: Ints
    balanced: Mask
    stores: Mask
    drawn_up: Mask


def step_lengths(years: tuple[int, ...]) -> Floats:
    """Return the length of each step [yr]: the years since the flow year before; 1 for the first.

    Examples
    --------
    >>> step_lengths((2015, 2016, 2020))
    array([1., 1., 4.])
    """
    return np.diff(np.asarray(years, dtype=np.float64), prepend=years[0] - 1.0)


def axes_of(system: System) -> Axes:
    """Return the codes of a system and where it draws up balances.

    A process is balanced for a substance in every year in which a flow at it carries the substance
    or it has a stock; for goods only where every flow at it has a row for goods.
    """
    processes = pd.Index(system.processes["process"])
    layers, years = pd.Index(system.layers), pd.Index(system.years)
    flow = pd.Index(system.flows["flow"]).get_indexer(pd.Index(system.data["flow"]))
    tail = processes.get_indexer(pd.Index(system.flows["from"]))[flow]
    head = processes.get_indexer(pd.Index(system.flows["to"]))[flow]
    layer = layers.get_indexer(pd.Index(system.data["substance"]))
    year = years.get_indexer(pd.Index(system.data["year"]))
    balanced = (system.processes["kind"] == "process").to_numpy()
    stores = system.processes["stock"].to_numpy(dtype=bool) & balanced
    drawn_up = np.zeros((len(processes), len(layers), len(years)), dtype=bool)
    drawn_up[tail, layer, year] = True
    drawn_up[head, layer, year] = True
    drawn_up[stores] = True
    drawn_up[~balanced] = False
    if layers[0] == GOODS:
        drawn_up[:, 0, :] &= _goods_complete(
            len(processes), len(years), flow, tail, head, layer, year
        )
    steps = step_lengths(system.years)
    return Axes(
        processes, layers, years, steps, flow, tail, head, layer, year, balanced, stores, drawn_up
    )


def _goods_complete(
    n_processes: int, n_years: int, flow: Ints, tail: Ints, head: Ints, layer: Ints, year: Ints
) -> Mask:
    """Return for each process and year whether every flow at it has a row for goods."""
    lacking = np.zeros((n_processes, n_years), dtype=bool)
    present = np.unique(np.column_stack([flow, year, tail, head]), axis=0)
    keys = present[:, 0] * n_years + present[:, 1]
    with_goods = np.unique((flow * n_years + year)[layer == 0])
    without = present[~np.isin(keys, with_goods)]
    for ends in (without[:, 2], without[:, 3]):
        lacking[ends, without[:, 1]] = True
    return ~lacking


def goods_left_out(system: System) -> list[tuple[str, int]]:
    """List the processes and years that have goods rows but no goods balance."""
    if system.layers[0] != GOODS:
        return []
    axes = axes_of(system)
    some = np.zeros((len(axes.processes), len(axes.years)), dtype=bool)
    goods = axes.layer == 0
    for ends in (axes.tail, axes.head):
        some[ends[goods], axes.year[goods]] = True
    left = some & axes.balanced[:, None] & ~axes.drawn_up[:, 0, :]
    return [(str(axes.processes[p]), system.years[y]) for p, y in np.argwhere(left)]
