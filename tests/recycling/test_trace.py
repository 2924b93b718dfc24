"""Shares of sources in flows: by hand, by walking upstream, by dense algebra, by resampling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from mfa.balance import Balance, reconcile
from mfa.errors import MFAError
from mfa.recycling import trace
from mfa.system import System
from mfa.system.graph import tables_from_graph

from . import byhand
from .cycles import Number, noisy, random_cycle, system_of
from .feasible import feasible
from .reference import Cycle

# Ore from two countries; a third of the wire comes back as new scrap.
LOOP = [
    ("Chile", "Smelter", "ore_c", "primary", 60.0, 1.5),
    ("Peru", "Smelter", "ore_p", "primary", 30.0, 1.0),
    ("Abroad", "Mill", "cathode_in", "refined", 10.0, 0.4),
    ("Smelter", "Mill", "cathode", "refined", 90.0, 3.0),
    ("Mill", "Plant", "wire", "product", 150.0, 6.0),
    ("Plant", "Mill", "turnings", "new_scrap", 50.0, 2.0),
    ("Plant", "Homes", "goods", "product", 100.0, 5.0),
    ("Homes", "Dealers", "old", "old_scrap", 40.0, 2.0),
    ("Dealers", "Out", "old_out", "scrap", 40.0, 2.0),
]
STAGES = {"Smelter": "smelting", "Mill": "fabrication", "Plant": "manufacturing"}
STAGES |= {"Homes": "use", "Dealers": "collection"}


def loop_system(**sheets: list[dict[str, Any]]) -> System:
    names = dict.fromkeys(end for row in LOOP for end in row[:2])
    kinds = {"Chile": "import", "Peru": "import", "Abroad": "import", "Out": "export"}
    rows = [
        {"process": p, "kind": kinds.get(p), "stage": STAGES.get(p), "name": f"Name of {p}"}
        | {"stock": "yes" if p == "Homes" else None}
        for p in names
    ]
    flows = [
        {"flow": f, "from": a, "to": b, "year": 2018, "role": r, "value": v, "sd": s}
        for a, b, f, r, v, s in LOOP
    ]
    settings = [("unit", "kt/yr"), ("substances", "Cu"), ("region", "Japan")]
    tables = {
        "system": pd.DataFrame(settings, columns=["key", "value"]),
        "processes": pd.DataFrame(rows),
        "flows": pd.DataFrame(flows),
    }
    return System.from_tables(tables | {n: pd.DataFrame(rows) for n, rows in sheets.items()})


def wide(table: pd.DataFrame, column: str = "share") -> pd.DataFrame:
    return table.pivot(index="flow", columns="origin", values=column)


def test_a_loop_by_hand_by_country() -> None:
    """The mill takes 60 + 30 + 10 fresh and 50 of its own wire back: 60 % is Chilean all along."""
    origins = [
        {"flow": "ore_c", "country": "Chile", "value": 1, "unit": "1"},
        {"flow": "ore_p", "country": "Peru", "value": 30, "unit": "kt/yr"},
    ]
    table = wide(trace(reconcile(loop_system(origins=origins)), by="country")).fillna(0.0)
    for flow in ("wire", "turnings", "goods"):
        assert table.loc[flow].to_dict() == pytest.approx(
            {"Chile": 0.6, "Peru": 0.3, "stock": 0.0, "unknown": 0.1}
        )
    assert table.loc["cathode"].to_dict() == pytest.approx(
        {"Chile": 2 / 3, "Peru": 1 / 3, "stock": 0.0, "unknown": 0.0}
    )
    assert table.loc["old_out"].to_dict() == pytest.approx(
        {"Chile": 0.0, "Peru": 0.0, "stock": 1.0, "unknown": 0.0}
    )


def test_a_loop_by_hand_by_origin() -> None:
    """New scrap is a source of its own: 90 ore, 50 new scrap, 10 unknown in 150."""
    table = wide(trace(reconcile(loop_system()))).fillna(0.0)
    assert table.loc["wire"].to_dict() == pytest.approx(
        {"primary": 0.6, "new_scrap": 1 / 3, "old_scrap": 0.0, "unknown": 1 / 15}
    )
    assert table.loc["turnings", "new_scrap"] == 1.0
    assert table.loc["old_out", "old_scrap"] == 1.0


def test_how_much_of_it_is_in_the_wire() -> None:
    """60 of Chile in 100 fresh, thus 90 of Chile in 150 of wire, in the unit of the system."""
    table = trace(reconcile(loop_system()), by="process")
    wire = table[table["flow"] == "wire"].set_index("origin")
    assert wire["value"].to_dict() == pytest.approx({"Chile": 90, "Peru": 45, "Abroad": 15})
    assert list(table.columns[:9]) == [
        "flow",
        "from",
        "to",
        "substance",
        "year",
        "origin",
        "share",
        "value",
        "sd",
    ]
    assert set(wire["unit"]) == {"kt/yr"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("A", 30, "kt/yr"), ("B", 10, "kt/yr")], {"A": 0.75, "B": 0.25}),
        ([("A", 0.5, "1"), ("B", 20, "%")], {"A": 0.5, "B": 0.2, "unknown": 0.3}),
        ([("A", 0.66, "1"), ("B", 0.33, "1")], {"A": 2 / 3, "B": 1 / 3}),  # rounded
        ([("A", 30, "kt/yr"), (None, 10, "kt/yr")], {"A": 0.75, "unknown": 0.25}),
        ([("A", 30, "kt/yr"), ("B", None, None)], {"unknown": 1.0}),
        ([("A", 0.3, "1"), ("B", None, None)], {"A": 0.3, "unknown": 0.7}),
        ([("A", 1.2, "1"), ("B", 0.8, "1")], {"A": 0.6, "B": 0.4}),
        ([("A", 2, "t/yr"), ("B", 6000, "kg/yr")], {"A": 0.25, "B": 0.75}),
    ],
)
def test_shares_of_suppliers(
    rows: list[tuple[str | None, float | None, str | None]], expected: Mapping[str, float]
) -> None:
    origins = [
        {"flow": "cathode_in", "country": c, "value": v, "unit": u, "year": None}
        for c, v, u in rows
    ]
    table = trace(reconcile(loop_system(origins=origins)), by="country")
    found = table[table["flow"] == "cathode_in"].set_index("origin")["share"]
    assert found.to_dict() == pytest.approx(dict(expected))


def test_rows_of_the_year_come_before_those_of_any_year() -> None:
    origins = [
        {"flow": "ore_c", "country": "Chile", "value": 1, "unit": "1", "year": 2018},
        {"flow": "ore_c", "country": "Congo", "value": 1, "unit": "1", "year": None},
        {"flow": "ore_p", "country": "Brazil", "value": 1, "unit": "1", "year": None},
        {"flow": "cathode_in", "country": "Korea", "value": 1, "unit": "1", "year": 2017},
    ]
    table = wide(trace(reconcile(loop_system(origins=origins)), by="country")).fillna(0.0)
    assert table.loc["ore_c", "Chile"] == 1.0
    assert table.loc["ore_p", "Brazil"] == 1.0
    assert table.loc["cathode_in", "unknown"] == 1.0
    assert "Congo" not in table.columns
    assert "Korea" not in table.columns


def test_by_company_and_by_a_country_of_that_name() -> None:
    origins = [
        {"flow": "ore_c", "country": "Chile", "company": "Norte", "value": 0.7, "unit": "1"},
        {"flow": "ore_c", "country": "Chile", "company": "Sur", "value": 0.3, "unit": "1"},
    ]
    countries = [{"country": "PERU", "governance": 0.5}]
    balance = reconcile(loop_system(origins=origins, countries=countries))
    by_company = wide(trace(balance, by="company")).fillna(0.0)
    assert by_company.loc["goods"].to_dict() == pytest.approx(
        {"Norte": 0.42, "Sur": 0.18, "stock": 0.0, "unknown": 0.4}
    )
    by_country = wide(trace(balance, by="country")).fillna(0.0)
    assert by_country.loc["goods", "PERU"] == pytest.approx(0.3)


def test_sources_of_ones_own() -> None:
    balance = reconcile(loop_system())
    given = {"cathode_in": {"sea": 0.25, "land": 0.5}, "turnings": "plant"}
    table = wide(trace(balance, by=given)).fillna(0.0)
    assert table.loc["wire"].to_dict() == pytest.approx(
        {"land": 5 / 150, "plant": 50 / 150, "sea": 2.5 / 150, "stock": 0.0, "unknown": 92.5 / 150}
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"by": "contry"}, "country"),
        ({"by": {"wyre": "x"}}, "wire"),
        ({"by": {"wire": {"x": 0.7, "y": 0.6}}}, "more than 1"),
        ({"substance": "Zn"}, "Cu"),
        ({"year": 1999}, "2018"),
    ],
)
def test_what_cannot_be_traced_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(MFAError, match=words):
        trace(reconcile(loop_system()), **wrong)


def expected_by_process(cycle: Cycle, x: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Solve dense equations for the shares of outside processes and of the homes."""
    inside = [p.name for p in cycle.processes if p.kind == "process" and not p.stock]
    ends = [p.name for p in cycle.processes if p.name not in inside]
    matrix, right = np.eye(len(inside)), np.zeros((len(inside), len(ends)))
    for i, p in enumerate(inside):
        enters = [f for f in cycle.flows if f.target == p != f.source]
        whole = sum(x[f.name] for f in enters)
        for f in enters:
            if f.source in inside:
                matrix[i, inside.index(f.source)] -= x[f.name] / whole
            else:
                right[i, ends.index(f.source)] += x[f.name] / whole
    shares = np.linalg.solve(matrix, right)
    out = {}
    for f in cycle.flows:
        row = shares[inside.index(f.source)] if f.source in inside else None
        one = {e: float(e == f.source) for e in ends}
        out[f.name] = one if row is None else dict(zip(ends, row.tolist(), strict=True))
    return out


def values(balance: Balance) -> dict[str, float]:
    table = balance.flows.set_index("flow")["value"]
    return {str(name): float(value) for name, value in table.items()}


@pytest.mark.parametrize("seed", range(6))
def test_shares_are_those_of_dense_algebra_and_add_up_to_one(seed: int) -> None:
    cycle, x = random_cycle(seed)
    balance = reconcile(system_of(cycle, noisy(x, seed)))
    found = wide(trace(balance, by="process")).fillna(0.0)
    expected = pd.DataFrame(expected_by_process(cycle, values(balance))).T
    expected = expected.loc[found.index]
    for end in expected.columns:
        column = found[end].to_numpy() if end in found else np.zeros(len(found))
        assert column == pytest.approx(expected[end].to_numpy(), abs=1e-10)
    for by in ("origin", "country", "company", "process"):
        sums = trace(balance, by=by).groupby("flow")["share"].sum()  # type: ignore[arg-type]
        assert sums.to_numpy() == pytest.approx(np.ones(len(cycle.flows)), abs=1e-12)


@pytest.mark.parametrize("seed", [1, 4])
def test_shares_are_those_of_random_walks_upstream(seed: int) -> None:
    cycle, x = random_cycle(seed)
    balance = reconcile(system_of(cycle, noisy(x, seed)))
    known = values(balance)
    rng = np.random.default_rng(seed)
    ends = {p.name for p in cycle.processes if p.kind != "process" or p.stock}
    walks = 3000
    counted: dict[str, int] = {}
    for _ in range(walks):
        at = "factory"
        while at not in ends:
            enters = [f for f in cycle.flows if f.target == at != f.source]
            weight = np.array([known[f.name] for f in enters])
            at = enters[int(rng.choice(len(enters), p=weight / weight.sum()))].source
        counted[at] = counted.get(at, 0) + 1
    table = trace(balance, by="process")
    goods = table[table["flow"] == "goods"].set_index("origin")["share"]
    assert set(counted) <= set(goods.index)
    for end, share in goods.items():
        assert counted.get(str(end), 0) / walks == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_feasible_lies_outside_of_an_open_mixture(seed: int) -> None:
    cycle, x = random_cycle(seed, 0.7)
    rng = np.random.default_rng(seed)
    gone = set(rng.choice(list(x), int(rng.integers(3, 12)), replace=False).tolist())
    data = {n: None if n in gone else number for n, number in noisy(x, seed).items()}
    balance = reconcile(system_of(cycle, data))
    table = trace(balance, by="process")
    assert table.groupby("flow")["share_high"].sum().min() > 1 - 1e-9
    shares = {(row["flow"], row["origin"]): row for row in table.to_dict("records")}
    for flows in feasible(cycle, balance).samples(seed, 8, 20):
        if any(
            sum(flows[f.name] for f in cycle.flows if f.target == p.name) <= 1e-9
            for p in cycle.processes
            if p.kind == "process" and not p.stock
        ):
            continue
        for flow, parts in expected_by_process(cycle, flows).items():
            for end, part in parts.items():
                row = shares.get((flow, end))
                if row is None:
                    assert part <= 1e-9
                    continue
                open_ = np.isnan(row["share"])
                least, most = ("share_low", "share_high") if open_ else ("share", "share")
                assert row[least] - 1e-7 <= part <= row[most] + 1e-7
                if open_:
                    assert row["low"] - 1e-6 <= part * flows[flow]
                    assert np.isnan(row["high"]) or part * flows[flow] <= row["high"] + 1e-6


def test_one_source_may_be_known_where_the_others_are_not() -> None:
    """Who sends which scrap is open; that it makes up 40 of 100 is not."""
    G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    G.add_nodes_from((n, {"kind": "import"}) for n in ("Ores", "East", "West"))
    G.add_node("Sold", kind="export")
    G.add_edge("Ores", "Mill", key="ore", value=60.0, sd=2.0)
    G.add_edge("East", "Mill", key="east")
    G.add_edge("West", "Mill", key="west")
    G.add_edge("Mill", "Sold", key="wire", value=100.0, sd=3.0)
    table = trace(reconcile(System.from_graph(G)), by="process")
    wire = table[table["flow"] == "wire"].set_index("origin")
    assert wire["share"]["Ores"] == pytest.approx(0.6)
    assert wire["value"]["Ores"] == pytest.approx(60.0)
    assert wire["sd"]["Ores"] == pytest.approx(2.0)  # value = ore
    assert wire["share_sd"]["Ores"] == pytest.approx(0.6 * np.hypot(2 / 60, 3 / 100))
    assert wire["share"][["East", "West"]].isna().all()
    assert (wire["share_low"]["East"], wire["share_high"]["East"]) == pytest.approx((0.0, 0.4))
    assert (wire["low"]["East"], wire["high"]["East"])[0] == pytest.approx(0.0)


def test_one_source_alone_is_known_whatever_flows() -> None:
    G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    G.add_node("Ores", kind="import")
    G.add_node("Sold", kind="export")
    for a, b, key in (
        ("Ores", "Mill", "ore"),
        ("Mill", "Sold", "wire"),
        ("Mill", "Shop", "rod"),
        ("Shop", "Mill", "back"),
        ("Shop", "Sold", "parts"),
    ):
        G.add_edge(a, b, key=key)
    table = trace(reconcile(System.from_graph(G)), by="process")
    assert table["share"].to_list() == [1.0] * 5
    assert table["share_sd"].to_list() == [0.0] * 5
    assert table["value"].isna().all()


def other_ways(kind: str) -> System:
    """Return a mill of 60 ore and 40 from a stock, or from a negative discrepancy or flow."""
    G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    G.add_node("Ores", kind="import")
    G.add_node("Sold", kind="export")
    G.add_node("Gap", kind="sink")
    G.add_node("Mill", stage="fabrication", stock="yes" if kind == "stock" else None)
    G.add_edge("Ores", "Mill", key="ore", value=60.0, sd=0.0)
    G.add_edge("Mill", "Sold", key="wire", value=100.0, sd=0.0)
    if kind == "gap":
        G.add_edge("Mill", "Gap", key="gap", role="discrepancy")
    if kind == "flow":
        G.add_edge("Mill", "Gap", key="gap", min=-200.0)
    return System.from_graph(G)


@pytest.mark.parametrize("kind", ["stock", "gap", "flow"])
def test_what_comes_from_nowhere_is_unknown(kind: str) -> None:
    table = trace(reconcile(other_ways(kind)), by="process")
    wire = table[table["flow"] == "wire"].set_index("origin")["share"]
    assert wire.to_dict() == pytest.approx({"Ores": 0.6, "unknown": 0.4})
    assert ("gap" in set(table["flow"])) == (kind == "flow")  # discrepancies are outside tracing


@pytest.mark.parametrize(("stage", "lasts"), [("trade", False), ("trade", True), ("use", False)])
def test_tracing_stops_at_stocks_in_use_and_passes_those_of_traders(
    stage: str, lasts: bool
) -> None:
    G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    G.add_node("Ores", kind="import")
    G.add_node("Sold", kind="export")
    G.add_node("Store", stage=stage, stock="yes")
    G.add_edge("Ores", "Store", key="in", value=100.0, sd=5.0)
    G.add_edge("Store", "Sold", key="out", value=70.0, sd=3.0)
    tables = tables_from_graph(G)
    if lasts:
        rows = [{"process": "Store", "distribution": "fixed", "mean": 3.0}]
        tables["lifetimes"] = pd.DataFrame(rows)
    table = trace(reconcile(System.from_tables(tables)), by="country")
    out = table[table["flow"] == "out"].set_index("origin")["share"].to_dict()
    assert out == {"unknown" if stage == "trade" and not lasts else "stock": 1.0}


def test_what_goes_round_without_a_source_is_unknown() -> None:
    G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    G.add_edge("A", "B", key="there", value=7.0, sd=0.1)
    G.add_edge("B", "A", key="back", value=7.0, sd=0.2)
    table = trace(reconcile(System.from_graph(G)), by="process")
    assert set(table["origin"]) == {"unknown"}
    assert table["share"].to_list() == [1.0, 1.0]


@pytest.mark.parametrize("seed", [0, 2])
def test_sd_is_that_of_data_moved_one_by_one(seed: int) -> None:
    """Every datum a little up and down, the whole reconciled anew."""
    cycle, x = random_cycle(seed)
    data = noisy(x, seed)

    def parts(data: Mapping[str, Number]) -> pd.DataFrame:
        table = trace(reconcile(system_of(cycle, data)), by="process")
        return table[table["flow"].isin(["goods", "scrap_out", "strip"])].set_index(
            ["flow", "origin"]
        )

    base = parts(data)
    total = np.zeros((len(base), 2))
    for name, number in data.items():
        assert number is not None
        value, sd = number
        step = 1e-3 * sd
        up, down = (parts(data | {name: (value + s * step, sd)}) for s in (1, -1))
        columns = ["share", "value"]
        change = (up[columns] - down[columns]).loc[base.index].to_numpy(dtype=float)
        total += (change / (2 * step) * sd) ** 2
    assert base["share_sd"].to_numpy() == pytest.approx(np.sqrt(total[:, 0]), rel=1e-4, abs=1e-9)
    assert base["sd"].to_numpy() == pytest.approx(np.sqrt(total[:, 1]), rel=1e-4, abs=1e-8)


def test_units_and_order_do_not_matter() -> None:
    cycle, x = random_cycle(5)
    data = noisy(x, 5) | {"scrap_in": None, "demolition": None, "turnings": None}
    data = {name: number for name, number in data.items() if name in x}
    small = {n: None if v is None else (v[0] / 1000, v[1] / 1000) for n, v in data.items()}
    turned = Cycle(cycle.processes[::-1], cycle.flows[::-1])
    keys = ["flow", "origin"]
    a = trace(reconcile(system_of(cycle, data))).set_index(keys).sort_index()
    b = trace(reconcile(system_of(turned, small, unit="Mt/yr"))).set_index(keys).sort_index()
    assert a.index.equals(b.index)
    for name in ("share", "share_low", "share_high", "share_sd"):
        assert np.allclose(a[name], b[name], atol=1e-7, equal_nan=True), name
    for name in ("value", "low", "high", "sd"):
        assert np.allclose(a[name], 1000 * b[name], rtol=1e-6, atol=1e-6, equal_nan=True), name


def test_nothing_is_changed_and_the_metal_is_conserved() -> None:
    """What enters a process of each source leaves it, stocks and losses counted."""
    balance = byhand.balance()
    before = balance.flows.copy()
    table = trace(balance, by="process")
    pd.testing.assert_frame_equal(balance.flows, before)
    for name in ("smelter", "mill", "market", "yard"):
        into = table[table["to"] == name].groupby("origin")["value"].sum()
        out = table[table["from"] == name].groupby("origin")["value"].sum()
        assert into.to_dict() == pytest.approx(out.reindex(into.index).to_dict())
