"""Points that undetermined flows can be at, for what is too crooked for a linear programme."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Floats, Ints
from mfa.balance.programme import Programme
from mfa.recycling.place import Place

_DRAWS = 8
_MOST = 40
_REACH = 2.0  # times the largest known number: how far a corner without a limit is looked for


def corners(place: Place) -> list[Floats]:
    """Return flows at corners of what equations, data and bounds leave possible at a place.

    Corners where one undetermined flow is at an end of its range (of the first 40 such flows), and
    eight drawn at random with a fixed seed; last their mean, which lies inside. All others are held
    at their results. What has no limit ends at twice the largest number of the place. Where all is
    determined, the one point there is.

    Returns
    -------
    list of array, shape (flows,)
    """
    loose = np.flatnonzero(place.there & place.is_loose(place.number))
    if not len(loose):
        return [place.x]
    members = _members(place, place.number[loose])
    programme, scale = _programme(place, members)
    at = np.searchsorted(members, place.number[loose])
    rng = np.random.default_rng(1)
    objectives = [sign * _unit(len(members), k) for k in at[:_MOST] for sign in (1.0, -1.0)]
    for _ in range(_DRAWS):
        draw = np.zeros(len(members))
        draw[at] = rng.standard_normal(len(at))
        objectives.append(draw)
    points: dict[bytes, Floats] = {}
    for objective in objectives:
        x = place.x.copy()
        x[loose] = scale * programme.surely_minimise(objective).x[at]
        points.setdefault(np.round(x / scale, 6).tobytes(), x)
    found = list(points.values())
    return [*found, np.mean(found, axis=0)]


def _unit(n: int, k: int) -> Floats:
    out = np.zeros(n)
    out[k] = 1.0
    return out


def _members(place: Place, numbers: Ints) -> Ints:
    """Return every variable that shares a block with some, ascending."""
    wanted = set(numbers.tolist())
    parts = [block for block in place.space.blocks if not wanted.isdisjoint(block.tolist())]
    return np.unique(np.concatenate(parts))


def _programme(place: Place, members: Ints) -> tuple[Programme, float]:
    """Return what the members can be, divided by the largest number, and that number."""
    space = place.space
    x = np.zeros(space.matrix.shape[1])
    known = place.balance.bounded.estimate.x
    x[: len(known)] = known
    x[members] = 0.0
    columns = sp.csc_array(space.matrix[:, members])
    rows = np.unique(columns.indices)
    right = space.right[rows] - space.matrix[rows] @ x
    low, high = space.lower[members], space.upper[members]
    numbers = np.abs(np.concatenate([right, low, high, place.x]))
    scale = float(numbers[np.isfinite(numbers)].max(initial=0.0)) or 1.0
    low, high = np.maximum(low / scale, -_REACH), np.minimum(high / scale, _REACH)
    return Programme(sp.csr_array(columns)[rows], right / scale, low, high), scale
