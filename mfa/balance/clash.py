"""Which exact data, relations and limits cannot all be true: an irreducible set of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from mfa.balance.compile import Model
from mfa.balance.equations import Equations
from mfa.balance.network import Ints, Mask
from mfa.balance.products import Products
from mfa.balance.programme import Programme
from mfa.errors import BalanceError

_SLACK = 1e-7


@dataclass(frozen=True, eq=False)
class _Assertions:
    """Statements that could be false: exact values, lower and upper bounds, relations."""

    kind: np.ndarray  # "exact", "low", "high", "relation"
    number: Ints  # of the variable or the relation


def _assertions(equations: Equations) -> _Assertions:
    exact = np.flatnonzero(equations.fixed)
    low = np.flatnonzero(np.isfinite(equations.lower) & ~equations.fixed)
    high = np.flatnonzero(np.isfinite(equations.upper) & ~equations.fixed)
    relation = np.arange(len(equations.right))
    parts = {"exact": exact, "low": low, "high": high, "relation": relation}
    kind = np.concatenate([np.full(len(v), k, dtype=object) for k, v in parts.items()])
    return _Assertions(kind, np.concatenate(list(parts.values())))


def _scale(equations: Equations) -> float:
    numbers = np.concatenate([equations.y[equations.fixed], equations.lower, equations.upper])
    return float(np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0)) or 1.0


def _elastic(equations: Equations, claims: _Assertions, kept: Mask) -> tuple[float, Mask]:
    """Minimise how much the kept assertions have to give way.

    Every assertion becomes a row that may be off by p − q, p, q ≥ 0 (one of the two for a bound).

    Returns
    -------
    amount : float
        Total of p + q, relative to the largest number; 0 where all can be true.
    needed : array of bool, shape (assertions,)
        Those with a nonzero dual: they clash already without the others.
    """
    scale = _scale(equations)
    n, nodes, m = equations.n, equations.n_nodes, int(kept.sum())
    kind, number = claims.kind[kept], claims.number[kept]
    lines = sp.vstack([sp.eye_array(n), equations.relations], format="csr")
    lines = lines[np.where(kind == "relation", n + number, number)]
    values = np.zeros(m)
    sources = {
        "exact": equations.y,
        "low": equations.lower,
        "high": equations.upper,
        "relation": equations.right,
    }
    for name, source in sources.items():
        values[kind == name] = source[number[kind == name]]
    unit = sp.csr_array(sp.eye_array(m))
    give = sp.vstack([sp.csr_array((nodes, 2 * m)), sp.csr_array(sp.hstack([unit, -unit]))])
    fixed = sp.vstack([sp.csr_array(equations.matrix)[:nodes], sp.csr_array(lines)])
    matrix = sp.hstack([sp.csr_array(fixed), sp.csr_array(give)], format="csr")
    # x + p − q = value: beyond a lower bound q is free of cost, below an upper one p is.
    cost = np.concatenate([np.zeros(n), kind != "high", kind != "low"])
    programme = Programme(
        sp.csr_array(matrix),
        np.concatenate([np.zeros(nodes), values / scale]),
        np.concatenate([np.full(n, -np.inf), np.zeros(2 * m)]),
        np.full(n + 2 * m, np.inf),
    )
    found = programme.minimise(cost)
    needed = np.zeros(len(claims.kind), dtype=bool)
    needed[np.flatnonzero(kept)] = np.abs(found.duals[nodes:]) > _SLACK
    return float(cost @ found.x), needed


def clashing(equations: Equations) -> _Assertions:
    """Return a set of assertions that cannot all be true although any one fewer could.

    An elastic programme finds a set that clashes; what is not needed is then left out one by one.
    """
    claims = _assertions(equations)
    amount, kept = _elastic(equations, claims, np.ones(len(claims.kind), dtype=bool))
    if amount <= _SLACK:
        return _Assertions(claims.kind[:0], claims.number[:0])
    for k in np.flatnonzero(kept):
        trial = kept.copy()
        trial[k] = False
        if _elastic(equations, claims, trial)[0] > _SLACK:
            kept = trial
    return _Assertions(claims.kind[kept], claims.number[kept])


def with_exact_products(model: Model) -> Model:
    """Return a model with the products whose shares are exact as linear relations."""
    exact = model.equations.fixed[model.products.share]
    n_linear = len(model.equations.right)
    keep = np.concatenate([np.ones(n_linear, dtype=bool), exact])
    products = Products(
        model.products.flow[exact], model.products.share[exact], model.products.of[exact]
    )
    start = np.where(model.equations.fixed, model.equations.y, 0.0)
    equations = products.linearised(model.equations, start)
    return replace(model, equations=equations, relations=model.relations[keep])


def clash_error(model: Model) -> BalanceError:
    """Return the error that names the rows that no values can satisfy together."""
    claims = clashing(model.equations)
    rows = [_words(model, str(k), int(n)) for k, n in zip(claims.kind, claims.number, strict=True)]
    if not rows:
        return BalanceError(
            "no values keep all exact data and limits, by a margin too small to trace"
        )
    places = [cell or text for cell, text in rows]
    listed = "\n".join(f"- {cell + ': ' if cell else ''}{text}" for cell, text in rows)
    message = (
        f"these {len(rows)} statements cannot all be true, given the balances:\n{listed}\n"
        "correct one of them, or give an exact value an sd above 0"
    )
    return BalanceError(message, places)


def _words(model: Model, kind: str, number: int) -> tuple[str, str]:
    """Return the cell and the words of an assertion."""
    equations = model.equations
    if kind == "relation":
        relation = model.relations.iloc[number]
        return str(relation["cell"]), f"the {relation['kind']} {relation['item']!r}"
    step = model.variables["step"].to_numpy(dtype=np.float64)[number]
    sign, limits = {
        "exact": ("=", equations.y),
        "low": ("≥", equations.lower),
        "high": ("≤", equations.upper),
    }[kind]
    return model.cell(number), f"{model.name(number)} {sign} {limits[number] / step:g}"
