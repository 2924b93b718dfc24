"""Where the metal in every flow of a system stems from: ore, new scrap or old scrap."""

from __future__ import annotations

import numpy as np

from mfa.balance.network import Floats
from mfa.recycling.origin import MIXED, UNKNOWN, Origin, settle
from mfa.recycling.place import Place
from mfa.recycling.tracing import Tracing

_OLD, _NEW = ("old_scrap", "end_of_life"), ("new_scrap",)
_SCRAP = (*_OLD, *_NEW, "scrap")


def provenance(place: Place) -> dict[str, Floats]:
    """Return the share of each origin in every flow, if each process mixes what it takes in.

    Metal is ``primary`` that a flow of that role brings, ``new_scrap`` once it fell off in
    manufacturing, ``old_scrap`` once it was in use, and ``scrap`` if it was any kind of scrap,
    these two and imported scrap included. What else crosses the boundary is of unknown origin,
    and so is what comes from a stock.

    Parameters
    ----------
    place : Place
        Substance and year.

    Returns
    -------
    dict of str to array, shape (flows,)
        nan where the mixture that a flow leaves is undetermined. What primary metal and scrap
        leave of 1 is of unknown origin.
    """
    sets = place.sets
    abroad = sets.role(*_SCRAP) & ~sets.kind("process")[sets.tail]
    wanted = {"primary": ("primary",), "new_scrap": _NEW, "old_scrap": _OLD, "scrap": _SCRAP}
    out = {}
    for name, roles in wanted.items():
        inside = sets.kind("process")
        share = np.full(len(sets.tail), UNKNOWN)
        share[inside[sets.tail]] = MIXED
        # Scrap of no stated kind is as old or new as what its process takes in.
        share[
            sets.role("primary", *_OLD, *_NEW, *(_SCRAP if name in ("primary", "scrap") else ()))
        ] = 0.0
        share[sets.role(*roles)] = 1.0
        if name in ("new_scrap", "old_scrap"):
            share[abroad] = UNKNOWN
        out[name] = Tracing(place, settle(sets, Origin(name, inside, share))).share
    return out
