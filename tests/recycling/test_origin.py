"""Tracing inside a lane against walking it, solving it and following it round; and its gradient."""

from __future__ import annotations

import numpy as np
import pytest

from mfa.recycling.origin import Mixture, Origin, mix, new_scrap, old_scrap, scrap
from mfa.recycling.sets import Sets

from .cycles import cycle_of, process, random_cycle, system_of
from .reference import Cycle, origin_in_lane

ENDS = (
    process("homes", "use", stock=True),
    process("factory", "manufacturing"),
    process("abroad", kind="import"),
    process("buyers", kind="export"),
)
SOURCES = (
    ("homes", "old_scrap"),
    ("factory", "new_scrap"),
    ("abroad", "scrap"),
    ("abroad", "product"),
)


def random_lane(seed: int, size: int = 5) -> tuple[Cycle, np.ndarray]:
    """Return sorters that pass scrap round among themselves and to buyers, and values that close.

    Each passes something on to the buyers, so that nothing goes round for ever.
    """
    rng = np.random.default_rng(seed)
    sorters = [f"sorter{k}" for k in range(size)]
    flows = []
    for k, (origin, role) in enumerate(SOURCES):
        entered = rng.choice(sorters, 2, replace=False).tolist()
        flows += [(f"in{k}{s}", origin, s, role) for s in entered]
    for a in sorters:
        others = [b for b in sorters if b != a and rng.random() < 0.5]
        flows += [(f"{a}-{b}", a, b, "scrap") for b in others]
        flows += [(f"{a}-out", a, "buyers", "scrap"), (f"{a}-self", a, a, "home_scrap")]
    cycle = cycle_of((*ENDS, *(process(s, "sorting") for s in sorters)), flows)
    weight = rng.uniform(0.2, 2.0, len(flows))
    transfer, source = np.zeros((len(flows), len(flows))), np.zeros(len(flows))
    for i, flow in enumerate(cycle.flows):
        if flow.source not in sorters:
            source[i] = rng.uniform(3.0, 30.0)
        elif flow.source == flow.target:
            source[i] = 1000.0  # goes round inside, counts nowhere
        else:
            mates = [
                k
                for k, other in enumerate(cycle.flows)
                if other.source == flow.source != other.target
            ]
            for j, other in enumerate(cycle.flows):
                if other.target == flow.source != other.source:
                    transfer[i, j] = weight[i] / weight[mates].sum()
    return cycle, np.linalg.solve(np.eye(len(flows)) - transfer, source)


def traced(cycle: Cycle, x: np.ndarray, kind: str) -> tuple[Sets, Origin, Mixture]:
    sets = Sets(system_of(cycle, {}))
    origin = {"old": old_scrap, "new": new_scrap}[kind](sets)
    return sets, origin, mix(sets, origin, x)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["old", "new"])
def test_shares_are_those_of_going_round_until_nothing_moves(seed: int, kind: str) -> None:
    cycle, x = random_lane(seed)
    mixture = traced(cycle, x, kind)[2]
    values = {f.name: float(v) for f, v in zip(cycle.flows, x, strict=True)}
    expected = origin_in_lane(cycle, values, kind)
    out = [k for k, f in enumerate(cycle.flows) if f.source.startswith("sorter")]
    names = [cycle.flows[k].name for k in out]
    assert mixture.share[out] == pytest.approx([expected[name] for name in names], abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_old_new_imported_and_unknown_add_up_to_one(seed: int) -> None:
    cycle, x = random_lane(seed)
    sets, _, old = traced(cycle, x, "old")
    new = traced(cycle, x, "new")[2]
    values = {f.name: float(v) for f, v in zip(cycle.flows, x, strict=True)}
    imported = origin_in_lane(cycle, values, "imported")
    out = sets.flows(("scrap",), sets.lane)
    rest = np.array([imported[f.name] for f in cycle.flows])
    assert old.unknown[out] == pytest.approx(new.unknown[out], abs=1e-12)
    whole = (old.share + new.share + old.unknown + rest)[out]
    assert whole == pytest.approx(np.ones(out.sum()), abs=1e-12)
    assert np.all(old.unknown[out] >= 0)
    assert old.unknown[out].max() > 0.01


def walk_back(cycle: Cycle, x: np.ndarray, start: int, walks: int, seed: int) -> float:
    """Follow single tonnes of a flow back to their sources; return the share of old scrap."""
    rng = np.random.default_rng(seed)
    enters = {
        p.name: [k for k, f in enumerate(cycle.flows) if f.target == p.name != f.source]
        for p in cycle.processes
    }
    chances = {p: x[some] / x[some].sum() for p, some in enters.items() if some}
    found = 0
    for _ in range(walks):
        at = start
        while cycle.flows[at].source.startswith("sorter"):
            process_ = cycle.flows[at].source
            at = int(rng.choice(enters[process_], p=chances[process_]))
        found += cycle.flows[at].has("old_scrap")
    return found / walks


@pytest.mark.parametrize("seed", [0, 3])
def test_shares_are_those_of_random_walks_upstream(seed: int) -> None:
    cycle, x = random_lane(seed)
    mixture = traced(cycle, x, "old")[2]
    outs = [k for k, f in enumerate(cycle.flows) if f.name.endswith("-out")]
    for k in outs[:3]:
        assert mixture.share[k] == pytest.approx(walk_back(cycle, x, k, 2500, seed), abs=0.045)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["old", "new"])
def test_gradient_is_that_of_finite_differences(seed: int, kind: str) -> None:
    cycle, x = random_lane(seed)
    sets, origin, mixture = traced(cycle, x, kind)
    counted = sets.flows(("scrap",), sets.lane, sets.exports)
    counted[np.flatnonzero(counted)[0]] = False
    weight = np.zeros(len(cycle.processes))
    np.add.at(weight, sets.tail[counted], x[counted])
    gradient = np.where(counted, mixture.share, 0.0) + mixture.moved(weight)[0]

    def total(values: np.ndarray) -> float:
        return float((mix(sets, origin, values).share * values)[counted].sum())

    for k in range(len(x)):
        h = 1e-5 * x[k]
        step = np.where(np.arange(len(x)) == k, h, 0.0)
        expected = (total(x + step) - total(x - step)) / (2 * h)
        assert gradient[k] == pytest.approx(expected, abs=2e-8)


@pytest.mark.parametrize("seed", range(4))
def test_scrap_in_refined_metal_by_an_explicit_solve(seed: int) -> None:
    """Smelter and refinery of a random cycle: s_smelter first, then s_refinery, by hand."""
    cycle, values = random_cycle(seed, kept=0.9)
    sets = Sets(system_of(cycle, {}))
    x = np.array([values[f.name] for f in cycle.flows])
    mixture = mix(sets, scrap(sets), x)
    get = {f.name: values.get(f.name, 0.0) for f in cycle.flows}

    def flow(name: str) -> float:
        return get.get(name, 0.0)

    shreds, ores = flow("shreds"), flow("ore") + flow("own_ore")
    in_smelter = shreds / (shreds + ores)
    top = flow("scrap_refinery") + in_smelter * flow("anode")
    in_refinery = top / (flow("scrap_refinery") + flow("anode") + flow("blister"))
    where = {f.name: k for k, f in enumerate(cycle.flows)}
    assert mixture.share[where["anode"]] == pytest.approx(in_smelter, rel=1e-12)
    assert mixture.share[where["cathode"]] == pytest.approx(in_refinery, rel=1e-12)


def test_only_one_origin_leaves_no_mixture() -> None:
    """Old scrap alone reaches the first sorter, old and new the second, nothing the third."""
    flows = (
        ("old", "homes", "first", "old_scrap"),
        ("on", "first", "second", "scrap"),
        ("new", "factory", "second", "new_scrap"),
        ("imported", "abroad", "fourth", "scrap"),
        ("out1", "first", "buyers", "scrap"),
        ("out2", "second", "buyers", "scrap"),
        ("out3", "third", "buyers", "scrap"),
        ("out4", "fourth", "buyers", "scrap"),
    )
    sorters = (process(name, "sorting") for name in ("first", "second", "third", "fourth"))
    cycle = cycle_of((*ENDS, *sorters), flows)
    sets = Sets(system_of(cycle, {}))
    where = {f.name: k for k, f in enumerate(cycle.flows)}
    old, new = old_scrap(sets), new_scrap(sets)
    assert old.share[where["out1"]] == 1.0
    assert new.share[where["out1"]] == 0.0
    assert old.is_mixed[where["out2"]]
    assert old.share[where["out4"]] == new.share[where["out4"]] == 0.0
    assert not {f for f in where if where[f] in np.flatnonzero(old.is_mixed)} - {"out2", "out3"}


def test_what_goes_round_for_ever_is_no_crash() -> None:
    """Two sorters that pass 5 round, and in this year get nothing: no share, but no crash."""
    flows = (
        ("old", "homes", "first", "old_scrap"),
        ("new", "factory", "first", "new_scrap"),
        ("there", "first", "second", "scrap"),
        ("back", "second", "first", "scrap"),
        ("out", "second", "buyers", "scrap"),
    )
    cycle = cycle_of((*ENDS, process("first", "sorting"), process("second", "sorting")), flows)
    sets = Sets(system_of(cycle, {}))
    mixture = mix(sets, old_scrap(sets), np.array([0.0, 0.0, 5.0, 5.0, 0.0]))
    assert np.all((mixture.share >= 0) & (mixture.share <= 1))


def test_mix_changes_nothing() -> None:
    cycle, x = random_lane(1)
    before = x.copy()
    _, origin, mixture = traced(cycle, x, "old")
    share = origin.share.copy()
    mixture.moved(np.ones(len(cycle.processes)))
    assert np.array_equal(x, before)
    assert np.array_equal(origin.share, share)
