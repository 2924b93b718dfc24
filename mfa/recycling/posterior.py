"""What is known of results once more numbers have been measured, to first order.

With C the covariance of what is determined, N the undetermined directions, h the item that is
measured with sd s, and g the gradient of what is asked for:

- Nᵀh = 0, a determined item: C ← C − C h hᵀ C / (hᵀ C h + s²).
- Nᵀh ≠ 0: one direction d with h · d = 1 is settled; what moved along d alone, by c, is determined
  from then on, with the error of the rest, g − c h, and the error of the measurement, c s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Floats
from mfa.balance.sensitivities import sensitivities
from mfa.recycling.place import Place

_STILL = 1e-9


@dataclass(frozen=True, eq=False)
class Settled:
    """A place where undetermined items have been measured.

    Attributes
    ----------
    place : Place
        With the items measured so far held at what was found.
    steps : tuple
        For each of them: its variable, the direction that it settles, the sd of its measurement.
    """

    place: Place
    steps: tuple[tuple[int, Floats, float], ...] = ()

    def hold(self, number: int, value: float, sd: float) -> Settled:
        """Return what is left open once an undetermined item is measured, found at a value."""
        place = self.place
        wander = place.wander
        best = int(np.argmax(np.abs(wander[number])))
        direction = wander[:, best] / wander[number, best]
        rest = np.delete(wander - np.outer(direction, wander[number]), best, axis=1)
        rest[number] = 0.0
        space = place.space
        lower, upper = space.lower.copy(), space.upper.copy()
        lower[number] = upper[number] = value
        size = np.abs(wander).max(axis=1)
        loose = place.loose & (np.abs(rest).max(axis=1, initial=0.0) > _STILL * size)
        rest[~loose] = 0.0  # or its rounding would be taken for a change
        held = replace(
            place,
            loose=loose,
            wander=rest,
            space=replace(space, lower=lower, upper=upper),
            point=place.point + direction * (value - place.point[number]),
        )
        return replace(self, place=held, steps=(*self.steps, (number, direction, sd)))

    def errors(self, gradients: sp.csr_array) -> tuple[sp.csr_array, Floats]:
        """Return how determined combinations depend on the data and on what was settled.

        The last direction leaves all earlier measurements as they are, so that coefficients follow
        from the last to the first.

        Parameters
        ----------
        gradients : sparse array, shape (k, variables)

        Returns
        -------
        sparse array, shape (k, data), and array, shape (k, steps)
        """
        m = gradients.shape[0]
        through = np.zeros((m, len(self.steps)))
        left = sp.csr_array(gradients)
        for k in range(len(self.steps) - 1, -1, -1):
            number, direction, _ = self.steps[k]
            through[:, k] = left @ direction
            taken = (through[:, k], (np.arange(m), np.full(m, number)))
            left = sp.csr_array(left - sp.coo_array(taken, shape=left.shape).tocsr())
        left.eliminate_zeros()
        used = np.unique(left.indices)
        found = self.place.balance.bounded.estimate
        return sp.csr_array(left[:, used] @ sensitivities(found, used.astype(np.int64))), through


class Known:
    """Variances and covariances of determined combinations while some are measured once more.

    Parameters
    ----------
    settled : Settled
    gradients : sparse array, shape (k, variables)
        The combinations; none may be undetermined.
    """

    def __init__(self, settled: Settled, gradients: sp.csr_array) -> None:
        self._found = settled.place.balance.bounded.estimate
        self._rows, through = settled.errors(gradients)
        self._through = through * [sd for _, _, sd in settled.steps]
        self._left = np.maximum(self._found.variances(self._rows), 0.0)
        self._left += (self._through**2).sum(axis=1)
        self._gains: list[Floats] = []

    @property
    def variances(self) -> Floats:
        """Variance of every combination, shape (k,)."""
        return self._left.copy()

    def covariances(self, at: int) -> Floats:
        """Return the covariance of one combination with all, shape (k,)."""
        found, weights = self._found, self._found.weights
        spread = self._rows[[at]].toarray().ravel() * weights
        if found.factor is not None:
            reduced = found.structure.reduced
            spread = spread - (reduced.T @ found.factor.solve(reduced @ spread)) * weights
        out = self._rows @ spread + self._through @ self._through[at]
        for gain in self._gains:
            out = out - gain[at] * gain
        return np.asarray(out)

    def measure(self, at: int, sd: float) -> None:
        """Take one combination as measured with an sd: C ← C − C h hᵀ C / (hᵀ C h + s²)."""
        gain = self.covariances(at) / np.sqrt(self._left[at] + sd**2)
        self._gains.append(gain)
        self._left = np.maximum(self._left - gain**2, 0.0)
