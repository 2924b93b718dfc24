"""Linear programmes, solved by HiGHS: one model is kept, only what is minimised changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import highspy
import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Floats, Ints
from mfa.errors import BalanceError

_TOLERANCE = 1e-9
_GIVE = 1e-7
_PRIMAL = 4
_STATUS: dict[highspy.HighsModelStatus, Literal["optimal", "infeasible", "unbounded"]] = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kModelEmpty: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnbounded: "unbounded",
}


@dataclass(frozen=True, eq=False)
class Programme:
    """Minimise cᵀx under A x = b, low ≤ x ≤ high; numbers should be near 1."""

    matrix: sp.csr_array
    right: Floats
    low: Floats
    high: Floats

    @cached_property
    def _model(self) -> highspy._Highs:
        """The model, which starts from where the last search ended.

        ``highspy.Highs`` prints a banner as it is made; the class beneath it does not.
        """
        model = highspy._Highs()
        model.setOptionValue("output_flag", False)
        model.setOptionValue("primal_feasibility_tolerance", _TOLERANCE)
        model.setOptionValue("dual_feasibility_tolerance", _TOLERANCE)
        columns, lp = sp.csc_array(self.matrix), highspy.HighsLp()
        lp.num_row_, lp.num_col_ = self.matrix.shape
        lp.col_cost_ = np.zeros(len(self.low))
        lp.col_lower_, lp.col_upper_ = self.low, self.high
        lp.row_lower_ = lp.row_upper_ = self.right
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = columns.indptr
        lp.a_matrix_.index_, lp.a_matrix_.value_ = columns.indices, columns.data
        model.passModel(lp)
        return model

    def minimise(self, objective: Floats) -> Solution:
        """Return the outcome; "unbounded" only if there is a point at all.

        Raises
        ------
        BalanceError
            If the solver gives up.
        """
        status = self._run(objective)
        if status is None:  # the last basis may have led astray, or presolve did not tell which
            self._model.clearSolver()
            status = self._run(objective)
        if status is None and np.any(objective):
            status = "unbounded" if self.is_feasible() else "infeasible"
        if status is None:
            raise BalanceError("a linear programme for undetermined quantities was not solved")
        if status != "optimal":
            return Solution(status, np.full(len(self.low), np.nan), np.zeros(len(self.right)))
        self._model.setOptionValue("simplex_strategy", _PRIMAL)  # the point stays, the costs change
        found = self._model.getSolution()
        return Solution(status, np.array(found.col_value), np.array(found.row_dual))

    def _run(self, objective: Floats) -> Literal["optimal", "infeasible", "unbounded"] | None:
        numbers = np.arange(len(objective), dtype=np.int32)
        self._model.changeColsCost(len(objective), numbers, objective)
        self._model.run()
        return _STATUS.get(self._model.getModelStatus())

    def basis(self) -> Ints:
        """Return the basic variables of the last solution: columns, then rows (those's slacks)."""
        found = self._model.getBasis()
        basic = [s == highspy.HighsBasisStatus.kBasic for s in (*found.col_status, *found.row_status)]
        return np.flatnonzero(basic)

    def surely_minimise(self, objective: Floats) -> Solution:
        """Minimise a programme that is known to have a point, up to rounding."""
        found = self.minimise(objective)
        if found.status == "infeasible":
            found = self.eased().minimise(objective)
            found = replace(found, x=np.clip(found.x, self.low, self.high))
        return found

    def eased(self) -> Programme:
        """Return a programme that is known to have a point, up to rounding, so that it has one.

        Numbers that other programmes have rounded may leave a gap of their rounding, which the
        bounds then give way by.

        Raises
        ------
        BalanceError
            If there is no point all the same.
        """
        if self.is_feasible():
            return self
        wider = replace(self, low=self.low - _GIVE, high=self.high + _GIVE)
        if wider.is_feasible():
            return wider
        raise BalanceError(
            "what is possible for undetermined quantities could not be worked out; "
            "check limits (min, max) that lie very close together"
        )

    def is_feasible(self) -> bool:
        """Return whether any point keeps equations and bounds."""
        return self.minimise(np.zeros(len(self.low))).status == "optimal"


@dataclass(frozen=True, eq=False)
class Solution:
    """What came out: status, a minimiser, and the sensitivity of the minimum to each row."""

    status: Literal["optimal", "infeasible", "unbounded"]
    x: Floats
    duals: Floats
