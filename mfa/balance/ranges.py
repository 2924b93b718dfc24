"""What equations and bounds allow for undetermined variables: linear programmes, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from mfa.balance.equations import Equations
from mfa.balance.extremes import extremes
from mfa.balance.network import Floats, Ints, Mask, components
from mfa.balance.programme import Programme, evening
from mfa.balance.unlimited import unlimited

_ROUNDING = 1e-12
_TOGETHER = 2000


@dataclass(frozen=True, eq=False)
class Block:
    """Undetermined variables that share equations, every other variable held at its value.

    Attributes
    ----------
    members : array of int
        The variables.
    programme : Programme
        Their equations and bounds, in numbers near 1.
    scale : array
        Unit of each column: numbers of the programme times it are those of the equations.
    """

    members: Ints
    programme: Programme
    scale: Floats


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
    size = equations.sizes @ np.where(undetermined, 0.0, np.abs(x))
    right[np.abs(right) <= _ROUNDING * size] = 0.0  # or it would set the scale
    rows = sp.csr_array(equations.matrix[:, members])
    used = np.flatnonzero(np.diff(rows.indptr))
    coo = rows[used].tocoo()
    ends = coo.row.astype(np.int64), len(used) + coo.col.astype(np.int64)
    labels = components(len(used) + len(members), *ends)
    of_row, of_column = labels[: len(used)], labels[len(used) :]
    by_row, by_column = (np.argsort(some, kind="stable") for some in (of_row, of_column))
    used, members = used[by_row], members[by_column]
    rows = sp.csr_array(rows[used][:, by_column])
    steps = np.arange(labels.max() + 2)
    starts = [np.searchsorted(np.sort(some), steps).tolist() for some in (of_row, of_column)]
    out = []
    for (row, column), (last_row, last_column) in pairwise(zip(*starts, strict=True)):
        some = members[column:last_column]
        matrix = sp.csr_array(rows[row:last_row][:, column:last_column])
        out.append(_block(equations, some, matrix, right[used[row:last_row]]))
    return out


def _block(equations: Equations, members: Ints, matrix: sp.csr_array, right: Floats) -> Block:
    by_row, by_column = evening(matrix)
    right = right * by_row
    low, high = equations.lower[members] / by_column, equations.upper[members] / by_column
    numbers = np.abs(np.concatenate([right, low, high]))
    largest = float(numbers[np.isfinite(numbers)].max(initial=0.0)) or 1.0
    even = sp.csr_array(sp.diags_array(by_row) @ matrix @ sp.diags_array(by_column))
    programme = Programme(even, right / largest, low / largest, high / largest)
    return Block(members, programme, largest * by_column)


def ranges(parts: list[Block], equations: Equations) -> tuple[Floats, Floats]:
    """Return the smallest and largest value of every undetermined variable, nan for the others.

    Parameters
    ----------
    parts : list of Block
    equations : Equations
        From which the blocks were made.

    Returns
    -------
    low, high : array, shape (n,)
        ∓inf where there is no limit.
    """
    low, high = np.full(equations.n, np.nan), np.full(equations.n, np.nan)
    for group in _groups(parts):
        members = np.concatenate([block.members for block in group])
        scale = np.concatenate([block.scale for block in group])
        programme = _joined([block.programme for block in group])
        if not programme.is_feasible():
            programme = _joined([block.programme.eased() for block in group])
        falls, rises = unlimited(programme, equations, members)
        least, most = extremes(programme, ~falls, ~rises)
        lower, upper = equations.lower[members], equations.upper[members]
        low[members] = np.where(falls, -np.inf, np.clip(least * scale, lower, upper))
        high[members] = np.where(rises, np.inf, np.clip(most * scale, lower, upper))
    return low, high


def _groups(parts: list[Block]) -> Iterator[list[Block]]:
    """Yield blocks to be searched at once: small ones together, as each search has its price."""
    group: list[Block] = []
    size = 0
    for block in parts:
        if group and size + len(block.members) > _TOGETHER:
            yield group
            group, size = [], 0
        group.append(block)
        size += len(block.members)
    if group:
        yield group


def _joined(programmes: list[Programme]) -> Programme:
    """Put programmes side by side."""
    names = ("right", "low", "high")
    right, low, high = (np.concatenate([getattr(p, name) for p in programmes]) for name in names)
    matrix = sp.block_diag([programme.matrix for programme in programmes], format="csr")
    return Programme(sp.csr_array(matrix), right, low, high)
