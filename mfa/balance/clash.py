"""Which exact data, shares and limits cannot all be true: the smallest set of rows that clash.

Every statement that could be false becomes a row of a linear programme that may be off. Statements
clash if not all can be true; what is not needed for that is left out one by one, so that any one
fewer of those left could be true. Smaller sets are then sought by hitting sets (Ignatiev et al.
2015): every set of statements whose absence would let all others be true has to share a statement
with every set that clashes. A smallest set with that property either clashes, and is smallest, or
there is one more such set of absentees to share a statement with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from mfa.balance.compile import Model
from mfa.balance.equations import Equations
from mfa.balance.network import Floats, Ints, Mask
from mfa.balance.products import Products
from mfa.balance.programme import Programme, Solution
from mfa.balance.survival import LIFETIME
from mfa.errors import BalanceError

_SLACK = 1e-7
_HEAVY = 1e4
_HEAVIER = 1e6  # beside lifetimes, that turn much of one year into little of another
_ROUNDS = 80
_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Clash:
    """Statements that cannot all be true although any one fewer could.

    Attributes
    ----------
    kind : array of str
        exact, low, high (of a variable), share (every product of one), lifetime (every relation
        of one stock).
    number : array of int
        The variable; the stock's number of a lifetime.
    nearest : array
        The value nearest to what is stated that the other statements leave, nan for shares and
        lifetimes.
    """

    kind: np.ndarray
    number: Ints
    nearest: Floats


class _Statements:
    """Everything that could be false in linear equations, as rows of an elastic programme.

    Relations that are due to no share and no lifetime say what variables stand for, and hold like
    balances.

    Parameters
    ----------
    equations : Equations
    shares, lives : array of int
        As for `clashing`.
    """

    def __init__(self, equations: Equations, shares: Ints, lives: Ints) -> None:
        n = equations.n
        fixed = equations.fixed
        sides = {
            "exact": (np.flatnonzero(fixed), equations.y),
            "low": (np.flatnonzero(np.isfinite(equations.lower) & ~fixed), equations.lower),
            "high": (np.flatnonzero(np.isfinite(equations.upper) & ~fixed), equations.upper),
        }
        stated = [np.full(len(where), kind, dtype=object) for kind, (where, _) in sides.items()]
        single = np.concatenate([where for where, _ in sides.values()])
        aged = np.flatnonzero(lives >= 0)
        named, group = np.unique(
            np.column_stack(
                [
                    np.concatenate([np.zeros(len(aged), dtype=np.int64), np.ones_like(shares)]),
                    np.concatenate([lives[aged], shares]),
                ]
            ),
            axis=0,
            return_inverse=True,
        )
        kinds = np.array(["lifetime", "share"], dtype=object)[named[:, 0]]
        self.kind = np.concatenate([*stated, kinds])
        self.number = np.concatenate([single, named[:, 1]]).astype(np.int64)
        self._of_row = np.concatenate([np.arange(len(single)), len(single) + group])
        kind = self.kind[self._of_row]
        self._counts = np.array([kind != "high", kind != "low"], dtype=np.float64)
        self._width = _widths(equations)
        values = np.concatenate([ends[where] for where, ends in sides.values()])
        soft = np.ones(equations.n_nodes + len(equations.right), dtype=bool)
        soft[: len(soft) - len(shares)] = False
        soft[equations.n_nodes + aged] = True
        n_hard = int((~soft).sum())
        matrix = sp.csr_array(equations.matrix @ sp.diags_array(self._width))
        size = abs(matrix).max(axis=1).toarray().ravel()
        size = np.where(size > 0, size, 1.0)
        right = np.concatenate([np.zeros(equations.n_nodes), equations.right]) / size
        order = np.argsort(soft, kind="stable")
        rows, right = sp.csr_array(sp.diags_array(1.0 / size) @ matrix)[order], right[order]
        unit = sp.csr_array(sp.eye_array(n))[single]
        m = len(self._of_row)
        give = sp.vstack([sp.csr_array((n_hard, m)), sp.eye_array(m)], format="csr")
        lines = sp.vstack([rows[:n_hard], unit, rows[n_hard:]], format="csr")
        self._programme = Programme(
            sp.csr_array(sp.hstack([lines, give, -give], format="csr")),
            np.concatenate([right[:n_hard], values / self._width[single], right[n_hard:]]),
            np.concatenate([np.full(n, -np.inf), np.zeros(2 * m)]),
            np.full(n + 2 * m, np.inf),
        )

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def heavy(self) -> float:
        """What a statement weighs that others are to give way to."""
        return _HEAVIER if LIFETIME in self.kind else _HEAVY

    def give_way(self, weights: Floats) -> Solution:
        """Let statements give way by as little as can be, weighted.

        x + p − q = value with p, q ≥ 0: beyond a lower bound q is free of cost, below an upper one
        p is.

        """
        weight = weights[self._of_row]
        down, up = weight * self._counts[0], weight * self._counts[1]
        return self._programme.minimise(np.concatenate([np.zeros(len(self._width)), down, up]))

    def off(self, weights: Floats) -> Floats:
        """Return by how much each statement is then off, relative to the size of its variable."""
        x, m = self.give_way(weights).x[len(self._width) :], len(self._of_row)
        out = np.zeros(len(self))
        np.maximum.at(out, self._of_row, np.maximum(*(x.reshape(2, m) * self._counts)))
        return out

    def point(self, weights: Floats) -> Floats:
        """Return all variables then."""
        return np.asarray(self.give_way(weights).x[: len(self._width)] * self._width)

    def clash(self, kept: Mask) -> bool:
        """Return whether some statements cannot all be true."""
        return bool((self.off(kept.astype(np.float64))[kept] > _SLACK).any())

    def suffice(self) -> Mask:
        """Return statements that clash without the others: those with a nonzero dual."""
        duals = self.give_way(np.ones(len(self))).duals[-len(self._of_row) :]
        out = np.zeros(len(self), dtype=bool)
        out[self._of_row[np.abs(duals) > _SLACK]] = True
        return out


def _widths(equations: Equations) -> Floats:
    """Return the size of each variable: masses share one, shares have their own."""
    own = np.abs(np.where(equations.fixed, equations.y, 0.0))
    for ends in (equations.lower, equations.upper):
        own = np.maximum(own, np.where(np.isfinite(ends), np.abs(ends), 0.0))
    scale = float(own[equations.is_edge].max(initial=0.0)) or float(own.max(initial=0.0)) or 1.0
    return np.asarray(np.where(equations.is_edge | (own == 0.0), scale, own))


def clashing(equations: Equations, shares: Ints, lives: Ints = _NONE) -> Clash:
    """Return a smallest set of statements that cannot all be true, none if there is no clash.

    Parameters
    ----------
    equations : Equations
    shares : array of int
        Of the last relations, the variable of the share that each is due to.
    lives : array of int
        Of the first relations, the number of the stock whose lifetime each is due to, −1 for none.
    """
    statements = _Statements(equations, shares, lives)
    kept = np.ones(len(statements), dtype=bool)
    if not statements.clash(kept):
        return Clash(statements.kind[:0], statements.number[:0], np.zeros(0))
    few = statements.suffice()
    kept = _smaller(statements, _irreducible(statements, few if statements.clash(few) else kept))
    chosen = np.flatnonzero(kept)
    nearest = np.array([_nearest(statements, kept, int(k)) for k in chosen])
    return Clash(statements.kind[chosen], statements.number[chosen], nearest)


def _irreducible(statements: _Statements, kept: Mask) -> Mask:
    """Leave out, one by one, what a clash does not need."""
    for k in np.flatnonzero(kept):
        trial = kept.copy()
        trial[k] = False
        if statements.clash(trial):
            kept = trial
    return kept


def _smaller(statements: _Statements, kept: Mask) -> Mask:
    """Return a smallest set that clashes, or the one given if none is found soon."""
    absentees: list[Mask] = []
    for _ in range(_ROUNDS):
        hit = _hitting(absentees, len(kept))
        if hit is None or hit.sum() >= kept.sum():
            return kept
        if statements.clash(hit):
            return hit
        absent = statements.off(np.where(hit, statements.heavy, 1.0)) > _SLACK
        if (absent & hit).any() or not absent.any():
            return kept
        absentees.append(absent)
    return kept


def _hitting(sets: list[Mask], n: int) -> Mask | None:
    """Return a smallest set that shares an element with each of some sets."""
    if not sets:
        return np.zeros(n, dtype=bool)
    found = milp(
        np.ones(n),
        constraints=LinearConstraint(np.array(sets, dtype=np.float64), 1.0, np.inf),
        integrality=np.ones(n, dtype=np.int64),
        bounds=Bounds(0.0, 1.0),
    )
    return None if found.x is None else np.asarray(found.x > 0.5)


def _nearest(statements: _Statements, kept: Mask, k: int) -> float:
    """Return the value nearest to one statement that the other ones kept leave."""
    if statements.kind[k] in ("share", "lifetime"):
        return float("nan")
    weights = np.where(kept, statements.heavy, 0.0)
    weights[k] = 1.0
    return float(statements.point(weights)[statements.number[k]])


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
    relations = model.relations[keep]
    return replace(model, equations=equations, products=products, relations=relations)


def clash_error(model: Model) -> BalanceError:
    """Return the error that names the rows that no values can satisfy together."""
    found = clashing(model.equations, model.products.share, _lives(model))
    if not len(found.kind):
        return BalanceError(
            "no values keep all exact data and limits, by a margin too small to trace, or for "
            "coefficients and compositions that are not exact: widen limits (min, max) of these"
        )
    statements = zip(found.kind, found.number, found.nearest, strict=True)
    rows = [_words(model, str(kind), int(number), nearest) for kind, number, nearest in statements]
    places = [cell or text for cell, text in rows]
    listed = "\n".join(f"- {cell + ': ' if cell else ''}{text}" for cell, text in rows)
    what = f"these {len(rows)} statements cannot all" if len(rows) > 1 else "this statement cannot"
    message = (
        f"{what} be true, given the balances:\n{listed}\n"
        "correct one of them, or give an exact value an sd above 0"
    )
    if LIFETIME in found.kind:
        message += ", or let lifetimes bind less strictly (survival 'soft' or 'off')"
    return BalanceError(message, places)


def _lives(model: Model) -> Ints:
    """Return the stock of each relation that stems from a lifetime and holds exactly, else −1."""
    kinds = model.relations["kind"].to_numpy()[: len(model.equations.right) - len(model.products)]
    out = np.full(len(kinds), -1, dtype=np.int64)
    if model.survival == "exact":
        out[kinds == LIFETIME] = np.repeat(
            np.arange(len(model.cohorts)), [cohort.n for cohort in model.cohorts]
        )
    return out


def _words(model: Model, kind: str, number: int, nearest: float) -> tuple[str, str]:
    """Return the cell and the words of a statement."""
    equations = model.equations
    if kind == LIFETIME:
        cohort = model.cohorts[number]
        cells = ", ".join(cohort.lives.cells)
        return cells, f"the lifetime of {cohort.substance} in {cohort.process!r}"
    if kind == "share":
        return model.cell(number), f"the {model.name(number)} = {equations.y[number]:g}"
    step = model.variables["step"].to_numpy(dtype=np.float64)[number]
    sign, limits = {
        "exact": ("=", equations.y),
        "low": ("≥", equations.lower),
        "high": ("≤", equations.upper),
    }[kind]
    most = "at most" if nearest < limits[number] else "at least"
    left = f"{nearest / step + 0.0:.6g}"
    return (
        model.cell(number),
        f"{model.name(number)} {sign} {limits[number] / step:g}, the others leave {most} {left}",
    )
