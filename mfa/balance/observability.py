"""Why a variable is undetermined, and which equations check a datum.

Undetermined variables are tangled where one cannot be fixed without the others moving: a chain of
cycles (with relations: of null vectors) joins them. To measure one of them frees exactly those
whose entries in every null vector are proportional to its own, in graphs the edges that together
with it cut a network in two; all of a tangle takes as many measurements as it has independent
null vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from mfa.balance.circuits import fundamental, two_connected
from mfa.balance.elimination import RANK_TOLERANCE, clean
from mfa.balance.network import Floats, Ints, components
from mfa.balance.structure import Structure
from mfa.balance.suspects import alike

_DIRECTIONS = 4


@dataclass(frozen=True, eq=False)
class Tangles:
    """Undetermined variables by what ties them.

    Attributes
    ----------
    members : array of int
        The undetermined variables.
    tangle : array of int, shape (members,)
        Number of the tangle of each.
    series : array of int, shape (members,)
        The same for variables of which one measured frees the others.
    dimension : array of int, shape (tangles,)
        How many measurements free all of a tangle, at least.
    """

    members: Ints
    tangle: Ints
    series: Ints
    dimension: Ints

    @property
    def frees(self) -> Ints:
        """How many of them, itself included, a measurement of each would free."""
        return np.asarray(
            np.bincount(self.series)[self.series] if len(self.series) else self.series
        )


def tangles(layout: Structure) -> Tangles:
    """Return what is undetermined, and with what."""
    equations, forest = layout.equations, layout.forest
    known = layout.fixed | equations.measured | layout.determined
    members = np.flatnonzero(~known)
    if not len(members):
        return Tangles(members, members, members, members)
    n, plain = equations.n, layout.plain
    block = two_connected(forest, equations.tail[plain], equations.head[plain])
    n_blocks = int(block.max(initial=-1)) + 1
    variable, direction = _directions(layout)
    ends = np.concatenate([plain, variable])
    others = np.concatenate([n + block, n + n_blocks + direction])
    size = n + n_blocks + int(direction.max(initial=-1)) + 1
    labels = components(size, ends, others)
    _, tangle = np.unique(labels[members], return_inverse=True)
    number = np.full(int(labels.max()) + 1, -1, dtype=np.int64)
    number[labels[members]] = tangle
    free = np.concatenate([plain[~forest.is_tree], n + n_blocks + np.unique(direction)])
    dimension = np.bincount(number[labels[free]], minlength=int(tangle.max()) + 1)
    moves = layout.wander(_DIRECTIONS)[members]
    return Tangles(members, tangle, alike(sp.csc_array(moves.T)), dimension)


def _directions(layout: Structure) -> tuple[Ints, Ints]:
    """Return which variables move along which null vectors of the relations' variables.

    Beside those, the forest's edges that carry away what these variables bring to their balances.
    """
    equations, forest = layout.equations, layout.forest
    null = fundamental(sp.csr_array(layout.null))
    coo = null.tocoo()
    inflow = sp.csc_array(equations.matrix[:, layout.related])[: equations.n_nodes]
    loose = null.shape[1]
    nodes = np.zeros((forest.n, loose))
    nodes[:-1] = -(inflow @ null).toarray()
    size = (abs(inflow) @ abs(null)).max(axis=0).toarray().ravel() if loose else np.zeros(0)
    edge, along = np.nonzero(np.abs(forest.flows(nodes)) > RANK_TOLERANCE * size)
    variable = np.concatenate([layout.related[coo.row], layout.plain[forest.tree[edge]]])
    return variable, np.concatenate([coo.col, along]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Checks:
    """Sums of equations in which no unmeasured variable is left, each of as few as can be.

    Attributes
    ----------
    rows : sparse array, shape (checks, equations)
        Merged balances first, then what relations add.
    n_balances : int
        Number of merged balances.
    measured : sparse array, shape (checks, data)
        Coefficients of the data.
    """

    rows: sp.csr_array
    n_balances: int
    measured: sp.csr_array


def checks(layout: Structure) -> Checks:
    """Return the smallest sums of equations that check data."""
    equations = layout.equations
    n, plain = equations.n_nodes, layout.plain
    labels = components(n + 1, equations.tail[plain], equations.head[plain])
    shape = (int(labels.max()) + 1, equations.matrix.shape[0])
    sums = sp.csr_array(sp.coo_array((np.ones(n), (labels[:n], np.arange(n))), shape=shape))
    related = abs(sp.csr_array(equations.matrix[:, layout.related]))
    whole = np.asarray((abs(sums) @ related).sum(axis=1)).ravel() == 0
    whole[labels[n]] = False
    merged = sums[np.flatnonzero(whole)]
    mixed = sp.csr_array(fundamental(sp.csr_array(_beside(layout, merged).T)).T)
    rows = sp.csr_array(sp.vstack([merged, mixed], format="csr"))
    found = clean(sp.csr_array(rows @ equations.matrix[:, layout.data]))
    found.eliminate_zeros()
    return Checks(rows, merged.shape[0], found)


def _beside(layout: Structure, merged: sp.csr_array) -> sp.csr_array:
    """Return what the sums without unmeasured variables hold beside the merged balances.

    What they hold of those has no unmeasured variable by itself.
    """
    outside = np.ones(merged.shape[1])
    outside[merged.indices] = 0.0
    rows = sp.csr_array(sp.vstack([layout.rows, layout.checks], format="csr"))
    rest = sp.csr_array(rows @ sp.diags_array(outside))
    rest.eliminate_zeros()
    return rest


def checked_by(found: Checks) -> list[Ints]:
    """Return for each datum the checks that it is part of: merged balances, else the smallest."""
    size = np.diff(found.rows.indptr)
    columns = sp.csc_array(found.measured)
    out = []
    for start, stop in zip(columns.indptr[:-1], columns.indptr[1:], strict=True):
        rows = columns.indices[start:stop]
        rows = rows[np.lexsort((rows, size[rows], rows >= found.n_balances))]
        balances = int((rows < found.n_balances).sum())
        out.append(rows[: balances or 1].astype(np.int64))
    return out


@dataclass(frozen=True, eq=False)
class Nodal:
    """Test of each balance by the data as they are, merged with others until all is measured.

    Attributes
    ----------
    row : array of int, shape (nodes,)
        Check that the balance is part of, −1 where the data do not reach.
    imbalance, sd : array, shape (nodes,)
        What comes in less what goes out [mass per step], and its sd.
    """

    row: Ints
    imbalance: Floats
    sd: Floats


def nodal_tests(layout: Structure, found: Checks) -> Nodal:
    """Return the nodal test of every balance."""
    equations = layout.equations
    size = np.diff(found.rows.indptr)
    columns = sp.csc_array(found.rows[:, : equations.n_nodes])
    row = np.full(equations.n_nodes, -1, dtype=np.int64)
    factor = np.full(equations.n_nodes, np.nan)
    for node in np.flatnonzero(np.diff(columns.indptr)):
        of = slice(columns.indptr[node], columns.indptr[node + 1])
        best = int(np.argmin(size[columns.indices[of]]))
        row[node], factor[node] = columns.indices[of][best], columns.data[of][best]
    y = np.where(equations.measured | layout.fixed, equations.y, 0.0)
    right = np.concatenate([np.zeros(equations.n_nodes), equations.right])
    left = np.append(found.rows @ (equations.matrix @ y - right), np.nan)
    variance = np.append(found.measured.power(2) @ equations.sd[layout.data] ** 2, np.nan)
    return Nodal(row, left[row] / factor, np.sqrt(variance[row]) / np.abs(factor))


def groups_of(members: Ints, groups: Ints) -> dict[int, Ints]:
    """Return the members of each group."""
    order = np.argsort(groups, kind="stable")
    numbers, start = np.unique(groups[order], return_index=True)
    ends = np.append(start, len(members)).tolist()
    return {
        n: members[order[a:b]] for n, a, b in zip(numbers.tolist(), ends, ends[1:], strict=False)
    }
