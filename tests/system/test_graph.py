"""Systems without Excel: from graphs, from tables; and nothing changes its arguments."""

from __future__ import annotations

import copy

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import mfa
from mfa import System

from . import books


def smelting(**settings):
    graph = nx.MultiDiGraph(**({"unit": "kt/yr", "substances": "Cu", "year": 2018} | settings))
    graph.add_node("Mine", kind="source", name="Copper mine", stage="mining")
    graph.add_node("Market", kind="sink")
    graph.add_node("Smelter", name_ja="製錬所", capacity=120.0, group="Metal")
    graph.add_edge("Mine", "Smelter", key="ore", value=100.0, sd=4.0, role="primary", max=130.0)
    graph.add_edge("Smelter", "Market", key="metal", value=95.0, cv=0.02, basis="estimate")
    return graph


def test_a_graph_is_a_system():
    system = System.from_graph(smelting(title="Smelting"))
    assert (system.unit, system.substances, system.years) == ("kt/yr", ("Cu",), (2018,))
    assert system.settings.title == "Smelting"
    assert system.flows[["flow", "from", "to", "role"]].to_numpy().tolist() == [
        ["ore", "Mine", "Smelter", "primary"],
        ["metal", "Smelter", "Market", ""],
    ]
    assert system.data["sd"].tolist() == pytest.approx([4, 1.9], rel=1e-15)
    assert system.data["basis"].tolist() == ["statistic", "estimate"]
    processes = system.processes.set_index("process")
    assert processes.loc["Smelter", ["name_ja", "capacity", "group"]].tolist() == [
        "製錬所",
        120,
        "Metal",
    ]
    assert mfa.reconcile(system).flows["value"].tolist() == pytest.approx(
        [100 - 5 * 16 / 19.61] * 2, rel=1e-12
    )


def test_edges_of_several_years_and_substances():
    graph = smelting()
    records = [
        {"year": 2018, "substance": "Cu", "value": 95, "sd": 2},
        {"year": 2019, "substance": "Cu", "value": 91, "sd": 2, "unit": "kt/yr"},
        {"year": 2019, "substance": "goods", "value": 0.4, "sd": 0, "unit": "Mt/yr"},
    ]
    graph.add_edge("Smelter", "Market", key="cathode", data=records)
    data = System.from_graph(graph).data
    assert data["year"].tolist() == [2018, 2018, 2018, 2019, 2019]
    assert data["value"].tolist() == [100, 95, 95, 91, 400]


def test_unkeyed_edges_get_names():
    graph = nx.MultiDiGraph(unit="t/yr", year=2018)
    graph.add_nodes_from([("a", {"kind": "source"}), ("c", {"kind": "sink"})])
    graph.add_edges_from([("a", "b"), ("a", "b"), ("b", "c")])
    assert System.from_graph(graph).flows["flow"].tolist() == ["a->b", "a->b#2", "b->c"]
    plain = nx.DiGraph(graph)
    plain.graph["year"] = 2018
    assert System.from_graph(plain).flows["flow"].tolist() == ["a->b", "b->c"]


def test_a_graph_without_years():
    # The docstring says: default 0, no year.
    graph = smelting()
    del graph.graph["year"]
    assert len(System.from_graph(graph).years) == 1


@pytest.mark.parametrize(
    ("stock", "expected"),
    [(True, True), ("yes", True), (False, False), ("no", False), (None, False)],
)
def test_stocks_of_nodes(stock, expected):
    graph = smelting()
    graph.nodes["Smelter"]["stock"] = stock
    processes = System.from_graph(graph).processes.set_index("process")
    assert bool(processes.loc["Smelter", "stock"]) is expected


def test_impossible_graphs():
    with pytest.raises(mfa.SystemDefinitionError, match="undirected"):
        System.from_graph(nx.Graph([("a", "b")]))
    with pytest.raises(mfa.SystemDefinitionError):
        System.from_graph(nx.MultiDiGraph())
    twice = smelting()
    twice.add_edge("Mine", "Market", key="ore")
    with pytest.raises(mfa.SystemDefinitionError, match="'ore'"):
        System.from_graph(twice)
    wrong = smelting()
    wrong.add_edge("Market", "Smelter", key="back", value=-3, sd=1)
    with pytest.raises(mfa.SystemDefinitionError) as caught:
        System.from_graph(wrong)
    assert len(caught.value.problems) == 2


def full_system():
    book = books.small(stocks=None)
    for column, values in {
        "role": ("primary", "refined", "old_scrap"),
        "min": (-5,),
        "max": (None, 150),
        "basis": ("assumption", "estimate"),
        "include": (None, "no"),
        "reference": ("METI",),
        "name": ("Ore", "Metal"),
        "name_ja": ("鉱石",),
    }.items():
        book = books.with_column(book, "flows", column, *values)
    book = books.with_column(book, "processes", "capacity", None, 300)
    return books.with_column(book, "processes", "group", None, "Metal")


def same(one, two, processes, data):
    a, b = (s.processes.reset_index(drop=True) for s in (one, two))
    pd.testing.assert_frame_equal(a[processes], b[processes], check_dtype=False)
    pd.testing.assert_frame_equal(one.flows, two.flows)
    keys = ["flow", "substance", "year"]
    a, b = (s.data.sort_values(keys, ignore_index=True)[[*keys, *data]] for s in (one, two))
    pd.testing.assert_frame_equal(a, b)


PROCESSES = ["process", "name", "name_ja", "stage", "kind", "stock", "capacity", "group"]
DATA = ["value", "sd", "min", "max", "basis", "include", "reference"]


def test_there_and_back():
    system = books.read(full_system())
    again = System.from_graph(system.graph)
    same(system, again, PROCESSES, DATA)
    assert again.settings.title == system.settings.title
    one, two = mfa.reconcile(system), mfa.reconcile(again)
    assert one.chi2 == pytest.approx(two.chi2, rel=1e-12)
    third = System.from_graph(again.graph)
    same(again, third, PROCESSES, DATA)


def test_there_and_back_with_one_record_per_flow():
    book = full_system()
    book["flows"] = book["flows"][:4]
    system = books.read(book)
    same(system, System.from_graph(system.graph), PROCESSES, DATA)


def test_there_and_back_keeps_everything_that_a_node_or_an_edge_has():
    book = books.with_column(full_system(), "processes", "capacity_substance", None, "Cu")
    book = books.with_column(book, "processes", "column", 1, 2)
    book = books.with_column(book, "processes", "note", "a note")
    book = books.with_column(book, "flows", "distribution", "lognormal")
    book = books.with_column(book, "flows", "note", "another")
    system = books.read(book)
    again = System.from_graph(system.graph)
    more = ["capacity_substance", "column", "note"]
    same(system, again, [*PROCESSES, *more], [*DATA, "distribution", "note"])
    assert again.settings.title_ja == system.settings.title_ja


def test_the_results_graph_keeps_the_flows():
    balance = mfa.reconcile(books.read(books.SMALL))
    edges = balance.graph.edges["Mine", "Smelter", "ore"]
    row = balance.flows[(balance.flows["flow"] == "ore") & (balance.flows["year"] == 2019)]
    assert edges["value"] == row["value"].item()
    assert edges["status"] == "reconciled"
    assert balance.graph.graph["year"] == 2019


def test_tables_are_a_system():
    one = System.from_tables(books.frames(books.SMALL))
    two = books.read(books.SMALL)
    for name in ("processes", "flows", "data", "stocks"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    assert one.settings == two.settings


@pytest.mark.parametrize("kind", ["string", "category", "object"])
def test_tables_of_any_dtype(kind):
    tables = books.frames(books.SMALL)
    for name in ("flow", "from", "to", "substance", "unit"):
        tables["flows"][name] = tables["flows"][name].astype(kind)
    tables["flows"]["year"] = tables["flows"]["year"].astype("Int64")
    tables["flows"]["value"] = pd.to_numeric(tables["flows"]["value"]).astype("Float64")
    tables["flows"]["sd"] = np.array([4, 2, np.nan, 5, 3, 7], dtype=np.float32)
    tables["flows"].index = list("uvwxyz")
    system = System.from_tables(tables)
    pd.testing.assert_frame_equal(system.data, books.read(books.SMALL).data)


def test_faults_in_tables_are_placed_as_in_a_sheet():
    tables = books.frames(books.put(books.SMALL, "flows!B2", "Mien"))
    with pytest.raises(mfa.SystemDefinitionError) as caught:
        System.from_tables(tables)
    problem = caught.value.problems[0]
    assert (problem.sheet, problem.cell, problem.file) == ("flows", "B2", "")
    with pytest.raises(mfa.SystemDefinitionError, match="no sheet 'flows'"):
        System.from_tables({"system": tables["system"]})


@pytest.mark.parametrize(
    "value",
    [10**400, [1, 2], {"a": 1}, {1}, object(), 1j, b"5"],
    ids=["long", "list", "dict", "set", "object", "complex", "bytes"],
)
def test_values_that_no_workbook_could_hold(value):
    tables = books.frames(books.small(stocks=None))
    for column in ("value", "flow", "unit"):
        bad = {name: table.copy() for name, table in tables.items()}
        bad["flows"].at[1, column] = value
        with pytest.raises(mfa.SystemDefinitionError):
            System.from_tables(bad)


def test_nothing_changes_its_arguments():
    tables = books.frames(books.SMALL)
    kept = {name: table.copy(deep=True) for name, table in tables.items()}
    system = System.from_tables(tables)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, kept[name])
    graph = smelting()
    edges, nodes = copy.deepcopy(graph.edges), copy.deepcopy(graph.nodes)
    System.from_graph(graph)
    assert list(edges(data=True, keys=True)) == list(graph.edges(data=True, keys=True))
    assert dict(nodes(data=True)) == dict(graph.nodes(data=True))
    parts = ("processes", "flows", "data", "stocks", "observations")
    before = {name: getattr(system, name).copy(deep=True) for name in parts}
    balance = mfa.reconcile(system)
    mfa.remarks(system)
    mfa.sankey(balance)
    mfa.indicators(balance)
    mfa.bottlenecks(balance)
    for name in parts:
        pd.testing.assert_frame_equal(getattr(system, name), before[name])


def test_an_overwritten_table_of_indicators_is_made_anew():
    balance = mfa.reconcile(books.read(books.SMALL))
    table = mfa.indicators(balance)
    kept = table.copy()
    table["value"] = -1.0
    pd.testing.assert_frame_equal(mfa.indicators(balance), kept)


def test_a_system_prints_in_one_line():
    assert repr(books.read(books.SMALL)) == ("System: 4 processes, 3 flows, Cu, 2018–2019, kt/yr")
