"""From the mean and sd of a Weibull or a folded normal lifetime to its parameters.

Weibull: with x = 1/shape, mean = scale Γ(1 + x) and ln(1 + cv²) = ln Γ(1 + 2x) − 2 ln Γ(1 + x) =
f(x). In logarithms, ln f against ln x is increasing and concave with a slope between 2 (narrow:
f → π²x²/6) and 1 (wide: f → 2x ln 2), so that Newton's method converges from anywhere.

Folded normal: with z = mu/sigma and m(z) its mean for sigma = 1, mean² + sd² = sigma² (1 + z²), so
that sd/mean falls from √(π/2 − 1) at z = 0 towards 0.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, ndtr, psi, zeta

from mfa.errors import StockError
from mfa.stocks.checks import Floats

_HALVINGS = 60
_SMALL = 0.1  # below, f is a difference of nearly equal numbers, and its series is quick
_ORDERS = np.arange(2, 30)
# ln Γ(1 + x) = −γx + Σ ζ(k) (−x)ᵏ / k, so f(x) = Σ ζ(k) (2ᵏ − 2) (−x)ᵏ / k
_SERIES = zeta(_ORDERS.astype(np.float64)) * (2.0**_ORDERS - 2) / _ORDERS * (-1.0) ** _ORDERS


def log_ratio(x: Floats) -> tuple[Floats, Floats]:
    """Return f(x) = ln(1 + cv²) of a Weibull lifetime with shape 1/x, and x f'(x).

    Examples
    --------
    >>> f, _ = log_ratio(np.array([1.0]))  # exponential: cv = 1
    >>> f.round(12) == np.log(2).round(12)
    array([ True])
    """
    small = np.minimum(x, _SMALL)
    powers = small[..., None] ** _ORDERS
    large = np.maximum(x, _SMALL)
    f = np.where(x < _SMALL, powers @ _SERIES, gammaln(1 + 2 * large) - 2 * gammaln(1 + large))
    slope = np.where(
        x < _SMALL,
        powers @ (_SERIES * _ORDERS),
        2 * large * (psi(1 + 2 * large) - psi(1 + large)),
    )
    return f, slope


def weibull_shape(mean: Floats, sd: Floats) -> Floats:
    """Return the shape of the Weibull lifetime with given mean and sd, nan where there is none.

    Examples
    --------
    >>> weibull_shape(np.array([8.0]), np.array([8.0])).round(12)
    array([1.])
    """
    with np.errstate(all="ignore"):
        cv = sd / mean
        target = np.log(np.where(cv < 1e150, np.log1p(cv * cv), 2 * np.log(cv)))
        u = np.minimum(0.5 * (target - np.log(np.pi**2 / 6)), target)  # ln x, first guess
        for _ in range(60):
            f, slope = log_ratio(np.asarray(np.exp(u)))
            step = (np.log(f) - target) * f / slope
            u = u - step
            if not (np.abs(step) > 1e-15 * np.maximum(1.0, np.abs(u))).any():
                break
        return np.asarray(np.exp(-u))


def folded_ratio(mean: float, sd: float) -> float:
    """Return mu/sigma of the folded normal lifetime with given mean and sd, both above 0.

    Raises
    ------
    StockError
        If there is none.

    Examples
    --------
    >>> round(folded_ratio(2.0, 0.5), 6)
    3.999757
    """
    widest = np.sqrt(np.pi / 2 - 1)
    if sd > widest * mean:
        raise StockError(
            f"FoldedNormal lifetime: an sd of more than {widest:.4g} × mean; found mean {mean:g}, "
            f"sd {sd:g}; lower the sd, or choose a weibull, gamma or lognormal lifetime"
        )

    def too_wide(z: float) -> float:
        raised = np.sqrt(2 / np.pi) * np.exp(-z * z / 2) - 2 * z * ndtr(-z)
        return float(np.sqrt(1 - raised * (2 * z + raised)) / (z + raised) - sd / mean)

    low, high = 0.0, 2 * mean / sd
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if too_wide(middle) > 0 else (low, middle)
    return low
