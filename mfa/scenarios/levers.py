"""Levers: what a search may move, within which limits, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfa.errors import MFAError, near
from mfa.scenarios.equations import INPUTS, OUTPUTS, add_up
from mfa.scenarios.network import drive
from mfa.scenarios.run import Run
from mfa.scenarios.sheet import Notes
from mfa.scenarios.targets import COLLECTION, Resolver

_MANY = 10.0
_NEARLY = 0.99


@dataclass(frozen=True)
class Lever:
    """A number that a search may move.

    Attributes
    ----------
    target, item, substance : str
        As in the sheet ``scenarios``.
    before : float
        Where it stands in the year of the search.
    limits : tuple of float
    """

    target: str
    item: str
    substance: str
    before: float
    limits: tuple[float, float]

    @property
    def scale(self) -> float:
        """What its changes are relative to: where it stands, or its whole range if that is 0."""
        return abs(self.before) or self.limits[1] - self.limits[0] or 1.0


def find_lever(run: Run, name: str, year: int, substance: str) -> Lever:
    """Return the lever that a name means.

    Raises
    ------
    MFAError
        If there is none; offers names that are near.
    """
    base = run.base
    measures = base.system.tables.get("measures")
    item = name
    known: list[str] = []
    if measures is not None:
        known = measures["measure"].dropna().tolist()
        items = measures.loc[measures["measure"] == name, "item"].dropna()
        item = str(items.iloc[0]) if len(items) else name
    net = run.plan.nets.get(substance)
    if net is None:
        raise MFAError(f"no flow carries {substance!r} in {base.year}; name another substance")
    resolver = Resolver(base, net, Notes(base.system, "scenarios"))
    found = resolver.coefficient(item)
    if found is not None:
        flows, of, together = found
        if not net.inside[net.tail[flows[0]]]:
            return _amount(run, item, flows[0], year, substance)
        return _share(run, item, flows if together else flows[:1], of, year, substance)
    if item in base.process_ids:
        process = base.process_ids.index(item)
        for capacity in run.plan.capacities(year):
            if capacity.process == process:
                top = _MANY * capacity.most or 1.0
                return Lever("capacity", item, capacity.layer, capacity.most, (0.0, top))
    known += [*base.system.coefficients["coefficient"].dropna(), *base.flow_ids, COLLECTION]
    advice = near(name, known, "name a coefficient, a flow, a process with a capacity, a measure")
    raise MFAError(f"{name!r} is no lever; {advice}")


def _share(run: Run, item: str, flows: tuple[int, ...], of: int, year: int, layer: str) -> Lever:
    """Return a coefficient as it stands, and how high it can go beside others that are stated."""
    net = run.plan.nets[layer]
    x = np.nan_to_num(run.years[run.calendar.index(year)].x[layer])
    below = add_up(net, net.tail if of == OUTPUTS else net.head, x)[net.tail[flows[0]]]
    if of >= 0:
        below = x[of]
    terms = run.plan.terms(layer, year, {})
    stated = terms.share[list(flows)]
    if not np.isnan(stated).any() and (terms.of[list(flows)] == of).all():
        before = float(stated.sum())  # what happens may differ, where a capacity holds
    else:
        before = float(x[list(flows)].sum() / below) if below > 0 else 0.0
    others = (net.tail == net.tail[flows[0]]) & ~np.isnan(terms.share)
    others[list(flows)] = False
    top = 1.0 - float(terms.share[others].sum()) if of in (INPUTS, OUTPUTS) else 1.0
    how = drive(net, terms.there, terms.exact, ~np.isnan(terms.share))
    if how.pull[net.tail[flows[0]]]:
        top *= _NEARLY  # a maker that makes nothing but scrap would have to take in without end
    return Lever("coefficient", item, layer, before, (0.0, max(top, before)))


def _amount(run: Run, item: str, flow: int, year: int, layer: str) -> Lever:
    """Return a flow from outside as it stands; at most ten times as much, or as all inputs."""
    net = run.plan.nets[layer]
    x = np.nan_to_num(run.years[run.calendar.index(year)].x[layer])
    before = float(x[flow])
    top = max(_MANY * before, float(add_up(net, net.head, x)[net.head[flow]]))
    return Lever("flow", item, layer, before, (0.0, top))
