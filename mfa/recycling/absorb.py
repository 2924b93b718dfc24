"""Mixtures of many sources at once, exactly through every loop: an absorbing Markov chain.

With P[p, q] what p takes in of the mixture of q, R[p, o] what it takes in straight from source o,
and T = P 1 + R 1 all that it takes in, the shares S of the sources are those of

    (diag(T) − P) S = R.

Read backwards, S[p, o] is the chance that a tonne in p, followed upstream through perfect mixing,
came from o.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.sparse.linalg import LinearOperator, gmres, splu

from mfa.balance.network import Floats, Ints, Mask
from mfa.errors import BalanceError

_NOTHING = 1e-12
_SMALL = 1500  # processes whose factor cannot fill up much
_SWEEPS = 200
_WATCHED = 10
_CLOSE = 1e-13
_ENOUGH = 1e-9


def absorb(passes: sp.csr_array, direct: Floats, unknown: int = -1) -> Floats:
    """Return the shares of the sources in what each process mixes.

    A process that takes in nothing, or only what goes round without a source, holds metal of
    unknown origin.

    Parameters
    ----------
    passes : sparse array, shape (n, n)
        P: what row takes in of the mixture of column [mass].
    direct : array, shape (n, sources)
        R: what row takes in of a source [mass].
    unknown : int
        Column of the source "unknown".

    Returns
    -------
    array, shape (n, sources)
        Rows add up to 1.

    Raises
    ------
    BalanceError
        If no way of solving comes close to the answer.
    """
    n = len(direct)
    fed = direct.sum(axis=1)
    turnover = np.asarray(passes.sum(axis=1)).ravel() + fed
    passes = sp.csr_array(passes)
    lost = never_fed(passes, fed)
    scale = np.where(lost, 0.0, 1.0 / np.where(lost, 1.0, turnover))
    steps = sp.csr_array(sp.diags_array(scale) @ passes)
    steps.eliminate_zeros()
    right = direct * scale[:, None]
    right[lost, unknown] = 1.0
    matrix = sp.csr_array(sp.eye_array(n, format="csr") - steps)
    found = _solve(matrix, steps, right) if n else right
    found = np.clip(found, 0.0, 1.0)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def reachable(start: Ints, tail: Ints, head: Ints, n: int) -> Mask:
    """Return what can be reached from some nodes along arcs, themselves included."""
    ends = np.concatenate([tail, np.full(len(start), n)]), np.concatenate([head, start])
    graph = sp.csr_array(sp.coo_array((np.ones(len(ends[0])), ends), shape=(n + 1, n + 1)))
    out = np.zeros(n + 1, dtype=bool)
    out[breadth_first_order(graph, n, return_predecessors=False)] = True
    return out[:n]


def never_fed(passes: sp.csr_array, fed: Floats) -> Mask:
    """Return the processes that nothing from outside of the others ever reaches.

    Parameters
    ----------
    passes : sparse array, shape (n, n)
        What row takes in of the mixture of column.
    fed : array, shape (n,)
        What each takes in straight from sources.
    """
    coo = passes.tocoo()
    tiny = _NOTHING * max(float(fed.max(initial=0.0)), float(coo.data.max(initial=0.0)))
    more = coo.data > tiny
    tail, head = coo.col[more].astype(np.int64), coo.row[more].astype(np.int64)
    return ~reachable(np.flatnonzero(fed > tiny), tail, head, len(fed))


def _solve(matrix: sp.csr_array, steps: sp.csr_array, right: Floats) -> Floats:
    """Solve (I − A) S = B by a factor where it cannot fill up much, else by sweeps downstream."""
    if len(right) > _SMALL:
        _, parts = connected_components(steps, directed=True, connection="strong")
        found = _sweep(matrix, steps, right, parts.astype(np.int64))
        if found is not None:
            return found
    factor = splu(sp.csc_array(matrix))
    found = np.asarray(factor.solve(right), dtype=np.float64)
    found += factor.solve(right - matrix @ found)
    if _error(matrix, right, found) > _ENOUGH:
        raise BalanceError(
            "the origin of metal that goes round and round cannot be told: next to nothing enters "
            "or leaves the loop; check the flows into the largest loop of the system"
        )
    return found


def _error(matrix: sp.csr_array, right: Floats, found: Floats) -> float:
    """Return the largest residual, or how far shares that must add up to 1 do not."""
    residual = float(np.abs(right - matrix @ found).max(initial=0.0))
    return max(residual, float(np.abs(found.sum(axis=1) - 1.0).max(initial=0.0)))


def _sweep(matrix: sp.csr_array, steps: sp.csr_array, right: Floats, parts: Ints) -> Floats | None:
    """Sweep the processes downstream again and again; None if that does not come close.

    Put in order from the sources, the arcs that go forward make a triangle that is solved without
    fill; each sweep carries what the arcs back bring once more round. In nearly closed loops
    sweeps gain little, and the triangle preconditions GMRES instead.
    """
    order = _downstream(steps, right, parts)
    ordered, wanted = sp.csr_array(matrix[order][:, order]), right[order]
    triangle = splu(
        sp.csc_array(sp.tril(ordered)),
        permc_spec="NATURAL",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    found = np.asarray(triangle.solve(wanted), dtype=np.float64)
    sizes = []
    for sweep in range(_SWEEPS):
        gap = wanted - ordered @ found
        sizes.append(float(np.abs(gap).max()))
        if sizes[-1] <= _CLOSE:
            break
        if sweep >= _WATCHED:
            gained = np.log(sizes[-1 - _WATCHED] / sizes[-1]) / _WATCHED
            if gained * (_SWEEPS - sweep) < np.log(sizes[-1] / _CLOSE):
                found = _accelerated(ordered, triangle.solve, wanted, found)
                break
        found += triangle.solve(gap)
    back = np.empty_like(found)
    back[order] = found
    return back if _error(matrix, right, back) <= _ENOUGH else None


def _downstream(steps: sp.csr_array, right: Floats, parts: Ints) -> Ints:
    """Return the processes in order from the sources, loops in the order of the numbers of parts.

    Parts that are numbered against the arcs between them are taken from the last to the first.
    """
    coo = steps.tocoo()
    between = np.sign(parts[coo.row] - parts[coo.col])
    n = len(right)
    start = np.flatnonzero(right.any(axis=1))
    ends = np.concatenate([coo.row, start]), np.concatenate([coo.col, np.full(len(start), n)])
    graph = sp.csr_array(sp.coo_array((np.ones(len(ends[0])), ends), shape=(n + 1, n + 1)).T)
    rank = np.full(n + 1, n, dtype=np.int64)
    seen = breadth_first_order(graph, n, return_predecessors=False)
    rank[seen] = np.arange(len(seen))
    return np.lexsort([rank[:n], parts * (1 if between.sum() >= 0 else -1)])


def _accelerated(
    matrix: sp.csr_array, precondition: Callable[[Floats], Floats], right: Floats, start: Floats
) -> Floats:
    """Return the solution by GMRES, one source at a time, from a first guess."""
    n = len(right)
    inner = LinearOperator((n, n), matvec=precondition)
    out = start.copy()
    for column in np.flatnonzero(right.any(axis=0)).tolist():
        out[:, column], _ = gmres(
            matrix,
            right[:, column],
            x0=start[:, column],
            M=inner,
            rtol=0.0,
            atol=_CLOSE,
            restart=_WATCHED * 5,
            maxiter=20,
        )
    return out
