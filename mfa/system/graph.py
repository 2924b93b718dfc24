"""The networkx side of a System: the graph derived from its tables, and tables from a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import pandas as pd

from mfa.errors import Problem, SystemDefinitionError
from mfa.schema import SETTINGS, SHEET
from mfa.system.settings import Settings

_NODE = tuple(column.name for column in SHEET["processes"].columns if column.name != "process")
_EDGE = ("role", "name", "name_ja")
_NUMBERS = ("substance", "year", "value", "sd", "min", "max")
_RECORD = (*_NUMBERS, "distribution", "basis", "include", "reference", "note")
_DATA = (*_RECORD, "unit", "cv")


def to_graph(
    settings: Settings, processes: pd.DataFrame, flows: pd.DataFrame, data: pd.DataFrame
) -> nx.MultiDiGraph:
    """Return processes as nodes and flows as edges keyed by their ids."""
    about = {key: getattr(settings, key, None) for key in SETTINGS if key != "unit"}
    about = {key: value for key, value in about.items() if value not in ("", None)}
    graph = nx.MultiDiGraph(unit=settings.unit.name, **about)
    for node in processes[["process", *_NODE]].to_dict("records"):
        name = node.pop("process")
        graph.add_node(name, **{str(key): value for key, value in node.items()})
    records: dict[str, list[dict[str, Any]]] = {}
    for record in data[["flow", *_RECORD]].to_dict("records"):
        flow = record.pop("flow")
        records.setdefault(flow, []).append({str(key): value for key, value in record.items()})
    for row in flows.to_dict("records"):
        rows = records.get(row["flow"], [])
        single = rows[0] if len(rows) == 1 else {}
        names = {name: row[name] for name in _EDGE}
        graph.add_edge(row["from"], row["to"], key=row["flow"], **names, data=rows, **single)
    return graph


def _flow_rows(graph: nx.Graph) -> tuple[list[dict[str, Any]], list[str]]:
    """Return one row per edge and record, and what is wrong with the edges."""
    rows: list[dict[str, Any]] = []
    faults: list[str] = []
    multi = graph.is_multigraph()
    year = graph.graph.get("year", 0)
    edges = graph.edges(keys=True, data=True) if multi else graph.edges(data=True)
    used: set[str] = set()
    for edge in edges:
        source, target, attributes = edge[0], edge[1], edge[-1]
        named = multi and isinstance(edge[2], str)
        flow = attributes.get("flow") or (edge[2] if named else f"{source}->{target}")
        if flow in used and not named:
            flow = f"{flow}#{sum(name.split('#')[0] == flow for name in used) + 1}"
        if flow in used:
            faults.append(f"two edges have the flow id {flow!r}")
        used.add(flow)
        fixed = {"flow": flow, "from": str(source), "to": str(target)}
        for name in _EDGE:
            value = attributes.get(name)
            joined = ",".join(value) if isinstance(value, (list, tuple, set)) else value
            fixed[name] = joined or None
        for record in attributes.get("data") or [attributes]:
            entries = {name: record.get(name) for name in _DATA}
            entries["year"] = year if entries["year"] is None else entries["year"]
            rows.append(fixed | entries)
    return rows, faults


def tables_from_graph(graph: nx.Graph) -> dict[str, pd.DataFrame]:
    """Return the tables that a directed graph of processes and flows stands for.

    Raises
    ------
    SystemDefinitionError
        If the graph is undirected or two edges have one id.
    """
    if not graph.is_directed():
        what = "the graph is undirected: flows have a direction"
        raise SystemDefinitionError([Problem(what, "use networkx.MultiDiGraph")])
    flows, faults = _flow_rows(graph)
    if faults:
        do = "give every edge its own key"
        raise SystemDefinitionError([Problem(what, do) for what in faults])
    settings: dict[str, Any] = {"unit": "t/yr"}
    substances = dict.fromkeys(row["substance"] for row in flows if row["substance"])
    settings["substances"] = ", ".join(name for name in substances if name != "goods") or "mass"
    settings |= {key: graph.graph[key] for key in SETTINGS if graph.graph.get(key) is not None}
    if not isinstance(settings["substances"], str):
        settings["substances"] = ", ".join(settings["substances"])
    return {
        "system": pd.DataFrame(list(settings.items()), columns=["key", "value"], dtype=object),
        "processes": pd.DataFrame([_node(name, dict(n)) for name, n in graph.nodes(data=True)]),
        "flows": pd.DataFrame(flows),
    }


def _node(name: object, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"process": str(name), **{key: attributes.get(key) for key in _NODE}}
