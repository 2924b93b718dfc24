"""Rank-revealing elimination, for the few rows on which graph rules are silent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import qr, solve_triangular
from scipy.sparse import csgraph

from mfa.balance.network import Floats, Ints, Mask, spanning_forest

RANK_TOLERANCE = 1e-8
_ROUNDING = 1e-11


@dataclass(frozen=True, eq=False)
class Elimination:
    """Unmeasured variables of relations, eliminated from the rows that they touch.

    Attributes
    ----------
    mixed : sparse array, shape (k, equations)
        Combinations of the touched rows in which those variables vanish.
    touched : array of int
        Positions of the touched rows.
    solve : sparse array, shape (variables, touched)
        A generalised inverse: what the touched rows lack, turned into the variables.
    determined : array of bool, shape (variables,)
    null : sparse array, shape (variables, variables)
        Columns that span the null space.
    """

    mixed: sp.csr_array
    touched: Ints
    solve: sp.csr_array
    determined: Mask
    null: sp.csr_array


def clean(matrix: sp.csr_array) -> sp.csr_array:
    """Drop the entries that rounding left where zeros belong, row by row."""
    coo = matrix.tocoo()
    largest = np.zeros(matrix.shape[0])
    np.maximum.at(largest, coo.row, np.abs(coo.data))
    keep = np.abs(coo.data) > _ROUNDING * largest[coo.row]
    kept = (coo.data[keep], (coo.row[keep], coo.col[keep]))
    return sp.csr_array(sp.coo_array(kept, shape=matrix.shape))


def equilibrate(block: Floats) -> tuple[Floats, Floats]:
    """Return row and column factors that bring the largest entries near 1."""
    row, column = np.ones(block.shape[0]), np.ones(block.shape[1])
    for _ in range(6):
        scaled = np.abs(row[:, None] * block * column)
        largest = scaled.max(axis=1)
        row /= np.sqrt(np.where(largest > 0, largest, 1.0))
        largest = np.abs(row[:, None] * block * column).max(axis=0)
        column /= np.sqrt(np.where(largest > 0, largest, 1.0))
    return row, column


def _eliminate_block(block: Floats) -> tuple[Floats, Floats, Mask]:
    """Split the rows of a dense block by QR.

    Returns
    -------
    without : array, shape (rows − rank, rows)
        Combinations of the rows in which every column vanishes.
    solve : array, shape (columns, rows)
        A generalised inverse of the block.
    determined : array of bool, shape (columns,)
        Columns that are zero in every null vector of the block.
    """
    row, column = equilibrate(block)
    q, r, order = qr(row[:, None] * block * column, pivoting=True)
    size = np.abs(np.diag(r))
    rank = int((size > RANK_TOLERANCE * max(size.max(initial=0.0), 1e-300)).sum())
    without = np.where(np.abs(q[:, rank:].T) > _ROUNDING, q[:, rank:].T, 0.0) * row
    corner = r[:rank, :rank]
    solve = np.zeros(block.T.shape)
    solve[order[:rank]] = solve_triangular(corner, q[:, :rank].T * row)
    solve *= column[:, None]
    determined = np.zeros(block.shape[1], dtype=bool)
    null = solve_triangular(corner, r[:rank, rank:]) if rank else np.zeros((0, block.shape[1]))
    determined[order[:rank]] = np.abs(null).max(axis=1, initial=0.0) < RANK_TOLERANCE
    return without, solve, determined


def connected_blocks(columns: sp.csr_array, least: int = 1) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Yield rows, columns and dense entries of each connected block of at least so many entries."""
    if not columns.nnz:
        return
    n_rows, n_columns = columns.shape
    coo = columns.tocoo()
    joined = sp.coo_array(
        (np.ones(coo.nnz), (coo.row, n_rows + coo.col)), shape=(n_rows + n_columns,) * 2
    )
    count, labels = csgraph.connected_components(joined, directed=False)
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(count + 1))
    inside = np.empty(n_rows + n_columns, dtype=np.int64)  # place within the block
    inside[order] = np.arange(len(order)) - starts[labels[order]]
    of_entry = labels[coo.row]
    sorted_ = np.argsort(of_entry, kind="stable")
    ends = np.searchsorted(of_entry[sorted_], np.arange(count + 1))
    for k in range(count):
        entries = sorted_[ends[k] : ends[k + 1]]
        if len(entries) < least:
            continue
        group = order[starts[k] : starts[k + 1]]  # rows stand before columns
        rows, members = group[group < n_rows], group[group >= n_rows] - n_rows
        block = np.zeros((len(rows), len(members)))
        at = inside[coo.row[entries]], inside[n_rows + coo.col[entries]] - len(rows)
        block[at] = coo.data[entries]
        yield rows, members, block


def _alone(columns: sp.csr_array) -> tuple[Ints, Ints, Floats]:
    """Return row, column and value of the entries that are alone in both."""
    coo = columns.tocoo()
    in_row = np.bincount(coo.row, minlength=coo.shape[0])
    in_column = np.bincount(coo.col, minlength=coo.shape[1])
    alone = (in_row[coo.row] == 1) & (in_column[coo.col] == 1)
    return coo.row[alone].astype(np.int64), coo.col[alone].astype(np.int64), coo.data[alone]


def eliminate(rows: sp.csr_array, columns: sp.csr_array) -> Elimination:
    """Eliminate the unmeasured variables of relations from the rows that they touch.

    Parameters
    ----------
    rows : sparse array, shape (k, equations)
        Contracted balances, and relations, as combinations of equations.
    columns : sparse array, shape (k, variables)
        Their coefficients of the variables to eliminate.
    """
    n_columns = columns.shape[1]
    touched = np.flatnonzero(np.diff(columns.indptr))
    position = np.full(columns.shape[0], -1, dtype=np.int64)
    position[touched] = np.arange(len(touched))
    determined = np.zeros(n_columns, dtype=bool)
    untied = np.flatnonzero(np.diff(sp.csc_array(columns).indptr) == 0)
    row, column, entry = _alone(columns)
    determined[column] = True
    mixed, solves = [], [(1.0 / entry, column, position[row])]
    nulls = [(np.ones(len(untied)), untied, untied)]
    n_mixed = 0
    for group, members, block in connected_blocks(columns, least=2):
        without, solve, determined[members] = _eliminate_block(block)
        mixed.append(_entries(without, n_mixed + np.arange(len(without)), group))
        n_mixed += len(without)
        solves.append(_entries(solve, members, position[group]))
        null = np.eye(len(members)) - solve @ block
        null[determined[members]] = 0.0
        nulls.append(_entries(null, members, members))
    return Elimination(
        mixed=sp.csr_array(_assembled(mixed, (n_mixed, rows.shape[0])) @ rows),
        touched=touched,
        solve=_assembled(solves, (n_columns, len(touched))),
        determined=determined,
        null=clean(_assembled(nulls, (n_columns, n_columns))),
    )


def _entries(block: Floats, rows: Ints, columns: Ints) -> tuple[Floats, Ints, Ints]:
    return block.ravel(), np.repeat(rows, len(columns)), np.tile(columns, len(rows))


def _assembled(parts: list[tuple[Floats, Ints, Ints]], shape: tuple[int, int]) -> sp.csr_array:
    """Return a sparse array from dense blocks given as (values, rows, columns)."""
    if not parts:
        return sp.csr_array(shape)
    values, rows, columns = (np.concatenate(part) for part in zip(*parts, strict=True))
    matrix = sp.csr_array(sp.coo_array((values, (rows, columns)), shape=shape))
    matrix.eliminate_zeros()
    return matrix


def independent(
    sound: sp.csr_array, doubtful: sp.csr_array, measured: sp.csc_array
) -> tuple[sp.csr_array, sp.csr_array]:
    """Keep the doubtful rows that add something to the sound ones.

    Sound rows are contracted balances, of full rank over the measured variables. A spanning tree
    of measured edges over them lets every doubtful row be written without tree edges; what then
    remains of it on the chords shows by QR whether it is independent.

    Parameters
    ----------
    sound, doubtful : sparse array, shape (·, equations)
        Combinations of equations.
    measured : sparse array, shape (equations, data)
        A_M.

    Returns
    -------
    extra : sparse array
        The doubtful rows kept.
    empty : sparse array
        Combinations of equations that hold no variable at all: constants that must add up to 0.
    """
    if not doubtful.shape[0]:
        return doubtful, doubtful
    checked = sp.csc_array(sound @ measured)
    rest = _rounded(doubtful @ measured, abs(doubtful) @ abs(measured)).toarray()
    n = sound.shape[0]
    tail, head = _ends(checked)
    edges = np.flatnonzero((tail != n) | (head != n))
    forest = spanning_forest(n + 1, tail[edges], head[edges], n)
    potentials = sp.csr_array(forest.potentials(rest[:, edges[forest.tree]].T)[:n].T)
    potentials = clean(potentials)
    left = rest - (potentials @ checked).toarray()
    cleared = _rounded(doubtful - potentials @ sound, abs(doubtful) + abs(potentials) @ sound)
    scale = np.maximum(np.linalg.norm(rest, axis=1), 1e-300)
    _, r, order = qr((left / scale[:, None]).T, mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    rank = int((size > RANK_TOLERANCE).sum())
    keep, drop = order[:rank], order[rank:]
    shares = (
        solve_triangular(r[:rank, :rank], r[:rank, rank:]) if rank else np.zeros((0, len(drop)))
    )
    weights = sp.csr_array(np.where(np.abs(shares.T) > _ROUNDING, shares.T, 0.0))
    weights = sp.diags_array(scale[drop]) @ weights @ sp.diags_array(1.0 / scale[keep])
    kept, dropped = cleared[keep], cleared[drop]
    empty = _rounded(dropped - weights @ kept, abs(dropped) + abs(weights) @ abs(kept))
    return doubtful[np.sort(keep)], empty


def _rounded(matrix: sp.csr_array, size: sp.csr_array) -> sp.csr_array:
    """Drop the entries that are rounding beside the size of what was added up to them."""
    return sp.csr_array(matrix.multiply(abs(matrix) > _ROUNDING * size))


def _ends(checked: sp.csc_array) -> tuple[Ints, Ints]:
    """Return tail and head of each column of contracted incidence; n where it leaves them."""
    n, m = checked.shape
    tail, head = np.full(m, n, dtype=np.int64), np.full(m, n, dtype=np.int64)
    coo = checked.tocoo()
    head[coo.col[coo.data > 0]] = coo.row[coo.data > 0]
    tail[coo.col[coo.data < 0]] = coo.row[coo.data < 0]
    return tail, head
