"""Which columns of a matrix hang together: cycles of graphs, and their likes where relations speak.

A null vector of a matrix with as few nonzero entries as can be is a circuit: in the incidence
matrix of a graph, a cycle. Columns are tangled if a chain of circuits leads from one to the other.
In a basis of the null space in which every vector has an entry of its own (that is 0 in the other
vectors), each vector is a circuit, and the entries of these vectors alone tell what is tangled.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.linalg import qr, solve_triangular

from mfa.balance.elimination import RANK_TOLERANCE, connected_blocks, equilibrate
from mfa.balance.network import Floats, Forest, Ints, components


def two_connected(forest: Forest, tail: Ints, head: Ints) -> Ints:
    """Return a number for each edge, the same where a cycle runs through both.

    Every tree edge is known by the node below it; nodes are numbered so that the numbers below an
    edge follow each other. Two tree edges, one below the other, lie on a cycle if a chord leads
    from below the lower one to beyond the upper one (Tarjan & Vishkin 1985).

    Parameters
    ----------
    forest : Forest
        A spanning forest of the edges.
    tail, head : array of int
        Ends of all edges, those of the forest and others (chords).
    """
    n = forest.n
    first, size, above = _numbered(forest, tail, head)
    chords = np.flatnonzero(~forest.is_tree & (tail != head))
    one, two = tail[chords], head[chords]
    low, high = first.copy(), first.copy()
    for here, there in ((one, two), (two, one)):
        np.minimum.at(low, here, first[there])
        np.maximum.at(high, here, first[there])
    order = np.argsort(first)
    low = _least(low[order], first, first + size)
    high = -_least(-high[order], first, first + size)
    child = forest.below[above[above[forest.below]] >= 0]  # with an edge above its own
    parent = above[child]
    beyond = (low[child] < first[parent]) | (high[child] >= first[parent] + size[parent])
    later = np.where(first[one] > first[two], one, two)
    earlier = one + two - later
    aside = first[later] >= first[earlier] + size[earlier]
    labels = components(
        n,
        np.concatenate([child[beyond], earlier[aside]]),
        np.concatenate([parent[beyond], later[aside]]),
    )
    out = labels.max(initial=-1) + 1 + np.arange(len(tail))  # an edge from a node to itself
    out[forest.tree] = labels[forest.below]
    out[chords] = labels[later]
    return np.asarray(out, dtype=np.int64)


def _numbered(forest: Forest, tail: Ints, head: Ints) -> tuple[Ints, Ints, Ints]:
    """Return nodes' numbers in preorder, how many are below each, and those above (or −1)."""
    n, below = forest.n, forest.below
    size, above = np.ones(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    size[below] = np.abs(np.rint(forest.flows(np.ones(n)))).astype(np.int64)
    above[below] = tail[forest.tree] + head[forest.tree] - below
    order = np.argsort(above[below], kind="stable")
    before = np.cumsum(size[below[order]]) - size[below[order]]
    _, start, group = np.unique(above[below[order]], return_index=True, return_inverse=True)
    rise = np.empty(len(below))
    rise[order] = 1.0 + before - before[start][group]
    rise = np.where(head[forest.tree] == below, rise, -rise)
    first = np.rint(forest.potentials(rise)).astype(np.int64)
    roots = np.flatnonzero(above < 0)
    size[roots] = 0
    labels = components(n, below, above[below])
    counts = np.bincount(labels)
    size[roots] = counts[labels[roots]]
    return first + (np.cumsum(counts) - counts)[labels], size, above


def _least(values: Ints, start: Ints, stop: Ints) -> Ints:
    """Return the least of the values from each start to before each stop."""
    tables = [values]
    while 2 ** len(tables) <= len(values):
        half = 2 ** (len(tables) - 1)
        tables.append(np.minimum(tables[-1][:-half], tables[-1][half:]))
    level = np.frexp((stop - start).astype(np.float64))[1] - 1
    out = np.empty(len(start), dtype=np.int64)
    for k in np.unique(level):
        some = np.flatnonzero(level == k)
        out[some] = np.minimum(tables[k][start[some]], tables[k][stop[some] - 2**k])
    return out


def fundamental(matrix: sp.csr_array) -> sp.csc_array:
    """Return columns that span what the given ones span, each with an entry of its own."""
    rows: list[Ints] = []
    columns: list[Ints] = []
    values: list[Floats] = []
    count = 0
    for members, _, block in connected_blocks(matrix):
        by_row, by_column = equilibrate(block)
        _, r, order = qr((by_row[:, None] * block * by_column).T, mode="economic", pivoting=True)
        pivots = np.abs(np.diag(r))
        rank = int((pivots > RANK_TOLERANCE * pivots.max(initial=1e-300)).sum())
        shares = solve_triangular(r[:rank, :rank], r[:rank]).T
        at, of = np.nonzero(np.abs(shares) > RANK_TOLERANCE)
        rows.append(members[order[at]])
        columns.append(count + of)
        values.append(shares[at, of] / by_row[order[at]])
        count += rank
    if not rows:
        return sp.csc_array((matrix.shape[0], 0))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sp.csc_array(sp.coo_array(entries, shape=(matrix.shape[0], count)))
