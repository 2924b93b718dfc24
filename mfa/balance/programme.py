"""Linear programmes, solved by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from mfa.balance.network import Floats
from mfa.errors import BalanceError

_TOLERANCE = 1e-9
_GIVE = 1e-7
_STATUS: dict[int, Literal["optimal", "infeasible", "unbounded"]] = {
    0: "optimal",
    2: "infeasible",
    3: "unbounded",
}


@dataclass(frozen=True, eq=False)
class Programme:
    """Minimise cᵀx under A x = b, low ≤ x ≤ high; numbers should be near 1."""

    matrix: sp.csr_array
    right: Floats
    low: Floats
    high: Floats

    def minimise(self, objective: Floats) -> Solution:
        """Return the outcome; "unbounded" only if there is a point at all."""
        n_rows = self.matrix.shape[0]
        result = linprog(  # type: ignore[call-overload]
            objective,
            A_eq=self.matrix if n_rows else None,
            b_eq=self.right if n_rows else None,
            bounds=np.column_stack([self.low, self.high]),
            method="highs",
            options={
                "primal_feasibility_tolerance": _TOLERANCE,
                "dual_feasibility_tolerance": _TOLERANCE,
            },
        )
        status = _STATUS.get(result.status)
        if status is None:  # presolve may find "unbounded or infeasible" without saying which
            possible = np.any(objective) and self.is_feasible()
            status = "unbounded" if possible else "infeasible"
        if status != "optimal":
            return Solution(status, np.full(len(objective), np.nan), np.zeros(n_rows))
        duals = np.asarray(result.eqlin.marginals) if n_rows else np.zeros(0)
        return Solution(status, np.asarray(result.x, dtype=np.float64), duals)

    def surely_minimise(self, objective: Floats) -> Solution:
        """Minimise a programme that is known to have a point, up to rounding.

        Numbers that other programmes have rounded may leave a gap of their rounding, which the
        bounds then give way by.

        Raises
        ------
        BalanceError
            If there is no point all the same.
        """
        found = self.minimise(objective)
        if found.status == "infeasible":
            wider = replace(self, low=self.low - _GIVE, high=self.high + _GIVE)
            found = wider.minimise(objective)
            found = replace(found, x=np.clip(found.x, self.low, self.high))
        if found.status == "infeasible":
            raise BalanceError(
                "what is possible for undetermined quantities could not be worked out; "
                "check limits (min, max) that lie very close together"
            )
        return found

    def is_feasible(self) -> bool:
        """Return whether any point keeps equations and bounds."""
        return self.minimise(np.zeros(len(self.low))).status == "optimal"


@dataclass(frozen=True, eq=False)
class Solution:
    """What came out: status, a minimiser, and the sensitivity of the minimum to each row."""

    status: Literal["optimal", "infeasible", "unbounded"]
    x: Floats
    duals: Floats
