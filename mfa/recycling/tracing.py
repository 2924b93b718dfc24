"""Which mixtures are known at a place although not every flow is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mfa.balance.network import Floats, Mask
from mfa.recycling.memory import kept
from mfa.recycling.origin import UNKNOWN, Mixture, Origin, mix
from mfa.recycling.place import Place


@dataclass(frozen=True, eq=False)
class Tracing:
    """One origin at a place.

    Attributes
    ----------
    place : Place
    origin : Origin
    unknown_is : float
        Share of the origin that is taken for granted in everything of unknown origin, 0 or 1.
    """

    place: Place
    origin: Origin
    unknown_is: float = 0.0

    @property
    def closed(self) -> Mask:
        """Processes of the lane whose mixture is determined.

        What enters from outside and from each process upstream need only be determined in sum;
        mixtures upstream that are not determined themselves open those downstream.
        """
        return _closed(self.place, self.origin)

    @property
    def _mixture(self) -> Mixture:
        return _mixture(self.place, self.origin)

    @cached_property
    def share(self) -> Floats:
        """Share of the origin in each flow, nan where the mixture it stems from is open."""
        found = self._mixture.share + self.unknown_is * self._mixture.unknown
        open_ = self.origin.is_mixed & ~self.closed[self.place.sets.tail]
        return np.where(open_, np.nan, found)

    def depends_on_unknown(self, flows: Mask) -> bool:
        """Return whether anything of unknown origin may be in some flows."""
        closed = flows & ~np.isnan(self.share)
        unknown = self._mixture.unknown > 0
        if unknown[closed].any():
            return True
        enters = self.origin.enters(self.place.sets)
        return bool((flows & ~closed).any() and unknown[enters].any())

    def gradient(self, weight: Floats) -> Floats:
        """Return how Σ weight_p × share_p of the closed processes changes with every variable."""
        place, sets = self.place, self.place.sets
        by_flow, by_process = self._mixture.moved(weight, self.unknown_is)
        gaps = np.flatnonzero(sets.discrepancies)
        leaves, enters = place.x[gaps] < 0, place.x[gaps] > 0
        by_flow[gaps] -= np.where(leaves, by_process[sets.tail[gaps]], 0.0)
        by_flow[gaps] += np.where(enters, by_process[sets.head[gaps]], 0.0)
        out = place.spread(by_flow)
        drawn = np.flatnonzero((place.change >= 0) & (place.additions < 0))
        out[place.change[drawn]] -= by_process[drawn]
        return np.asarray(out)


@kept
def _closed(place: Place, origin: Origin) -> Mask:
    """Return the processes of the lane whose mixture is determined, whatever is unknown."""
    sets, share = place.sets, origin.share
    out = origin.lane & ~_shaken(place)
    enters = np.flatnonzero(origin.enters(sets))
    key = np.where(origin.is_mixed, sets.tail, -1.0 - np.where(share == UNKNOWN, 2.0, share))
    ends = np.column_stack([sets.head[enters], key[enters]])
    groups, group = np.unique(ends, axis=0, return_inverse=True)
    moved = place.moved(enters, group.ravel(), len(groups))
    out[groups[moved, 0].astype(np.int64)] = False
    passes = enters[origin.is_mixed[enters]]
    while True:
        upstream = sets.head[passes[~out[sets.tail[passes]]]]
        if not out[upstream].any():
            return out
        out[upstream] = False


@kept
def _shaken(place: Place) -> Mask:
    """Return the processes with an undetermined stock change or discrepancy."""
    sets = place.sets
    out = place.is_loose(place.change)
    open_ = np.flatnonzero(sets.discrepancies & place.is_loose(place.number))
    out[sets.tail[open_]] = True
    out[sets.head[open_]] = True
    return np.asarray(out)


@kept
def _extra(place: Place) -> Floats:
    """Return what enters each process from nowhere in particular: of unknown origin."""
    sets = place.sets
    out = np.maximum(-place.additions, 0.0)
    gaps = np.flatnonzero(sets.discrepancies)
    np.add.at(out, sets.tail[gaps], np.maximum(-place.x[gaps], 0.0))
    np.add.at(out, sets.head[gaps], np.maximum(place.x[gaps], 0.0))
    return np.asarray(out)


@kept
def _mixture(place: Place, origin: Origin) -> Mixture:
    return mix(place.sets, origin, place.x, _extra(place), _closed(place, origin))
