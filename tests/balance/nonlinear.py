"""Products of unknowns by a general solver: SLSQP, then Newton's method on all conditions.

Minimise f(x) = Σ((C x − y)/sd)² over the linear hard statements, x = x₀ + N t, and the products
g(x) = x_f − c Σ x_j = 0. At the optimum ∇f + Jᵀλ = 0; Newton's method on these and g = 0 uses the
second derivatives of the products, λ ∂²g, too, and so shares nothing with successive linearisation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from . import dense
from .textbook import Problem


def residuals(problem: Problem, x: np.ndarray) -> np.ndarray:
    """Return x_f − c Σ x_j of each product."""
    return np.array([x[f] - x[c] * x[of].sum() for f, c, of in problem.products])


def slopes(problem: Problem, x: np.ndarray) -> np.ndarray:
    """Return the derivatives of the residuals."""
    out = np.zeros((len(problem.products), len(x)))
    for row, (f, c, of) in zip(out, problem.products, strict=True):
        row[f] += 1.0
        row[c] -= x[of].sum()
        row[of] -= x[c]
    return out


def _curvature(problem: Problem, factors: np.ndarray) -> np.ndarray:
    """Return Σ λ ∂²g."""
    n = len(problem.keys)
    out = np.zeros((n, n))
    for factor, (_, c, of) in zip(factors, problem.products, strict=True):
        out[c, of] -= factor
        out[of, c] -= factor
    return out


def optimum(problem: Problem, start: np.ndarray) -> np.ndarray:
    """Return the best point near a start and above 0; undetermined variables are left somewhere.

    Parameters
    ----------
    start : array
        A guess for every variable, above 0, that keeps the linear statements.
    """
    n = len(problem.keys)
    rows = np.array(problem.rows).reshape(-1, n) / np.array(problem.sd)[:, None]
    y = np.array(problem.y) / np.array(problem.sd)
    hard = np.array(problem.hard).reshape(-1, n)
    free = start[:, None] * dense.null_space(hard * start)  # a share must not count like a flow
    products = {
        "type": "eq",
        "fun": lambda t: residuals(problem, start + free @ t),
        "jac": lambda t: slopes(problem, start + free @ t) @ free,
    }
    above = {"type": "ineq", "fun": lambda t: start + free @ t, "jac": lambda _: free}
    x = start
    for constraints in ([products], [products, above]):  # the second only if the first leads below
        found = minimize(
            lambda t: float(((rows @ (start + free @ t) - y) ** 2).sum()),
            np.zeros(free.shape[1]),
            jac=lambda t: 2.0 * free.T @ (rows.T @ (rows @ (start + free @ t) - y)),
            constraints=constraints,
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-13},
        )
        x = _newton(problem, start + free @ found.x, free, rows, y)
        if x.min() > 0.0:
            break
    return x


def _newton(
    problem: Problem, x: np.ndarray, free: np.ndarray, rows: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Return the point near x where all conditions hold."""
    pull = free.T @ (rows.T @ (rows @ x - y))
    factors = np.linalg.lstsq((slopes(problem, x) @ free).T, -pull, rcond=dense.TINY)[0]
    for _ in range(30):
        steep = slopes(problem, x) @ free
        pull = free.T @ (rows.T @ (rows @ x - y)) + steep.T @ factors
        bend = free.T @ (rows.T @ rows + _curvature(problem, factors)) @ free
        system = np.block([[bend, steep.T], [steep, np.zeros((len(steep), len(steep)))]])
        off = np.concatenate([pull, residuals(problem, x)])
        step = np.linalg.lstsq(system, -off, rcond=1e-10)[0]
        moved = free @ step[: free.shape[1]]
        x, factors = x + moved, factors + step[free.shape[1] :]
        if np.abs(moved).max() < 1e-11 * np.abs(x).max():
            return x
    raise AssertionError("Newton's method did not converge")


def linearised(problem: Problem, x: np.ndarray) -> Problem:
    """Return the problem with tangents in the place of products."""
    steep = slopes(problem, x)
    return replace(
        problem,
        hard=[*problem.hard, *steep],
        right=[*problem.right, *(steep @ x - residuals(problem, x))],
    )
