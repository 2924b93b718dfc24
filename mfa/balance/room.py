"""Whether what is undetermined can keep its bounds beside the values that are determined.

In a block of undetermined variables, flows without an upper bound that run round in circles can
carry whatever their processes lack: strongly connected processes are merged and the flows between
them drop out. Of the rest, a linear programme misses the equations by as little as the bounds allow
(by nothing, if there is room), each block in its own scale and all blocks at once.
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
    scale: Floats
    of_row: Ints


def no_room(equations: Equations, undetermined: Mask, x: Floats, tolerance: Floats) -> np.ndarray:
    """Return the bounds that leave undetermined variables no point: −1 lower, +1 upper, else 0.

    They are those that bind where the equations are missed by as little as can be: there, the
    equations' multipliers y pull a variable onto its bound, down if (Aᵀy) < 0 and up if > 0.

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
    out = np.zeros(equations.n, dtype=np.int8)
    beyond = (x < equations.lower - tolerance) | (x > equations.upper + tolerance)
    if not (undetermined & beyond).any():
        return out
    rest = _merged(equations, _doubtful(equations, undetermined, beyond), undetermined, x)
    if not len(rest.of_row):
        return out
    rows, columns = rest.rows.shape
    miss = sp.eye_array(rows)
    scale = rest.scale
    elastic = Programme(
        sp.csr_array(sp.hstack([rest.rows, miss, -miss])),
        rest.right,
        np.concatenate([equations.lower[rest.members] / scale, np.zeros(2 * rows)]),
        np.concatenate([equations.upper[rest.members] / scale, np.full(2 * rows, np.inf)]),
    )
    found = elastic.surely_minimise(np.repeat([0.0, 1.0], [columns, 2 * rows]))
    missed = found.x[columns : columns + rows] + found.x[columns + rows :]
    pull = rest.rows.T @ found.duals
    blocked = np.zeros(rest.of_row.max() + 1, dtype=bool)
    blocked[rest.of_row[missed > _MISSED]] = True
    touched = abs(rest.rows).T @ blocked[rest.of_row].astype(float) > 0
    out[rest.members] = np.where(touched & (np.abs(pull) > _FORCE), np.sign(pull), 0.0)
    return out


def _doubtful(equations: Equations, undetermined: Mask, beyond: Mask) -> Mask:
    """Return the undetermined variables that share equations with one beyond its bounds."""
    members = np.flatnonzero(undetermined)
    columns = equations.matrix[:, members].tocoo()
    n_rows = columns.shape[0]
    labels = components(n_rows + len(members), columns.row, n_rows + columns.col)[n_rows:]
    out = np.zeros(equations.n, dtype=bool)
    out[members] = np.isin(labels, labels[beyond[members]])
    return out


def _merged(equations: Equations, doubtful: Mask, undetermined: Mask, x: Floats) -> _Rest:
    """Merge the processes that unlimited flows connect both ways."""
    n, n_nodes = equations.n, equations.n_nodes
    right = equations.constants(~undetermined, x)
    size = abs(equations.matrix) @ np.where(undetermined, 0.0, np.abs(x))
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
    sums = np.zeros(row_of.max(initial=-1) + 1)
    np.add.at(sums, row_of[row_of >= 0], right[row_of >= 0])
    return _scaled(equations, members, rows, sums[used])


def _scaled(equations: Equations, members: Ints, rows: sp.csr_array, right: Floats) -> _Rest:
    """Bring the largest number of every block to 1."""
    coo = rows.tocoo()
    n_rows = rows.shape[0]
    labels = components(n_rows + len(members), coo.row, n_rows + coo.col)
    largest = np.zeros(labels.max(initial=-1) + 1)
    np.maximum.at(largest, labels[:n_rows], np.abs(right))
    for end in (equations.lower, equations.upper):
        numbers = np.abs(end[members])
        np.maximum.at(largest, labels[n_rows:], np.where(np.isfinite(numbers), numbers, 0.0))
    largest[largest == 0] = 1.0
    return _Rest(
        members, rows, right / largest[labels[:n_rows]], largest[labels[n_rows:]], labels[:n_rows]
    )


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
