"""Whether what is undetermined can keep its bounds beside the values that are determined.

In a block of undetermined variables, flows without an upper bound that run round in circles can
carry whatever their processes lack: strongly connected processes are merged and the flows between
them drop out. Of what is left, a linear programme misses the equations by as little as the bounds
allow (by nothing, if there is room), each block in its own scale and all blocks at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse import csgraph

from mfa.balance.equations import Equations
from mfa.balance.network import Floats, Ints, Mask, components
from mfa.balance.programme import Programme

_ROUNDING = 1e-12
_FORCE = 1e-9
_MISSED = 2e-9


@dataclass(frozen=True, eq=False)
class _Rest:
    """What is left to a linear programme: rows of the merged balances, columns of variables."""

    members: Ints
    rows: sp.csr_array
    right: Floats
    low: Floats
    high: Floats
    of_row: Ints
    of_member: Ints
    of_equation: Ints  # −1 where an equation is in no row


@dataclass(frozen=True, eq=False)
class Cramped:
    """What leaves blocks of undetermined variables no point, one row per block.

    Attributes
    ----------
    rows : sparse array, shape (blocks, equations)
        Combinations of the equations, rows · A x = rows · b, that their bounds contradict.
    held : sparse array of int8, shape (blocks, n)
        The bounds at which undetermined variables come nearest to each: −1 lower, +1 upper.
    """

    rows: sp.csr_array
    held: sp.csr_array


def no_room(equations: Equations, undetermined: Mask, x: Floats, tolerance: Floats) -> np.ndarray:
    """Return the bounds that leave undetermined variables no point: −1 lower, +1 upper, else 0.

    Parameters
    ----------
    equations : Equations
    undetermined : array of bool, shape (n,)
    x : array, shape (n,)
        A point that satisfies the equations; blocks that keep their bounds in it have room.
    tolerance : array, shape (n,)
        Rounding of each variable.

    Returns
    -------
    array of int8, shape (n,)
        All 0 if there is room.
    """
    found = cramped(equations, undetermined, x, tolerance)
    return np.asarray(found.held.sum(axis=0), dtype=np.int8)


def cramped(equations: Equations, undetermined: Mask, x: Floats, tolerance: Floats) -> Cramped:
    """Return what leaves undetermined variables no point, nothing if there is room.

    Parameters are those of `no_room`.
    """
    beyond = (x < equations.lower - tolerance) | (x > equations.upper + tolerance)
    if (undetermined & beyond).any():
        rest = _merged(equations, _doubtful(equations, undetermined, beyond), undetermined, x)
        if len(rest.right):
            return _least_miss(equations, rest)
    nothing = (sp.csr_array((0, k)) for k in (equations.matrix.shape[0], equations.n))
    return Cramped(*nothing)


def _least_miss(equations: Equations, rest: _Rest) -> Cramped:
    """Return what binds where Σ |missed| is least, in the blocks where that is not 0.

    There, the equations' multipliers y pull a variable onto its bound, down if (Aᵀy) < 0 and up if
    > 0.
    """
    rows, columns = rest.rows.shape
    miss = sp.eye_array(rows)
    elastic = Programme(
        sp.csr_array(sp.hstack([rest.rows, miss, -miss])),
        rest.right,
        np.concatenate([rest.low, np.zeros(2 * rows)]),
        np.concatenate([rest.high, np.full(2 * rows, np.inf)]),
    )
    found = elastic.surely_minimise(np.repeat([0.0, 1.0], [columns, 2 * rows]))
    missed = found.x[columns : columns + rows] + found.x[columns + rows :]
    pull = rest.rows.T @ found.duals
    blocked = np.zeros(rest.of_row.max(initial=0) + 1, dtype=bool)
    blocked[rest.of_row[missed > _MISSED]] = True
    number = np.cumsum(blocked) - 1
    tight = np.flatnonzero(blocked[rest.of_member] & (np.abs(pull) > _FORCE))
    ends = (
        np.sign(pull[tight]).astype(np.int8),
        (number[rest.of_member[tight]], rest.members[tight]),
    )
    spoken = np.flatnonzero(rest.of_equation >= 0)
    spoken = spoken[blocked[rest.of_row[rest.of_equation[spoken]]]]
    row = rest.of_equation[spoken]
    entries = (found.duals[row], (number[rest.of_row[row]], spoken))
    shape = (int(blocked.sum()), len(rest.of_equation))
    return Cramped(
        sp.csr_array(sp.coo_array(entries, shape=shape)),
        sp.csr_array(sp.coo_array(ends, shape=(shape[0], equations.n))),
    )


def _doubtful(equations: Equations, undetermined: Mask, beyond: Mask) -> Mask:
    """Return the undetermined variables that share equations with one beyond its bounds."""
    members = np.flatnonzero(undetermined)
    columns = equations.matrix[:, members].tocoo()
    n_rows = columns.shape[0]
    row, column = columns.row.astype(np.int64), columns.col.astype(np.int64)
    labels = components(n_rows + len(members), row, n_rows + column)[n_rows:]
    out = np.zeros(equations.n, dtype=bool)
    out[members] = np.isin(labels, labels[beyond[members]])
    return out


def _merged(equations: Equations, doubtful: Mask, undetermined: Mask, x: Floats) -> _Rest:
    """Merge the processes that unlimited flows connect both ways."""
    n, n_nodes = equations.n, equations.n_nodes
    right = equations.constants(~undetermined, x)
    size = equations.sizes @ np.where(undetermined, 0.0, np.abs(x))
    right[np.abs(right) <= _ROUNDING * size] = 0.0  # or it would set the scale
    labels = _circles(equations, doubtful)
    edges = doubtful & equations.is_edge
    within = np.zeros(n, dtype=bool)
    within[edges] = labels[equations.tail[edges]] == labels[equations.head[edges]]
    within &= _plain(equations)
    members = np.flatnonzero(doubtful & ~within)
    row_of = np.concatenate([labels[:n_nodes], labels.max() + 1 + np.arange(len(equations.right))])
    row_of[:n_nodes][labels[:n_nodes] == labels[n_nodes]] = -1
    columns = equations.matrix[:, members].tocoo()
    row = row_of[columns.row]
    kept = row >= 0
    used, at = np.unique(row[kept], return_inverse=True)
    entries = (columns.data[kept], (at, columns.col[kept]))
    rows = sp.csr_array(sp.coo_array(entries, shape=(len(used), len(members))))
    rows.eliminate_zeros()
    known = row_of >= 0
    place = np.full(row_of.max(initial=-1) + 1, -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    of_equation = np.full(len(row_of), -1, dtype=np.int64)
    of_equation[known] = place[row_of[known]]
    right = np.bincount(row_of[known], right[known], len(place))[used]
    return _scaled(equations, members, rows, right, of_equation)


def _scaled(
    equations: Equations, members: Ints, rows: sp.csr_array, right: Floats, of_equation: Ints
) -> _Rest:
    """Bring the largest number of every block to 1."""
    coo = rows.tocoo()
    n_rows = rows.shape[0]
    row, column = coo.row.astype(np.int64), coo.col.astype(np.int64)
    labels = components(n_rows + len(members), row, n_rows + column)
    of_row, of_member = labels[:n_rows], labels[n_rows:]
    low, high = equations.lower[members], equations.upper[members]
    largest = np.zeros(labels.max(initial=-1) + 1)
    np.maximum.at(largest, of_row, np.abs(right))
    for end in (low, high):
        np.maximum.at(largest, of_member, np.where(np.isfinite(end), np.abs(end), 0.0))
    largest[largest == 0] = 1.0
    size, scale = largest[of_row], largest[of_member]
    low, high = low / scale, high / scale
    return _Rest(members, rows, right / size, low, high, of_row, of_member, of_equation)


def _plain(equations: Equations) -> Mask:
    """Return the flows that no relation speaks of."""
    counts = np.diff(sp.csc_array(equations.relations).indptr)
    return np.asarray(equations.is_edge & (counts == 0))


def _circles(equations: Equations, doubtful: Mask) -> Ints:
    """Return the strongly connected component of each balance, the environment last."""
    some = doubtful & _plain(equations)
    ahead = np.flatnonzero(some & np.isposinf(equations.upper))
    back = np.flatnonzero(some & np.isneginf(equations.lower))
    start = np.concatenate([equations.tail[ahead], equations.head[back]])
    end = np.concatenate([equations.head[ahead], equations.tail[back]])
    n = equations.n_nodes + 1
    graph = sp.coo_array((np.ones(len(start)), (start, end)), shape=(n, n))
    _, labels = csgraph.connected_components(sp.csr_array(graph), connection="strong")
    return np.asarray(labels, dtype=np.int64)
