"""One layer in one year as linear equations, loops and all, solved at once.

Unknowns are every flow x and, of every process, what it takes in (Q), what leaves it (N), what of
that goes by rules of its own (E), what is left for its customers (W), what it draws from suppliers
(P), and what arrives that it cannot place (V). With s the share that its stock keeps:

    Q = Σ in − V      N = (1 − s) Q, or what cohorts release      Σ out = N
    pushed   x = r (N − E)      stated share   x = c Q (or c × a flow)      pulled   x = b P

A process that pulls closes its balance with P, one that pushes by its shares, which add up to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from mfa.balance.network import Floats, Ints, Mask
from mfa.errors import MFAError
from mfa.scenarios.network import Drive, Network

INPUTS, OUTPUTS = -1, -2
NO_GATE, LIMIT, SURPLUS = 0, 1, 2
_CLOSED = 1e-9


@dataclass(frozen=True, eq=False)
class Terms:
    """What is known of one layer in one year.

    Attributes
    ----------
    net : Network
    start : array, shape (flows,)
        Values in the base year, nan where a flow has no row.
    value : array, shape (flows,)
        Values of given flows [unit].
    exact : array of bool, shape (flows,)
        Flows that a scenario gives.
    share : array, shape (flows,)
        Stated share, nan where none is.
    of : array of int, shape (flows,)
        What a stated share is of: ``INPUTS``, ``OUTPUTS`` or a flow.
    supply : array, shape (flows,)
        Weights of suppliers.
    kept : array, shape (processes,)
        Share of the inputs that a stock keeps.
    old, young : array, shape (processes,)
        What leaves a stock that ages: of earlier cohorts [unit], and as a share of its inputs.
    """

    net: Network
    start: Floats
    value: Floats
    exact: Mask
    share: Floats
    of: Ints
    supply: Floats
    kept: Floats
    old: Floats
    young: Floats

    @property
    def there(self) -> Mask:
        """Flows that have a row."""
        return np.asarray(~np.isnan(self.start))

    @cached_property
    def weight(self) -> Floats:
        """Values in the base year, 0 where a flow has no row or is negative."""
        return np.where(self.there, np.maximum(self.start, 0.0), 0.0)


@dataclass(frozen=True, eq=False)
class Modes:
    """What holds processes back; arrays over processes, ``asked`` over flows.

    Attributes
    ----------
    drive : Drive
    limit : array
        Most that a process takes in.
    rationed : array of bool
        Processes that send less than they are asked for, in proportion to ``asked``.
    gate : array of int
        Whether what cannot be placed stays out: beyond the limit, or beyond what is wanted.
    asked : array
        What customers wanted when the rationing began.
    """

    drive: Drive
    limit: Floats
    rationed: Mask
    gate: np.ndarray
    asked: Floats


@dataclass(frozen=True, eq=False)
class Flows:
    """A solution: arrays over flows (x) and processes (taken Q, sent N, drawn P, left over V)."""

    x: Floats
    taken: Floats
    sent: Floats
    drawn: Floats
    left: Floats


def rest_shares(terms: Terms, modes: Modes) -> tuple[Mask, Floats]:
    """Return which flows share the rest of their process, and their shares r."""
    net, drive = terms.net, modes.drive
    ruled = terms.there & ~np.isnan(terms.share)
    rest = terms.there & drive.pushed & ~ruled & net.inside[net.tail]
    own = ruled | (drive.given & ~drive.pull[net.tail])
    weight = terms.weight
    total = add_up(net, net.tail, np.where(rest, weight, 0.0))
    makers = drive.pull
    whole = add_up(net, net.tail, np.where(terms.there & ~own, weight, 0.0))
    below = np.where(makers, whole, total)[net.tail]
    count = add_up(net, net.tail, rest.astype(float))[net.tail]
    even = np.where(makers[net.tail], 0.0, 1.0 / np.maximum(count, 1.0))
    share = np.where(below > 0, weight / np.where(below > 0, below, 1.0), even)
    return rest, np.where(rest, share, 0.0)


def suppliers(terms: Terms, modes: Modes) -> tuple[Mask, Floats]:
    """Return the flows that can still be drawn, and their shares b in what their process draws.

    Who supplies nothing stays out of it, unless nobody did in the base year: then all do, evenly.
    """
    net, drive = terms.net, modes.drive
    ever = add_up(net, net.head, np.where(drive.pulled, terms.weight, 0.0))[net.head]
    open_ = drive.pulled & ~modes.rationed[net.tail] & ((terms.supply > 0) | (ever <= 0))
    weight = np.where(open_, terms.supply, 0.0)
    total = add_up(net, net.head, weight)[net.head]
    count = add_up(net, net.head, open_.astype(float))[net.head]
    even = 1.0 / np.maximum(count, 1.0)
    share = np.where(total > 0, weight / np.where(total > 0, total, 1.0), even)
    return open_, np.where(open_, share, 0.0)


def customers(terms: Terms, modes: Modes) -> Mask:
    """Return the flows that a rationed process shares out."""
    net, drive = terms.net, modes.drive
    pulls = drive.pull[net.tail]
    return np.asarray(
        modes.rationed[net.tail] & np.where(pulls, drive.wanted, drive.given & terms.there)
    )


def add_up(net: Network, ends: Ints, values: Floats) -> Floats:
    """Add up values of flows by the process at one of their ends."""
    out = np.zeros(net.n_processes)
    np.add.at(out, ends, values)
    return out


class _Rows:
    """Entries of a sparse matrix and a right-hand side, gathered block by block."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._parts: list[tuple[Ints, Ints, Floats]] = []
        self.right = np.zeros(size)

    def add(self, row: Ints, column: Ints, value: Floats | float) -> None:
        """Add entries; rows and columns of one length."""
        self._parts.append((row, column, np.broadcast_to(np.asarray(value, float), row.shape)))

    def solve(self) -> Floats:
        """Return the solution, refined once."""
        row, column, value = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        matrix = sp.csc_array(sp.coo_array((value, (row, column)), shape=(self.size, self.size)))
        try:
            factor = splu(matrix)
        except RuntimeError as error:
            raise MFAError(
                "the projection has no single answer: some processes only feed each other; "
                "check roles and stages, or give one of their flows in the sheet 'scenarios'"
            ) from error
        x = factor.solve(self.right)
        return np.asarray(x + factor.solve(self.right - matrix @ x))


def solve(terms: Terms, modes: Modes) -> Flows:
    """Return every flow of a layer."""
    net, drive = terms.net, modes.drive
    n, m = net.n, net.n_processes
    f, p = np.arange(n), np.arange(m)
    at = {name: n + k * m + p for k, name in enumerate("QNEWPV")}
    rows = _Rows(n + 6 * m)
    for name in "QNEW":
        rows.add(at[name], at[name], 1.0)
    there = terms.there
    into = f[there & net.inside[net.head]]
    rows.add(at["Q"][net.head[into]], into, -1.0)
    rows.add(at["Q"], at["V"], 1.0)
    _flow_rows(rows, terms, modes, at)
    _sent_rows(rows, terms, modes, at)
    out = f[there & net.inside[net.tail]]
    starved = drive.pull & ~touched(net, net.head, suppliers(terms, modes)[0])
    balance_p = drive.pull & ~modes.rationed & (modes.gate == NO_GATE) & ~starved
    limit_p = drive.pull & modes.rationed & (modes.gate == NO_GATE) & ~starved
    limit_p &= np.isfinite(modes.limit)
    for name, closes, fills in (
        ("P", balance_p, limit_p),
        ("V", modes.gate == SURPLUS, modes.gate == LIMIT),
    ):
        here = at[name]
        rows.add(here[closes], at["N"][closes], 1.0)
        some = out[closes[net.tail[out]]]
        rows.add(here[net.tail[some]], some, -1.0)
        rows.add(here[fills], at["Q"][fills], 1.0)
        rows.right[here[fills]] = modes.limit[fills]
        idle = ~closes & ~fills
        rows.add(here[idle], here[idle], 1.0)
    found = rows.solve()
    part = {name: found[at[name]] for name in "QNPV"}
    return Flows(found[:n], part["Q"], part["N"], part["P"], part["V"])


def _flow_rows(rows: _Rows, terms: Terms, modes: Modes, at: dict[str, Ints]) -> None:
    """Write what sets each flow."""
    net, drive = terms.net, modes.drive
    f = np.arange(net.n)
    rows.add(f, f, 1.0)
    shared = customers(terms, modes)
    given = drive.given & terms.there & ~shared
    rows.right[f[given]] = terms.value[given]
    open_, b = suppliers(terms, modes)
    pulled = f[open_ & ~shared]
    rows.add(pulled, at["P"][net.head[pulled]], -b[pulled])
    ruled = terms.there & ~np.isnan(terms.share)
    own = f[ruled & drive.pushed]
    _of(rows, own, own, -terms.share[own], terms, at)
    rest, r = rest_shares(terms, modes)
    rest_f = f[rest]
    rows.add(rest_f, at["N"][net.tail[rest_f]], -r[rest_f])
    rows.add(rest_f, at["E"][net.tail[rest_f]], r[rest_f])
    # E: flows with a rule of their own, and in pulling processes stated yields of what is wanted
    counted = f[(ruled & drive.pushed) | (drive.given & terms.there & ~drive.pull[net.tail])]
    counted = counted[net.inside[net.tail[counted]]]
    rows.add(at["E"][net.tail[counted]], counted, -1.0)
    yields = f[ruled & drive.wanted]
    _of(rows, at["E"][net.tail[yields]], yields, -terms.share[yields], terms, at)
    # W: what is left for customers, shared out as they asked
    asked = np.where(shared, modes.asked, 0.0)
    total = add_up(net, net.tail, asked)[net.tail]
    count = add_up(net, net.tail, shared.astype(float))[net.tail]
    part = np.where(total > 0, asked / np.where(total > 0, total, 1.0), 1 / np.maximum(count, 1))
    some = f[shared]
    rows.add(some, at["W"][net.tail[some]], -part[some])
    rows.add(at["W"], at["N"], -1.0)
    pulls = drive.pull[net.tail]
    others = f[terms.there & net.inside[net.tail] & ~shared & (pulls | ruled)]
    rows.add(at["W"][net.tail[others]], others, 1.0)


def _of(
    rows: _Rows, where: Ints, flows: Ints, factor: Floats, terms: Terms, at: dict[str, Ints]
) -> None:
    """Add factor × what a stated share is of."""
    of, tail = terms.of[flows], terms.net.tail[flows]
    column = np.where(of == INPUTS, at["Q"][tail], np.where(of == OUTPUTS, at["N"][tail], of))
    rows.add(where, column, factor)


def _sent_rows(rows: _Rows, terms: Terms, modes: Modes, at: dict[str, Ints]) -> None:
    """Write what leaves each process: what its stock does not keep, or what cohorts release."""
    net = terms.net
    f = np.arange(net.n)
    rest, _ = rest_shares(terms, modes)
    shares = touched(net, net.tail, rest) | modes.drive.pull | modes.rationed
    slack = net.stores & ~shares & (modes.gate != SURPLUS)
    ages = net.living & ~slack
    plain = ~slack & ~ages
    rows.add(at["N"][plain], at["Q"][plain], -(1.0 - terms.kept[plain]))
    rows.add(at["N"][ages], at["Q"][ages], -terms.young[ages])
    rows.right[at["N"][ages]] = terms.old[ages]
    out = f[terms.there & net.inside[net.tail]]
    out = out[slack[net.tail[out]]]
    rows.add(at["N"][net.tail[out]], out, -1.0)


def touched(net: Network, ends: Ints, some: Mask | Ints) -> Mask:
    """Return the processes at one of the ends of some flows."""
    out = np.zeros(net.n_processes, dtype=bool)
    out[ends[some]] = True
    return out


def unclosed(terms: Terms, found: Flows) -> Mask:
    """Return the processes whose balance is not closed: none, unless their shares do not add up."""
    net = terms.net
    flows = np.flatnonzero(terms.there)
    out = add_up(net, net.tail[flows], found.x[flows])
    size = np.maximum(np.maximum(np.abs(out), np.abs(found.taken)), 1e-300)
    scale = max(float(np.abs(found.x).max(initial=0.0)), 1e-300)
    off = np.abs(found.sent - out) > np.maximum(_CLOSED * size, 1e-13 * scale)
    return np.asarray(off & net.inside)
