"""Ranges of open mixtures: what shares can be while flows are anywhere within their ranges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Floats, Ints, Mask
from mfa.recycling.absorb import reachable

_SETTLED = 1e-10
_SWEEPS = 60
_WORK = 20_000  # mixtures that may be looked at
_LARGE = 1e12


@dataclass(frozen=True, eq=False)
class Boxes:
    """What enters processes: tail −1 with definite shares, or the mixture of the tail.

    low and high are the range of each mass, both at least 0.
    """

    head: Ints
    tail: Ints
    shares: sp.csr_array
    low: Floats
    high: Floats


def enclose(low: Floats, high: Floats, open_: Mask, boxes: Boxes) -> tuple[Floats, Floats]:
    """Narrow the ranges of open mixtures until nothing changes, or for as long as is worth it.

    Every share starts between 0 and 1, or at 0 where its source cannot reach, and each sweep takes
    the least and the greatest mixture of what enters; since each of these ranges holds all that is
    possible, so does every next one. Flows are taken as free of each other, so that ranges may be
    wider than what is possible, never narrower.

    Parameters
    ----------
    low, high : array, shape (processes, sources)
        The shares themselves where they are determined.
    open_ : array of bool, shape (processes,)
    boxes : Boxes

    Returns
    -------
    array, array, shape (processes, sources)
    """
    low, high = low.copy(), high.copy()
    passes = boxes.tail >= 0
    known = boxes.shares.tocsc()
    for source in range(high.shape[1]):
        start = boxes.head[known.indices[known.indptr[source] : known.indptr[source + 1]]]
        there = reachable(np.unique(start), boxes.tail[passes], boxes.head[passes], len(open_))
        high[open_ & ~there, source] = 0.0
    chosen = np.flatnonzero(open_[boxes.head])
    chosen = chosen[np.argsort(boxes.head[chosen], kind="stable")]
    processes, first = np.unique(boxes.head[chosen], return_index=True)
    groups = np.split(chosen, first[1:])
    for _ in range(max(1, min(_SWEEPS, _WORK // max(len(processes), 1)))):
        change = 0.0
        for process, arcs in zip(processes.tolist(), groups, strict=True):
            change = max(change, _narrow(low, high, process, arcs, boxes))
        if change <= _SETTLED:
            break
    return low, high


def _narrow(low: Floats, high: Floats, process: int, arcs: Ints, boxes: Boxes) -> float:
    """Narrow the range of one process in place; return by how much."""
    least = boxes.shares[arcs].toarray()
    most = least.copy()
    mixed = boxes.tail[arcs] >= 0
    least[mixed], most[mixed] = low[boxes.tail[arcs[mixed]]], high[boxes.tail[arcs[mixed]]]
    if not boxes.high[arcs].any():
        return 0.0
    below = np.maximum(low[process], 1.0 - _greatest(1.0 - least, arcs, boxes))
    above = np.minimum(high[process], _greatest(most, arcs, boxes))
    below, above = (
        np.maximum(below, 1.0 - (above.sum() - above)),
        np.minimum(above, 1.0 - (below.sum() - below)),
    )
    above = np.maximum(below, above)
    change = float(np.maximum(below - low[process], high[process] - above).max())
    low[process], high[process] = below, above
    return change


def _greatest(share: Floats, arcs: Ints, boxes: Boxes) -> Floats:
    """Return the greatest Σ x share / Σ x with every x in its range, by source.

    It is reached with the arcs of the largest shares at their most and all others at their least.
    """
    low, high = boxes.low[arcs], boxes.high[arcs]
    size = max(float(low.max()), float(high[np.isfinite(high)].max(initial=0.0)), 1.0)
    high = np.minimum(high, _LARGE * size)
    order = np.argsort(-share, axis=0, kind="stable")
    sorted_ = np.take_along_axis(share, order, axis=0)
    extra = (high - low)[order]
    top = (low @ share) + np.cumsum(extra * sorted_, axis=0)
    bottom = low.sum() + np.cumsum(extra, axis=0)
    ratio = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
    start = (low @ share) / low.sum() if low.sum() > 0 else np.zeros(share.shape[1])
    return np.asarray(np.maximum(ratio.max(axis=0), start))
