"""Relations that multiply: flow = share × Σ of other flows, with the share a variable too.

A transfer coefficient ties a flow to the inflows of its process, a composition ties a substance to
the goods it is in. At a point x⁰ with S⁰ = Σ aⱼxⱼ⁰ and share c⁰ the relation x_f − c S = 0 becomes

    x_f − S⁰ c − c⁰ Σ aⱼ xⱼ = −c⁰ S⁰,

which is exact where either the share or the sum does not move.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from mfa.balance.equations import Equations
from mfa.balance.network import Floats, Ints, Mask


@dataclass(frozen=True, eq=False)
class Products:
    """Relations x[flow] = x[share] × (of @ x).

    Attributes
    ----------
    flow, share : array of int, shape (products,)
        Variables.
    of : sparse array, shape (products, variables)
        Coefficients of the sums, in mass per step.
    """

    flow: Ints
    share: Ints
    of: sp.csr_array

    def __len__(self) -> int:
        return len(self.flow)

    def residuals(self, x: Floats) -> Floats:
        """Return x_f − c S of each relation."""
        return np.asarray(x[self.flow] - x[self.share] * (self.of @ x))

    def rows(self, x: Floats, fixed: Mask) -> tuple[sp.csr_array, Floats]:
        """Return the relations linearised at a point, as rows and right-hand sides."""
        share, total = x[self.share], self.of @ x
        moves = ~fixed[self.share]
        at = np.arange(len(self))
        own = np.concatenate([np.ones(len(self)), np.where(moves, -total, 0.0)])
        entries = (own, (np.concatenate([at, at]), np.concatenate([self.flow, self.share])))
        single = sp.coo_array(entries, shape=self.of.shape)
        rows = sp.csr_array(single) - sp.csr_array(sp.diags_array(share) @ self.of)
        rows.eliminate_zeros()
        return sp.csr_array(rows), np.where(moves, -share * total, 0.0)

    def linearised(self, equations: Equations, x: Floats) -> Equations:
        """Return equations with these relations, linearised at a point, below the linear ones."""
        rows, right = self.rows(x, equations.fixed)
        relations = sp.csr_array(sp.vstack([equations.relations, rows], format="csr"))
        stacked = np.concatenate([equations.right, right])
        return replace(equations, relations=relations, right=stacked, start=x)
