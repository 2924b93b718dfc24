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

from mfa.balance.covariance import sensitivities
from mfa.balance.network import Floats
from mfa.recycling.place import Place

_STILL = 1e-9


@dataclass(frozen=True, eq=False)
class Posterior:
    """A place after further measurements.

    Attributes
    ----------
    place : Place
        With the items measured so far held in the middle of their ranges.
    settled : tuple
        For each undetermined item measured: its variable, its direction, its sd.
    seen : tuple of array, each of shape (variables,)
        For each determined item measured: its covariance with every variable, scaled so that the
        squares are what the variances have fallen by.
    """

    place: Place
    settled: tuple[tuple[int, Floats, float], ...] = ()
    seen: tuple[Floats, ...] = ()

    def hold(self, number: int, value: float, sd: float) -> Posterior:
        """Return what is known once an undetermined item is measured, found at a value."""
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
        held = replace(
            place,
            loose=loose,
            wander=rest,
            space=replace(space, lower=lower, upper=upper),
            point=place.point + direction * (value - place.point[number]),
        )
        return replace(self, place=held, settled=(*self.settled, (number, direction, sd)))

    def measure(self, number: int, sd: float) -> Posterior:
        """Return what is known once a determined item is measured (again) with an sd."""
        one = sp.csr_array(([1.0], ([0], [number])), shape=(1, len(self.place.loose)))
        with_all = self.covariances(one)[0]
        gain = with_all / np.sqrt(with_all[number] + sd**2)
        return replace(self, seen=(*self.seen, gain))

    def covariances(self, gradients: sp.csr_array) -> Floats:
        """Return the covariance of determined combinations with every variable.

        Parameters
        ----------
        gradients : sparse array, shape (k, variables)

        Returns
        -------
        array, shape (k, variables)
            Of no meaning for variables that are undetermined.
        """
        rows, through = self._errors(gradients)
        every, own = self._every
        found = self.place.balance.bounded.estimate
        weights = found.weights
        spread = rows.toarray() * weights
        if found.factor is not None:
            reduced = found.structure.reduced
            spread -= (reduced.T @ found.factor.solve(reduced @ spread.T)).T * weights
        out = np.asarray((every @ spread.T).T)
        for k, (_, _, sd) in enumerate(self.settled):
            out += np.outer(through[:, k], own[:, k]) * sd**2
        for gain in self.seen:
            out -= np.outer(gradients @ gain, gain)
        return np.asarray(out)

    @property
    def _every(self) -> tuple[sp.csr_array, Floats]:
        n = len(self.place.loose)
        return self._errors(sp.csr_array(sp.eye_array(n, format="csr")))

    def _errors(self, gradients: sp.csr_array) -> tuple[sp.csr_array, Floats]:
        """Return how combinations depend on the data, and on the errors of what was settled.

        The last direction leaves all earlier measurements as they are, so that coefficients follow
        from the last to the first.
        """
        m = gradients.shape[0]
        through = np.zeros((m, len(self.settled)))
        left = sp.csr_array(gradients)
        for k in range(len(self.settled) - 1, -1, -1):
            number, direction, _ = self.settled[k]
            through[:, k] = left @ direction
            taken = (through[:, k], (np.arange(m), np.full(m, number)))
            left = sp.csr_array(left - sp.coo_array(taken, shape=left.shape).tocsr())
        left.eliminate_zeros()
        used = np.unique(left.indices)
        found = self.place.balance.bounded.estimate
        return sp.csr_array(left[:, used] @ sensitivities(found, used.astype(np.int64))), through

