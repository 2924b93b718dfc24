"""Where an indicator is formed, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfa.balance import Balance
from mfa.balance.network import Floats, Ints, Mask
from mfa.recycling.origin import Origin
from mfa.recycling.sets import Sets


@dataclass(frozen=True, eq=False)
class Term:
    """Flows that are counted, whole or only the share of one origin in them."""

    flows: Mask
    origin: Origin | None = None


@dataclass(frozen=True, eq=False)
class Place:
    """Where a ratio is formed: the variable of each flow in one substance and year.

    Attributes
    ----------
    balance : Balance
    sets : Sets
    number : array of int, shape (flows,)
        Variable of each flow, −1 where it has no row.
    loose : array of bool, shape (variables,)
        Undetermined variables.
    wander : array, shape (variables, k)
        Random changes that keep every equation and datum.
    """

    balance: Balance
    sets: Sets
    number: Ints
    loose: Mask
    wander: Floats

    @property
    def there(self) -> Mask:
        """Flows that have a row here."""
        return np.asarray(self.number >= 0)

    @property
    def x(self) -> Floats:
        """Value of each flow in mass per step, 0 where it has no row."""
        x = self.balance.bounded.estimate.x
        return np.where(self.there, x[np.maximum(self.number, 0)], 0.0)

    def spread(self, by_flow: Floats) -> Floats:
        """Turn coefficients by flow into coefficients by variable."""
        out = np.zeros(len(self.loose))
        out[self.number[self.there]] = by_flow[self.there]
        return out


def places(balance: Balance) -> dict[tuple[str, int], Place]:
    """Return the place of every substance and year of a balance."""
    sets = Sets(balance.system)
    variables = balance.model.variables
    layout = balance.bounded.estimate.structure
    loose = ~(layout.fixed | layout.equations.measured | layout.determined)
    wander = layout.wander()
    flow_of = {name: i for i, name in enumerate(balance.system.flows["flow"].tolist())}
    out = {}
    flows = variables[variables["kind"] == "flow"]
    for (substance, year), group in flows.groupby(["substance", "year"], sort=False):
        number = np.full(len(flow_of), -1, dtype=np.int64)
        number[[flow_of[name] for name in group["item"].tolist()]] = group.index.to_numpy()
        out[str(substance), int(str(year))] = Place(balance, sets, number, loose, wander)
    return out
