"""Which bounds hold in a large network: an interior-point method made for balances.

Minimise Σ ((x − y)/sd)² / 2 under A x = b, l ≤ x ≤ u, where A is the incidence matrix of a network.
Mehrotra's predictor and corrector keep x strictly inside. Each step solves (A W Aᵀ) Δλ = r, with
w = 1/(1/sd² + z/s) for a variable at the distance s from a bound that pulls with z, and no 1/sd² if
it is not measured. Only unmeasured flows get weights without limit, and they are few beside the
others: a sparse factor of their part of A W Aᵀ, with the diagonal of the rest, is what conjugate
gradients are preconditioned with.

The point it ends at is only near the answer, but it says which bounds hold there, and lies inside
all the others (Mehrotra 1992, doi:10.1137/0802028; Portugal et al. 2000 for networks,
doi:10.1002/(SICI)1097-0037(200003)35:2<91::AID-NET1>3.0.CO;2-T).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import SuperLU, splu

from mfa.balance.equations import NO_EDGE, Equations
from mfa.balance.network import Floats, Ints

_STEPS = 60
_COMPLEMENTARY = 1e-9
_CLOSED = 1e-3
_NEARLY = 0.99
_CG_STEPS = 200
_CG_CLOSE = 1e-2
_WEAK = 1e-3
_FILL = 60
_INSIDE = 0.3
_FAR = 8.0
_LEAST = 1e-8
_RIDGE = 1e-13
_TINY = 1e-300
_BEND = 10.0
_SYMMETRIC = {"SymmetricMode": True}

Solve = Callable[[Floats], Floats]  # of a right side, nearly
Guessed = Callable[[Floats, Floats], Floats]  # of a right side and a guess, to a hundredth
Order = Literal["NATURAL", "MMD_AT_PLUS_A"]


@dataclass(frozen=True, eq=False)
class Inside:
    """A point within all bounds, near the least-squares estimate that keeps them.

    Attributes
    ----------
    x : array, shape (n,)
    held : array of int8, shape (n,)
        −1 where the lower, +1 where the upper bound seems to hold the variable, else 0.
    """

    x: Floats
    held: np.ndarray


def inside(equations: Equations) -> Inside | None:
    """Return a point near the bounded estimate of a network, and the bounds that hold there.

    Parameters
    ----------
    equations : Equations

    Returns
    -------
    Inside or None
        None where there are more than balances, or factors of the unmeasured flows would fill up.
    """
    if len(equations.right) or np.any(equations.tail == NO_EDGE):
        return None
    room = equations.upper > equations.lower
    free = np.flatnonzero(~equations.fixed & room & (equations.tail != equations.head))
    values = np.where(equations.fixed, equations.y, np.clip(0.0, equations.lower, equations.upper))
    still = np.ones(equations.n, dtype=bool)
    still[free] = False
    order = _ordering(equations, free[~equations.measured[free]])
    if order is None:
        return None
    network = _Network(equations, free, order, equations.constants(still, values))
    bounds = _Bounds(network)
    state = _descend(network, bounds)
    x, held = np.where(still, values, 0.0), np.zeros(equations.n, dtype=np.int8)
    x[free] = state.x
    scale = network.scale[bounds.of]
    tight = state.pull * scale > bounds.distance(state.x) / scale
    held[free[bounds.of[tight]]] = -bounds.sign[tight]
    return Inside(x, held)


class _Network:
    """The free variables of a network, its nodes ordered so that factors stay small."""

    def __init__(self, equations: Equations, free: Ints, order: Ints, lacking: Floats) -> None:
        n = equations.n_nodes
        place = np.append(np.argsort(order), n)
        self.n = n
        self.tail, self.head = place[equations.tail[free]], place[equations.head[free]]
        self.measured = equations.measured[free]
        self.lacking = lacking[order]
        self.y = np.where(self.measured, equations.y[free], 0.0)
        self.sd = np.where(self.measured, equations.sd[free], 1.0)
        self.stiffness = np.where(self.measured, self.sd**-2.0, 0.0)
        self.low, self.high = equations.lower[free], equations.upper[free]
        self.scale = self._typical()
        self._draw_pattern()

    def _typical(self) -> Floats:
        """Return a size for each variable: what passes through the smaller of its ends."""
        n, size = self.n, np.abs(self.y)
        through = np.maximum(
            np.bincount(self.tail, size, n + 1), np.bincount(self.head, size, n + 1)
        )
        through[n] = np.inf
        out = np.minimum(through[self.tail], through[self.head])
        sound = np.isfinite(out) & (out > 0)
        return np.where(sound, out, np.median(out[sound]) if sound.any() else 1.0)

    def _draw_pattern(self) -> None:
        """Lay out A W Aᵀ once; weights are only summed into its places."""
        n = self.n
        low, high = np.minimum(self.tail, self.head), np.maximum(self.tail, self.head)
        self._inner = np.flatnonzero(high < n)
        keys = (low * n + high)[self._inner]
        pairs, self._pair = np.unique(keys, return_inverse=True)
        self._n_pairs = len(pairs)
        first, second, all_nodes = pairs // n, pairs % n, np.arange(n)
        row = np.concatenate([first, second, all_nodes])
        column = np.concatenate([second, first, all_nodes])
        pair = np.arange(len(pairs))
        source = np.concatenate([pair, pair, len(pairs) + all_nodes])
        in_order = np.lexsort((column, row))
        self._source = source[in_order]
        starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))])
        entries = (np.zeros(len(row)), column[in_order], starts)
        self._matrix = sp.csr_array(entries, shape=(n, n))
        self._open = np.flatnonzero(~self.measured & (high < n))

    def net(self, x: Floats) -> Floats:
        """Return A x: what every node gets."""
        into = np.bincount(self.head, x, self.n + 1) - np.bincount(self.tail, x, self.n + 1)
        return np.asarray(into[: self.n], dtype=np.float64)

    def turnover(self, x: Floats) -> Floats:
        """Return what every node turns over."""
        size = np.abs(x)
        ends = np.bincount(self.head, size, self.n + 1) + np.bincount(self.tail, size, self.n + 1)
        return np.asarray(ends[: self.n], dtype=np.float64)

    def rise(self, potential: Floats) -> Floats:
        """Return Aᵀλ: by how much the potential rises along every flow."""
        whole = np.append(potential, 0.0)
        return np.asarray(whole[self.head] - whole[self.tail])

    def normal(self, weight: Floats) -> Guessed:
        """Return what solves (A W Aᵀ) λ = r."""
        across = np.bincount(self._pair, weight[self._inner], self._n_pairs)
        diagonal = self.turnover(weight)
        diagonal = np.where(diagonal > 0, (1.0 + _RIDGE) * diagonal, 1.0)
        self._matrix.data = np.concatenate([-across, diagonal])[self._source]
        matrix = self._matrix
        nearly = self._open_factor(weight, diagonal)
        return lambda right, guess: _conjugate_gradients(matrix, nearly, right, guess)

    def _open_factor(self, weight: Floats, diagonal: Floats) -> Solve:
        """Return what solves with the unmeasured flows' part and the whole diagonal."""
        tail, head, size = (each[self._open] for each in (self.tail, self.head, weight))
        strong = size > _WEAK * np.minimum(diagonal[tail], diagonal[head])
        tail, head, size = tail[strong], head[strong], size[strong]
        return _factor(self.n, tail, head, size, diagonal, "NATURAL").solve


def _factor(
    n: int, tail: Ints, head: Ints, size: Floats, diagonal: Floats, order: Order
) -> SuperLU:
    nodes = np.arange(n)
    entries = np.concatenate([-size, -size, diagonal])
    where = (np.concatenate([tail, head, nodes]), np.concatenate([head, tail, nodes]))
    matrix = sp.csc_array(sp.coo_array((entries, where), shape=(n, n)))
    return splu(matrix, permc_spec=order, diag_pivot_thresh=0.0, options=_SYMMETRIC)


def _ordering(equations: Equations, unmeasured: Ints) -> Ints | None:
    """Return an order of the nodes in which a factor of the unmeasured flows fills up little.

    None if there is no such order.
    """
    n = equations.n_nodes
    tail, head = equations.tail[unmeasured], equations.head[unmeasured]
    inner = (tail < n) & (head < n)
    tail, head = tail[inner], head[inner]
    degree = np.ones(n) + np.bincount(tail, minlength=n) + np.bincount(head, minlength=n)
    found = _factor(n, tail, head, np.ones(len(tail)), degree, "MMD_AT_PLUS_A")
    return np.argsort(found.perm_c).astype(np.int64) if found.nnz <= _FILL * n else None


def _conjugate_gradients(
    matrix: sp.csr_array, nearly: Solve, right: Floats, guess: Floats
) -> Floats:
    found, left = guess.copy(), right - matrix @ guess
    ahead = nearly(left)
    direction, size = ahead, float(left @ ahead)
    goal = _CG_CLOSE**2 * float(right @ nearly(right))
    for _ in range(_CG_STEPS):
        if not size > goal:
            break
        product = matrix @ direction
        step = size / float(direction @ product)
        found += step * direction
        left -= step * product
        ahead = nearly(left)
        size, before = float(left @ ahead), size
        direction = ahead + size / before * direction
    return found


@dataclass(frozen=True, eq=False)
class _State:
    """A point x, the multipliers λ of the balances, and what each bound pulls with."""

    x: Floats
    potential: Floats
    pull: Floats


class _Bounds:
    """All bounds in one row: of which variable, on which side, and how far away it is.

    Those that lie many sd from a datum are left out.
    """

    def __init__(self, network: _Network) -> None:
        near = np.where(network.measured, _FAR * network.sd, np.inf)
        below = np.flatnonzero(network.y - network.low < near)
        above = np.flatnonzero(network.high - network.y < near)
        self.of = np.concatenate([below, above])
        self.sign = np.repeat([1.0, -1.0], [len(below), len(above)])
        self._limit = np.concatenate([network.low[below], network.high[above]])
        self._n = len(network.y)

    def distance(self, x: Floats) -> Floats:
        """Return how far x lies from each bound."""
        return np.asarray(self.sign * (x[self.of] - self._limit))

    def towards(self, change: Floats) -> Floats:
        """Return by how much a change of the variables leads away from each bound."""
        return np.asarray(self.sign * change[self.of])

    def total(self, amount: Floats) -> Floats:
        """Add up over the bounds of each variable."""
        return np.asarray(np.bincount(self.of, amount, self._n), dtype=np.float64)


def _start(network: _Network, bounds: _Bounds) -> _State:
    """Return a point inside the bounds; each pulls against about one sd² of misfit."""
    low, high = network.low, network.high
    room = np.where(network.measured, 0.5 * network.sd, _INSIDE * network.scale)
    room = np.minimum(room, 0.25 * (high - low))
    x = np.clip(np.where(network.measured, network.y, 0.0), low + room, high - room)
    pull = 1.0 / bounds.distance(x)
    known = network.measured[bounds.of]
    pull = np.where(known, np.minimum(pull, 1.0 / network.sd[bounds.of]), pull)
    return _State(x, np.zeros(network.n), pull)


def _descend(network: _Network, bounds: _Bounds) -> _State:
    """Step towards the estimate until every variable is off its bound, or the bound pulls."""
    state = _start(network, bounds)
    for _ in range(_STEPS):
        lacking = network.net(state.x) - network.lacking
        distance = bounds.distance(state.x)
        mean = float(distance @ state.pull) / max(len(distance), 1)
        size = network.turnover(state.x)
        gap = float((np.abs(lacking) / (size + _CLOSED * size.mean() + _TINY)).max(initial=0.0))
        if mean < _COMPLEMENTARY and (gap < _CLOSED or mean < _CLOSED * _COMPLEMENTARY):
            break
        with np.errstate(all="ignore"):
            ahead = _step(network, bounds, state, distance, mean, lacking)
        if ahead is None:
            break
        state = ahead
    return state


def _weight(network: _Network, bounds: _Bounds, state: _State) -> Floats:
    """Return w = 1/(1/sd² + z/s) of each variable."""
    stiffness = network.stiffness + bounds.total(state.pull / bounds.distance(state.x))
    return np.asarray(1.0 / (stiffness + _LEAST / network.scale**2))


def _step(
    network: _Network,
    bounds: _Bounds,
    state: _State,
    distance: Floats,
    mean: float,
    lacking: Floats,
) -> _State | None:
    """Return the next state, None where numbers run out."""
    weight = _weight(network, bounds, state)
    try:
        solve = network.normal(weight)
    except RuntimeError:  # a factor that is singular to rounding
        return None
    off = network.stiffness * (state.x - network.y) + network.rise(state.potential)

    def direction(goal: Floats | float, guess: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the step to where the distance times the pull of each bound meets a goal."""
        rest = off - bounds.total(bounds.sign * goal / distance)
        potential = solve(lacking - network.net(weight * rest), guess)
        x = -weight * (rest + network.rise(potential))
        pull = (goal - state.pull * bounds.towards(x)) / distance - state.pull
        return x, potential, pull

    x, first, pull = direction(0.0, np.zeros(network.n))
    away = bounds.towards(x)
    there = distance + _reach(distance, away) * away
    left = float(there @ (state.pull + _reach(state.pull, pull) * pull)) / max(len(there), 1)
    bend = np.clip(away * pull, -_BEND * mean, _BEND * mean)
    centre = (left / mean) ** 3 * mean if mean > 0 else 0.0
    x, potential, pull = direction(centre - bend, first)
    of_x, of_pull = (
        min(1.0, _NEARLY * _reach(*pair))
        for pair in ((distance, bounds.towards(x)), (state.pull, pull))
    )
    found = (state.x + of_x * x, state.potential + of_pull * potential, state.pull + of_pull * pull)
    return _State(*found) if all(np.isfinite(each).all() for each in found) else None


def _reach(size: Floats, change: Floats) -> float:
    """Return the longest step, at most 1, that leaves no size below 0."""
    falling = change < 0
    return min(1.0, float((-size[falling] / change[falling]).min(initial=np.inf)))
