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
_PASSES = 20
_STATUS: dict[highspy.HighsModelStatus, Literal["optimal", "infeasible", "unbounded"]] = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kModelEmpty: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnbounded: "unbounded",
}


def evening(matrix: sp.csr_array) -> tuple[Floats, Floats]:
    """Return factors for rows and columns that bring all entries near 1, be they ever so different.

    In turn, each row and each column is divided by the geometric mean of its smallest and largest
    entry. Factors are powers of 2, so that nothing is rounded; where entries are ±1, all are 1.
    """
    entries = matrix.tocoo()
    size = np.log2(np.abs(entries.data))
    factors = [np.zeros(matrix.shape[0]), np.zeros(matrix.shape[1])]
    if not size.any():
        return np.exp2(factors[0]), np.exp2(factors[1])
    lines = entries.row, entries.col
    for k in range(_PASSES):
        now = size + factors[0][lines[0]] + factors[1][lines[1]]
        most, least = np.full_like(factors[k % 2], -np.inf), np.full_like(factors[k % 2], np.inf)
        np.maximum.at(most, lines[k % 2], now)
        np.minimum.at(least, lines[k % 2], now)
        factors[k % 2] -= np.where(np.isfinite(most), 0.5 * (most + least), 0.0)
    return np.exp2(np.round(factors[0])), np.exp2(np.round(factors[1]))


class _Quiet(highspy.Highs):
    """HiGHS without the banner that it prints as it is made, once it turns to its callbacks."""

    def enableCallbacks(self) -> None:  # noqa: N802
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, eq=False)
class Programme:
    """Minimise cᵀx under A x = b, low ≤ x ≤ high; numbers should be near 1."""

    matrix: sp.csr_array
    right: Floats
    low: Floats
    high: Floats

    @cached_property
    def _model(self) -> highspy.Highs:
        """The model, which starts from where the last search ended."""
        model = _Quiet()  # type: ignore[no-untyped-call]
        model.silent()
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
        """Return the basic variables of the last solution: columns, then slacks of rows."""
        found, basic = self._model.getBasis(), highspy.HighsBasisStatus.kBasic
        every = (*found.col_status, *found.row_status)
        return np.flatnonzero([status == basic for status in every])

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
