"""Undetermined indicators: nothing feasible lies outside low … high; linear ends are reached."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from mfa.balance import Balance, reconcile
from mfa.recycling import indicators
from mfa.recycling.indicators import DEFINITIONS
from mfa.recycling.place import places
from mfa.recycling.polytope import End, Polytope
from mfa.recycling.tracing import Tracing

from . import byhand
from .cycles import Number, cycle_of, noisy, process, random_cycle, system_of
from .feasible import feasible
from .reference import NAMES, Cycle, Flow, indicator_values


def lacking(seed: int, kept: float = 0.7, pure: bool = False) -> tuple[Cycle, dict[str, Number]]:
    """Return a random cycle and data on some of its flows.

    In a pure one only old scrap reaches the lane, so that nothing needs tracing.
    """
    cycle, x = random_cycle(seed, kept)
    rng = np.random.default_rng(seed)
    gone = set(rng.choice(list(x), int(rng.integers(3, 16)), replace=False).tolist())
    data = {name: None if name in gone else number for name, number in noisy(x, seed).items()}
    if not pure:
        return cycle, data
    no_scrap = {"cutoffs", "turnings", "rejects", "scrap_in", "gadgets_in"}
    flows = tuple(f for f in cycle.flows if f.name not in no_scrap)
    free = {"sold", "gadgets", "hulks", "scrap_mill", "scrap_out", "goods", "strip", "shreds"}
    known = {"discarded", "demolition"} & set(x)
    data = {n: None if n in free else d for n, d in data.items()}
    return Cycle(cycle.processes, flows), data | {n: (x[n], 0.03 * x[n]) for n in known}


def table_of(balance: Balance) -> pd.DataFrame:
    table = indicators(balance).set_index("indicator")
    return table[table.index.isin(NAMES)]


def ends(row: pd.Series) -> tuple[float, float]:
    """Return where an indicator may lie: its value twice, or low and high."""
    if np.isfinite(row["value"]):
        return float(row["value"]), float(row["value"])
    low, high = float(row["low"]), float(row["high"])
    return -math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high


@pytest.mark.parametrize("seed", range(9))
def test_no_feasible_point_lies_outside(seed: int) -> None:
    """Corners of what is possible, and points between them, under perfect mixing."""
    cycle, data = lacking(seed)
    balance = reconcile(system_of(cycle, data))
    table, space = table_of(balance), feasible(cycle, balance)
    tried = pd.DataFrame([indicator_values(cycle, x) for x in space.samples(seed, 10, 30)])
    for name in NAMES:
        if not table["missing"][name] and tried[name].notna().any():
            low, high = ends(table.loc[name])
            assert low - 1e-7 <= tried[name].min(), name
            assert tried[name].max() <= high + 1e-7, name


@pytest.mark.parametrize("seed", [100, 104, 106])
def test_no_feasible_point_lies_outside_where_bounds_hold(seed: int) -> None:
    """Data far from closing push some flows to 0; the rest is then as possible as ever."""
    cycle, x = random_cycle(seed, 0.7)
    rng = np.random.default_rng(seed)
    gone = set(rng.choice(list(x), 6, replace=False).tolist())
    data: dict[str, Number] = {}
    for name, value in x.items():
        sd = value * rng.uniform(0.2, 0.6)
        data[name] = None if name in gone else (max(value + 2.0 * sd * rng.normal(), 0.0), sd)
    balance = reconcile(system_of(cycle, data))
    assert balance.is_approximate
    table, space = table_of(balance), feasible(cycle, balance)
    tried = pd.DataFrame([indicator_values(cycle, x) for x in space.samples(seed, 8, 30)])
    for name in NAMES:
        if not table["missing"][name] and tried[name].notna().any():
            low, high = ends(table.loc[name])
            assert low - 1e-6 <= tried[name].min(), name
            assert tried[name].max() <= high + 1e-6, name


def weights(cycle: Cycle, name: str) -> tuple[dict[str, float], dict[str, float]]:
    """Return numerator and denominator of an indicator of a pure lane by flow.

    Every flow is set to 1 in turn: what is linear has the value of the flow's weight there.
    """
    use, yard = cycle.stage("use"), cycle.stage("collection")
    makers, lane = cycle.makers, cycle.lane
    away = cycle.everything - yard - cycle.disposal
    abroad = cycle.kind("import", "source") | makers
    smelting = cycle.stage("smelting", "refining")

    def ones(*groups: list[Flow]) -> dict[str, float]:
        return {f.name: 1.0 for group in groups for f in group}

    eol = ones(cycle.moved("end_of_life", use, cycle.everything))
    collected = ones(cycle.moved("old_scrap", use | yard, away))

    def to(targets: set[str]) -> dict[str, float]:
        inside = lane | makers | use
        return ones(cycle.moved("old_scrap", inside, targets), cycle.moved("scrap", lane, targets))

    rec, out = to(makers), to(makers | cycle.kind("export"))
    prim = ones(cycle.moved("primary", abroad - smelting, smelting))
    return {
        "collection_rate": (collected, eol),
        "processing_rate": (out, collected),
        "eol_recycling_rate": (out, eol),
        "eol_recycling_rate_domestic": (rec, eol),
        "recycling_input_rate_total": (rec, prim | rec),
        "recycling_input_rate_old": (rec, prim | rec),
    }[name]


@pytest.mark.parametrize("seed", range(40, 46))
def test_linear_ends_are_reached(seed: int) -> None:
    """Without mixing, low and high are the ends that another algorithm finds (Dinkelbach 1967)."""
    cycle, data = lacking(seed, kept=0.8, pure=True)
    balance = reconcile(system_of(cycle, data))
    table, space = table_of(balance), feasible(cycle, balance)
    cap = max(high for _, high in space.bounds) if space.bounds else math.inf
    checked = 0
    for name in NAMES[:6]:
        top, below = weights(cycle, name)
        (b, b0), row = space.row(below), table.loc[name]
        if row["missing"] or space.point(b) @ b + b0 < 1e-9:
            continue  # a denominator that can be 0 has no least and no greatest ratio here
        low, high = space.extremes(top, below)
        limited = all(space.point(-space.row(w)[0]) @ space.row(w)[0] < cap for w in (top, below))
        if limited:
            assert ends(row) == pytest.approx((low, high), abs=1e-7), name
            checked += 1
    assert checked


# A use phase whose end of life nobody has measured, and a yard with known shares.
YARD = cycle_of(
    (
        process("abroad", kind="import"),
        process("dump", kind="sink"),
        process("mill", "fabrication"),
        process("homes", "use", stock=True),
        process("yard", "collection"),
    ),
    (
        ("metal", "abroad", "mill", "primary"),
        ("goods", "mill", "homes", "product"),
        ("discarded", "homes", "yard", "end_of_life"),
        ("sold", "yard", "mill", "old_scrap"),
        ("dumped", "yard", "dump", "loss"),
    ),
)
SHARE = {"coefficient": "cr", "flow": "sold", "of": "inputs", "value": 0.62, "sd": 0.0}


def test_a_ratio_may_be_known_although_its_flows_are_not() -> None:
    data: dict[str, Number] = {"metal": (200.0, 5.0)}
    balance = reconcile(system_of(YARD, data, coefficients=[SHARE]))
    assert set(balance.flows.set_index("flow")["status"][["discarded", "sold"]]) == {"undetermined"}
    row = table_of(balance).loc["collection_rate"]
    assert row["value"] == pytest.approx(0.62, rel=1e-9)
    assert row["sd"] == pytest.approx(0.0, abs=1e-9)


def test_a_denominator_that_nobody_has_measured() -> None:
    """At least what is known to be collected has been discarded; how much more, nobody knows."""
    row = table_of(reconcile(system_of(YARD, {"sold": (50.0, 2.0)}))).loc["collection_rate"]
    assert np.isnan(row["value"])
    assert (row["low"], row["high"]) == pytest.approx((0.0, 1.0), abs=1e-7)


def test_a_denominator_between_limits() -> None:
    columns = {"discarded": {"min": 80.0, "max": 125.0}}
    system = system_of(YARD, {"sold": (50.0, 2.0)}, columns)
    row = table_of(reconcile(system)).loc["collection_rate"]
    assert (row["low"], row["high"]) == pytest.approx((50 / 125, 50 / 80), rel=1e-7)


def test_a_numerator_without_limit() -> None:
    """Scrap straight out of an unknown stock: at least what the yard sells, and no limit above."""
    flows = [(f.name, f.source, f.target, ",".join(f.roles)) for f in YARD.flows]
    cycle = cycle_of(YARD.processes, [*flows, ("demolition", "homes", "mill", "old_scrap")])
    data: dict[str, Number] = {"discarded": (100.0, 3.0), "sold": (40.0, 2.0)}
    table = table_of(reconcile(system_of(cycle, data)))
    assert table["low"]["collection_rate"] == pytest.approx(0.4, rel=1e-7)
    assert np.isnan(table["high"]["collection_rate"])
    assert np.isnan(table["value"]["collection_rate"])


def test_nothing_to_divide_by_gives_nothing() -> None:
    data: dict[str, Number] = {"discarded": (0.0, 0.0), "metal": (90.0, 2.0)}
    row = table_of(reconcile(system_of(YARD, data))).loc["collection_rate"]
    assert np.isnan(row[["value", "sd", "low", "high"]].to_numpy(dtype=float)).all()


def test_a_stock_in_the_lane_lets_its_scrap_be_of_any_origin() -> None:
    """An unknown change of the scrap market's stock: its outflow may be all old, or none of it."""
    processes = [
        process("market", "trade", stock=True) if p.name == "market" else p
        for p in byhand.PROCESSES
    ]
    cycle = Cycle(tuple(processes), byhand.CYCLE.flows)
    data = dict(byhand.DATA) | {"turnings": None, "goods": None}
    row = table_of(reconcile(system_of(cycle, data))).loc["eol_recycling_rate_domestic"]
    assert np.isnan(row["value"])
    assert (row["low"], row["high"]) == pytest.approx((0.0, (53 + 71) / 211), abs=1e-7)


@pytest.mark.parametrize(("unit", "size"), [("t/yr", 1e3), ("g/yr", 1e9), ("mg/yr", 1e12)])
@pytest.mark.parametrize("seed", [3, 8])
def test_units_do_not_matter(seed: int, unit: str, size: float) -> None:
    cycle, data = lacking(seed)
    scaled = {k: None if v is None else (v[0] * size, v[1] * size) for k, v in data.items()}
    columns = ["value", "sd", "low", "high"]
    plain = table_of(reconcile(system_of(cycle, data)))[columns]
    other = table_of(reconcile(system_of(cycle, scaled, unit=unit)))[columns]
    assert np.allclose(plain, other, rtol=1e-6, atol=1e-7, equal_nan=True)


def test_order_does_not_matter() -> None:
    cycle, data = lacking(6)
    turned = Cycle(cycle.processes[::-1], cycle.flows[::-1])
    columns = ["value", "sd", "low", "high"]
    plain = table_of(reconcile(system_of(cycle, data)))[columns]
    other = table_of(reconcile(system_of(turned, data)))[columns]
    assert np.allclose(plain, other, rtol=1e-6, atol=1e-8, equal_nan=True)


@pytest.mark.parametrize("seed", [0, 1, 3, 6])
def test_ends_move_with_the_data_as_their_gradients_say(seed: int) -> None:
    """Move every datum a little, reconcile anew, and see where the ends go."""
    cycle, data = lacking(seed)
    balance = reconcile(system_of(cycle, data))
    ends = ends_of(balance)
    checked = 0
    for name in [name for name, number in data.items() if number is not None][::3]:
        value, sd = data[name] or (0.0, 0.0)
        moved = []
        for sign in (1.0, -1.0):
            changed = dict(data) | {name: (value + sign * 1e-4 * sd, sd)}
            moved.append(reconcile(system_of(cycle, changed)))
        above, below = (ends_of(other) for other in moved)
        shift = moved[0].bounded.estimate.x - moved[1].bounded.estimate.x
        for key, end in ends.items():
            if np.isfinite([end.value, above[key].value, below[key].value]).all():
                expected = float(end.gradient[: len(shift)] @ shift)
                assert above[key].value - below[key].value == pytest.approx(
                    expected, rel=1e-3, abs=1e-9
                )
                checked += abs(expected) > 1e-7
    assert checked > 5


def ends_of(balance: Balance) -> dict[tuple[str, int], End]:
    """Return both ends of every indicator, nothing of unknown origin being scrap."""
    place = places(balance)["Cu", 2018]
    out = {}
    for definition in DEFINITIONS:
        above, below = definition.above(place), definition.below(place)
        origins = [term.origin for term in (*above, *below) if term.origin is not None]
        tracings = {origin.name: Tracing(place, origin) for origin in origins}
        polytope = Polytope(place, [*above, *below], tracings)
        found = polytope.extremes(polytope.total(above), polytope.total(below))
        for k, end in enumerate(found or ()):
            out[definition.indicator, k] = end
    return out
