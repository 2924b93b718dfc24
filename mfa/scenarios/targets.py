"""What the rows of a scenario act on: items of the sheet become flows and processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mfa.balance.network import Mask
from mfa.errors import near
from mfa.scenarios.base import Base
from mfa.scenarios.equations import INPUTS, OUTPUTS
from mfa.scenarios.network import Network
from mfa.scenarios.sheet import Notes, Row, known_item

COLLECTION = "collection"


@dataclass(frozen=True)
class Action:
    """One row of a scenario and the flows or the process that it acts on.

    Attributes
    ----------
    row : Row
    layer : str
        The layer that it speaks of; others follow unless they have rows of their own.
    flows : tuple of int
    of : int
        What a coefficient is of: ``INPUTS``, ``OUTPUTS`` or a flow.
    process : int
    together : bool
        Whether the row speaks of the flows' sum, not of each of them.
    """

    row: Row
    layer: str
    flows: tuple[int, ...] = ()
    of: int = INPUTS
    process: int = -1
    together: bool = True


class Resolver:
    """Finds what items mean in a system, noting what is unknown."""

    def __init__(self, base: Base, net: Network, notes: Notes) -> None:
        self.base, self.net, self.notes = base, net, notes
        self.flow_ids, self.process_ids = base.flow_ids, base.process_ids
        self._carries = {layer: ~np.isnan(base.flows(layer)) for layer in base.layers}

    def actions(self, rows: Iterable[Row]) -> list[Action]:
        """Return what the rows of a scenario act on."""
        found = [self.action(row) for row in rows]
        return [action for action in found if action is not None]

    def action(self, row: Row) -> Action | None:
        """Return what a row acts on, or None once its problem is noted."""
        finders = {
            "flow": self._flow,
            "coefficient": self._coefficient,
            "composition": self._composition,
            "capacity": self._capacity,
            "lifetime": self._lifetime,
            "origin": self._origin,
        }
        return finders[row.target](row)

    def _layer(self, row: Row, flows: tuple[int, ...]) -> str | None:
        """Return the layer of a row: its substance, or the first that its flows carry."""
        layers = [one for one in self.base.layers if self._carries[one][list(flows)].any()]
        wanted = row.substance or (
            self.base.system.substances[0]
            if self.base.system.substances[0] in layers
            else next(iter(layers), "")
        )
        if wanted in layers:
            return wanted
        listed = ", ".join(layers) or "nothing in the base year"
        self.notes.add(
            row.row,
            "substance",
            f"{row.item!r} carries no {wanted or 'substance'} in {self.base.year}",
            f"it carries {listed}",
            row.substance or None,
        )
        return None

    def _flow(self, row: Row) -> Action | None:
        flows = self.demand_of(row.item)
        if flows is None:
            known = [*self.flow_ids, *self.process_ids, *self._groups()]
            do = near(row.item, known, "write the id of a flow, of an end use, or of a group")
            what = f"{row.item!r} is no flow, process or group"
            self.notes.add(row.row, "item", what, do, row.item)
            return None
        if not flows:
            what = f"{row.item!r} neither uses nor sends anything whose amount could be given"
            self.notes.add(row.row, "item", what, "write the id of a flow", row.item)
            return None
        layer = self._layer(row, flows)
        return None if layer is None else Action(row, layer, flows)

    def _groups(self) -> list[str]:
        return list(dict.fromkeys(self.base.system.processes["group"].dropna()))

    def demand_of(self, item: str) -> tuple[int, ...] | None:
        """Return the flows that are meant by a flow, an end use, or a group; None if unknown.

        Of a use process what it takes in, of one abroad what it sends or takes, of a maker what
        it makes for use.
        """
        if item in self.flow_ids:
            return (self.flow_ids.index(item),)
        processes = self.base.system.processes
        if item in self.process_ids:
            mine = np.array([name == item for name in self.process_ids])
        elif item in self._groups():
            mine = (processes["group"] == item).to_numpy(dtype=bool)
        else:
            return None
        net = self.net
        enters = mine[net.head] & ~mine[net.tail]
        leaves = mine[net.tail] & ~mine[net.head]
        for chosen in (
            enters & net.use[net.head] & ~net.pushed_role,
            leaves & net.final & ~net.sets.exports[net.head],
            leaves & net.senders[net.tail],
            enters & ~net.inside[net.head],
        ):
            if chosen.any():
                return tuple(np.flatnonzero(chosen).tolist())
        return ()

    def _coefficient(self, row: Row) -> Action | None:
        found = self.coefficient(row.item)
        if found is None:
            table = self.base.system.coefficients
            known = [*table["coefficient"].dropna(), *self.flow_ids, COLLECTION]
            known_item(row.item, known, "coefficient or flow", row.row, self.notes)
            return None
        flows, of, together = found
        layer = self._layer(row, flows)
        return None if layer is None else Action(row, layer, flows, of, together=together)

    def coefficient(self, item: str) -> tuple[tuple[int, ...], int, bool] | None:
        """Return flows, what they are a share of, and whether together; None if unknown."""
        table = self.base.system.coefficients
        rows = table[table["coefficient"] == item]
        if len(rows):
            last = rows.iloc[-1]
            ids = [name.strip() for name in str(last["flow"]).split(",")]
            flows = tuple(self.flow_ids.index(name) for name in ids)
            return flows, self._of(str(last["of"]), flows[0]), False
        if item in self.flow_ids:
            return (self.flow_ids.index(item),), INPUTS, True
        if item == COLLECTION:
            flows = self._collected()
            return (flows, INPUTS, True) if flows else None
        return None

    def _of(self, of: str, flow: int) -> int:
        """Return what a coefficient is of; the only inflow of a process counts as its inputs."""
        if of in ("inputs", "outputs"):
            return INPUTS if of == "inputs" else OUTPUTS
        number = self.flow_ids.index(of)
        process = self.net.tail[flow]
        enters = np.flatnonzero((self.net.head == process) & (self.net.tail != process))
        return INPUTS if enters.tolist() == [number] else number

    def _collected(self) -> tuple[int, ...]:
        """Return what is collected of all that reaches its end of life, from one process."""
        net = self.net
        sends = (net.use | net.sets.collection)[net.tail] & net.sets.role("old_scrap")
        ends = net.sets.role("end_of_life") & net.sets.collection[net.head]
        first = sends & np.isin(net.tail, net.head[ends])
        return tuple(np.flatnonzero(first if first.any() else sends & net.use[net.tail]).tolist())

    def _composition(self, row: Row) -> Action | None:
        table = self.base.system.compositions
        lists = {name: [part.strip() for part in str(name).split(",")] for name in table["flow"]}
        ids = lists.get(row.item) or ([row.item] if row.item in self.flow_ids else None)
        if ids is None:
            known_item(
                row.item, [*lists, *self.flow_ids], "composition or flow", row.row, self.notes
            )
            return None
        flows = tuple(self.flow_ids.index(name) for name in ids)
        layer = self._layer(row, flows)
        if layer is None:
            return None
        reached = self._downstream(flows)
        if not (reached & self.net.final).any():
            what = f"the composition of {row.item!r} reaches no demand, so that it changes nothing"
            self.notes.add(row.row, "item", what, "name the flows that enter use", row.item)
            return None
        return Action(row, layer, tuple(np.flatnonzero(reached).tolist()))

    def _downstream(self, flows: tuple[int, ...]) -> Mask:
        """Return flows, and those of processes that take in nothing else."""
        net = self.net
        out = np.zeros(net.n, dtype=bool)
        out[list(flows)] = True
        while True:
            taken = np.zeros(net.n_processes, dtype=bool)
            taken[net.head[out]] = True
            other = ~out & ~net.pushed_role
            taken[net.head[other]] = False
            more = taken[net.tail] & net.inside[net.tail] & ~net.use[net.tail] & ~net.pushed_role
            if not (more & ~out).any():
                return out
            out |= more

    def _process(self, row: Row) -> int | None:
        if not known_item(row.item, self.process_ids, "process", row.row, self.notes):
            return None
        return self.process_ids.index(row.item)

    def _capacity(self, row: Row) -> Action | None:
        process = self._process(row)
        if process is None:
            return None
        own = self.base.system.processes["capacity"].iloc[process]
        if own != own and "set" not in row.paths:
            what = f"{row.item!r} has no capacity that could be multiplied or added to"
            self.notes.add(row.row, "change", what, "write set, or fill in its capacity", row.item)
            return None
        return Action(row, row.substance, process=process)

    def _lifetime(self, row: Row) -> Action | None:
        process = self._process(row)
        if process is None:
            return None
        if not self.net.living[process]:
            what = f"{row.item!r} has no lifetime in the sheet 'lifetimes'"
            self.notes.add(row.row, "item", what, "add its lifetime there", row.item)
            return None
        return Action(row, row.substance, process=process)

    def _origin(self, row: Row) -> Action | None:
        net = self.net
        flows: tuple[int, ...] = ()
        if row.item in self.flow_ids:
            flows = (self.flow_ids.index(row.item),)
        elif row.item in self.process_ids:
            process = self.process_ids.index(row.item)
            flows = tuple(np.flatnonzero((net.tail == process) & ~net.pushed_role).tolist())
        if not flows:
            do = near(row.item, [*self.flow_ids, *self.process_ids], "write the id of a supplier")
            self.notes.add(row.row, "item", f"{row.item!r} supplies nothing", do, row.item)
            return None
        layer = self._layer(row, flows)
        return None if layer is None else Action(row, layer, flows)
