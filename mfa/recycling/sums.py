"""Sums of flows, and of shares of flows, over the columns of a linear programme."""

from __future__ import annotations

from dataclasses import dataclass, field

from mfa.balance.network import Floats


@dataclass(slots=True)
class Sum:
    """Σ factor × column of the programme + Σ factor × held variable.

    ``shared`` says which parts of the sum are a share of an origin in a process times flows: when
    the share changes, so does the sum.
    """

    columns: dict[int, float] = field(default_factory=dict)
    held: dict[int, float] = field(default_factory=dict)
    shared: list[tuple[str, int, Sum]] = field(default_factory=list)

    def add(self, other: Sum, factor: float = 1.0) -> None:
        """Add a multiple of another sum."""
        for own, more in ((self.columns, other.columns), (self.held, other.held)):
            for key, value in more.items():
                own[key] = own.get(key, 0.0) + factor * value
        self.shared += [(name, process, sum_.times(factor)) for name, process, sum_ in other.shared]

    def times(self, factor: float) -> Sum:
        """Return a multiple of the sum."""
        out = Sum()
        out.add(self, factor)
        return out

    def constant(self, x: Floats) -> float:
        """Return the part of the held variables, given all values."""
        return float(sum(factor * x[number] for number, factor in self.held.items()))

    def value(self, columns: Floats, x: Floats) -> float:
        """Return the sum, given the programme's columns and all held values."""
        varying = sum(factor * columns[at] for at, factor in self.columns.items())
        return float(varying) + self.constant(x)
