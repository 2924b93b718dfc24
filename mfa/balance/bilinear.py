"""Estimates with uncertain coefficients and compositions: successive linearisation.

Each step solves the least-squares problem with the products linearised at the last point. What the
data leave undetermined stays as near to the last point as the equations let it, so that nothing
drifts. A step is halved until the merit Σ((x − y)/sd)² + μ Σ|x_f − c S| falls, with μ above twice
the multipliers of the products.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from mfa.balance.bounds import Bounded, bounded_estimate, misfit, tolerances
from mfa.balance.equations import NO_EDGE, Equations
from mfa.balance.network import Floats
from mfa.balance.products import Products
from mfa.errors import BalanceError

_STEPS = 100
_HALVINGS = 25
_CONVERGED = 0.1  # of the rounding that bounds allow: 1e-10 of what a balance turns over
_UNSURE = 0.05
_GUESS = 0.5


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
    BalanceError
        If the steps do not converge.
    """
    x = _start(equations, products)
    if equations.fixed[products.share].all():
        return bounded_estimate(products.linearised(equations, x))
    change = np.inf
    for _ in range(_STEPS):
        linear = products.linearised(equations, x)
        found = bounded_estimate(linear)
        step = found.estimate.x - x
        size = np.maximum(np.abs(x), np.abs(found.estimate.x))
        change = float(np.max(np.abs(step) / tolerances(equations, size)))
        if change <= _CONVERGED:
            return found
        pull = found.estimate.equation_multipliers()[-len(products) :]
        weight = 4.0 * float(np.abs(pull).max(initial=0.0))
        x = x + _step(linear, products, x, step, weight)
    raise BalanceError(
        f"coefficients and compositions did not converge in {_STEPS} steps (the last one still "
        f"changed a quantity by {change * 1e-9:.1g} of what its balance turns over): the data say "
        "too little about some of them; give the unknown ones a value with a wide sd"
    )


def _merit(equations: Equations, products: Products, x: Floats, weight: float) -> float:
    return misfit(equations, x) + weight * float(np.abs(products.residuals(x)).sum())


def _step(linear: Equations, products: Products, x: Floats, step: Floats, weight: float) -> Floats:
    """Return how far to go: the full step, the step bent back to the products, or a part of it.

    Linear equations hold after every full step, so that only the first point may break them: from
    there the full step is taken.
    """
    n = linear.n_nodes + len(linear.right) - len(products)
    residual = (linear.matrix @ x)[:n] - np.concatenate([np.zeros(linear.n_nodes), linear.right])[
        :n
    ]
    if np.abs(residual).max(initial=0.0) > 1e-6 * np.abs(x).max(initial=0.0):
        return step
    before = _merit(linear, products, x, weight) * (1 + 1e-12)
    if _merit(linear, products, x + step, weight) <= before:
        return step
    bent = _bent(linear, products, x + step) - x
    if _merit(linear, products, x + bent, weight) <= before:
        return bent
    for halvings in range(1, _HALVINGS):
        shorter = step / 2**halvings
        if _merit(linear, products, x + shorter, weight) <= before:
            return shorter
    return step


def _bent(linear: Equations, products: Products, trial: Floats) -> Floats:
    """Return the estimate with the products corrected by what they miss at a trial point."""
    right = linear.right.copy()
    right[-len(products) :] -= products.residuals(trial)
    return bounded_estimate(replace(linear, right=right)).estimate.x


def _start(equations: Equations, products: Products) -> Floats:
    """Return a point to start from.

    Shares stand at their data, or at a half where they have none; flows come from the linear
    problem in which every product may be off by the share's sd times a typical flow.
    """
    n, k = equations.n, len(products)
    known = equations.measured | equations.fixed
    share = np.where(known, equations.y, _GUESS)
    loose = np.where(equations.measured, equations.sd, np.where(equations.fixed, 0.0, _GUESS))
    sizes = np.abs(equations.y[known & equations.is_edge])
    typical = float(np.median(sizes[sizes > 0])) if (sizes > 0).any() else 1.0
    off = np.maximum(loose[products.share], _UNSURE * np.abs(share[products.share]) + 1e-6)
    held = np.zeros(n, dtype=bool)
    held[products.share] = True
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
        measured=np.concatenate([equations.measured & ~held, np.ones(k, dtype=bool)]),
        fixed=np.concatenate([equations.fixed | held, np.zeros(k, dtype=bool)]),
        lower=np.concatenate([equations.lower, np.full(k, -np.inf)]),
        upper=np.concatenate([equations.upper, np.full(k, np.inf)]),
        start=np.concatenate([np.where(known, equations.y, typical), np.nan_to_num(blank)]),
    )
    x = bounded_estimate(softened).estimate.x[:n]
    return _better_shares(equations, products, x)


def _soft_rows(products: Products, share: Floats, n: int) -> sp.csr_array:
    """Return x_f − c⁰ Σ aⱼxⱼ + e = 0 with the share at its first value and an error e each."""
    k = len(products)
    at = np.arange(k)
    single = sp.coo_array((np.ones(k), (at, products.flow)), shape=(k, n))
    scaled = sp.csr_array(sp.diags_array(share[products.share]) @ products.of)
    rows = sp.csr_array(single) - scaled
    return sp.csr_array(sp.hstack([rows, sp.csr_array(sp.eye_array(k))], format="csr"))


def _better_shares(equations: Equations, products: Products, x: Floats) -> Floats:
    """Set shares without a datum to what the first flows say, where they say anything."""
    out = x.copy()
    free = ~(equations.measured | equations.fixed)[products.share]
    total = products.of @ x
    sensible = free & (total > 0) & (x[products.flow] > 0)
    ratio = np.divide(x[products.flow], total, out=np.zeros(len(products)), where=sensible)
    sums, counts = np.zeros(equations.n), np.zeros(equations.n)
    np.add.at(sums, products.share[sensible], ratio[sensible])
    np.add.at(counts, products.share[sensible], 1.0)
    mean = np.divide(sums, counts, out=np.zeros(equations.n), where=counts > 0)
    return np.where(counts > 0, mean, out)


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
