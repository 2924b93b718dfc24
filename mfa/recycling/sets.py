"""Sets of processes and of flows by role: the letters of the indicators' formulas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from mfa.balance.network import Ints, Mask
from mfa.schema import SCRAP_ROLES
from mfa.system import System

_LANE_STAGES = ("collection", "sorting", "recycling")


@dataclass(frozen=True, eq=False)
class Sets:
    """Processes by kind and stage, and flows by role and ends.

    Process sets are masks over ``system.processes``, flow sets masks over ``system.flows``. Flows
    with the role discrepancy belong to no set, nor do flows that are not ``there``.
    """

    system: System
    there: Mask | None = None

    @cached_property
    def tail(self) -> Ints:
        """Process that each flow leaves."""
        return self._codes("from")

    @cached_property
    def head(self) -> Ints:
        """Process that each flow enters."""
        return self._codes("to")

    def _codes(self, column: str) -> Ints:
        processes = pd.Index(self.system.processes["process"])
        return np.asarray(processes.get_indexer(pd.Index(self.system.flows[column])), np.int64)

    def kind(self, *kinds: str) -> Mask:
        """Return the processes of some kinds."""
        return _any(self._kinds, kinds, len(self.system.processes))

    def stage(self, *stages: str) -> Mask:
        """Return the balanced processes of some stages."""
        return _any(self._stages, stages, len(self.system.processes)) & self.kind("process")

    def role(self, *roles: str) -> Mask:
        """Return the flows with any of some roles."""
        return _any(self._roles, roles, len(self.system.flows))

    @cached_property
    def _kinds(self) -> dict[str, Mask]:
        return _masks(self.system.processes["kind"].tolist())

    @cached_property
    def _stages(self) -> dict[str, Mask]:
        return _masks(self.system.processes["stage"].tolist())

    @cached_property
    def _roles(self) -> dict[str, Mask]:
        parts = [part.split(",") for part in self.system.flows["role"].tolist()]
        known = {role for part in parts for role in part}
        return {role: np.array([role in part for part in parts]) for role in known}

    @cached_property
    def discrepancies(self) -> Mask:
        """Statistical differences, which the user chose to draw."""
        return self.role("discrepancy") & self._present

    @cached_property
    def counted(self) -> Mask:
        """Flows that count at all: everything that is there but discrepancies."""
        return ~self.role("discrepancy") & self._present

    @property
    def _present(self) -> Mask:
        return np.ones(len(self.tail), dtype=bool) if self.there is None else self.there

    @cached_property
    def imports(self) -> Mask:
        """I: kind import."""
        return self.kind("import")

    @cached_property
    def exports(self) -> Mask:
        """O: kind export."""
        return self.kind("export")

    @cached_property
    def disposal(self) -> Mask:
        """X: kind sink, or stage disposal."""
        return self.kind("sink") | (self.system.processes["stage"] == "disposal").to_numpy()

    @cached_property
    def use(self) -> Mask:
        """U: stage use, inside the boundary or as a source outside of it."""
        return np.asarray((self.system.processes["stage"] == "use").to_numpy())

    @cached_property
    def collection(self) -> Mask:
        """C: stage collection."""
        return self.stage("collection")

    @cached_property
    def smelting(self) -> Mask:
        """P: smelting and refining."""
        return self.stage("smelting", "refining")

    @cached_property
    def lane(self) -> Mask:
        """L: collection, sorting, recycling, and every trade process that takes in only scrap."""
        scrap = self.role(*SCRAP_ROLES)
        trade = self.stage("trade")
        takes = np.zeros(len(trade), dtype=bool)
        takes[self.head] = True
        other = np.zeros(len(trade), dtype=bool)
        other[self.head[~scrap & ~self.role("discrepancy")]] = True
        return np.asarray(self.stage(*_LANE_STAGES) | (trade & takes & ~other))

    @cached_property
    def makers(self) -> Mask:
        """M: balanced processes outside L, U and X."""
        return np.asarray(self.kind("process") & ~self.lane & ~self.use & ~self.disposal)

    def flows(
        self, roles: tuple[str, ...], source: Mask | None = None, target: Mask | None = None
    ) -> Mask:
        """R[A→B]: flows with a role from set A to set B; None is any, no role is every role."""
        out = self.counted & (self.role(*roles) if roles else True)
        if source is not None:
            out = out & source[self.tail]
        if target is not None:
            out = out & target[self.head]
        return np.asarray(out)


def _masks(words: list[object]) -> dict[str, Mask]:
    """Return where each word stands, but blanks."""
    listed = np.array(words, dtype=object)
    known = {word for word in words if isinstance(word, str)}
    return {word: np.asarray(listed == word) for word in known}


def _any(masks: dict[str, Mask], words: tuple[str, ...], n: int) -> Mask:
    """Return where any of some words stands, shape (n,)."""
    found = [masks[word] for word in words if word in masks]
    return np.asarray(np.logical_or.reduce([np.zeros(n, dtype=bool), *found]))
