"""Units of mass, of mass per year, and of shares.

Everything is converted once, on reading, into the system's unit. Case matters, since
``mg`` and ``Mt`` differ by fifteen orders of magnitude; only the width of the characters and
surrounding spaces do not.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

from mfa.errors import UnitError, near

Dimension = Literal["mass", "rate", "share"]

# Exact by definition: the international pound is 0.45359237 kg.
_TONNES = {
    "mg": 1e-9,
    "g": 1e-6,
    "kg": 1e-3,
    "t": 1.0,
    "kt": 1e3,
    "Gg": 1e3,
    "Mt": 1e6,
    "lb": 0.45359237e-3,
}
_ALSO = {"Mg": "t", "トン": "t", "千トン": "kt", "千t": "kt", "百万トン": "Mt", "百万t": "Mt"}
# What people write for several units, or for one that stands in no table.
_MEANT = {
    "MT": "'t' (metric tons) or 'Mt' (millions of them)",
    "mt": "'t' (metric tons) or 'Mt' (millions of them)",
    "ton": "'t' if these are metric tons",
    "tons": "'t' if these are metric tons",
    "tonnes": "'t'",
    "kton": "'kt'",
    "ktons": "'kt'",
    "Mton": "'Mt'",
    "万トン": "'kt', with values ten times as large",
    "万t": "'kt', with values ten times as large",
}
_SHARES = {"1": 1.0, "kg/kg": 1.0, "t/t": 1.0, "%": 1e-2, "ppm": 1e-6}
MASSES = tuple(_TONNES)
SHARES = tuple(_SHARES)
_PER_YEAR = ("/yr", "/a", "/y", "/year", "/年")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its name, what it measures, and its size in tonnes (or as a plain share)."""

    name: str
    dimension: Dimension
    size: float

    @property
    def mass(self) -> Unit:
        """The unit of mass that belongs to a rate: ``kt`` for ``kt/yr``."""
        if self.dimension != "rate":
            return self
        return Unit(self.name.rsplit("/", 1)[0], "mass", self.size)


def parse_unit(text: str) -> Unit:
    """Return the unit that a text names.

    Parameters
    ----------
    text : str
        For example ``"kt"``, ``"kt/yr"``, ``"t/年"``, ``"%"``.

    Raises
    ------
    UnitError
        If the text names no unit; near names are offered.

    Examples
    --------
    >>> parse_unit("kt/yr")
    Unit(name='kt/yr', dimension='rate', size=1000.0)
    >>> parse_unit("KT")
    Traceback (most recent call last):
    mfa.errors.UnitError: unknown unit 'KT'; did you mean 'kt' or 't'?
    """
    name = unicodedata.normalize("NFKC", text).replace(" ", "")
    if name in _SHARES:
        return Unit(name, "share", _SHARES[name])
    suffix = next((end for end in _PER_YEAR if name.endswith(end)), "")
    mass = name.removesuffix(suffix)
    mass = _ALSO.get(mass, mass)
    if mass in _TONNES and suffix:
        return Unit(f"{mass}/yr", "rate", _TONNES[mass])
    if mass in _TONNES:
        return Unit(mass, "mass", _TONNES[mass])
    every = "use one of " + " ".join(_TONNES) + ", with /yr for flows"
    known = [*_TONNES, *(f"{unit}/yr" for unit in _TONNES), *_SHARES]
    if "/" in name and not suffix:
        known = [unit for unit in known if "/yr" in unit]  # no share is meant
        every = "mass per year is written like kt/yr; " + every
    advice = f"did you mean {_MEANT[mass]}?" if mass in _MEANT else near(name, known, every)
    raise UnitError(f"unknown unit {text!r}; {advice}")


def factor(source: str | Unit, target: str | Unit) -> float:
    """Return what a value in one unit is multiplied by to be in another.

    Raises
    ------
    UnitError
        If either unit is unknown or they measure different things.

    Examples
    --------
    >>> factor("Mt/yr", "kt/yr")
    1000.0
    >>> factor("%", "1")
    0.01
    """
    a = parse_unit(source) if isinstance(source, str) else source
    b = parse_unit(target) if isinstance(target, str) else target
    if a.dimension != b.dimension:
        raise UnitError(
            f"{a.name!r} is a unit of {a.dimension} where one of {b.dimension} is needed; "
            f"write it in {b.name!r} or a multiple of it"
        )
    return a.size / b.size
