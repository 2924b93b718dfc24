"""Networks of any size to measure on: closed flows, seen with 10 % noise and with gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NOISE = 0.1


def closed_flows(tail: Ints, head: Ints, weight: Floats, supply: Floats) -> Floats:
    """Return flows that close every balance.

    What reaches a process leaves it in proportion to the weights of its outflows; node
    ``len(supply)`` is the outside, and ``supply`` is what each process gets from nowhere else: the
    flows from outside carry it.
    """
    n = len(supply)
    outside = tail == n
    whole = np.bincount(tail, weight, n + 1)
    into = np.bincount(head[outside], weight[outside], n + 1)[:n]
    first = np.where(outside, weight / np.where(outside, np.append(into, 1.0)[head], 1.0), 0.0)
    flow = first * np.append(np.where(into > 0, supply, 0.0), 0.0)[head]
    share = np.where(outside, 0.0, weight / np.where(whole[tail] > 0, whole[tail], 1.0))
    inside = ~outside & (head < n)
    steps = sp.csr_array(sp.coo_array((share[inside], (head[inside], tail[inside])), shape=(n, n)))
    start = np.bincount(head[outside], flow[outside], n + 1)[:n]
    through = start.copy()
    for _ in range(100_000):
        new = steps @ through + start
        if np.abs(new - through).max() <= 1e-13 * new.max():
            break
        through = new
    return np.where(outside, flow, share * np.append(through, 0.0)[tail])


def random_network(flows: int, seed: int = 0) -> tuple[Ints, Ints, Floats]:
    """Return tail, head and closed flows of a random network, four flows to a process."""
    rng = np.random.default_rng(seed)
    n = flows // 4
    tail, head = rng.integers(0, n + 1, flows), rng.integers(0, n + 1, flows)
    tail[:n], head[n : 2 * n] = np.arange(n), np.arange(n)  # every process sends and receives
    head = np.where(head == tail, (head + 1) % (n + 1), head)
    flow = closed_flows(tail, head, rng.lognormal(0.0, 1.0, flows), rng.lognormal(3.0, 1.0, n))
    return tail, head, flow


def seen(flow: Floats, blank: float, seed: int = 0) -> Floats:
    """Return the flows with 10 % noise, a share of them blank."""
    rng = np.random.default_rng(seed + 1)
    values = flow * (1.0 + NOISE * rng.normal(size=len(flow)).clip(-5.0, 5.0))
    return np.where(rng.random(len(flow)) < blank, np.nan, values)


def network_tables(
    tail: Ints, head: Ints, values: Floats, *, either_way: bool = False
) -> dict[str, pd.DataFrame]:
    """Return the tables of a system of one year; flows have no bounds if ``either_way``."""
    n = int(max(tail.max(), head.max()))
    names = [f"P{k}" for k in range(n)]
    flows = pd.DataFrame(
        {
            "flow": [f"F{k}" for k in range(len(tail))],
            "from": np.array([*names, "Source"], dtype=object)[tail],
            "to": np.array([*names, "Sink"], dtype=object)[head],
            "year": 2020,
            "value": values,
        }
    )
    if either_way:
        flows["role"] = "discrepancy"
    return {"system": _settings(), "processes": _processes(names), "flows": flows}


def _processes(names: list[str]) -> pd.DataFrame:
    kinds = [None] * len(names) + ["source", "sink"]
    return pd.DataFrame({"process": [*names, "Source", "Sink"], "kind": kinds})


def _settings() -> pd.DataFrame:
    rows = [("unit", "kt/yr"), ("substances", "Cu"), ("default_cv", NOISE)]
    return pd.DataFrame(rows, columns=["key", "value"])


def world_tables(
    countries: int = 200, years: int = 30, seed: int = 0, blank: float = 0.1
) -> dict[str, pd.DataFrame]:
    """Return the tables of countries with 15 processes each that trade 5 goods.

    A process passes on to the next one and to others of its country, 50 flows in all; each of five
    processes in every country sends to 30 others: 200 flows per country and year.
    """
    rng = np.random.default_rng(seed)
    processes, goods, partners = 15, 5, 30
    tails, heads = [], []
    outside = countries * processes
    for country in range(countries):
        first = country * processes
        inner = rng.integers(0, processes, (2, 29))
        inner[1] = np.where(inner[0] == inner[1], (inner[1] + 1) % processes, inner[1])
        chain = np.arange(processes - 1)
        ends = rng.integers(0, processes, (2, 3))
        ends[1, 0] = processes - 1  # nothing piles up at the end of the chain
        tails += [first + chain, first + inner[0], np.full(4, outside), first + ends[1]]
        heads += [first + chain + 1, first + inner[1], first + np.append(ends[0], 0)]
        heads += [np.full(3, outside)]
        for good in range(goods):
            others = rng.permutation(np.delete(np.arange(countries), country))[:partners]
            tails.append(np.full(partners, first + 3 * good + 1))
            heads.append(others * processes + 3 * good + 2)
    tail, head = np.concatenate(tails), np.concatenate(heads)
    trade = tail // processes != head // processes
    weight = rng.lognormal(0.0, 1.0, len(tail)) * np.where(trade & (head < outside), 0.2, 1.0)
    values = [
        seen(closed_flows(tail, head, weight, rng.lognormal(5.0, 1.0, outside)), blank, seed + year)
        for year in range(years)
    ]
    names = [f"{place}/{k}" for place in range(countries) for k in range(processes)]
    number = len(tail)
    flows = pd.DataFrame(
        {
            "flow": np.tile(np.array([f"F{k}" for k in range(number)], dtype=object), years),
            "from": np.tile(np.array([*names, "Source"], dtype=object)[tail], years),
            "to": np.tile(np.array([*names, "Sink"], dtype=object)[head], years),
            "year": np.repeat(np.arange(1990, 1990 + years), number),
            "value": np.concatenate(values),
        }
    )
    return {"system": _settings(), "processes": _processes(names), "flows": flows}
