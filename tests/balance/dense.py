"""Reconciliation as a textbook has it: dense, slow and obvious, for the engine to agree with.

With N spanning the null space of the hard rows H and x₀ any solution of them, x = x₀ + N t, and the
data say K t ≈ k, K = diag(1/sd) C N, k = (y − C x₀)/sd. K = U S Vᵀ gives everything:
t = V S⁻¹ Uᵀ k, Cov(x) = N V S⁻² Vᵀ Nᵀ, x_i is determined if row i of N lies in the span of V, the
leverage of datum j is h_j = (U Uᵀ)_jj, and it is redundant if h_j < 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2

from .cases import Key
from .textbook import Problem

TINY = 1e-8
FAINT = 1e-9  # of 1 − h: too little to test a datum


@dataclass
class Answer:
    """What the textbook says; arrays over keys, or over data."""

    problem: Problem
    kept: list[int]  # the data
    x: np.ndarray
    covariance: np.ndarray
    determined: np.ndarray
    chi2: float
    dof: int
    residual: np.ndarray  # (y − C x) / sd
    remainder: np.ndarray  # I − U Uᵀ
    pattern: np.ndarray  # the same if all flows were equally good, and all shares

    @property
    def redundant(self) -> np.ndarray:
        """Whether anything checks a datum, which does not depend on how good the data are."""
        return np.diag(self.pattern) > TINY

    @property
    def spare(self) -> np.ndarray:
        """1 − h of each datum, 0 where it is not redundant."""
        return np.where(self.redundant, np.diag(self.remainder), 0.0)

    @property
    def z(self) -> np.ndarray:
        """Residuals divided by their own sd, nan for data that nothing checks."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.redundant, self.residual / np.sqrt(self.spare), np.nan)


def null_space(matrix: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the null space."""
    _, size, right = np.linalg.svd(matrix, full_matrices=True)
    rank = int((size > TINY * max(size.max(initial=0.0), 1e-300)).sum())
    return right[rank:].T


def _left(matrix: np.ndarray, largest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the singular value decomposition without what is 0 beside the largest row."""
    left, size, turn = np.linalg.svd(matrix, full_matrices=False)
    rank = int((size > TINY * largest).sum())
    return left[:, :rank], size[:rank], turn[:rank]


def solve(problem: Problem, held: list[int] | None = None, without: tuple[int, ...] = ()) -> Answer:
    """Return the weighted least-squares answer.

    Parameters
    ----------
    held : list of int
        Limits that hold as equations.
    without : tuple of int
        Data left out.
    """
    n = len(problem.keys)
    active = held or []
    hard = np.array([*problem.hard, *(problem.limits[i] for i in active)]).reshape(-1, n)
    right = np.array([*problem.right, *(problem.caps[i] for i in active)])
    size = np.maximum(np.linalg.norm(hard, axis=1), 1e-300)
    hard, right = hard / size[:, None], right / size
    start = np.linalg.lstsq(hard, right, rcond=TINY)[0] if len(hard) else np.zeros(n)
    assert np.allclose(hard @ start, right, rtol=1e-7, atol=1e-7), "hard statements clash"
    free = null_space(hard) if len(hard) else np.eye(n)
    keep = [i for i in range(len(problem.y)) if i not in without]
    rows = np.array([problem.rows[i] for i in keep]).reshape(-1, n)
    y, sd = (np.array([v[i] for i in keep]) for v in (problem.y, problem.sd))
    length = np.linalg.norm(rows, axis=1)  # not of rows @ free, which may be all noise
    kinds = [problem.labels[i][0] for i in keep]
    even = np.array([0.01 if kind in ("coefficient", "composition") else 1.0 for kind in kinds])
    plain, _, _ = _left((rows @ free) / even[:, None], (length / even).max(initial=1e-300))
    left, size, turn = _left((rows @ free) / sd[:, None], (length / sd).max(initial=1e-300))
    x = start + free @ (turn.T @ ((left.T @ ((y - rows @ start) / sd)) / size))
    spread = (free @ turn.T) / size
    loose = free - (free @ turn.T) @ turn
    residual = (y - rows @ x) / sd
    return Answer(
        problem=problem,
        kept=keep,
        x=x,
        covariance=spread @ spread.T,
        determined=np.linalg.norm(loose, axis=1) < 1e-7,
        chi2=float(residual @ residual),
        dof=len(keep) - len(size),
        residual=residual,
        remainder=np.eye(len(keep)) - left @ left.T,
        pattern=np.eye(len(keep)) - plain @ plain.T,
    )


def statuses(answer: Answer) -> list[str]:
    """Return the status of every variable by the definitions of the workbook's format."""
    problem = answer.problem
    checked = dict(zip(problem.labels, answer.redundant.tolist(), strict=True))
    out = []
    for key, determined in zip(problem.keys, answer.determined.tolist(), strict=True):
        within = [label for label, keys in problem.stated.items() if key in keys]
        sums = [checked[label] for label in within if label in checked]
        alone = [o for o in within if o in problem.exact and set(problem.stated[o]) == {key}]
        if key in problem.exact:
            out.append("fixed")
        elif key in checked:
            out.append("reconciled" if checked[key] else "measured")
        elif not determined:
            out.append("undetermined")
        elif alone:
            out.append("fixed")
        elif sums:
            out.append("reconciled" if any(sums) else "measured")
        else:
            out.append("calculated")
    return out


def assumed(answer: Answer) -> np.ndarray:
    """Return the share of each variance that stems from assumptions: errors are independent."""
    problem = answer.problem
    rows, sd = np.array(problem.rows).reshape(-1, len(problem.keys)), np.array(problem.sd)
    moved = answer.covariance @ rows.T / sd  # ∂x/∂y × sd
    chosen = [label in problem.assumptions for label in problem.labels]
    whole = (moved**2).sum(axis=1)
    exact = whole < 1e-20 * (1.0 + answer.x**2)
    return np.where(exact, 0.0, (moved[:, chosen] ** 2).sum(axis=1) / np.where(exact, 1.0, whole))


def alike(answer: Answer, label: Key) -> set[Key]:
    """Return the other data whose residuals are always proportional to that of a datum."""
    labels, pattern = answer.problem.labels, answer.pattern
    k = labels.index(label)
    size = np.sqrt(np.maximum(np.diag(pattern), 1e-300))
    same = (np.abs(pattern[k]) > (1.0 - 1e-9) * size[k] * size) & (answer.spare > FAINT)
    return {other for other, is_same in zip(labels, same, strict=True) if is_same} - {label}


def eliminated(problem: Problem) -> list[Key]:
    """Return the data that have to go, the largest |z| first, until p ≥ 0.05."""
    gone: list[int] = []
    while True:
        answer = solve(problem, without=tuple(gone))
        if not answer.dof or chi2.sf(answer.chi2, answer.dof) >= 0.05:
            return [problem.labels[i] for i in gone]
        size = np.nan_to_num(np.abs(answer.z))
        ties = np.flatnonzero(size > (1.0 - TINY) * size.max())
        names = {i: problem.labels[answer.kept[i]][1:] for i in ties}
        gone.append(answer.kept[min(names, key=lambda i: names[i])])


def leak(problem: Problem, number: int) -> tuple[float, float] | None:
    """Return what leaves a balance unseen (and its sd), None where the data do not tell."""
    keys = [*problem.keys, ("leak", "", "", 0)]
    wider = replace(
        problem,
        keys=keys,
        hard=[np.append(row, -float(i == number)) for i, row in enumerate(problem.hard)],
        rows=[np.append(row, 0.0) for row in problem.rows],
    )
    answer = solve(wider)
    sd = float(np.sqrt(answer.covariance[-1, -1]))
    return (float(answer.x[-1]), sd) if answer.determined[-1] else None
