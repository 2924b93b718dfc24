"""What equations and bounds allow for undetermined variables: linear programmes, block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from mfa.balance.equations import Equations
from mfa.balance.network import Floats, Ints, Mask, components
from mfa.balance.programme import Programme

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Block:
    """Undetermined variables that share equations, every other variable held at its value.

    Attributes
    ----------
    members : array of int
        The variables.
    programme : Programme
        Their equations and bounds, divided by ``scale``, the largest number among them.
    """

    members: Ints
    programme: Programme
    scale: float


def blocks(equations: Equations, undetermined: Mask, x: Floats) -> list[Block]:
    """Split the undetermined variables into blocks.

    Parameters
    ----------
    equations : Equations
    undetermined : array of bool, shape (n,)
    x : array, shape (n,)
        Values; those of the undetermined variables are not used.
    """
    members = np.flatnonzero(undetermined)
    if not len(members):
        return []
    right = equations.constants(~undetermined, x)
    size = abs(equations.matrix) @ np.where(undetermined, 0.0, np.abs(x))
    right[np.abs(right) <= _ROUNDING * size] = 0.0  # or it would set the scale
    rows = sp.csr_array(equations.matrix[:, members])
    used = np.flatnonzero(np.diff(rows.indptr))
    coo = rows[used].tocoo()
    n_rows = len(used)
    ends = coo.row.astype(np.int64), n_rows + coo.col.astype(np.int64)
    labels = components(n_rows + len(members), *ends)
    out = []
    for label in np.unique(labels):
        of_row = used[labels[:n_rows] == label]
        of_column = np.flatnonzero(labels[n_rows:] == label)
        low, high = equations.lower[members[of_column]], equations.upper[members[of_column]]
        numbers = np.abs(np.concatenate([right[of_row], low, high]))
        scale = float(numbers[np.isfinite(numbers)].max(initial=0.0)) or 1.0
        matrix = sp.csr_array(rows[of_row][:, of_column])
        programme = Programme(matrix, right[of_row] / scale, low / scale, high / scale)
        out.append(Block(members[of_column], programme, scale))
    return out


def ranges(parts: list[Block], n: int) -> tuple[Floats, Floats]:
    """Return the smallest and largest value of every undetermined variable, nan for the others.

    Parameters
    ----------
    parts : list of Block
    n : int
        Number of variables.

    Returns
    -------
    low, high : array, shape (n,)
        ∓inf where there is no limit.
    """
    low, high = np.full(n, np.nan), np.full(n, np.nan)
    for block in parts:
        for k, number in enumerate(block.members):
            objective = np.zeros(len(block.members))
            for sign, out, limit in ((1.0, low, -np.inf), (-1.0, high, np.inf)):
                objective[k] = sign
                found = block.programme.surely_minimise(objective)
                out[number] = found.x[k] * block.scale if found.status == "optimal" else limit
    return low, high
