"""Run a plan forward, year by year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from mfa.balance import Balance
from mfa.balance.network import Floats
from mfa.scenarios.base import Base, base_of
from mfa.scenarios.cohorts import Cohorts
from mfa.scenarios.equations import add_up
from mfa.scenarios.network import Network
from mfa.scenarios.plan import Plan
from mfa.scenarios.sheet import (
    Notes,
    Row,
    known_item,
    raise_all,
    read_scenario,
    read_technologies,
)
from mfa.scenarios.targets import Resolver
from mfa.scenarios.year import Year, settle
from mfa.system.lifetimes import Lifetimes, read_lifetimes


@dataclass(frozen=True, eq=False)
class Run:
    """A plan and what comes of it.

    Attributes
    ----------
    plan : Plan
    years : tuple of Year
        One for every year after the base year.
    cohorts : mapping of (process, layer) to Cohorts
    end_uses : list of str
        Names of the columns of the cohorts' inflow.
    """

    plan: Plan
    years: tuple[Year, ...]
    cohorts: Mapping[tuple[int, str], Cohorts]
    end_uses: list[str]

    @property
    def base(self) -> Base:
        """The base year."""
        return self.plan.base

    @cached_property
    def calendar(self) -> list[int]:
        """The years after the base year."""
        return [self.base.year + 1 + i for i in range(len(self.years))]


def plan_of(balance: Balance, scenario: str | None, extra: tuple[Row, ...] = ()) -> Plan:
    """Return what a scenario makes of a balance.

    Raises
    ------
    WorkbookError, SystemDefinitionError
        Listing every problem in the sheets ``scenarios`` and ``technologies``.
    """
    base = base_of(balance)
    lives = _lifetimes(base)
    nets = {layer: _network(base, layer, lives) for layer in base.layers}
    rows, tools = Notes(base.system, "scenarios"), Notes(base.system, "technologies")
    listed = [*read_scenario(base.system, scenario, base.year, rows), *extra]
    any_net = _network(base, "", lives)
    resolver = Resolver(base, any_net, rows)
    actions = tuple(resolver.actions(listed))
    mixes = []
    for mix in read_technologies(base.system, tools):
        if not known_item(mix.process, base.process_ids, "process", mix.row, tools):
            continue
        flows = resolver.demand_of(mix.process) or ()
        final = tuple(flow for flow in flows if any_net.final[flow])
        if not final:
            what = f"{mix.process!r} feeds no demand, so that its technologies change nothing"
            tools.add(mix.row, "process", what, "name the process that makes for use", mix.process)
        mixes.append((mix, final))
    raise_all(base.system, rows, tools)
    return Plan(base, nets, actions, tuple(mixes))


def _lifetimes(base: Base) -> dict[tuple[str, str], Lifetimes]:
    table = base.system.tables.get("lifetimes")
    return {} if table is None else read_lifetimes(table)


def _network(base: Base, layer: str, lives: Mapping[tuple[str, str], Lifetimes]) -> Network:
    """Return the network of a layer; of all of them for ""."""
    names = base.process_ids
    living = np.array([any(p == n and layer in ("", s) for p, s in lives) for n in names])
    nodes = base.balance.model.nodes
    here = ~nodes["stock"] & (nodes["year"] == base.year)
    if layer:
        here &= nodes["substance"] == layer
    balanced = np.isin(np.array(names, dtype=object), nodes.loc[here, "process"].to_numpy())
    return Network(base.system, np.asarray(living, dtype=bool), np.asarray(balanced))


def run(plan: Plan, until: int) -> Run:
    """Return every year from the base year to another."""
    base = plan.base
    years = [*base.system.years, *range(base.year + 1, until + 1)]
    end_uses = _end_uses(plan)
    cohorts = _cohorts(plan, years, end_uses)
    found = []
    for year in range(base.year + 1, until + 1):
        terms = {layer: plan.terms(layer, year, cohorts) for layer in base.layers}
        settled = settle(terms, plan.capacities(year))
        for (process, layer), stock in cohorts.items():
            inflow = by_end_use(plan, layer, process, settled.x[layer], end_uses)
            stock.inflow[years.index(year)] = inflow
        found.append(settled)
    return Run(plan, tuple(found), cohorts, end_uses)


def _end_uses(plan: Plan) -> list[str]:
    """Return the names of end uses: use processes, or the makers where there is one use only."""
    net = next(iter(plan.nets.values()))
    uses = np.flatnonzero(np.any([each.use for each in plan.nets.values()], axis=0))
    names = plan.base.process_ids
    if len(uses) != 1:
        return [names[p] for p in uses.tolist()]
    makers = net.tail[(net.head == uses[0]) & (net.tail != uses[0])]
    return [names[p] for p in dict.fromkeys(makers.tolist())]


def by_end_use(plan: Plan, layer: str, process: int, x: Floats, end_uses: list[str]) -> Floats:
    """Return the inflow of a use process by end use."""
    net, names = plan.nets[layer], plan.base.process_ids
    out = np.zeros(len(end_uses))
    for flow in np.flatnonzero(net.head == process).tolist():
        label = names[process] if names[process] in end_uses else names[net.tail[flow]]
        if label in end_uses:
            out[end_uses.index(label)] += np.nan_to_num(x[flow])
    return out


def _cohorts(plan: Plan, years: list[int], end_uses: list[str]) -> dict[tuple[int, str], Cohorts]:
    """Return the cohorts of every stock that ages, up to the base year."""
    base, out = plan.base, {}
    inflow_at = base.system.settings.inflow_at
    for (name, layer), lives in _lifetimes(base).items():
        if layer not in base.layers:
            continue
        process = base.process_ids.index(name)
        net = plan.nets[layer]
        past = np.array(
            [
                by_end_use(plan, layer, process, base.flows(layer, year), end_uses)
                for year in base.system.years
            ]
        )
        factor = partial(_factor, plan, process, layer, lives)
        stock = Cohorts(lives, years, past, inflow_at, factor)
        leaves = add_up(net, net.tail, np.nan_to_num(base.flows(layer)))[process]
        before = base.levels(layer, base.system.years[0] - 1)[process]
        stock.open(base.levels(layer)[process], leaves, before)
        out[process, layer] = stock
    return out


def _factor(plan: Plan, process: int, layer: str, lives: Lifetimes, year: int) -> float:
    mean = float(lives.life_of(year).mean)
    return plan.lifetime_factor(process, layer, year, mean)
