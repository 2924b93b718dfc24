"""The bounded estimate by other means: a quadratic programme, its conditions, linear programmes."""

from __future__ import annotations

from dataclasses import dataclass

import clarabel
import numpy as np
import scipy.sparse as sp
from numpy.linalg import norm
from scipy.optimize import linprog, nnls

from . import dense
from .textbook import Problem

UNIT = 100.0  # a typical flow, which makes pure numbers of slacks and multipliers


@dataclass
class Bounded:
    """What Clarabel says, and the answer with the limits that hold as equations.

    Attributes
    ----------
    goal : float
        Smallest chi2.
    point : array
        Where it is.
    held : list of int
        Limits that hold.
    answer : Answer or None
        None where it is not beyond doubt which of the limits hold.
    """

    goal: float
    point: np.ndarray
    held: list[int]
    answer: dense.Answer | None


def _arrays(problem: Problem) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the scaled data rows, the limits, their caps, and the directions that are free."""
    n = len(problem.keys)
    rows = np.array(problem.rows).reshape(-1, n) / np.array(problem.sd).reshape(-1, 1)
    limits, caps = np.array(problem.limits).reshape(-1, n), np.array(problem.caps)
    free = dense.null_space(np.array(problem.hard)) if problem.hard else np.eye(n)
    return rows, limits, caps, free


def solve_bounded(problem: Problem) -> Bounded:
    """Return the answer under all limits."""
    rows, limits, caps, free = _arrays(problem)
    point, slack, dual = _interior_point(problem)
    goal = float(((rows @ point - np.array(problem.y) / np.array(problem.sd)) ** 2).sum())
    movable = norm(limits @ free, axis=1) > 1e-9
    held = np.flatnonzero(movable & (dual * UNIT > slack / UNIT)).tolist()
    try:
        answer = dense.solve(problem, held)
    except AssertionError:
        return Bounded(goal, point, held, None)
    push, off = _push(limits[held] @ free, free.T @ (rows.T @ answer.residual))
    room = caps - limits @ answer.x
    sure = ~(np.abs(limits) > 0)[:, ~answer.determined].any(axis=1) & movable
    sure[held] = False
    clear = off < 1e-6 and (push * UNIT > 1e-4).all() and (room[sure] > 1e-5).all()
    return Bounded(goal, point, held, answer if clear else None)


def _push(limits: np.ndarray, pull: np.ndarray) -> tuple[np.ndarray, float]:
    """Return factors ≥ 0 with which limits come nearest to a pull, and what is left of it."""
    if not limits.size:  # which nnls does not take
        return np.zeros(len(limits)), float(norm(pull))
    push, off = nnls(limits.T, pull)
    return push, float(off)


def _interior_point(problem: Problem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a point, and slack and dual of every limit, from a programme in pure numbers."""
    rows, limits, caps, _ = _arrays(problem)
    hard = np.array(problem.hard).reshape(-1, len(problem.keys))
    rows = rows * UNIT
    linear = -rows.T @ (np.array(problem.y) / np.array(problem.sd))
    cones = [clarabel.ZeroConeT(len(hard)), clarabel.NonnegativeConeT(len(limits))]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    found = clarabel.DefaultSolver(
        sp.csc_matrix(np.triu(rows.T @ rows)),
        linear,
        sp.csc_matrix(np.vstack([hard, limits])),
        np.array([*problem.right, *caps]) / UNIT,
        cones,
        settings,
    ).solve()
    assert "Solved" in str(found.status), found.status
    slack, dual = np.array(found.s)[len(hard) :] * UNIT, np.array(found.z)[len(hard) :] / UNIT
    return np.array(found.x) * UNIT, slack, dual


def pull_left(problem: Problem, x: np.ndarray) -> float:
    """Return how far a point is from being the best, as a share of what pulls at it.

    The estimate is convex, so a point that keeps all hard statements and limits is the best one
    exactly if the pull of the data, Cᵀ(y − C x)/sd², is a sum of hard rows and of limits that hold,
    the latter with factors ≥ 0 (Karush, Kuhn and Tucker).
    """
    rows, limits, caps, free = _arrays(problem)
    size = np.abs(limits) @ np.abs(x) + np.abs(caps)
    holds = caps - limits @ x < 1e-7 * (1.0 + size)
    pull = free.T @ (rows.T @ (np.array(problem.y) / np.array(problem.sd) - rows @ x))
    return _push(limits[holds] @ free, pull)[1] / (1.0 + float(norm(pull)))


def completed(problem: Problem, x: np.ndarray, determined: np.ndarray) -> np.ndarray:
    """Return a point that keeps hard statements and limits with the determined ones as they are."""
    found = _programme(problem, x, determined, np.zeros(len(x)))
    assert found.status == 0, found.message
    return np.where(determined, x, found.x)


def ranges(problem: Problem, x: np.ndarray, determined: np.ndarray) -> np.ndarray:
    """Return (low, high) of every undetermined variable, the determined ones at their values."""
    out = np.full((len(x), 2), np.nan)
    for i in np.flatnonzero(~determined):
        for side, sign in ((0, 1.0), (1, -1.0)):
            found = _programme(problem, x, determined, sign * np.eye(len(x))[i])
            assert found.status in (0, 3), found.message
            out[i, side] = found.x[i] if found.status == 0 else -sign * np.inf
    return out


def _programme(
    problem: Problem, x: np.ndarray, determined: np.ndarray, objective: np.ndarray
) -> object:
    """Solve a linear programme over the undetermined variables."""
    n = len(problem.keys)
    hard, limits = np.array(problem.hard).reshape(-1, n), np.array(problem.limits).reshape(-1, n)
    # what the determined ones fix alone is left out, being rounding
    loose = np.abs(hard[:, ~determined]).max(axis=1, initial=0.0) > 0
    open_ = np.abs(limits[:, ~determined]).max(axis=1, initial=0.0) > 0
    return linprog(
        objective,
        A_ub=limits[open_] if open_.any() else None,
        b_ub=np.array(problem.caps)[open_] + 1e-9 if open_.any() else None,
        A_eq=hard[loose] if loose.any() else None,
        b_eq=np.array(problem.right)[loose] if loose.any() else None,
        bounds=[(x[i], x[i]) if determined[i] else (None, None) for i in range(n)],
        options={"presolve": False},
    )
