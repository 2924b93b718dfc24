"""What equations and data determine: observability and redundancy before any number is solved.

Let M be the measured variables, U the unmeasured ones. Rows Z with Z A_U = 0 combine the equations
so that no unmeasured variable is left; G = Z A_M is what checks the measured ones. A measured
variable is redundant exactly if its column of G is not zero, an unmeasured one is determined
exactly if it is zero in every null vector of A_U (Mah, Stanley & Downing 1976).

Where only balances speak, graph rules do both: contracting the unmeasured edges adds up balances,
and an unmeasured edge is determined exactly if it is a bridge. What relations (and the unmeasured
variables in them) add is left to a rank-revealing QR on just the rows that they touch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from mfa.balance.elimination import RANK_TOLERANCE, clean, eliminate, independent
from mfa.balance.equations import Equations
from mfa.balance.network import Floats, Forest, Ints, Mask, bridges, components, spanning_forest


@dataclass(frozen=True, eq=False)
class Structure:
    """The equations split by what they do.

    Attributes
    ----------
    fixed : array of bool, shape (n,)
        Variables taken as constants (exact data, and bounds that hold a variable).
    data : array of int
        M: positions of the measured variables that are not fixed.
    rows : sparse array, shape (rank, equations)
        Z: independent combinations of equations without unmeasured variables.
    reduced : sparse array, shape (rank, len(data))
        G = Z A_M.
    checks : sparse array, shape (k, equations)
        Combinations of equations in which nothing is left but constants, which must add up to 0.
    redundant, determined : array of bool, shape (n,)
        Measured and checked; not measured but determined.
    related : array of int
        Unmeasured variables in relations; solved by ``solve_related`` from ``related_rows``.
    null : sparse array, shape (related, related)
        Its columns span what remains free among them.
    plain : array of int
        Unmeasured edges in balances only; solved along ``forest``.
    """

    equations: Equations
    fixed: Mask
    data: Ints
    rows: sp.csr_array
    reduced: sp.csr_array
    checks: sp.csr_array
    redundant: Mask
    determined: Mask
    related: Ints
    related_rows: sp.csr_array
    solve_related: sp.csr_array
    null: sp.csr_array
    plain: Ints
    forest: Forest

    @cached_property
    def related_by_data(self) -> sp.csr_array:
        """How the unmeasured variables of relations depend on the data, shape (related, data)."""
        measured = self.equations.matrix[:, self.data]
        return sp.csr_array(-(self.solve_related @ (self.related_rows @ measured)))

    def complete(self, x: Floats, constants: Floats) -> Floats:
        """Fill in the unmeasured variables, given fixed and measured ones.

        Parameters
        ----------
        x : array, shape (n,)
            Values; those of unmeasured variables are not used.
        constants : array, shape (equations,)
            Right-hand side b of A x = b, over all variables.

        Returns
        -------
        array, shape (n,)
            With undetermined variables as near to ``start`` as closes the balances.
        """
        matrix, start = self.equations.matrix, self.equations.start
        out = x.copy()
        out[self.related] = start[self.related]
        out[self.plain] = start[self.plain]
        lacking = constants - matrix @ out
        for _ in range(2):  # the second takes away the rounding that large numbers left in small
            moved = self.solve_related @ (self.related_rows @ lacking)
            out[self.related] += moved
            lacking = lacking - matrix[:, self.related] @ moved
        nodes = np.zeros(self.forest.n)
        nodes[: self.equations.n_nodes] = lacking[: self.equations.n_nodes]
        out[self.plain[self.forest.tree]] += self.forest.flows(nodes)
        return out

    def wander(self, directions: int = 2) -> Floats:
        """Return random changes that keep every equation and every datum, shape (n, directions).

        A linear combination of variables is determined exactly if no such change moves it.
        """
        draw = np.random.default_rng(20240229).normal
        change = np.zeros((self.equations.n, directions))
        change[self.plain] = draw(size=(len(self.plain), directions))
        change[self.related] = self.null @ draw(size=(len(self.related), directions))
        change[self.plain[self.forest.tree]] = 0.0
        nodes = np.zeros((self.forest.n, directions))
        nodes[:-1] = -(self.equations.matrix @ change)[: self.equations.n_nodes]
        change[self.plain[self.forest.tree]] = self.forest.flows(nodes)
        return change


def _group_sums(labels: Ints, groups: Ints, n_columns: int) -> sp.csr_array:
    """Return rows that add up the equations of the nodes in each of some groups."""
    position = np.full(labels.max(initial=-1) + 1, -1, dtype=np.int64)
    position[groups] = np.arange(len(groups))
    row = position[labels]
    nodes = np.flatnonzero(row >= 0)
    entries = (np.ones(len(nodes)), (row[nodes], nodes))
    return sp.csr_array(sp.coo_array(entries, shape=(len(groups), n_columns)))


def _contract(equations: Equations, plain: Ints, others: Ints) -> tuple[sp.csr_array, sp.csr_array]:
    """Merge nodes joined by plain unmeasured edges and ground what does not reach outside.

    Returns
    -------
    rows : sparse array
        One independent balance for each merged node but the environment's and the grounded ones.
    checks : sparse array
        Sums of balances that contain no variable at all.
    """
    n, environment = equations.n_nodes, equations.environment
    tail, head = equations.tail, equations.head
    labels = components(n + 1, tail[plain], head[plain])
    merged = int(labels.max()) + 1
    islands = components(merged, labels[tail[others]], labels[head[others]])
    n_equations = n + len(equations.right)
    _, grounded = np.unique(islands, return_index=True)
    outside = labels[environment]
    grounded = grounded[islands[grounded] != islands[outside]]
    keep = np.ones(merged, dtype=bool)
    keep[grounded] = False
    keep[outside] = False
    rows = _group_sums(labels[:n], np.flatnonzero(keep), n_equations)
    lonely = islands[grounded]
    checks = _group_sums(islands[labels[:n]], lonely, n_equations)
    return rows, checks


def structure(equations: Equations, fixed: Mask | None = None) -> Structure:
    """Classify every variable and reduce the equations to what checks the data.

    Parameters
    ----------
    equations : Equations
        Balances, relations and what is known.
    fixed : array of bool, shape (n,), optional
        Variables taken as constants; by default the exact data.
    """
    fixed = equations.fixed if fixed is None else fixed
    free = ~fixed
    counts = np.diff(sp.csc_array(equations.relations).indptr)
    unmeasured = free & ~equations.measured
    is_plain = unmeasured & equations.is_edge & (counts == 0)
    plain, related = np.flatnonzero(is_plain), np.flatnonzero(unmeasured & ~is_plain)
    data = np.flatnonzero(free & equations.measured)
    others = np.flatnonzero(free & ~is_plain & equations.is_edge)
    balances, lonely = _contract(equations, plain, others)
    n_equations = equations.matrix.shape[0]
    n_relations = len(equations.right)
    picks = (
        np.ones(n_relations),
        (np.arange(n_relations), equations.n_nodes + np.arange(n_relations)),
    )
    single = sp.coo_array(picks, shape=(n_relations, n_equations))
    rows = sp.csr_array(sp.vstack([balances, single], format="csr"))
    left = eliminate(rows, sp.csr_array(rows @ equations.matrix[:, related]))
    touched = np.zeros(rows.shape[0], dtype=bool)
    touched[left.touched] = True
    of_balance = np.arange(rows.shape[0]) < balances.shape[0]
    sound = rows[np.flatnonzero(~touched & of_balance)]
    doubtful = sp.vstack([left.mixed, rows[np.flatnonzero(~touched & ~of_balance)]], format="csr")
    measured = equations.matrix[:, data]
    extra, empty = independent(sound, sp.csr_array(doubtful), measured)
    basis = sp.csr_array(sp.vstack([sound, extra], format="csr"))
    reduced = clean(sp.csr_array(basis @ measured))
    redundant = np.zeros(equations.n, dtype=bool)
    redundant[data[np.diff(sp.csc_array(reduced).indptr) > 0]] = True
    determined = np.zeros(equations.n, dtype=bool)
    determined[related[left.determined]] = True
    tail, head = equations.tail[plain], equations.head[plain]
    start = np.abs(equations.start[plain])
    size = start if start.any() else None  # small changes then leave flows on their side of 0
    forest = spanning_forest(equations.n_nodes + 1, tail, head, equations.environment, size)
    firm = bridges(forest, tail, head)
    firm[forest.tree] &= _untouched(equations, related, left.null, forest)
    determined[plain[firm]] = True
    return Structure(
        equations=equations,
        fixed=fixed,
        data=data,
        rows=basis,
        reduced=reduced,
        checks=sp.csr_array(sp.vstack([lonely, empty], format="csr")),
        redundant=redundant,
        determined=determined,
        related=related,
        related_rows=rows[left.touched],
        solve_related=left.solve,
        null=left.null,
        plain=plain,
        forest=forest,
    )


def _untouched(equations: Equations, related: Ints, null: sp.csr_array, forest: Forest) -> Mask:
    """Return the tree edges whose flow does not change along any null vector."""
    loose = np.flatnonzero(np.diff(sp.csc_array(null).indptr))
    if not len(loose):
        return np.ones(len(forest.tree), dtype=bool)
    directions = sp.csc_array(null)[:, loose]
    lacking = -(equations.matrix[:, related] @ directions).toarray()
    nodes = np.zeros((forest.n, len(loose)))
    nodes[: equations.n_nodes] = lacking[: equations.n_nodes]
    moves = np.abs(forest.flows(nodes))
    small = RANK_TOLERANCE * abs(directions).max(axis=0).toarray()
    return np.asarray(np.all(moves < small, axis=1))
