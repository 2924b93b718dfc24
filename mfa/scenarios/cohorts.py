"""What is in use, by cohort: how much of it leaves in each year to come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mfa.balance.network import Floats
from mfa.stocks import (
    Fixed,
    FoldedNormal,
    Gamma,
    Lifetime,
    LogNormal,
    Normal,
    Weibull,
    opening_shares,
)
from mfa.stocks import survival_shares as shares_of
from mfa.system.lifetimes import Lifetimes

AGES = (0, 5, 10, 20, 30, 50)
_HARDLY = 1e-9


def scaled(life: Lifetime, factor: float) -> Lifetime:
    """Return a lifetime that is longer by a factor, its sd in proportion.

    Examples
    --------
    >>> import mfa
    >>> scaled(mfa.Normal(mean=20.0, sd=5.0), 1.5)
    Normal(mean=30, sd=7.5)
    """
    own = life.named
    if isinstance(life, Fixed):
        return Fixed(mean=own["mean"] * factor)
    if isinstance(life, Normal):
        return Normal(mean=own["mean"] * factor, sd=own["sd"] * factor)
    if isinstance(life, FoldedNormal):
        return FoldedNormal(mu=own["mu"] * factor, sigma=own["sigma"] * factor)
    if isinstance(life, LogNormal):
        return LogNormal(mu=own["mu"] + np.log(factor), sigma=own["sigma"])
    assert isinstance(life, (Weibull, Gamma))
    return type(life)(shape=own["shape"], scale=own["scale"] * factor)


@dataclass(frozen=True, eq=False)
class Opening:
    """The stock before the first year, and what it is taken from."""

    stock: float
    basis: str


class Cohorts:
    """One stock of one layer over the reconciled years and those to come.

    Parameters
    ----------
    lives : Lifetimes
    years : list of int
        Reconciled years, then every year to come.
    past : array, shape (reconciled years, end uses)
        Inflow of the reconciled years [unit].
    inflow_at : str
        When in its year an inflow begins to age.
    factor : callable
        Returns by which factor the cohort of a year lasts longer than its lifetime says.
    """

    def __init__(
        self,
        lives: Lifetimes,
        years: list[int],
        past: Floats,
        inflow_at: str,
        factor: Callable[[int], float],
    ) -> None:
        self.years, self.n_past = years, len(past)
        self.lives = lives
        steps = np.diff(np.asarray(years, dtype=float), prepend=years[0] - 1.0)
        self.steps: Floats = np.asarray(steps)
        self.inflow = np.zeros((len(years), past.shape[1]))
        self.inflow[: self.n_past] = past
        self.phi = lives.survival_shares(years, inflow_at, first_step=1)  # type: ignore[arg-type]
        for c in range(self.n_past, len(years)):
            ratio = factor(years[c])
            if abs(ratio - 1) > _HARDLY:
                life = scaled(lives.life_of(years[c]), ratio)
                every = shares_of(years, life, inflow_at, first_step=1)  # type: ignore[arg-type]
                self.phi[:, c] = every[:, c]
        self.rho = lives.opening_shares(years, first_step=1)
        self.opening = Opening(0.0, "")

    def open(self, level: float, outflow: float, before: float) -> None:
        """Find the stock of before from what is known: a level, or the last outflow.

        Parameters
        ----------
        level : float
            Stock at the end of the last reconciled year [mass], nan where it is not known.
        outflow : float
            Outflow of the last reconciled year [unit].
        before : float
            Stock at the beginning of the first reconciled year, nan where it is not known.
        """
        last = self.n_past - 1
        own = self._own()[: self.n_past]
        entered = self.inflow[last].sum() * self.steps[last]
        fell = (1.0 if last == 0 else self.rho[last - 1]) - self.rho[last]
        made = entered - (own[last] - (own[last - 1] if last else 0.0))
        if np.isfinite(before):
            found, basis = before, "opening"
        elif np.isfinite(level) and self.rho[last] > _HARDLY:
            found, basis = (level - own[last]) / self.rho[last], "level"
        elif fell > _HARDLY:
            found, basis = (outflow * self.steps[last] - made) / fell, "outflow"
        else:
            found, basis = 0.0, "none"
        self.opening = Opening(max(float(found), 0.0), basis if found >= 0 else "negative")

    def _own(self) -> Floats:
        """Return the stock by year that stems from the inflow so far."""
        return np.asarray(self.phi @ (self.inflow.sum(axis=1) * self.steps))

    @property
    def level(self) -> Floats:
        """Stock at the end of each year [mass]; of years to come as far as they are known."""
        return np.asarray(self._own() + self.rho * self.opening.stock)

    def releases(self, at: int) -> tuple[float, float]:
        """Return what leaves in a year: of earlier cohorts [unit], and as a share of its inflow.

        stock_t = ρ_t K₀ + Σ_c ℓ_c in_c φ(t, c) and out_t = in_t − (stock_t − stock_{t−1})/ℓ_t.
        """
        entered = self.inflow[:at].sum(axis=1) * self.steps[:at]
        before, now = self.opening.stock, self.rho[at] * self.opening.stock
        if at:
            before = self.rho[at - 1] * self.opening.stock + self.phi[at - 1, :at] @ entered
        now += self.phi[at, :at] @ entered
        return float((before - now) / self.steps[at]), float(1.0 - self.phi[at, at])

    def by_end_use(self, opening: Floats) -> Floats:
        """Return the stock by year and end use; the opening stock is split as given."""
        own = self.phi @ (self.inflow * self.steps[:, None])
        return np.asarray(own + self.rho[:, None] * self.opening.stock * opening)

    def by_age(self, at: int) -> Floats:
        """Return the stock at the end of a year by age, classes that begin at ``AGES``."""
        out = np.zeros(len(AGES))
        entered = self.inflow.sum(axis=1) * self.steps * self.phi[at]
        age = self.years[at] - np.asarray(self.years[: at + 1])
        np.add.at(out, np.searchsorted(AGES, age, side="right") - 1, entered[: at + 1])
        return out + self.opening.stock * self._opening_by_age(at)

    def _opening_by_age(self, at: int) -> Floats:
        """Return what is left of the opening stock by age, as shares of it; sums to ρ.

        With τ the time since, what is older than x ≥ τ is ∫_x^∞ e^(−g(a − τ)) S(a) da over
        ∫_0^∞ e^(−ga) S(a) da, which is e^(−g(x − τ)) times the ρ of x years.
        """
        since = float(self.years[at] - self.years[0] + 1)
        edges = np.maximum(np.asarray(AGES, dtype=float), since)
        ages, back = np.unique(edges, return_inverse=True)
        life, growth = self.lives.life_of(self.years[0] - 1), self.growth
        left = opening_shares(ages, life, growth, first_step=float(ages[0]))[back]
        older = np.exp(-growth * (edges - since)) * left
        return np.asarray(-np.diff(older, append=0.0))

    @property
    def growth(self) -> float:
        """Growth of the inflow that the opening stock stems from [1/yr]."""
        return self.lives.growths[self.lives.place_of(self.years[0] - 1)]
