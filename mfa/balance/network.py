"""Graph rules for balances: contraction, spanning forests, bridges.

Nodes are balances, numbered from 0; the environment is the extra node ``n_nodes``. An edge runs
from ``tail`` to ``head``: it leaves the one balance and enters the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def components(n: int, tail: Ints, head: Ints) -> Ints:
    """Return the number of the connected component of each of ``n`` nodes."""
    adjacency = sp.coo_array((np.ones(len(tail)), (tail, head)), shape=(n, n))
    _, labels = csgraph.connected_components(adjacency, directed=False)
    return np.asarray(labels, dtype=np.int64)


def incidence(n: int, tail: Ints, head: Ints) -> sp.csc_array:
    """Return the (n, edges) matrix with +1 where an edge enters and −1 where it leaves a node.

    Self-loops cancel to an explicit zero.
    """
    m = len(tail)
    columns = np.concatenate([np.arange(m), np.arange(m)])
    values = np.concatenate([np.ones(m), -np.ones(m)])
    rows = np.concatenate([head, tail])
    return sp.csc_array(sp.coo_array((values, (rows, columns)), shape=(n, m)))


@dataclass(frozen=True, eq=False)
class Forest:
    """A spanning forest of some edges, which turns what nodes lack into flows along the trees.

    Attributes
    ----------
    tree : array of int
        Positions (among the edges given) of the tree edges.
    is_tree : array of bool, shape (edges,)
        Whether an edge is in a tree; the others are chords, each closing a cycle.
    below : array of int, shape (tree edges,)
        Node at the lower end of each tree edge: exactly one tree edge ends at each node but roots.
    """

    n: int
    tree: Ints
    is_tree: Mask
    below: Ints
    _factor: object

    def flows(self, lacking: Floats) -> Floats:
        """Return the tree flows that bring each node what it lacks.

        Parameters
        ----------
        lacking : array, shape (n,) or (n, k)
            Net inflow that the tree edges have to bring to each node. Entries of roots are not
            used: a root takes what remains.

        Returns
        -------
        array, shape (tree edges,) or (tree edges, k)
        """
        if not len(self.tree):
            return np.zeros((0, *lacking.shape[1:]))
        return np.asarray(self._factor.solve(np.ascontiguousarray(lacking[self.below])))  # type: ignore[attr-defined]

    def potentials(self, rises: Floats) -> Floats:
        """Return node potentials, 0 at the roots, that rise by given amounts along tree edges.

        Parameters
        ----------
        rises : array, shape (tree edges,) or (tree edges, k)
            Potential of the head minus that of the tail.

        Returns
        -------
        array, shape (n,) or (n, k)
        """
        out = np.zeros((self.n, *rises.shape[1:]))
        if len(self.tree):
            out[self.below] = self._factor.solve(np.ascontiguousarray(rises), trans="T")  # type: ignore[attr-defined]
        return out


def spanning_forest(
    n: int, tail: Ints, head: Ints, root: int, size: Floats | None = None
) -> Forest:
    """Return a breadth-first spanning forest; ``root`` is the root of its own component.

    With a size for each edge, the trees are those of the largest edges.
    """
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    pairs, first = _pairs(n, low, high, size)
    labels = components(n, tail, head)
    roots = np.full(labels.max(initial=-1) + 1, -1, dtype=np.int64)
    roots[labels[::-1]] = np.arange(n)[::-1]
    roots[labels[root]] = root
    ends = np.concatenate([low[first], np.full(len(roots), n)])
    others = np.concatenate([high[first], roots])
    graph = sp.coo_array((np.ones(len(ends)), (ends, others)), shape=(n + 1, n + 1))
    visited, before = csgraph.breadth_first_order(sp.csr_array(graph), n, directed=False)
    order = np.asarray(visited, dtype=np.int64)[1:]
    below = order[before[order] != n]
    above = before[below].astype(np.int64)
    wanted = np.minimum(above, below) * n + np.maximum(above, below)
    tree = first[np.searchsorted(pairs, wanted)]
    is_tree = np.zeros(len(tail), dtype=bool)
    is_tree[tree] = True
    if not len(tree):
        return Forest(n, tree, is_tree, below, None)
    # Ordered breadth first, every tree edge reaches only its own node and one before it: upper
    # triangular with ±1 on the diagonal, so that the factor has no fill and is exact.
    square = sp.csc_array(incidence(n, tail[tree], head[tree]).tocsr()[below])
    factor = splu(square, permc_spec="NATURAL", diag_pivot_thresh=0.0)
    return Forest(n, tree, is_tree, below, factor)


def _pairs(n: int, low: Ints, high: Ints, size: Floats | None) -> tuple[Ints, Ints]:
    """Return the pairs of nodes that edges may join in a forest, and an edge for each.

    Of edges between the same nodes it is the first, or the largest; with sizes only the pairs that
    a forest of the largest edges needs are left.
    """
    order = np.arange(len(low)) if size is None else np.argsort(-size, kind="stable")
    order = order[low[order] != high[order]]
    pairs, at = np.unique(low[order] * n + high[order], return_index=True)
    if size is None:
        return pairs, order[at]
    cost = 1.0 + at  # above 0: no edge to the graph routine is an edge of no cost
    graph = sp.coo_array((cost, (pairs // n, pairs % n)), shape=(n, n))
    trees = csgraph.minimum_spanning_tree(sp.csr_array(graph)).tocoo()
    kept = np.unique(trees.row.astype(np.int64) * n + trees.col)
    return kept, order[at[np.searchsorted(pairs, kept)]]


def bridges(forest: Forest, tail: Ints, head: Ints) -> Mask:
    """Return which of the edges are bridges: tree edges that no cycle runs through.

    Every chord carries two random whole numbers round its cycle; an edge on no cycle is left with
    exactly 0. Sums of whole numbers below 2⁵³ are exact in floating point; the chance that an edge
    on cycles sums to 0 twice is below 10⁻¹⁸.
    """
    out = np.zeros(len(tail), dtype=bool)
    chords = np.flatnonzero(~forest.is_tree)
    labels = np.random.default_rng(20240229).integers(1, 2**32, size=(len(chords), 2))
    carried = incidence(forest.n, tail[chords], head[chords]) @ labels.astype(float)
    around = forest.flows(-carried)
    out[forest.tree] = ~np.any(around != 0.0, axis=1)
    return out
