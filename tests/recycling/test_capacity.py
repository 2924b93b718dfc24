"""Capacity: the smallest cut against exhaustive search, utilisation and conversion by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from mfa.balance import Balance, reconcile
from mfa.recycling import capacity, leakage
from mfa.recycling.capacity import Ways
from mfa.system import System

from . import byhand
from .cycles import cycle_of, process, system_of


def with_capacity(system: System, **columns: dict[str, object]) -> Balance:
    """Return a balance whose processes have the given columns by process."""
    processes = system.processes.copy().set_index("process")
    for process_, given in columns.items():
        for name, cell in given.items():
            processes.loc[process_, name] = cell
    return reconcile(replace(system, processes=processes.reset_index()))


def exhaustive(ways: Ways) -> float:
    """Return the least sum of supplies and capacities whose removal parts scrap from metal."""
    parts = [("supply", name, size) for name, size in ways.supply.items()]
    parts += [("node", name, size) for name, size in ways.capacity.items()]
    parts = [part for part in parts if np.isfinite(part[2])]
    best = np.inf
    for n in range(len(parts) + 1):
        for cut in combinations(parts, n):
            gone = {(kind, name) for kind, name, _ in cut}
            graph = nx.DiGraph()
            graph.add_nodes_from(["start", "end"])
            for a, b in ways.passes:
                if not {("node", a), ("node", b)} & gone:
                    graph.add_edge(a, b)
            for name in ways.supply:
                if not {("supply", name), ("node", name)} & gone:
                    graph.add_edge("start", name)
            for name in ways.metal:
                if ("node", name) not in gone:
                    graph.add_edge(name, "end")
            if not nx.has_path(graph, "start", "end"):
                best = min(best, sum(size for *_, size in cut))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_smallest_cut_against_exhaustive_search(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"p{k}" for k in range(6)]
    passes = {(a, b) for a in names for b in names if a != b and rng.random() < 0.35}
    supply = {names[k]: float(rng.uniform(1, 20)) for k in (0, 1)}
    limits = {n: float(rng.uniform(1, 15)) for n in names if rng.random() < 0.7}
    ways = Ways(supply, passes, {names[-1], names[-2]}, limits)
    largest, before, after = ways.largest()
    assert largest == pytest.approx(exhaustive(ways), rel=1e-9)
    for name, size in limits.items():
        wider = replace(ways, capacity={**limits, name: size + 0.01}).largest()[0]
        helps = (name, "in") in before and (name, "out") in after
        assert (wider - largest) / 0.01 == pytest.approx(float(helps), abs=1e-6)


def test_no_way_and_no_limit() -> None:
    assert Ways({"a": 5.0}, set(), {"b"}, {}).largest()[0] == 0.0
    assert Ways({"a": np.inf}, {("a", "b")}, {"b"}, {}).largest()[0] == np.inf
    assert Ways({"a": np.inf}, {("a", "b")}, {"b"}, {"b": 3.5}).largest()[0] == pytest.approx(3.5)


def test_binding_smelter_by_hand() -> None:
    """Scrap that arises: 59 + 43 + 67 + 23 + 211 in the market and the yard, 403 in all.

    The smelter takes at most 200 and the mill at most 150 of it: 350, both bind.
    """
    system = system_of(byhand.CYCLE, byhand.DATA)
    balance = with_capacity(
        system,
        smelter={"capacity": 200.0, "capacity_substance": "Cu"},
        mill={"capacity": 150.0, "capacity_substance": "Cu"},
        yard={"capacity": 1000.0, "capacity_substance": "Cu"},
    )
    table = capacity(balance).set_index("item")
    assert table["largest_flow"]["smelter"] == pytest.approx(350)
    assert table["binding"].to_dict() == {"smelter": True, "mill": True, "yard": False}
    assert table["gain"].to_dict() == {"smelter": 1.0, "mill": 1.0, "yard": 0.0}
    assert table["room"]["smelter"] == pytest.approx(403 - 350)
    assert table["utilisation"]["yard"] == pytest.approx(211 / 1000)
    assert table["kind"]["smelter"] == "smelter capacity"
    assert table["value"]["smelter"] == pytest.approx(410 + 37 + 53)


def test_two_in_a_row_bind_without_gain() -> None:
    """Yard and smelter both let 90 pass: more of one alone brings nothing."""
    cycle = cycle_of(
        (
            process("homes", "use", stock=True),
            process("yard", "collection"),
            process("smelter", "smelting"),
            process("buyers", kind="export"),
        ),
        (
            ("discarded", "homes", "yard", "end_of_life"),
            ("old", "yard", "smelter", "old_scrap"),
            ("metal", "smelter", "buyers", "refined"),
        ),
    )
    same = {"capacity": 90.0, "capacity_substance": "Cu"}
    system = system_of(cycle, {"discarded": (100.0, 1.0)})
    table = capacity(with_capacity(system, yard=same, smelter=same))
    assert table["binding"].all()
    assert (table["gain"] == 0.0).all()
    assert table["utilisation"].to_numpy() == pytest.approx([100 / 90] * 2)


GROSS = [
    {"flow": "discarded", "substance": "Cu", "value": 0.04, "sd": 0.004},
]


def test_gross_capacity_is_converted_or_not_comparable() -> None:
    """400 gross of 4 % copper are 16 of copper; without a composition nothing can be said."""
    gross = {"capacity": 400.0}
    without = with_capacity(system_of(byhand.CYCLE, byhand.DATA), yard=gross)
    row = capacity(without).iloc[0]
    assert np.isnan(row["capacity"])
    assert row["note"].startswith("not comparable: goods in discarded is not known")
    assert not row["binding"]
    assert np.isnan(row["gain"])
    system = system_of(byhand.CYCLE, byhand.DATA, compositions=GROSS)
    converted = with_capacity(system, yard={"capacity": 8000.0})
    row = capacity(converted).iloc[0]
    assert row["capacity"] == pytest.approx(320.0)
    assert row["utilisation"] == pytest.approx(211 / 320)
    assert row["note"] == ""


def test_leakage_by_hand() -> None:
    row = leakage(byhand.balance()).iloc[0]
    assert row["value"] == pytest.approx(31 + 186)
    assert set(row["flows"].split(", ")) == {"hulks", "scrap_out"}
    assert row["imported"] == pytest.approx(59)
    assert row["used"] == pytest.approx(53 + 71)
    assert row["primary"] == pytest.approx(410 + 37)
    assert row["share_of_primary"] == pytest.approx(217 / 447)
    assert row["share_of_arisings"] == pytest.approx(217 / (217 + 124))


def test_no_capacity_no_table() -> None:
    table = capacity(byhand.balance())
    assert table.empty
    assert isinstance(table, pd.DataFrame)
    assert table["binding"].dtype == bool
