"""How the exchanges of bounds go, part by part."""

from __future__ import annotations

import numpy as np

from mfa.balance.network import Ints, Mask

_IDLE = 40


class Progress:
    """How the exchanges go in each part, which runs as if it were alone.

    Attributes
    ----------
    quiet : array of bool, shape (parts,)
        Where there was nothing to exchange the last time.
    """

    def __init__(self, part: Ints) -> None:
        self._part = part
        self.n_parts = int(part.max(initial=-1)) + 1
        self._fewest = np.full(self.n_parts, len(part) + 1)
        self._idle = np.zeros(self.n_parts, dtype=np.int64)
        self._draw = np.random.default_rng(20240229).random
        self.quiet = np.zeros(self.n_parts, dtype=bool)

    def exchanged(self, odd: Mask) -> Mask | None:
        """Return which variables to exchange if some are odd, None where nothing seems to help."""
        number = np.bincount(self._part[odd], minlength=self.n_parts)
        self.quiet = number == 0
        self._idle = np.where((number < self._fewest) | self.quiet, 0, self._idle + 1)
        self._fewest = np.where(self.quiet, len(odd) + 1, np.minimum(number, self._fewest))
        if self._idle.max(initial=0) > _IDLE:
            return None
        return np.asarray(self._draw(len(odd)) < np.where(self._idle[self._part] > 1, 0.5, 1.0))
