"""The six lifetimes: survival S(a) and its integral R(a) = ∫₀ᵃ S in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gamma, gammainc, gammaincc, ndtr

from mfa.stocks.checks import Floats, parameter
from mfa.stocks.lifetime import Lifetime, fitting, one_pair, representable
from mfa.stocks.moments import folded_ratio, log_ratio, weibull_shape

# Years such as 2000.1 are not exact in binary, nor are ages found from them: an age counts as
# the fixed lifetime from a thirtieth of a second before it.
_TOUCH = 1e-9
_ENDLESS = 40.0  # Φ(−40) is 0 in floating point


class Fixed(Lifetime):
    """Everything leaves at the same age: S(a) = 1 for a < mean, else 0.

    Parameters
    ----------
    mean : array_like
        Lifetime [yr], 0 or more.

    Examples
    --------
    >>> Fixed(mean=5.0).survival([4, 5])
    array([1., 0.])
    """

    names = ("mean",)

    def __init__(self, *, mean: ArrayLike) -> None:
        self._set(parameter("Fixed", "mean", mean, 0.0, strictly=False))

    @property
    def mean(self) -> Floats:
        """Lifetime [yr]."""
        return self.parameters[0]

    @property
    def sd(self) -> Floats:
        """Standard deviation of the lifetime [yr]: 0."""
        return np.zeros_like(self.parameters[0])

    @staticmethod
    def surviving(age: Floats, *parameters: Floats) -> Floats:
        """Return 1 where a < mean, else 0."""
        (mean,) = parameters
        return np.asarray(age < mean - _TOUCH, dtype=np.float64)

    @staticmethod
    def integral(age: Floats, *parameters: Floats) -> Floats:
        """Return min(a, mean)."""
        return np.minimum(age, parameters[0])


class Normal(Lifetime):
    """Normal lifetime: S(a) = Φ(−(a − mean)/sd). What it has below age 0 leaves at once.

    Parameters
    ----------
    mean : array_like
        Mean of the normal distribution [yr], 0 or more.
    sd : array_like
        Its standard deviation [yr], above 0.

    Examples
    --------
    >>> Normal(mean=30.0, sd=9.0).survival([0, 21, 30]).round(4)
    array([0.9996, 0.8413, 0.5   ])
    """

    names = ("mean", "sd")

    def __init__(self, *, mean: ArrayLike, sd: ArrayLike) -> None:
        middle = parameter("Normal", "mean", mean, 0.0, strictly=False)
        self._set(*fitting("Normal", mean=middle, sd=parameter("Normal", "sd", sd, 0.0)))

    @property
    def mean(self) -> Floats:
        """Mean of the normal distribution [yr]."""
        return self.parameters[0]

    @property
    def sd(self) -> Floats:
        """Standard deviation of the normal distribution [yr]."""
        return self.parameters[1]

    @staticmethod
    def surviving(age: Floats, *parameters: Floats) -> Floats:
        """Return Φ(−z), z = (a − mean)/sd."""
        mean, sd = parameters
        return np.asarray(ndtr((mean - age) / sd))

    @staticmethod
    def integral(age: Floats, *parameters: Floats) -> Floats:
        """Return G(a) − G(0), see `_antiderivative`."""
        return _antiderivative(age, *parameters) - _antiderivative(np.zeros(()), *parameters)


class FoldedNormal(Lifetime):
    """The absolute value of a normal variable: S(a) = Φ(−(a − mu)/sigma) + Φ(−(a + mu)/sigma).

    Parameters
    ----------
    mu : array_like
        Mean of the normal variable before folding [yr], 0 or more (−mu gives the same lifetime).
    sigma : array_like
        Standard deviation before folding [yr], above 0.

    Examples
    --------
    >>> life = FoldedNormal(mu=6.0, sigma=4.0)
    >>> round(float(life.mean), 4), round(float(life.sd), 4)
    (6.2345, 3.6238)
    """

    names = ("mu", "sigma")

    def __init__(self, *, mu: ArrayLike, sigma: ArrayLike) -> None:
        kind = "FoldedNormal"
        middle = parameter(kind, "mu", mu, 0.0, strictly=False)
        self._set(*fitting(kind, mu=middle, sigma=parameter(kind, "sigma", sigma, 0.0)))

    @staticmethod
    def from_moments(*, mean: float, sd: float) -> FoldedNormal:
        """Return the folded normal lifetime with a mean and sd of its own [yr], single numbers.

        Raises
        ------
        StockError
            If there is none: sd can be at most √(π/2 − 1) = 0.7555 of the mean.

        Examples
        --------
        >>> FoldedNormal.from_moments(mean=6.2345, sd=3.6238)
        FoldedNormal(mu=6.00003, sigma=4.00006)
        """
        kind = "FoldedNormal"
        middle = float(parameter(kind, "mean", mean, 0.0))
        ratio = folded_ratio(middle, float(parameter(kind, "sd", sd, 0.0)))
        sigma = middle / float(FoldedNormal(mu=ratio, sigma=1.0).mean)
        return FoldedNormal(mu=ratio * sigma, sigma=sigma)

    @property
    def mean(self) -> Floats:
        """Mean lifetime [yr]: mu + σ√(2/π) exp(−mu²/2σ²) − 2 mu Φ(−mu/σ)."""
        return np.asarray(self.parameters[0] + self._raised)

    @property
    def sd(self) -> Floats:
        """Standard deviation of the lifetime [yr]: √(σ² − (mean² − mu²))."""
        mu, sigma = self.parameters
        return np.asarray(np.sqrt(sigma**2 - self._raised * (2 * mu + self._raised)))

    @property
    def _raised(self) -> Floats:
        """By how much folding raises the mean."""
        mu, sigma = self.parameters
        z = mu / sigma
        return np.asarray(sigma * np.sqrt(2 / np.pi) * np.exp(-z * z / 2) - 2 * mu * ndtr(-z))

    @staticmethod
    def surviving(age: Floats, *parameters: Floats) -> Floats:
        """Return Φ(−(a − mu)/sigma) + Φ(−(a + mu)/sigma) and 1 below age 0."""
        mu, sigma = parameters
        a = np.maximum(age, 0.0)
        return np.asarray(ndtr((mu - a) / sigma) + ndtr(-(mu + a) / sigma))

    @staticmethod
    def integral(age: Floats, *parameters: Floats) -> Floats:
        """Return the sum over ±mu of what a normal lifetime has."""
        mu, sigma = parameters
        return Normal.integral(age, mu, sigma) + Normal.integral(age, -mu, sigma)


class LogNormal(Lifetime):
    """Lognormal lifetime: S(a) = Φ(−z), z = (ln a − mu)/sigma.

    Parameters
    ----------
    mean, sd : array_like
        Mean and standard deviation of the lifetime itself [yr], above 0.
    mu, sigma : array_like
        Or: mean and standard deviation of the lifetime's natural logarithm; sigma above 0.

    Examples
    --------
    >>> life = LogNormal(mean=60.0, sd=25.0)
    >>> life
    LogNormal(mu=4.0143, sigma=0.400107)
    >>> round(float(life.mean), 9), round(float(life.sd), 9)
    (60.0, 25.0)
    """

    names = ("mu", "sigma")

    def __init__(
        self,
        *,
        mean: ArrayLike | None = None,
        sd: ArrayLike | None = None,
        mu: ArrayLike | None = None,
        sigma: ArrayLike | None = None,
    ) -> None:
        given = one_pair("LogNormal", mean=mean, sd=sd, mu=mu, sigma=sigma)
        with np.errstate(all="ignore"):
            if "mean" in given:
                square = np.log1p((given["sd"] / given["mean"]) ** 2)
                self._set(np.log(given["mean"]) - square / 2, np.sqrt(square))
            else:
                self._set(*given.values())
            representable("LogNormal", given, self.parameters[1], self.mean)

    @property
    def mean(self) -> Floats:
        """Mean lifetime [yr]: exp(mu + sigma²/2)."""
        mu, sigma = self.parameters
        return np.asarray(np.exp(mu + sigma**2 / 2))

    @property
    def sd(self) -> Floats:
        """Standard deviation of the lifetime [yr], inf where it cannot be represented."""
        with np.errstate(over="ignore"):
            return np.asarray(self.mean * np.sqrt(np.expm1(self.parameters[1] ** 2)))

    @staticmethod
    def surviving(age: Floats, *parameters: Floats) -> Floats:
        """Return Φ(−z), z = (ln a − mu)/sigma."""
        return np.asarray(ndtr(-_log_score(age, *parameters)))

    @staticmethod
    def integral(age: Floats, *parameters: Floats) -> Floats:
        """Return aΦ(−z) + mean Φ(z − sigma)."""
        mu, sigma = parameters
        z = _log_score(age, mu, sigma)
        return _times(age, ndtr(-z)) + np.exp(mu + sigma**2 / 2) * ndtr(z - sigma)


class Weibull(Lifetime):
    """Weibull lifetime: S(a) = exp(−(a/scale)^shape).

    Parameters
    ----------
    shape, scale : array_like
        Shape and scale [yr], above 0.
    mean, sd : array_like
        Or: mean and standard deviation of the lifetime itself [yr], above 0.

    Examples
    --------
    >>> Weibull(mean=25.0, sd=10.0)
    Weibull(shape=2.69562, scale=28.1141)
    """

    names = ("shape", "scale")

    def __init__(
        self,
        *,
        shape: ArrayLike | None = None,
        scale: ArrayLike | None = None,
        mean: ArrayLike | None = None,
        sd: ArrayLike | None = None,
    ) -> None:
        given = one_pair("Weibull", shape=shape, scale=scale, mean=mean, sd=sd)
        with np.errstate(all="ignore"):
            if "mean" in given:
                found = weibull_shape(given["mean"], given["sd"])
                self._set(found, given["mean"] / gamma(1 + 1 / found))
            else:
                self._set(*given.values())
            representable("Weibull", given, *self.parameters, self.mean)

    @property
    def mean(self) -> Floats:
        """Mean lifetime [yr]: scale Γ(1 + 1/shape)."""
        shape, scale = self.parameters
        return np.asarray(scale * gamma(1 + 1 / shape))

    @property
    def sd(self) -> Floats:
        """Standard deviation of the lifetime [yr], inf where it cannot be represented."""
        with np.errstate(over="ignore"):
            return np.asarray(self.mean * np.sqrt(np.expm1(log_ratio(1 / self.parameters[0])[0])))

    @staticmethod
    def surviving(age: Floats, *parameters: Floats) -> Floats:
        """Return exp(−(a/scale)^shape), 1 below age 0."""
        return np.asarray(np.exp(-_weibull_power(age, *parameters)))

    @staticmethod
    def integral(age: Floats, *parameters: Floats) -> Floats:
        """Return scale Γ(1 + 1/k) P(1/k, (a/scale)^k)."""
        shape, scale = parameters
        power = _weibull_power(age, shape, scale)
        whole = scale * gamma(1 + 1 / shape)
        # Where the power is as good as 0, or underflows, everything is still in use.
        return np.where(power < 1e-17, age, whole * gammainc(1 / shape, power))


class Gamma(Lifetime):
    """Gamma lifetime: S(a) = Q(shape, a/scale), the upper incomplete gamma function.

    Parameters
    ----------
    shape, scale : array_like
        Shape and scale [yr], above 0.
    mean, sd : array_like
        Or: mean and standard deviation of the lifetime itself [yr], above 0.

    Examples
    --------
    >>> Gamma(mean=12.0, sd=6.0)
    Gamma(shape=4, scale=3)
    """

    names = ("shape", "scale")

    def __init__(
        self,
        *,
        shape: ArrayLike | None = None,
        scale: ArrayLike | None = None,
        mean: ArrayLike | None = None,
        sd: ArrayLike | None = None,
    ) -> None:
        given = one_pair("Gamma", shape=shape, scale=scale, mean=mean, sd=sd)
        with np.errstate(all="ignore"):
            if "mean" in given:
                ratio = given["sd"] / given["mean"]
                self._set(ratio**-2.0, given["sd"] * ratio)
            else:
                self._set(*given.values())
            representable("Gamma", given, *self.parameters, self.mean)

    @property
    def mean(self) -> Floats:
        """Mean lifetime [yr]: shape × scale."""
        shape, scale = self.parameters
        return np.asarray(shape * scale)

    @property
    def sd(self) -> Floats:
        """Standard deviation of the lifetime [yr]: scale √shape."""
        shape, scale = self.parameters
        return np.asarray(np.sqrt(shape) * scale)

    @staticmethod
    def surviving(age: Floats, *parameters: Floats) -> Floats:
        """Return Q(shape, a/scale), 1 below age 0."""
        shape, scale = parameters
        return np.asarray(gammaincc(shape, np.maximum(age, 0.0) / scale))

    @staticmethod
    def integral(age: Floats, *parameters: Floats) -> Floats:
        """Return a Q(k, a/scale) + k scale P(k + 1, a/scale)."""
        shape, scale = parameters
        x = age / scale
        return _times(age, gammaincc(shape, x)) + shape * scale * gammainc(shape + 1, x)


def _antiderivative(age: Floats, mean: Floats, sd: Floats) -> Floats:
    """Return G(a) = (a − mean)Φ(−z) − sd φ(z), z = (a − mean)/sd, whose slope is Φ(−z)."""
    z = np.minimum((age - mean) / sd, _ENDLESS)
    return np.asarray(sd * (z * ndtr(-z) - np.exp(-z * z / 2) / np.sqrt(2 * np.pi)))


def _log_score(age: Floats, mu: Floats, sigma: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray((np.log(np.maximum(age, 0.0)) - mu) / sigma)


def _weibull_power(age: Floats, shape: Floats, scale: Floats) -> Floats:
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray((np.maximum(age, 0.0) / scale) ** shape)


def _times(age: Floats, share: Floats) -> Floats:
    """Return age × share, 0 where nothing is left, be the age infinite."""
    return np.asarray(np.where(share > 0, age, 0.0) * share)
