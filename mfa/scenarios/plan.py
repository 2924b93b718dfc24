"""What a scenario makes of the base year: the terms of every layer, year by year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mfa.balance.network import Floats, Ints, Mask
from mfa.errors import MFAError
from mfa.scenarios.base import Base
from mfa.scenarios.cohorts import Cohorts
from mfa.scenarios.equations import INPUTS, OUTPUTS, Terms, add_up
from mfa.scenarios.network import Network
from mfa.scenarios.paths import combined
from mfa.scenarios.sheet import Mix
from mfa.scenarios.targets import Action
from mfa.scenarios.year import Capacity
from mfa.schema import GOODS

_ROOM = 1e-9


@dataclass(frozen=True, eq=False)
class Plan:
    """A base year and everything that changes after it.

    Attributes
    ----------
    base : Base
    nets : mapping of str to Network
        By layer.
    actions : tuple of Action
    mixes : tuple of (Mix, flows)
        Technologies and the demand that they set.
    """

    base: Base
    nets: Mapping[str, Network]
    actions: tuple[Action, ...]
    mixes: tuple[tuple[Mix, tuple[int, ...]], ...]

    def terms(self, layer: str, year: int, cohorts: Mapping[tuple[int, str], Cohorts]) -> Terms:
        """Return what is known of a layer in a year, given the cohorts of the years before."""
        net, start = self.nets[layer], self.base.flows(layer)
        value, exact = self._values(layer, year)
        share, of = self._shares(layer, year)
        old, young = np.zeros(net.n_processes), np.zeros(net.n_processes)
        for (process, name), stock in cohorts.items():
            if name == layer:
                old[process], young[process] = stock.releases(stock.years.index(year))
        supply = self._supply(layer, year)
        return Terms(net, start, value, exact, share, of, supply, self.kept(layer), old, young)

    def _own(self, target: str) -> list[Action]:
        return [action for action in self.actions if action.row.target == target]

    def _about(self, target: str, layer: str) -> list[Action]:
        """Return the actions that set a layer: its own, and those of others that it follows."""
        chosen: dict[str, Action] = {}
        for action in self._own(target):
            item = action.row.item
            if item not in chosen or action.layer == layer:
                chosen[item] = action
        return list(chosen.values())

    def _values(self, layer: str, year: int) -> tuple[Floats, Mask]:
        """Return the values of given flows and which of them the scenario gives."""
        start = self.base.flows(layer)
        value = np.where(self.nets[layer].sets.role("discrepancy"), 0.0, start)
        exact = np.zeros(len(start), dtype=bool)
        factor = self._mix_factors(layer, year) * self._composition_factors(layer, year)
        scenario_set = np.zeros(len(start), dtype=bool)
        for action in self._about("flow", layer):
            flows = [flow for flow in action.flows if not np.isnan(start[flow])]
            new = self._scaled(action, layer, year, flows)
            if new is not None:
                value[flows], exact[flows] = new, True
                scenario_set[flows] |= "set" in action.row.paths
        return np.where(scenario_set, value, value * factor), exact

    def _scaled(self, action: Action, layer: str, year: int, flows: list[int]) -> Floats | None:
        """Return the new values of flows that an action gives, None where it does not yet."""
        base, own = self.base, action.layer == layer
        whole = base.flows(action.layer)
        mine = [flow for flow in action.flows if not np.isnan(whole[flow])]
        before = float(whole[mine].sum())
        new = combined(action.row.paths, year, base.year, before)
        if new is None or not flows:
            return None
        start = base.flows(layer)[flows]
        if own:
            split = start / before if before > 0 else np.full(len(flows), 1 / len(flows))
            return np.asarray(new * split)
        if before > 0:
            return np.asarray(start * (new / before))
        return None

    def _mix_factors(self, layer: str, year: int) -> Floats:
        """Return how much more or less each flow carries because technologies change."""
        out = np.ones(self.nets[layer].n)
        for mix, flows in self._mixes_of(layer):
            before = mix.at(self.base.year)
            if before > 0:
                out[list(flows)] = mix.at(year) / before
        return out

    def _mixes_of(self, layer: str) -> list[tuple[Mix, tuple[int, ...]]]:
        """Return the mixes of a layer: its own, or else those of goods, whose content stays."""
        chosen: dict[str, tuple[Mix, tuple[int, ...]]] = {}
        for mix, flows in self.mixes:
            if mix.substance == layer or (mix.substance == GOODS and mix.process not in chosen):
                chosen[mix.process] = mix, flows
        return list(chosen.values())

    def _composition_factors(self, layer: str, year: int) -> Floats:
        """Return how much more or less of the layer each flow holds; goods stay as they are."""
        out = np.ones(self.nets[layer].n)
        for action in self._own("composition"):
            if action.layer != layer:
                continue
            before = self.composition(action)
            new = combined(action.row.paths, year, self.base.year, before)
            if new is not None and before > 0:
                out[list(action.flows)] *= new / before
        return out

    def composition(self, action: Action) -> float:
        """Return the share of a substance in the goods of some flows in the base year."""
        goods = self.base.flows(GOODS)[list(action.flows)]
        part = self.base.flows(action.layer)[list(action.flows)]
        both = ~np.isnan(goods) & ~np.isnan(part)
        return float(part[both].sum() / goods[both].sum()) if goods[both].sum() > 0 else 1.0

    def share_before(self, action: Action, layer: str) -> Floats:
        """Return the implied coefficient of every flow of an action in the base year."""
        net, start = self.nets[layer], np.nan_to_num(self.base.flows(layer))
        flows = list(action.flows)
        below = self._below(net, start, action.of)[net.tail[flows]]
        if action.of >= 0:
            below = np.full(len(flows), start[action.of])
        return np.where(below > 0, start[flows] / np.where(below > 0, below, 1.0), 0.0)

    @staticmethod
    def _below(net: Network, start: Floats, of: int) -> Floats:
        return add_up(net, net.tail if of == OUTPUTS else net.head, start)

    def _shares(self, layer: str, year: int) -> tuple[Floats, Ints]:
        """Return stated shares and what they are of: from the scenario, or of another flow."""
        net = self.nets[layer]
        share, of = np.full(net.n, np.nan), np.full(net.n, INPUTS)
        for flow, other in self._stated(layer).items():
            start = self.base.flows(layer)
            if start[other] > 0:
                share[flow], of[flow] = start[flow] / start[other], other
        for action in self._about("coefficient", layer):
            before = self.share_before(action, layer)
            some = list(action.flows)
            if action.together:
                total = float(before.sum())
                new = combined(action.row.paths, year, self.base.year, total)
                split = before / total if total > 0 else np.full(len(some), 1 / len(some))
                values = None if new is None else new * split
            else:
                each = [combined(action.row.paths, year, self.base.year, one) for one in before]
                values = None if None in each else np.array(each, dtype=float)
            if values is not None:
                share[some], of[some] = values, action.of
                self._check(action, layer, year, float(values.sum()), share)
        return share, of

    def _check(self, action: Action, layer: str, year: int, total: float, share: Floats) -> None:
        """Refuse shares that no process could have."""
        if action.of not in (INPUTS, OUTPUTS):
            return
        net = self.nets[layer]
        mine = (net.tail == net.tail[action.flows[0]]) & ~np.isnan(share)
        whole = float(share[mine].sum())
        if total < -_ROOM or whole > 1 + _ROOM:
            raise MFAError(
                f"scenario: the coefficient {action.row.item!r} is {total:.4g} in {year} for "
                f"{layer}, so that the shares of its process add up to {whole:.4g}; keep them "
                "between 0 and 1"
            )

    def _stated(self, layer: str) -> dict[int, int]:
        """Return flows that the sheet ties to another flow than their process's only input."""
        return self._all_stated.get(layer, {})

    @cached_property
    def _all_stated(self) -> dict[str, dict[int, int]]:
        base = self.base
        ids = {name: number for number, name in enumerate(base.flow_ids)}
        out: dict[str, dict[int, int]] = {}
        table = base.system.coefficients
        for row in table.to_dict("records"):
            if row["of"] not in ids or not (np.isnan(row["year"]) or row["year"] == base.year):
                continue
            other = ids[row["of"]]
            for layer in [row["substance"]] if isinstance(row["substance"], str) else base.layers:
                net = self.nets.get(layer)
                for name in str(row["flow"]).split(","):
                    flow = ids[name.strip()]
                    if net is not None and not _only_input(net, flow, other):
                        out.setdefault(layer, {})[flow] = other
        return out

    def _supply(self, layer: str, year: int) -> Floats:
        """Return the weights of suppliers: those of the base year, or as the scenario says."""
        net = self.nets[layer]
        out = np.maximum(np.nan_to_num(self.base.flows(layer)), 0.0)
        for action in self._about("origin", layer):
            flows = list(action.flows)
            for head in np.unique(net.head[flows]).tolist():
                mine = [flow for flow in flows if net.head[flow] == head]
                every = (net.head == head) & ~net.pushed_role
                whole, part = float(out[every].sum()), float(out[mine].sum())
                before = part / whole if whole > 0 else 0.0
                new = combined(action.row.paths, year, self.base.year, before)
                if new is None or whole <= 0:
                    continue
                others = np.flatnonzero(every & ~np.isin(np.arange(net.n), mine))
                if part < whole:
                    out[others] *= (1 - new) * whole / (whole - part)
                split = out[mine] / part if part > 0 else np.full(len(mine), 1 / len(mine))
                out[mine] = new * whole * split
        return np.maximum(out, 0.0)

    def kept(self, layer: str) -> Floats:
        """Return the share of its inputs that each stock without a lifetime keeps."""
        net = self.nets[layer]
        change = np.nan_to_num(self.base.changes(layer))
        taken = add_up(net, net.head, np.nan_to_num(self.base.flows(layer)))
        held = net.stores & ~net.living & (taken > 0)
        return np.where(held, change / np.where(taken > 0, taken, 1.0), 0.0)

    def capacities(self, year: int) -> list[Capacity]:
        """Return every capacity in a year."""
        base = self.base
        processes = base.system.processes
        out = []
        actions = {action.process: action for action in self._own("capacity")}
        for process in range(len(processes)):
            own = float(processes["capacity"].iloc[process])
            action = actions.get(process)
            if action is not None:
                new = combined(action.row.paths, year, base.year, own)
                own = own if new is None else new
            named = (action.row.substance if action else "") or processes[
                "capacity_substance"
            ].iloc[process]
            if np.isfinite(own):
                out.append(Capacity(process, self.capacity_layer(named), max(own, 0.0)))
        return out

    def capacity_layer(self, named: object) -> str:
        """Return the layer that a capacity counts: as stated, else goods where there are any."""
        if isinstance(named, str) and named in self.base.layers:
            return named
        return self.base.layers[0]

    def lifetime_factor(self, process: int, layer: str, year: int, mean: float) -> float:
        """Return by which factor the cohort of a year lasts longer than the base year's."""
        for action in self._own("lifetime"):
            if action.process == process and action.layer in ("", layer):
                new = combined(action.row.paths, year, self.base.year, mean)
                if new is not None and new <= 0:
                    raise MFAError(
                        f"scenario: the lifetime of {action.row.item!r} is {new:.4g} years in "
                        f"{year}; keep it above 0"
                    )
                return 1.0 if new is None else new / mean
        return 1.0


def _only_input(net: Network, flow: int, other: int) -> bool:
    process = net.tail[flow]
    enters = np.flatnonzero((net.head == process) & (net.tail != process))
    return enters.tolist() == [other]
