"""The equations of a system as arrays: balances as edges between nodes, relations as rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Floats, Ints, Mask, components, incidence

NO_EDGE = -1


@dataclass(frozen=True, eq=False)
class Equations:
    """Linear equations A x = b over ``n`` variables, and what is known of the variables.

    The first ``n_nodes`` rows are balances: inputs − outputs = 0 at each node. A variable is an
    edge from node ``tail`` to node ``head``, where ``n_nodes`` is the environment, or no edge at
    all (``NO_EDGE``). The rows below are relations R x = r.

    Attributes
    ----------
    tail, head : array of int, shape (n,)
    relations : sparse array, shape (n_relations, n)
    right : array, shape (n_relations,)
    measured : array of bool, shape (n,)
        Variables with a datum ``y`` ± ``sd`` (sd > 0).
    fixed : array of bool, shape (n,)
        Variables whose value is ``y`` exactly.
    lower, upper : array, shape (n,)
        Bounds; ±inf where there is none.
    start : array, shape (n,)
        A point near which undetermined variables are to stay.
    by_few : bool
        Whether few unknowns move many variables, as the stock of before all outflows from it do.
    """

    n_nodes: int
    tail: Ints
    head: Ints
    relations: sp.csr_array
    right: Floats
    y: Floats
    sd: Floats
    measured: Mask
    fixed: Mask
    lower: Floats
    upper: Floats
    start: Floats
    by_few: bool = False

    @property
    def n(self) -> int:
        """Number of variables."""
        return len(self.tail)

    @property
    def environment(self) -> int:
        """The node that stands for everything outside the balances."""
        return self.n_nodes

    @cached_property
    def is_edge(self) -> Mask:
        """Which variables take part in balances."""
        return np.asarray(self.tail != NO_EDGE)

    @cached_property
    def matrix(self) -> sp.csc_array:
        """A: balances, then relations; shape (n_nodes + n_relations, n)."""
        edges = np.flatnonzero(self.is_edge)
        balances = incidence(self.n_nodes + 1, self.tail[edges], self.head[edges]).tocoo()
        inside = balances.row < self.n_nodes
        entries = (balances.data[inside], (balances.row[inside], edges[balances.col[inside]]))
        top = sp.coo_array(entries, shape=(self.n_nodes, self.n))
        matrix = sp.csc_array(sp.vstack([top, self.relations], format="csc"))
        matrix.eliminate_zeros()
        return matrix

    @cached_property
    def sizes(self) -> sp.csc_array:
        """|A|: with sizes of variables it gives what each row turns over."""
        return sp.csc_array(abs(self.matrix))

    @cached_property
    def parts(self) -> Ints:
        """Number of the part of each variable: parts share no equation, shape (n,)."""
        matrix, n_rows = self.matrix, self.matrix.shape[0]
        count = np.diff(matrix.indptr)
        used = count > 0
        first = np.zeros(self.n, dtype=np.int64)  # one row of each variable; the others join it
        first[used] = matrix.indices[matrix.indptr[:-1][used]]
        joined = components(n_rows, np.repeat(first, count), matrix.indices.astype(np.int64))
        alone = n_rows + np.cumsum(~used)
        labels = np.where(used, joined[first] if n_rows else 0, alone)
        return np.asarray(np.unique(labels, return_inverse=True)[1])

    def starting_at(self, start: Floats) -> Equations:
        """Return the same equations with another start; what is worked out of them is kept."""
        out = replace(self, start=start)
        for name in ("is_edge", "matrix", "sizes", "parts"):
            if name in self.__dict__:
                out.__dict__[name] = self.__dict__[name]
        return out

    def restricted(self, members: Mask) -> Equations:
        """Return the equations of whole parts, given which variables belong to them."""
        some = np.flatnonzero(members)
        edges = some[self.is_edge[some]]
        nodes = np.unique(np.concatenate([self.tail[edges], self.head[edges]]))
        nodes = nodes[nodes != self.environment]
        place = np.full(self.n_nodes + 1, len(nodes), dtype=np.int64)
        place[nodes] = np.arange(len(nodes))
        relations = sp.csr_array(self.relations[:, some])
        used = np.diff(relations.indptr) > 0
        data = {
            name: getattr(self, name)[some]
            for name in ("y", "sd", "measured", "fixed", "lower", "upper", "start")
        }
        tail, head = (
            np.where(end[some] == NO_EDGE, NO_EDGE, place[end[some]])
            for end in (self.tail, self.head)
        )
        return Equations(
            len(nodes), tail, head, relations[used], self.right[used], **data, by_few=self.by_few
        )

    def constants(self, fixed: Mask, values: Floats) -> Floats:
        """Return b − A x over the fixed variables: what the others have to add up to."""
        right = np.concatenate([np.zeros(self.n_nodes), self.right])
        known = np.where(fixed, values, 0.0)
        return np.asarray(right - self.matrix @ known)
