"""What a chart's colours tell: role, substance, origin of the metal, or how far data moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.balance.network import Floats, Ints
from mfa.errors import ChartError, near
from mfa.recycling.place import Place
from mfa.recycling.provenance import provenance
from mfa.sankey.words import TEXT
from mfa.schema import GOODS

Colour = Literal["role", "substance", "origin", "adjustment"]
Tones = tuple[tuple[str, float], ...]  # (key of the colour, share of the width)
Painter = Callable[[Ints], Tones]

_SUBSTANCES = 7  # colours; more substances share the last
_THINNEST = 1e-6
_SMALL, _STRIKING = 1.0, 1.96  # adjustments, in sd


def check_colour(colour: str) -> None:
    """Raise if there is no such way of colouring."""
    known = get_args(Colour)
    if colour not in known:
        advice = near(colour, known, "use " + ", ".join(known))
        raise ChartError(f"charts cannot be coloured by {colour!r}; {advice}")


def painter(
    colour: Colour, balance: Balance, place: Place, substance: str, flows: pd.DataFrame
) -> Painter:
    """Return what gives the colours of the flows of one link.

    Parameters
    ----------
    colour : {"role", "substance", "origin", "adjustment"}
    balance : Balance
    place : Place
        Substance and year.
    substance : str
        Its name.
    flows : DataFrame
        Results of that substance and year, one row per flow of the system.

    Returns
    -------
    callable
        From places of flows in the system to colours with their shares; empty for the lane's own.
    """
    if colour == "substance":
        return _by_substance(balance, substance, flows)
    if colour == "origin":
        return _by_origin(place)
    if colour == "adjustment":
        return _by_adjustment(flows)
    return _always(())


def _always(tones: Tones) -> Painter:
    def paint(_: Ints) -> Tones:
        return tones

    return paint


def legend(colour: Colour, balance: Balance, lang: str) -> tuple[tuple[str, str], ...]:
    """Return the colours and what they stand for, in order; empty for the lanes' own."""
    text = TEXT[lang]
    if colour == "substance":
        names = [text.get(name, name) for name in balance.system.layers if name != GOODS]
        tones = [(_tone(place), name) for place, name in enumerate(names)]
        return (*_merged(tones), ("unknown", text["rest"]))
    keys = {
        "origin": ("primary", "new_scrap", "old_scrap", "mixed_scrap", "unknown"),
        "adjustment": ("down2", "down1", "still", "up1", "up2", "blank"),
    }
    return tuple((key, text[f"tone:{key}"]) for key in keys.get(colour, ()))


def _merged(tones: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join the names of substances that share a colour."""
    names: dict[str, list[str]] = {}
    for tone, name in tones:
        names.setdefault(tone, []).append(name)
    return [(tone, ", ".join(some)) for tone, some in names.items()]


def _tone(place: int) -> str:
    return f"substance{min(place, _SUBSTANCES - 1)}"


def _by_substance(balance: Balance, substance: str, flows: pd.DataFrame) -> Painter:
    """Colour by substance; gross mass by what is known of its composition."""
    names = [name for name in balance.system.layers if name != GOODS]
    if substance != GOODS:
        return _always(((_tone(names.index(substance)), 1.0),))
    table = balance.flows[balance.flows["year"] == flows["year"].dropna().iloc[0]]
    wide = table.pivot(index="flow", columns="substance", values="value")
    wide = wide.reindex(index=flows["flow"], columns=[GOODS, *names])
    gross, parts = wide[GOODS].to_numpy(), wide[names].fillna(0.0).to_numpy()

    def paint(some: Ints) -> Tones:
        total = float(gross[some].sum())
        if not (np.isfinite(total) and total > 0):
            return (("unknown", 1.0),)
        shares = parts[some].sum(axis=0) / total
        return _filled([(_tone(k), float(share)) for k, share in enumerate(shares)])

    return paint


def _filled(shares: list[tuple[str, float]]) -> Tones:
    """Return positive shares that add up to 1, the rest of unknown kind."""
    kept: dict[str, float] = {}
    for tone, share in shares:
        if share > _THINNEST:
            kept[tone] = kept.get(tone, 0.0) + share
    total = sum(kept.values())
    if total < 1.0 - _THINNEST:
        kept["unknown"] = 1.0 - total
    return tuple((tone, share / max(total, 1.0)) for tone, share in kept.items())


def _by_origin(place: Place) -> Painter:
    shares = provenance(place)
    x = np.where(place.is_loose(place.number), np.nan, np.abs(place.x))

    def paint(some: Ints) -> Tones:
        found = {name: _mean(share[some], x[some]) for name, share in shares.items()}
        told = found["new_scrap"] + found["old_scrap"]
        found["mixed_scrap"] = max(found.pop("scrap") - told, 0.0)
        return _filled(list(found.items()))

    return paint


def _mean(shares: Floats, weights: Floats) -> float:
    """Return the mean share of a bundle; 0, that is unknown, where it is open."""
    if np.isnan(shares).any():
        return 0.0
    if np.ptp(shares) < _THINNEST:
        return float(shares[0])
    total = weights.sum()
    return float(shares @ weights / total) if np.isfinite(total) and total > 0 else 0.0


def _by_adjustment(flows: pd.DataFrame) -> Painter:
    moved = flows["adjustment"].to_numpy(dtype=np.float64)
    observed = flows["observed"].notna().to_numpy()

    def paint(some: Ints) -> Tones:
        known = some[observed[some] & ~np.isnan(moved[some])]
        if not len(known):
            return (("blank", 1.0),)
        worst = float(moved[known[np.argmax(np.abs(moved[known]))]])
        if abs(worst) <= _SMALL:
            return (("still", 1.0),)
        degree = 2 if abs(worst) > _STRIKING else 1
        return ((f"{'up' if worst > 0 else 'down'}{degree}", 1.0),)

    return paint
