"""Which variables of a linear programme have no limit."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse import csgraph

from mfa.balance.equations import Equations
from mfa.balance.extremes import extremes
from mfa.balance.network import Ints, Mask, components
from mfa.balance.programme import Programme

_MOVES = 1e-7


def unlimited(programme: Programme, equations: Equations, members: Ints) -> tuple[Mask, Mask]:
    """Return which variables can fall, and which can rise, without limit.

    A flow between balances alone can rise without limit exactly if it lies on a cycle of flows that
    can: if both its ends lie in one strongly connected component of these. A flow without any bound
    would close such a cycle with itself; for it, and for what relations tie together, the
    directions in which the equations stay closed are searched.

    Parameters
    ----------
    programme : Programme
        What the members can be, in any unit; it has a point.
    equations : Equations
        From which the programme was made.
    members : array of int
        Variables of the columns.
    """
    down, up = np.isinf(programme.low), np.isinf(programme.high)
    related = np.diff(sp.csc_array(equations.relations).indptr)[members] > 0
    plain = equations.is_edge[members] & ~related
    on_cycle = plain & _on_cycles(equations, members, plain & up, plain & down)
    falls, rises = on_cycle & down & ~up, on_cycle & up & ~down
    alone = ~plain | (down & up) | _beside(programme, related)
    ask_down, ask_up = down & alone & ~falls, up & alone & ~rises
    if not (ask_down | ask_up).any():
        return falls, rises
    directions = Programme(
        programme.matrix,
        np.zeros(len(programme.right)),
        np.where(down, -1.0, 0.0),
        np.where(up, 1.0, 0.0),
    )
    least, most = extremes(directions, ask_down, ask_up)
    return falls | (ask_down & (least < -_MOVES)), rises | (ask_up & (most > _MOVES))


def _on_cycles(equations: Equations, members: Ints, up: Mask, down: Mask) -> Mask:
    """Return whose ends are joined by a cycle of edges that can rise or fall without limit."""
    tail, head = equations.tail[members], equations.head[members]
    n = equations.n_nodes + 1
    begin, end = np.concatenate([tail[up], head[down]]), np.concatenate([head[up], tail[down]])
    graph = sp.coo_array((np.ones(len(begin)), (begin, end)), shape=(n, n))
    _, labels = csgraph.connected_components(sp.csr_array(graph), connection="strong")
    return np.asarray(labels[tail] == labels[head])


def _beside(programme: Programme, related: Mask) -> Mask:
    """Return the columns that share equations, also through others, with those in relations."""
    n_rows, n = programme.matrix.shape
    entries = programme.matrix.tocoo()
    ends = entries.row.astype(np.int64), n_rows + entries.col.astype(np.int64)
    labels = components(n_rows + n, *ends)[n_rows:]
    return np.isin(labels, labels[related])
