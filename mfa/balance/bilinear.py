"""Estimates with uncertain coefficients and compositions: successive linearisation.

Each step solves the least-squares problem with the products linearised at the last point, and is
then bent back to where the products hold, so that every point satisfies all equations: products
that follow from others (the shares of all outputs of a process for goods and a substance, say) are
dependent only there, and beside it their tangents would tie together what is free. A step is halved
until the misfit Σ((x − y)/sd)² falls. Full steps that are not bent are tried first: where they
settle, they settle on the same equations, and much sooner. What the data leave undetermined stays
as near to the last point as the equations let it, so that nothing drifts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from mfa.balance.bounds import Bounded, Infeasible, bounded_estimate, misfit, tolerances, turnover
from mfa.balance.equations import NO_EDGE, Equations
from mfa.balance.network import Floats
from mfa.balance.products import Products
from mfa.errors import BalanceError

_STEPS = 100
_QUICK = 8
_HALVINGS = 10
_BENDS = 6
_IDLE = 3  # steps that lead far and gain nothing
_FAR = 1e6  # times the rounding that bounds allow
_GAIN = 1e-6
_CONVERGED = 0.1  # of the rounding that bounds allow: 1e-10 of what a balance turns over
_LEAST_SHARE = 1e-3
_SLIGHT = 1e-3
_NOISE = 1e-8  # of the misfit: what rounding may add to it
_BOUNDLESS = 1e8
_FITS = 1e-9  # of the larger side of a product: well below the rank tolerance
_UNSURE = 0.05
_GUESS = 0.5


class Runaway(Exception):  # noqa: N818
    """The steps lead nowhere: ``number`` is the variable that moves most or grows without end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def estimate_products(equations: Equations, products: Products) -> Bounded:
    """Return the estimate that satisfies linear equations, products and bounds.

    Parameters
    ----------
    equations : Equations
        Without the products.
    products : Products

    Raises
    ------
    Infeasible
        If there is none.
    Runaway
        If the steps do not converge, or only where a share is without bounds.
    """
    x = _start(equations, products)
    if equations.fixed[products.share].all():
        return bounded_estimate(products.linearised(equations, x))
    quick = _by_full_steps(equations, products, x)
    if quick is not None:
        _check_shares(equations, products, quick)
        return _tangent_estimate(equations, products, quick)
    x = _bent(equations, products, x)
    moved, idle = np.zeros(equations.n), 0
    for _ in range(_STEPS):
        found = _tangent_estimate(equations, products, x)
        _check_shares(equations, products, found.estimate.x)
        step = found.estimate.x - x
        moved = np.abs(step) / tolerances(equations, found.estimate.x)
        if moved.max() <= _CONVERGED:
            return _tangent_estimate(equations, products, found.estimate.x)
        pull = found.estimate.equation_multipliers()[-len(products) :]
        better = _better(equations, products, x, step, 4.0 * float(np.abs(pull).max()))
        gained = misfit(equations, better) < misfit(equations, x) * (1 - _GAIN)
        idle = 0 if gained or moved.max() < _FAR else idle + 1
        if idle > _IDLE:
            break
        x = better
    raise Runaway(int(np.argmax(moved)))


def _by_full_steps(equations: Equations, products: Products, x: Floats) -> Floats | None:
    """Return where full steps settle, None if they do not soon. Mostly they do."""
    for _ in range(_QUICK):
        try:
            found = _tangent_estimate(equations, products, x).estimate.x
        except (Infeasible, BalanceError):
            return None
        if np.all(np.abs(found - x) <= _CONVERGED * tolerances(equations, found)):
            return found
        x = found
    return None


def _check_shares(equations: Equations, products: Products, x: Floats) -> None:
    """Raise if a share that nothing measures has grown beyond all measure."""
    known = equations.measured | equations.fixed
    shares = np.where(known[products.share], 0.0, np.abs(x[products.share]))
    if shares.max() > _BOUNDLESS:
        raise Runaway(int(products.share[np.argmax(shares)]))


def _tangent_estimate(equations: Equations, products: Products, x: Floats) -> Bounded:
    """Return the estimate with the products linearised at a point.

    Tangents of products that follow from others need not agree beyond the error of linearisation;
    the products themselves do where the steps end.
    """
    tangent = np.zeros(len(equations.right) + len(products), dtype=bool)
    tangent[len(equations.right) :] = ~equations.fixed[products.share]
    return bounded_estimate(products.linearised(equations, x), tangent)


def _bent(equations: Equations, products: Products, x: Floats) -> Floats:
    """Return a point near x where all equations, products and bounds hold.

    Data move as their sd allow, what is not measured in proportion to what its balances turn over.
    Where the tangents lead to no such point, the last one is returned.
    """
    near = replace(equations, measured=~equations.fixed)
    for _ in range(_BENDS):
        if _fit(equations, products, x):
            break
        size = np.maximum(turnover(equations, x), 1e-6 * np.abs(x).max())
        size[products.share] = np.maximum(np.abs(x[products.share]), _LEAST_SHARE)
        near = replace(
            near,
            y=np.where(equations.fixed, equations.y, x),
            sd=np.where(equations.measured, equations.sd, size),
        )
        try:
            x = _tangent_estimate(near, products, x).estimate.x
        except (Infeasible, BalanceError):
            break
    return x


def _with_shares(equations: Equations, products: Products, x: Floats) -> Floats:
    """Set shares to Σ x_f S / Σ S², which all flows of theirs together say.

    Shares that add up to 1 do so then. A share of a sum that is nothing beside what its processes
    turn over, or whose flows lead it beyond its bounds, stays.
    """
    total, whole = products.of @ x, abs(products.of) @ turnover(equations, x)
    above, below, size = (np.zeros(equations.n) for _ in range(3))
    np.add.at(above, products.share, x[products.flow] * total)
    np.add.at(below, products.share, total**2)
    np.add.at(size, products.share, whole**2)
    some = ~equations.fixed & (below > (_SLIGHT**2) * size)
    ratio = np.divide(above, below, out=x.copy(), where=some)
    sound = (ratio > equations.lower) & (ratio < equations.upper)
    return np.where(some & sound, ratio, x)


def _typical(sizes: Floats) -> float:
    return float(np.median(sizes[sizes > 0])) if (sizes > 0).any() else 1.0


def _fit(equations: Equations, products: Products, x: Floats) -> bool:
    """Return whether equations and products hold at a point."""
    right = np.concatenate([np.zeros(equations.n_nodes), equations.right])
    off = np.concatenate([equations.matrix @ x - right, products.residuals(x)])
    large = np.concatenate(
        [
            equations.sizes @ np.abs(x) + np.abs(right),
            np.abs(x[products.flow]) + np.abs(x[products.share]) * (abs(products.of) @ np.abs(x)),
        ]
    )
    return bool((np.abs(off) <= _FITS * large + 1e-300).all())


def _better(
    equations: Equations, products: Products, x: Floats, step: Floats, weight: float
) -> Floats:
    """Return a point along a step, bent back to the products, where the misfit is smaller.

    What the products still miss counts with a weight above their multipliers.
    """

    def merit(point: Floats) -> float:
        return misfit(equations, point) + weight * float(np.abs(products.residuals(point)).sum())

    first = _bent(equations, products, x + step)
    if not _fit(equations, products, x):  # no point to compare with yet
        return first
    before, trial = merit(x) * (1 + _NOISE) + _NOISE**2, first
    for halvings in range(1, _HALVINGS):
        if merit(trial) <= before:
            return trial
        trial = _bent(equations, products, x + step / 2**halvings)
    return first


def _start(equations: Equations, products: Products) -> Floats:
    """Return a point to start from.

    Flows come from the linear problem in which shares stand at their data, or at a half where they
    have none, and every product whose share is not exact may be off by the share's sd times a
    typical flow; the shares then from those flows.
    """
    n, k = equations.n, len(products)
    known = equations.measured | equations.fixed
    share = np.where(known, equations.y, _GUESS)
    loose = np.where(equations.measured, equations.sd, _GUESS)
    typical = _typical(np.abs(equations.y[known & equations.is_edge]))
    off = np.maximum(loose[products.share], _UNSURE * np.abs(share[products.share]) + 1e-6)
    held = np.zeros(n, dtype=bool)
    held[products.share] = True
    exact = equations.fixed[products.share]
    rows = _soft_rows(products, share, n)
    relations = sp.hstack([equations.relations, sp.csr_array((len(equations.right), k))])
    blank = np.full(k, np.nan)
    softened = Equations(
        n_nodes=equations.n_nodes,
        tail=np.concatenate([equations.tail, np.full(k, NO_EDGE)]),
        head=np.concatenate([equations.head, np.full(k, NO_EDGE)]),
        relations=sp.csr_array(sp.vstack([sp.csr_array(relations), rows], format="csr")),
        right=np.concatenate([equations.right, np.zeros(k)]),
        y=np.concatenate([np.where(held, share, equations.y), np.zeros(k)]),
        sd=np.concatenate([equations.sd, off * typical]),
        measured=np.concatenate([equations.measured & ~held, ~exact]),
        fixed=np.concatenate([equations.fixed | held, exact]),
        lower=np.concatenate([equations.lower, np.full(k, -np.inf)]),
        upper=np.concatenate([equations.upper, np.full(k, np.inf)]),
        start=np.concatenate([np.where(known, equations.y, typical), np.nan_to_num(blank)]),
    )
    x = bounded_estimate(softened).estimate.x[:n]
    return _with_shares(equations, products, x)


def _soft_rows(products: Products, share: Floats, n: int) -> sp.csr_array:
    """Return x_f − c⁰ Σ aⱼxⱼ + e = 0 with the share at its first value and an error e each."""
    k = len(products)
    at = np.arange(k)
    single = sp.coo_array((np.ones(k), (at, products.flow)), shape=(k, n))
    scaled = sp.csr_array(sp.diags_array(share[products.share]) @ products.of)
    rows = sp.csr_array(single) - scaled
    return sp.csr_array(sp.hstack([rows, sp.csr_array(sp.eye_array(k))], format="csr"))


def hold(
    equations: Equations, products: Products, undetermined: np.ndarray, x: Floats
) -> Equations:
    """Return equations for ranges: every determined quantity held, products without a tangent.

    Where the share or the sum of a product is determined, the product is linear and exact. Where
    both are open, it is replaced by what the share's limits allow: low × S ≤ x_f ≤ high × S.
    """
    k = len(products)
    if not k:
        return equations
    members = abs(sp.csr_array(products.of)) @ undetermined.astype(float)
    share_open, sum_open = undetermined[products.share], members > 0
    n = equations.n
    share, total = x[products.share], products.of @ x
    at = np.arange(k)
    both = share_open & sum_open
    flow = sp.csr_array(sp.coo_array((np.ones(k), (at, products.flow)), shape=(k, n)))
    by_share = sp.csr_array(
        sp.coo_array((np.where(share_open & ~both, total, 0.0), (at, products.share)), shape=(k, n))
    )
    by_sum = sp.csr_array(sp.diags_array(np.where(share_open, 0.0, share)) @ products.of)
    exact = sp.csr_array(flow - by_share - by_sum)[~both]
    open_ = np.flatnonzero(both)
    low = equations.lower[products.share][open_]
    high = equations.upper[products.share][open_]
    sides = [(low, 1.0), (high, -1.0)]
    lines = [
        sp.csr_array(sign * (flow[open_] - sp.diags_array(limit) @ products.of[open_]))[
            np.isfinite(limit)
        ]
        for limit, sign in sides
    ]
    limits = sp.csr_array(sp.vstack(lines, format="csr"))
    m = limits.shape[0]
    fixed_rows = sp.csr_array(sp.vstack([equations.relations, exact], format="csr"))
    top = sp.hstack([fixed_rows, sp.csr_array((fixed_rows.shape[0], m))], format="csr")
    bottom = sp.hstack([limits, -sp.csr_array(sp.eye_array(m))], format="csr")
    extra = np.zeros(m)
    return replace(
        equations,
        tail=np.concatenate([equations.tail, np.full(m, NO_EDGE)]),
        head=np.concatenate([equations.head, np.full(m, NO_EDGE)]),
        relations=sp.csr_array(sp.vstack([sp.csr_array(top), sp.csr_array(bottom)], format="csr")),
        right=np.concatenate([equations.right, np.zeros(exact.shape[0] + m)]),
        y=np.concatenate([equations.y, extra]),
        sd=np.concatenate([equations.sd, extra]),
        measured=np.concatenate([equations.measured, extra > 0]),
        fixed=np.concatenate([equations.fixed, extra > 0]),
        lower=np.concatenate([equations.lower, extra]),
        upper=np.concatenate([equations.upper, np.full(m, np.inf)]),
        start=np.concatenate([equations.start, extra]),
    )
