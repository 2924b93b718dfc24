"""How results depend on the estimated data."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Ints
from mfa.balance.solve import Estimate

_BLOCK = 256


def sensitivities(found: Estimate, numbers: Ints) -> sp.csr_array:
    """Return how variables depend on the estimated data: x = rows · x_M + constant.

    Parameters
    ----------
    found : Estimate
    numbers : array of int, shape (k,)
        Fixed, measured or determined variables. An undetermined one gives a row of no meaning.

    Returns
    -------
    sparse array, shape (k, data)
    """
    layout = found.structure
    equations = layout.equations
    n_data = len(layout.data)
    place = np.full(equations.n, -1, dtype=np.int64)
    place[layout.data] = np.arange(n_data)
    own = np.flatnonzero(place[numbers] >= 0)
    entries = (np.ones(len(own)), (own, place[numbers[own]]))
    rows = sp.csr_array(sp.coo_array(entries, shape=(len(numbers), n_data)))
    measured = equations.matrix[:, layout.data]
    related = layout.related_by_data
    rows = rows + _spread(numbers, layout.related, related)
    tree = layout.plain[layout.forest.tree]
    place = np.full(equations.n, -1, dtype=np.int64)
    place[tree] = np.arange(len(tree))
    along = np.flatnonzero(place[numbers] >= 0)
    unmeasured = sp.csr_array(equations.matrix[:, layout.related])
    for start in range(0, len(along), _BLOCK):
        some = along[start : start + _BLOCK]
        rises = np.zeros((len(tree), len(some)))
        rises[place[numbers[some]], np.arange(len(some))] = 1.0
        nodes = -layout.forest.potentials(rises)[: equations.n_nodes].T
        through = sp.csr_array(nodes @ unmeasured[: equations.n_nodes]) @ related
        direct = sp.csr_array(nodes @ sp.csr_array(measured)[: equations.n_nodes]) + through
        rows = rows + _spread_rows(direct, some, len(numbers))
    return sp.csr_array(rows)


def _spread(numbers: Ints, owners: Ints, rows: sp.csr_array) -> sp.csr_array:
    """Return, for each number, the row of the owner of that number, or zeros."""
    order = np.argsort(owners)
    position = np.searchsorted(owners[order], numbers)
    position = np.minimum(position, max(len(owners) - 1, 0))
    hit = np.flatnonzero(owners[order][position] == numbers) if len(owners) else np.zeros(0, int)
    return _spread_rows(rows[order[position[hit]]], hit, len(numbers))


def _spread_rows(rows: sp.csr_array, places: Ints, n: int) -> sp.csr_array:
    """Return an array of n rows that has the given rows at the given places."""
    entries = (np.ones(len(places)), (places, np.arange(len(places))))
    return sp.csr_array(sp.csr_array(sp.coo_array(entries, shape=(n, len(places)))) @ rows)
