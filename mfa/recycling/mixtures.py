"""What share of every source is in what each process mixes, and where that is open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Floats, Ints, Mask
from mfa.balance.sensitivities import sensitivities
from mfa.recycling.absorb import absorb, never_fed, reachable
from mfa.recycling.enclose import Boxes, enclose
from mfa.recycling.place import Place
from mfa.recycling.sources import Sources

_MOVES = 1e-8
_MANY = 4e7  # numbers in the gradients of all shares
_APART = 2_000_000  # entries of sources among arcs, for each source once more


@dataclass(frozen=True, eq=False)
class Arcs:
    """What enters processes that mix: one entry per flow, withdrawal or discrepancy.

    Attributes
    ----------
    head, tail : array of int
        Process entered; process whose mixture it is, −1 for what has definite shares.
    shares : sparse array, shape (arcs, sources)
        Of definite ones; other rows are empty.
    x, low, high : array
        Mass per step; what is possible where it is undetermined.
    number, sign : array
        Variable that it is, or of which it is the negative.
    loose : array of bool
        Undetermined ones.
    """

    head: Ints
    tail: Ints
    shares: sp.csr_array
    x: Floats
    low: Floats
    high: Floats
    number: Ints
    sign: Floats
    loose: Mask


@dataclass(frozen=True, eq=False)
class Mixtures:
    """Shares of the sources in every process that mixes, under perfect mixing.

    Attributes
    ----------
    place : Place
    sources : Sources
    arcs : Arcs
    closed : array of bool, shape (processes,)
        Processes whose mixture of several sources is determined.
    only : array of int, shape (processes,)
        The source that alone can reach a process, where some mixtures are open; −1 for others.
    """

    place: Place
    sources: Sources
    arcs: Arcs
    closed: Mask
    only: Ints

    @cached_property
    def share(self) -> Floats:
        """Share of each source in each process, shape (processes, sources); nan where open.

        Where a mixture is open, the share of one source among all others may still be determined.
        """
        out = self._closed_shares.copy()
        for source, one in self._apart.items():
            alone = one.closed | (one.only >= 0)
            fill = alone & np.isnan(out[:, source])
            out[fill, source] = one.share[fill, self._column(source)]
        return out

    @cached_property
    def _apart(self) -> dict[int, Mixtures]:
        """Each source beside all others taken together, where mixtures are open."""
        names = self.sources.names
        open_ = np.isnan(self._closed_shares[:, 0]) & self.sources.mixes
        if len(names) < 3 or not open_.any() or len(names) * len(self.arcs.head) > _APART:
            return {}
        return {
            source: mixtures(self.place, self.sources.beside_others(source))
            for source in range(len(names))
        }

    def _column(self, source: int) -> int:
        """Return the column of a source beside all others: what comes from nowhere is the last."""
        return int(source == len(self.sources.names) - 1)

    @cached_property
    def _closed_shares(self) -> Floats:
        n, k = len(self.closed), len(self.sources.names)
        inside = np.flatnonzero(self.closed)
        place = np.full(n, -1, dtype=np.int64)
        place[inside] = np.arange(len(inside))
        direct, passes = self._taken(place)
        out = np.full((n, k), np.nan)
        if len(inside):
            out[inside] = absorb(passes, direct)
        pure = np.flatnonzero(self.only >= 0)
        out[pure] = 0.0
        out[pure, self.only[pure]] = 1.0
        return out

    def _taken(self, place: Ints) -> tuple[Floats, sp.csr_array]:
        """Return what closed processes take in of sources and of each other."""
        arcs, n = self.arcs, int((place >= 0).sum())
        here = np.flatnonzero(place[arcs.head] >= 0)
        head, x = place[arcs.head[here]], np.maximum(arcs.x[here], 0.0)
        gather = sp.csr_array(sp.coo_array((x, (head, np.arange(len(here)))), (n, len(here))))
        direct = sp.csr_array(gather @ arcs.shares[here]).toarray()
        mixed = arcs.tail[here] >= 0
        ends = head[mixed], place[arcs.tail[here[mixed]]]
        passes = sp.csr_array(sp.coo_array((x[mixed], ends), shape=(n, n)))
        return np.asarray(direct, dtype=np.float64), passes

    @cached_property
    def limits(self) -> tuple[Floats, Floats]:
        """Least and greatest share in each process; the share itself where it is determined."""
        low = np.where(np.isnan(self.share), 0.0, self.share)
        high = np.where(np.isnan(self.share), 1.0, self.share)
        open_ = self.sources.mixes & np.isnan(self.share).any(axis=1)
        if not open_.any():
            return low, high
        arcs = self.arcs
        boxes = Boxes(
            arcs.head,
            arcs.tail,
            arcs.shares,
            np.maximum(np.where(arcs.loose, arcs.low, arcs.x), 0.0),
            np.maximum(np.where(arcs.loose, arcs.high, arcs.x), 0.0),
        )
        return enclose(low, high, open_, boxes)

    @cached_property
    def gradients(self) -> sp.csr_array | None:
        """How shares depend on the data, shape (processes × sources, data).

        With a = (M⁻¹)[p, h], share S[p, o] changes by a (share of o in the arc − S[h, o]) with an
        arc into h. Rows of open shares are of no meaning. None where these would be too many
        numbers.
        """
        own = self._own_gradients
        if own is None:
            return None
        k = len(self.sources.names)
        for source, one in self._apart.items():
            fill = np.flatnonzero(one.closed & np.isnan(self._closed_shares[:, source]))
            if not len(fill) or one._own_gradients is None:
                continue
            n = len(self.closed)
            put = np.ones(len(fill)), (fill * k + source, np.arange(len(fill)))
            chosen = sp.csr_array(one._own_gradients[fill * 2 + self._column(source)])
            own = own + sp.coo_array(put, shape=(n * k, len(fill))).tocsr() @ chosen
        return sp.csr_array(own)

    @cached_property
    def _own_gradients(self) -> sp.csr_array | None:
        """The same for processes whose whole mixture is determined, 0 for others."""
        arcs, n, k = self.arcs, int(self.closed.sum()), len(self.sources.names)
        here = np.flatnonzero(self.closed[arcs.head])
        found = self.place.balance.bounded.estimate
        shape = len(self.closed) * k, len(found.structure.data)
        if n * k * (len(here) + shape[1]) > _MANY:
            return None
        if not len(here):
            return sp.csr_array(shape)
        place = np.full(len(self.closed), -1, dtype=np.int64)
        place[self.closed] = np.arange(n)
        head, inverse = place[arcs.head[here]], self._inverse(place)
        part = arcs.shares[here].toarray()
        mixed = arcs.tail[here] >= 0
        part[mixed] = self._closed_shares[arcs.tail[here[mixed]]]
        step = (part - self._closed_shares[arcs.head[here]]) * arcs.sign[here, None]
        gradient = np.einsum("pa,ao->poa", inverse[:, head], step).reshape(n * k, -1)
        data = sensitivities(found, arcs.number[here])
        rows = (np.flatnonzero(self.closed)[:, None] * k + np.arange(k)).ravel()
        put = sp.coo_array((np.ones(n * k), (rows, np.arange(n * k))), shape=(shape[0], n * k))
        return sp.csr_array(put.tocsr() @ (sp.csr_array(gradient) @ data))

    def _inverse(self, place: Ints) -> Floats:
        """Return M⁻¹ of the closed processes; 0 for those that nothing feeds."""
        direct, passes = self._taken(place)
        turnover = np.asarray(direct.sum(axis=1) + passes.sum(axis=1)).ravel()
        matrix = np.diag(turnover) - passes.toarray()
        lost = never_fed(passes, direct.sum(axis=1))
        fed = np.flatnonzero(~lost)
        out: Floats = np.zeros(matrix.shape)
        out[np.ix_(fed, fed)] = np.linalg.inv(matrix[np.ix_(fed, fed)])
        return out


def mixtures(place: Place, sources: Sources) -> Mixtures:
    """Return the mixtures of all processes at a place.

    The mixture of a process is determined if what enters it from each source and from each process
    upstream is determined in sum, and their mixtures are; or if only one source ever reaches it.
    """
    arcs = _arcs(place, sources)
    only = np.full(len(sources.mixes), -1, dtype=np.int64)
    open_ = np.zeros(len(sources.mixes), dtype=bool)
    if arcs.loose.any():
        only = _only_source(arcs, sources)
        arcs = _definite_from(arcs, only, len(sources.names))
        passes = arcs.tail >= 0
        start = np.flatnonzero(_open_here(arcs, place, len(only)) & (only < 0))
        open_ = reachable(start, arcs.tail[passes], arcs.head[passes], len(only))
    return Mixtures(place, sources, arcs, sources.mixes & ~open_ & (only < 0), only)


def _arcs(place: Place, sources: Sources) -> Arcs:
    """List what enters processes that mix; a determined negative flow enters at its other end."""
    sets, mixes = place.sets, sources.mixes
    flows = np.flatnonzero(sets.counted & (sets.tail != sets.head))
    loose = place.is_loose(place.number)
    back = (place.x < 0) & ~loose
    known = sp.csr_array(sources.shares[flows])
    backwards = np.flatnonzero(back[flows])
    if len(backwards):
        keep = np.ones(len(flows))
        keep[backwards] = 0.0
        known = sp.csr_array(sp.diags_array(keep) @ known)
    leaves, enters = origin_of(place, flows), np.where(back, sets.tail, sets.head)[flows]
    definite = (sources.definite & ~back)[flows]
    tail = np.where(definite | ~mixes[leaves], -1, leaves)
    shares = known + _unknown((tail < 0) & ~definite, len(sources.names))
    sign = np.where(back[flows], -1.0, 1.0)
    parts = [(enters, tail, shares, place.number[flows], sign)]
    parts += _out_of_nowhere(place, sources)
    inside = [np.flatnonzero(mixes[part[0]]) for part in parts]
    head, tail, number, sign = (
        np.concatenate([part[k][some] for part, some in zip(parts, inside, strict=True)])
        for k in (0, 1, 3, 4)
    )
    stacked = [part[2][some] for part, some in zip(parts, inside, strict=True)]
    return _valued(head, tail, sp.csr_array(sp.vstack(stacked)), number, sign, place)


def origin_of(place: Place, flows: Ints) -> Ints:
    """Return the process that flows really leave: the other end of negative ones."""
    back = (place.x < 0) & ~place.is_loose(place.number)
    return np.asarray(np.where(back, place.sets.head, place.sets.tail)[flows])


def _unknown(which: Mask, k: int) -> sp.csr_array:
    """Return rows with the share 1 of the last source where chosen, others empty."""
    rows = np.flatnonzero(which)
    entries = np.ones(len(rows)), (rows, np.full(len(rows), k - 1))
    return sp.csr_array(sp.coo_array(entries, shape=(len(which), k)))


Part = tuple[Ints, Ints, sp.csr_array, Ints, Floats]


def _out_of_nowhere(place: Place, sources: Sources) -> list[Part]:
    """List withdrawals and discrepancies, which are of unknown origin, by the process they enter.

    Where its sign is open, a discrepancy may enter at either end, and so may a flow that may be
    negative.
    """
    sets, k = place.sets, len(sources.names)
    stores = np.flatnonzero((place.change >= 0) & sources.mixes)
    gaps = np.flatnonzero(sets.discrepancies & (sets.tail != sets.head))
    flows = np.flatnonzero(sets.counted & place.is_loose(place.number))
    lower = place.space.lower[place.number[flows]] if len(flows) else np.zeros(0)
    either = flows[(lower < 0) & (sets.tail[flows] != sets.head[flows])]
    entries = (
        (stores, place.change[stores], -1.0),
        (sets.head[gaps], place.number[gaps], 1.0),
        (sets.tail[gaps], place.number[gaps], -1.0),
        (sets.tail[either], place.number[either], -1.0),
    )
    out: list[Part] = []
    for at, number, sign in entries:
        m = len(at)
        everything = _unknown(np.ones(m, dtype=bool), k)
        out.append((at, np.full(m, -1, dtype=np.int64), everything, number, np.full(m, sign)))
    return out


def _valued(
    head: Ints, tail: Ints, shares: sp.csr_array, number: Ints, sign: Floats, place: Place
) -> Arcs:
    """Return arcs with their values and ranges, without those that carry nothing."""
    balance = place.balance
    x = sign * place.point[number]
    loose = place.is_loose(number)
    low, high = x.copy(), x.copy()
    if loose.any():
        steps = balance.model.variables["step"].to_numpy(dtype=np.float64)
        ends = np.array([limit[number] * steps[number] for limit in balance.limits]) * sign
        low[loose], high[loose] = ends.min(axis=0)[loose], ends.max(axis=0)[loose]
    keep = np.flatnonzero(np.where(loose, high, x) > 0)
    return Arcs(
        head[keep],
        tail[keep],
        sp.csr_array(shares[keep]),
        x[keep],
        low[keep],
        high[keep],
        number[keep],
        sign[keep],
        loose[keep],
    )


def _only_source(arcs: Arcs, sources: Sources) -> Ints:
    """Return the source that alone can reach a process; −1 for none and for several."""
    n, k = len(sources.mixes), len(sources.names)
    count, last = np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    passes = arcs.tail >= 0
    known = arcs.shares.tocsc()
    for source in range(k):
        start = arcs.head[known.indices[known.indptr[source] : known.indptr[source + 1]]]
        reached = reachable(np.unique(start), arcs.tail[passes], arcs.head[passes], n)
        count += reached
        last[reached] = source
    return np.where(count == 1, last, -1)


def _definite_from(arcs: Arcs, only: Ints, k: int) -> Arcs:
    """Give what leaves processes with one source only the share 1 of it."""
    pure = np.flatnonzero((arcs.tail >= 0) & (only[arcs.tail] >= 0))
    entries = np.ones(len(pure)), (pure, only[arcs.tail[pure]])
    more = sp.csr_array(sp.coo_array(entries, shape=(len(arcs.head), k)))
    tail = arcs.tail.copy()
    tail[pure] = -1
    return replace(arcs, tail=tail, shares=sp.csr_array(arcs.shares + more))


def _open_here(arcs: Arcs, place: Place, n: int) -> Mask:
    """Return the processes that take in an undetermined sum from a source or a process.

    What is of undetermined sign opens the process that it may enter.
    """
    first = np.full(len(arcs.head), -1, dtype=np.int64)
    several = np.diff(arcs.shares.indptr)
    one = np.flatnonzero(several == 1)
    first[one] = arcs.shares.indices[arcs.shares.indptr[one]]
    split = several > 1
    k = arcs.shares.shape[1]
    key = np.where(arcs.tail >= 0, arcs.tail, n + first)
    key = np.where(split, n + k + np.arange(len(key)), key)
    _, group = np.unique(np.column_stack([arcs.head, key]), axis=0, return_inverse=True)
    group = group.ravel()
    moves = np.zeros(group.max(initial=-1) + 1, dtype=bool)
    for wander in place.wander.T:
        each = arcs.sign * np.where(arcs.loose, wander[arcs.number], 0.0)
        size = np.bincount(group, np.abs(each))
        moves |= np.abs(np.bincount(group, each)) > _MOVES * np.maximum(size, 1e-300)
    out = np.zeros(n, dtype=bool)
    out[arcs.head[moves[group]]] = True
    unsure = arcs.loose & (arcs.low < 0)
    out[arcs.head[unsure]] = True
    return out
