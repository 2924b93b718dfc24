"""The least-squares estimate over a structure, and what its factor knows of variances.

Minimise Σ ((x − y)/sd)² over the measured variables under G x_M = h. With W = diag(sd²) and
S = G W Gᵀ:

    S λ = G y − h,   x̂ = y − W Gᵀ λ,   Cov(x̂) = W − W Gᵀ S⁻¹ G W,
    q_i = g_iᵀ S⁻¹ g_i,   var_i = w_i − w_i² q_i,   z_i = g_iᵀ λ / √q_i.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.linalg import LinAlgError, cho_solve, cholesky, lapack, qr
from scipy.sparse.linalg import splu

from mfa.balance.network import Floats
from mfa.balance.structure import Structure

_ORTHOGONAL = 600
_DENSE = 3000
_FEW = 64
_BLOCK = 512
_REFINEMENTS = 3
_ROUNDING = 1e-15
_CLOSE = 1e-10
_STEPS = 20_000


class _Normal:
    """S⁻¹ from B = G W^½, whose rows are first scaled to unit length.

    Small systems take R of the QR factors of Bᵀ, so that S = RᵀR is never formed and rows that are
    nearly parallel keep their digits; larger ones, for several columns, a Cholesky factor of S. One
    column, and of very large systems a few, are solved by conjugate gradients, which need no
    factor: on networks that spread in all directions factors fill up. Many columns of those, as
    for all variances, take a sparse factor all the same.
    """

    def __init__(self, rows: sp.csr_array) -> None:
        self._scale = 1.0 / sp.linalg.norm(rows, axis=1)
        self._rows = sp.csr_array(sp.diags_array(self._scale) @ rows)

    def solve(self, right: Floats) -> Floats:
        """Return S⁻¹ right for one column or several."""
        scale = self._scale if right.ndim == 1 else self._scale[:, None]
        weighted: Floats = np.multiply(scale, right)
        few = 1 if len(right) <= _DENSE else _FEW
        if len(right) > _ORTHOGONAL and right.size <= few * len(right):
            found = _conjugate_gradients(self._matrix, weighted)
            if found is not None:
                return np.asarray(scale * found, dtype=np.float64)
        return np.asarray(scale * self._factor(weighted), dtype=np.float64)

    def quadratic(self, columns: sp.csc_array) -> Floats:
        """Return cᵀS⁻¹c of every column c.

        From the inverse T of the triangular factor it is |Tc|², a sum of squares, for which columns
        with few entries need few columns of T.
        """
        rows = sp.csr_array((sp.diags_array(self._scale) @ columns).T)
        out = np.zeros(rows.shape[0])
        for start in range(0, len(out), _BLOCK):
            some = slice(start, start + _BLOCK)
            if len(self._scale) <= _DENSE:
                out[some] = ((rows[some] @ self._root) ** 2).sum(axis=1)
            else:
                block = rows[some].toarray().T
                out[some] = (block * self._factor(block)).sum(axis=0)
        return out

    @cached_property
    def _matrix(self) -> sp.csr_array:
        return sp.csr_array(self._rows @ self._rows.T)

    @cached_property
    def _triangle(self) -> Floats:
        """R, upper triangular, with S = RᵀR."""
        rows = self._rows
        if rows.shape[0] > _ORTHOGONAL:
            with suppress(LinAlgError):  # rows so nearly parallel that S has lost it
                return np.asarray(cholesky(self._matrix.toarray()))
        return np.asarray(qr(rows.T.toarray(), mode="r")[0][: rows.shape[0]])

    @cached_property
    def _root(self) -> Floats:
        """R⁻¹, with S⁻¹ = R⁻¹ R⁻ᵀ."""
        inverse, _ = lapack.dtrtri(self._triangle)
        return np.ascontiguousarray(inverse)

    @cached_property
    def _factor(self) -> Callable[[Floats], Floats]:
        if self._rows.shape[0] <= _DENSE:
            return lambda b: cho_solve((self._triangle, False), b)
        sparse = splu(sp.csc_array(self._matrix))
        return lambda b: sparse.solve(np.ascontiguousarray(b))


def _conjugate_gradients(matrix: sp.csr_array, right: Floats) -> Floats | None:
    """Solve a positive definite system for one column or several, each on its own.

    Returns
    -------
    array or None
        None if any column does not come close.
    """
    left = right.reshape(len(right), -1).copy()
    found, direction = np.zeros_like(left), left.copy()
    size = (left**2).sum(axis=0)
    goal = _CLOSE**2 * size
    for _ in range(_STEPS):
        if np.all(size <= goal):
            return found.reshape(right.shape)
        ahead = matrix @ direction
        curvature = (direction * ahead).sum(axis=0)
        step = np.divide(size, curvature, out=np.zeros_like(size), where=size > goal)
        found += step * direction
        left -= step * ahead
        before, size = size, (left**2).sum(axis=0)
        turn = np.divide(size, before, out=np.zeros_like(size), where=before > goal)
        direction = left + turn * direction
    return None


@dataclass(frozen=True, eq=False)
class Estimate:
    """Values of all variables, and the factor that gives their covariance.

    Attributes
    ----------
    structure : Structure
    x : array, shape (n,)
        Undetermined variables stand at some value that closes the balances.
    multipliers : array, shape (rank,)
        λ of the reduced rows.
    """

    structure: Structure
    x: Floats
    multipliers: Floats
    factor: _Normal | None

    @property
    def weights(self) -> Floats:
        """W: variance of each datum, shape (data,)."""
        sd = self.structure.equations.sd[self.structure.data]
        return np.asarray(sd**2)

    @cached_property
    def information(self) -> Floats:
        """q_i = g_iᵀ S⁻¹ g_i of each datum, shape (data,)."""
        return self.quadratic(sp.csc_array(self.structure.reduced))

    def quadratic(self, columns: sp.csc_array) -> Floats:
        """Return cᵀ S⁻¹ c of every column c, shape (columns,)."""
        if self.factor is None:
            return np.zeros(columns.shape[1])
        return self.factor.quadratic(columns)

    def propagate(self, rows: sp.csr_array) -> Floats:
        """Return the covariance of linear combinations of the estimated data.

        Parameters
        ----------
        rows : sparse array, shape (k, data)

        Returns
        -------
        array, shape (k, k)
        """
        left = self.errors_left(rows)
        return np.asarray(left.T @ left)

    def variances(self, rows: sp.csr_array) -> Floats:
        """Return the variance of linear combinations of the estimated data, shape (k,)."""
        out = np.zeros(rows.shape[0])
        for start in range(0, len(out), _BLOCK):
            some = slice(start, start + _BLOCK)
            out[some] = (self.errors_left(sp.csr_array(rows[some])) ** 2).sum(axis=0)
        return out

    def errors_left(self, rows: sp.csr_array) -> Floats:
        """Return what the checks leave of the errors of linear combinations, shape (data, k).

        With B = G W^½ and V = W^½ rowsᵀ it is R = V − Bᵀ S⁻¹ B V, and the covariance RᵀR. The
        difference VᵀV − VᵀBᵀS⁻¹BV is the same but loses half of the digits.
        """
        root = np.sqrt(self.weights)
        errors = sp.csr_array(rows @ sp.diags_array(root))
        left: Floats = errors.toarray().T
        if self.factor is None:
            return left
        scaled = sp.csr_array(self.structure.reduced @ sp.diags_array(root))
        return np.asarray(left - scaled.T @ self.factor.solve((scaled @ errors.T).toarray()))

    def equation_multipliers(self) -> Floats:
        """Return the multiplier of every balance and relation, shape (equations,)."""
        return np.asarray(self.structure.rows.T @ self.multipliers)


def _refined(factor: _Normal, g: sp.csr_array, y: Floats, weights: Floats, right: Floats) -> Floats:
    """Return the multipliers with which x̂ = y − W Gᵀ λ closes to rounding."""
    multipliers, estimated = np.zeros(len(right)), y
    turnover, before = abs(g), np.inf
    for _ in range(1 + _REFINEMENTS):
        lacking = g @ estimated - right
        size = turnover @ np.abs(estimated) + np.abs(right)
        missed = float(np.divide(np.abs(lacking), size, where=size > 0, out=0 * size).max())
        if missed <= _ROUNDING or missed > 0.5 * before:
            break
        before = missed
        multipliers += factor.solve(lacking)
        estimated = y - weights * (g.T @ multipliers)
    return multipliers


def estimate(structure: Structure, values: Floats, *, rough: bool = False) -> Estimate:
    """Return the least-squares estimate.

    Parameters
    ----------
    structure : Structure
        From `mfa.balance.structure.structure`.
    values : array, shape (n,)
        Values of the fixed variables; the others are not used.
    rough : bool, default: False
        Whether a large system need not close to rounding, only to some 1e-10 of what it turns over.
    """
    equations, data = structure.equations, structure.data
    constants = equations.constants(structure.fixed, values)
    g = structure.reduced
    right = structure.rows @ constants
    y, weights = equations.y[data], equations.sd[data] ** 2
    factor, multipliers, estimated = None, np.zeros(0), y
    if g.shape[0]:
        factor = _Normal(sp.csr_array(g @ sp.diags_array(equations.sd[data])))
        if rough and g.shape[0] > _ORTHOGONAL:
            multipliers = factor.solve(g @ y - right)
        else:
            multipliers = _refined(factor, g, y, weights, right)
        estimated = y - weights * (g.T @ multipliers)
    x = np.where(structure.fixed, values, 0.0)
    x[data] = estimated
    full = np.concatenate([np.zeros(equations.n_nodes), equations.right])
    return Estimate(structure, structure.complete(x, full), multipliers, factor)
