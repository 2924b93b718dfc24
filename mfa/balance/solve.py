"""The least-squares estimate over a structure, and what its factor knows of variances.

Minimise Σ ((x − y)/sd)² over the measured variables under G x_M = h. With W = diag(sd²) and
S = G W Gᵀ:

    S λ = G y − h,   x̂ = y − W Gᵀ λ,   Cov(x̂) = W − W Gᵀ S⁻¹ G W,
    q_i = g_iᵀ S⁻¹ g_i,   var_i = w_i − w_i² q_i,   z_i = g_iᵀ λ / √q_i.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_factor, cho_solve, qr
from scipy.sparse.linalg import cg, splu

from mfa.balance.network import Floats
from mfa.balance.structure import Structure

_ORTHOGONAL = 600
_DENSE = 3000
_REFINEMENTS = 3
_ROUNDING = 2.3e-16
_CLOSE = 1e-10
_STEPS = 20_000


class _Normal:
    """S⁻¹ from B = G W^½, whose rows are first scaled to unit length.

    Small systems take R of the QR factors of Bᵀ, so that S = RᵀR is never formed and rows that are
    nearly parallel keep their digits; larger ones a Cholesky factor of S. Beyond that one column is
    solved by conjugate gradients, which need no factor: on networks that spread in all directions
    factors fill up. Several columns, as for variances, take a sparse factor all the same.
    """

    def __init__(self, rows: sp.csr_array) -> None:
        self._scale = 1.0 / sp.linalg.norm(rows, axis=1)
        self._rows = sp.csr_array(sp.diags_array(self._scale) @ rows)

    def solve(self, right: Floats) -> Floats:
        """Return S⁻¹ right for one column or several."""
        scale = self._scale if right.ndim == 1 else self._scale[:, None]
        weighted: Floats = np.multiply(scale, right)
        if right.ndim == 1 and len(right) > _DENSE:
            found, missed = cg(self._matrix, weighted, rtol=_CLOSE, maxiter=_STEPS)
            if not missed:
                return np.asarray(scale * found, dtype=np.float64)
        return np.asarray(scale * self._factor(weighted), dtype=np.float64)

    @cached_property
    def _matrix(self) -> sp.csr_array:
        return sp.csr_array(self._rows @ self._rows.T)

    @cached_property
    def _factor(self) -> Callable[[Floats], Floats]:
        rows = self._rows
        if rows.shape[0] <= _ORTHOGONAL:
            triangle = qr(rows.T.toarray(), mode="r")[0][: rows.shape[0]]
            return lambda b: cho_solve((triangle, False), b)
        if rows.shape[0] <= _DENSE:
            cholesky = cho_factor(self._matrix.toarray())
            return lambda b: cho_solve(cholesky, b)
        sparse = splu(sp.csc_array(self._matrix))
        return lambda b: sparse.solve(np.ascontiguousarray(b))


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
        g = sp.csc_array(self.structure.reduced)
        out = np.zeros(g.shape[1])
        if self.factor is None:
            return out
        for start in range(0, g.shape[1], 512):
            block = g[:, start : start + 512].toarray()
            out[start : start + 512] = (block * self.factor.solve(block)).sum(axis=0)
        return out

    def propagate(self, rows: sp.csr_array) -> Floats:
        """Return the covariance of linear combinations of the estimated data.

        With B = G W^½ and V = W^½ rowsᵀ it is RᵀR, R = V − Bᵀ S⁻¹ B V: what the checks leave of the
        errors. The difference VᵀV − VᵀBᵀS⁻¹BV is the same but loses half of the digits.

        Parameters
        ----------
        rows : sparse array, shape (k, data)

        Returns
        -------
        array, shape (k, k)
        """
        root = np.sqrt(self.weights)
        errors = sp.csr_array(rows @ sp.diags_array(root))
        if self.factor is None:
            return np.asarray((errors @ errors.T).toarray())
        scaled = sp.csr_array(self.structure.reduced @ sp.diags_array(root))
        seen = (scaled @ errors.T).toarray()
        left = errors.toarray().T - scaled.T @ self.factor.solve(seen)
        return np.asarray(left.T @ left)

    def equation_multipliers(self) -> Floats:
        """Return the multiplier of every balance and relation, shape (equations,)."""
        return np.asarray(self.structure.rows.T @ self.multipliers)


def estimate(structure: Structure, values: Floats) -> Estimate:
    """Return the least-squares estimate.

    Parameters
    ----------
    structure : Structure
        From `mfa.balance.structure.structure`.
    values : array, shape (n,)
        Values of the fixed variables; the others are not used.
    """
    equations, data = structure.equations, structure.data
    constants = equations.constants(structure.fixed, values)
    g = structure.reduced
    right = structure.rows @ constants
    y, weights = equations.y[data], equations.sd[data] ** 2
    factor, multipliers, estimated = None, np.zeros(g.shape[0]), y.copy()
    if g.shape[0]:
        factor = _Normal(sp.csr_array(g @ sp.diags_array(equations.sd[data])))
        turnover = abs(g)
        for _ in range(1 + _REFINEMENTS):
            lacking = g @ estimated - right
            if np.all(np.abs(lacking) <= _ROUNDING * (turnover @ np.abs(estimated))):
                break
            multipliers += factor.solve(lacking)
            estimated = y - weights * (g.T @ multipliers)
    x = np.where(structure.fixed, values, 0.0)
    x[data] = estimated
    full = np.concatenate([np.zeros(equations.n_nodes), equations.right])
    return Estimate(structure, structure.complete(x, full), multipliers, factor)
