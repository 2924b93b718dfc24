"""What equations and bounds allow for undetermined variables: linear programmes, block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from mfa.balance.equations import Equations
from mfa.balance.network import Floats, Ints, Mask, components
from mfa.balance.programme import Programme

_ROUNDING = 1e-12
_FORCE = 1e-9


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


def is_feasible(parts: list[Block], x: Floats, tolerance: Floats) -> bool:
    """Return whether every block has a point within its bounds.

    Parameters
    ----------
    parts : list of Block
    x : array, shape (n,)
        A point that closes the balances; a block in which it keeps the bounds needs no search.
    tolerance : array, shape (n,)
    """
    for block in parts:
        here, slack = x[block.members], tolerance[block.members]
        low, high = block.programme.low * block.scale, block.programme.high * block.scale
        if np.all((here >= low - slack) & (here <= high + slack)):
            continue
        if not block.programme.is_feasible():
            return False
    return True


def no_room(parts: list[Block], n: int) -> np.ndarray:
    """Return the bounds that leave a block without any point: −1 lower, +1 upper, else 0.

    They are those that bind where the equations are missed by as little as can be: there, the
    equations' multipliers y pull a variable onto its bound, down if (Aᵀy) < 0 and up if > 0.

    Parameters
    ----------
    parts : list of Block
    n : int
        Number of variables.
    """
    out = np.zeros(n, dtype=np.int8)
    for block in parts:
        programme = block.programme
        if programme.is_feasible():
            continue
        rows, columns = programme.matrix.shape
        miss = sp.eye_array(rows)
        elastic = Programme(
            sp.csr_array(sp.hstack([programme.matrix, miss, -miss])),
            programme.right,
            np.concatenate([programme.low, np.zeros(2 * rows)]),
            np.concatenate([programme.high, np.full(2 * rows, np.inf)]),
        )
        found = elastic.minimise(np.repeat([0.0, 1.0], [columns, 2 * rows]))
        pull = programme.matrix.T @ found.duals
        out[block.members] = np.where(np.abs(pull) > _FORCE, np.sign(pull), 0.0)
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
